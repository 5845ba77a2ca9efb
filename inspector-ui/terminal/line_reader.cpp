#include "inspector-ui/terminal/line_reader.hpp"

#include <histedit.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <clocale>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cwchar>
#include <filesystem>

namespace pcilens::ui {
namespace {

// $XDG_STATE_HOME/pcilens/history (XDG base directory specification); empty if there is no home.
std::string history_file() {
  namespace fs = std::filesystem;
  const char* state = std::getenv("XDG_STATE_HOME");
  const char* home = std::getenv("HOME");
  fs::path folder;
  if (state != nullptr && *state == '/')
    folder = state;
  else if (home != nullptr && *home == '/')
    folder = fs::path(home) / ".local/state";
  else
    return {};
  folder /= "pcilens";
  std::error_code error;
  fs::create_directories(folder, error);
  return error ? std::string() : (folder / "history").string();
}

constexpr wchar_t kKillLine = 21;  // Ctrl-U
constexpr char kColourMark = '\1';

}  // namespace

struct LineReader::Implementation {
  Hooks hooks;
  int wake_fd;
  EditLine* edit = nullptr;
  History* history = nullptr;
  std::string file, prompt;
  std::atomic<bool> interrupted{false}, resized{false};

  static Implementation& of(EditLine* e) {
    void* self = nullptr;
    el_get(e, EL_CLIENTDATA, &self);
    return *static_cast<Implementation*>(self);
  }

  static char* give_prompt(EditLine* e) {
    Implementation& p = of(e);
    p.prompt = p.hooks.prompt();
    return p.prompt.data();
  }

  bool line_is_empty() const {
    const LineInfo* line = el_line(edit);
    return line->lastchar == line->buffer;
  }

  // Takes the line that is being typed off the screen, lets `show` print, and puts it back.
  void between_lines(const std::function<void()>& show) {
    std::fputs("\r\033[J", stdout);
    std::fflush(stdout);
    show();
    el_set(edit, EL_REFRESH);
  }

  static int get_char(EditLine* e, wchar_t* out) { return of(e).next_char(out); }

  int next_char(wchar_t* out) {
    std::mbstate_t state{};
    for (;;) {
      if (resized.exchange(false)) el_resize(edit);
      if (interrupted.exchange(false)) {
        if (!line_is_empty()) {
          *out = kKillLine;
          return 1;
        }
        between_lines(hooks.interrupt);
      }
      if (hooks.news()) between_lines(hooks.show);
      pollfd fds[2] = {{STDIN_FILENO, POLLIN, 0}, {wake_fd, POLLIN, 0}};
      if (poll(fds, 2, -1) < 0) {
        if (errno == EINTR) continue;
        return -1;
      }
      if ((fds[1].revents & POLLIN) != 0) {
        std::uint64_t count = 0;
        [[maybe_unused]] const auto n = ::read(wake_fd, &count, sizeof count);
        continue;
      }
      if ((fds[0].revents & (POLLIN | POLLHUP | POLLERR)) == 0) continue;
      char byte = 0;
      const auto n = ::read(STDIN_FILENO, &byte, 1);
      if (n < 0 && (errno == EINTR || errno == EAGAIN)) continue;
      if (n <= 0) return static_cast<int>(n);
      const std::size_t used = std::mbrtowc(out, &byte, 1, &state);
      if (used == static_cast<std::size_t>(-2)) continue;  // more bytes of this character follow
      if (used == static_cast<std::size_t>(-1)) {
        state = {};
        continue;
      }
      return 1;
    }
  }

  static unsigned char complete(EditLine* e, int) { return of(e).complete_here(); }

  unsigned char complete_here() {
    const LineInfo* info = el_line(edit);
    const std::string line(info->buffer, info->cursor);
    const Completions found = hooks.complete(line);
    if (found.items.empty()) return CC_REFRESH_BEEP;
    std::string common = found.items.front().text;
    for (const Completion& item : found.items) {
      const auto end =
          std::mismatch(common.begin(), common.end(), item.text.begin(), item.text.end());
      common.erase(end.first, common.end());
    }
    const std::string typed = line.substr(found.begin);
    const bool one = found.items.size() == 1;
    // What still goes on (a path, an assignment, an offset) gets no blank after it.
    if (one && !found.items.front().open && !common.empty() && common.back() != '=' &&
        common.back() != '/' && common.back() != ':')
      common += ' ';
    // Only the end of the word is new, or its case differs: replace it as a whole.
    const bool progress = common != typed && common.size() >= typed.size();
    if (progress) {
      el_deletestr(edit, static_cast<int>(typed.size()));
      el_insertstr(edit, common.c_str());
    }
    if (one || progress) return CC_REFRESH;
    std::fputs("\n", stdout);
    hooks.list(found.items);
    std::fflush(stdout);
    return CC_REDISPLAY;
  }
};

LineReader::LineReader(Hooks hooks, int wake_fd) : p_(std::make_unique<Implementation>()) {
  p_->hooks = std::move(hooks);
  p_->wake_fd = wake_fd;
  // Names and arrows are UTF-8, also where the environment asks for nothing.
  std::setlocale(LC_CTYPE, "");
  if (MB_CUR_MAX == 1) std::setlocale(LC_CTYPE, "C.UTF-8");
  p_->edit = el_init("pcilens", stdin, stdout, stderr);
  EditLine* e = p_->edit;
  el_set(e, EL_CLIENTDATA, p_.get());
  el_set(e, EL_PROMPT_ESC, &Implementation::give_prompt, kColourMark);
  el_set(e, EL_EDITOR, "emacs");
  el_set(e, EL_SIGNAL, 0);
  el_set(e, EL_ADDFN, "pcilens-complete", "complete the word", &Implementation::complete);
  el_set(e, EL_BIND, "^I", "pcilens-complete", nullptr);
  el_set(e, EL_BIND, "^R", "em-inc-search-prev", nullptr);
  el_source(e, nullptr);  // ~/.editrc
  el_set(e, EL_GETCFN, &Implementation::get_char);

  p_->history = history_init();
  HistEvent event;
  history(p_->history, &event, H_SETSIZE, 2000);
  history(p_->history, &event, H_SETUNIQUE, 1);
  p_->file = history_file();
  if (!p_->file.empty()) history(p_->history, &event, H_LOAD, p_->file.c_str());
  el_set(e, EL_HIST, ::history, p_->history);
}

LineReader::~LineReader() {
  HistEvent event;
  if (!p_->file.empty() && history(p_->history, &event, H_SAVE, p_->file.c_str()) >= 0)
    chmod(p_->file.c_str(), S_IRUSR | S_IWUSR);
  history_end(p_->history);
  el_end(p_->edit);
}

std::optional<std::string> LineReader::read() {
  int count = 0;
  const char* text = el_gets(p_->edit, &count);
  if (text == nullptr || count <= 0) return std::nullopt;
  std::string line(text, static_cast<std::size_t>(count));
  while (!line.empty() && (line.back() == '\n' || line.back() == '\r')) line.pop_back();
  if (line.find_first_not_of(" \t") != std::string::npos) {
    HistEvent event;
    history(p_->history, &event, H_ENTER, line.c_str());
  }
  return line;
}

void LineReader::interrupted() {
  p_->interrupted = true;
}
void LineReader::resized() {
  p_->resized = true;
}

}  // namespace pcilens::ui
