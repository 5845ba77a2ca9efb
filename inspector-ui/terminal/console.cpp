#include "inspector-ui/terminal/console.hpp"

#include <fmt/format.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <atomic>
#include <fstream>
#include <iostream>
#include <mutex>
#include <set>
#include <sstream>

#include "inspector-ui/commands/describe.hpp"
#include "inspector-ui/commands/wait.hpp"
#include "inspector-ui/terminal/line_reader.hpp"
#include "inspector-ui/terminal/screen.hpp"
#include "inspector-ui/terminal/signals.hpp"

namespace pcilens::ui {
namespace {

using namespace std::chrono_literals;

// What was last said of the target's state, so that each thing is said once.
struct Said {
  RunState state = RunState::Running;
  std::uint64_t seq = 0, t_ns = 0;
  Phase phase = Phase::Before;
  std::string driver;
  std::size_t complaints = 0;
  std::string no_driver;  // why none has a function
  bool operator==(const Said&) const = default;
};

class Console {
 public:
  Console(Target& target, const ConsoleOptions& options)
      : target_(target),
        options_(options),
        screen_(options.json),
        wake_fd_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
    target_.on_change([fd = wake_fd_] { wake(fd); });
  }
  ~Console() {
    target_.on_change([] {});
    close(wake_fd_);
  }

  int run() {
    int code = 0;
    const bool scripted = !options_.scripts.empty() || !options_.commands.empty();
    const bool interactive = is_interactive(options_);
    Signals signals([this] { interrupted(); }, [this] { resized(); });
    if (options_.await_stop) {
      Context c = context(true);
      wait_until(c, 5s, [](const Snapshot& s) { return s.state != RunState::Running; });
    }
    const bool gone_before = target_.snapshot()->gone;
    for (const std::string& file : options_.scripts)
      if (code == 0 && !quit_) code = run_script(file);
    int number = 0;
    for (const std::string& line : options_.commands)
      if (++number; code == 0 && !quit_) code = script_line(line, fmt::format("-e {}", number));
    if (code == 0 && !quit_ && !scripted && !interactive) code = run_script("-");
    // A script whose target died under it has not gone well, whatever it looked at last.
    if (const auto s = target_.snapshot(); code == 0 && !interactive && s->gone && !gone_before) {
      screen_.error("", s->driver);
      code = 2;
    }
    if (interactive && !quit_) {
      converse();
      return 0;
    }
    return code;
  }

 private:
  static void wake(int fd) {
    const std::uint64_t one = 1;
    [[maybe_unused]] const auto n = ::write(fd, &one, sizeof one);
  }

  void interrupted() {
    {
      const std::lock_guard lock(mutex_);
      interrupted_ = true;
      cancel_.request_stop();
      // What a command waits for is cancelled, and that is all.
      if (reader_ != nullptr && !at_work_) reader_->interrupted();
    }
    wake(wake_fd_);
  }

  void resized() {
    {
      const std::lock_guard lock(mutex_);
      if (reader_ != nullptr) reader_->resized();
    }
    wake(wake_fd_);
  }

  Context context(bool script) {
    std::stop_token token;
    {
      const std::lock_guard lock(mutex_);
      cancel_ = std::stop_source();
      interrupted_ = false;
      token = cancel_.get_token();
    }
    return {.target = target_,
            .table = CommandTable::standard(),
            .cancelled = token,
            .settle = 400ms,
            .script = script,
            .width = screen_.width(),
            .source = [this](const std::string& file) -> Result<Output> { return source(file); },
            .quit = [this] { quit_ = true; }};
  }

  // ---- what there is to say of the target ------------------------------------------------------
  Said now(const Snapshot& s) const {
    Said said{.state = s.state,
              .seq = 0,
              .t_ns = 0,
              .phase = Phase::Before,
              .driver = s.driver,
              .complaints = s.complaints.size(),
              .no_driver = no_driver(s.binding) ? s.binding_text : std::string()};
    if (s.stop) {
      said.seq = s.stop->transaction.seq;
      said.t_ns = s.stop->transaction.t_ns;
      said.phase = s.stop->phase;
    }
    return said;
  }

  bool news() const { return !(now(*target_.snapshot()) == said_); }

  void announce(bool interactive) {
    const auto s = target_.snapshot();
    const Said said = now(*s);
    if (said == said_) return;
    const auto tell = [&](const char* who, const std::string& what) {
      if (interactive)
        screen_.print(Line(std::string(who) + ": " + what, Style::Bad));
      else
        screen_.remark(who, what);
    };
    for (std::size_t i = said_.complaints; i < s->complaints.size(); ++i)
      tell("kernel", s->complaints[i]);
    if (said.no_driver != said_.no_driver) tell("driver", said.no_driver);
    if (said.driver != said_.driver && !said.driver.empty() && s->state != RunState::Ended &&
        !screen_.json())
      screen_.print(Line("driver: " + said.driver, Style::Dim));
    const bool moved = said.state != said_.state || said.seq != said_.seq ||
                       said.t_ns != said_.t_ns || said.phase != said_.phase;
    if (moved && s->state == RunState::Stopped) {
      screen_.print(describe_stop(*s, interactive && hints_ > 0));
      if (hints_ > 0) --hints_;
    } else if (moved && s->state != RunState::Running) {
      Output line(Line("■ " + describe_state(*s), Style::Strong));
      line.json = fmt::format("{{\"state\":{},\"driver\":{}}}", json_string(name_of(s->state)),
                              json_string(s->driver));
      screen_.print(line);
      if (interactive && s->state == RunState::Ended)
        screen_.print(Line(s->gone ? "  next: transactions, where, quit"
                                   : "  next: transactions, registers, restart, quit",
                           Style::Dim));
    }
    said_ = said;
  }

  // ---- scripts -------------------------------------------------------------------------------
  int run_script(const std::string& file) {
    std::ifstream opened;
    if (file != "-") {
      opened.open(file);
      // A folder opens, and fails with the first byte.
      if (!opened || (opened.peek() == std::ifstream::traits_type::eof() && opened.bad())) {
        screen_.error(file, "cannot be read; give the path of a file of commands");
        return 2;
      }
    }
    std::istream& in = file == "-" ? std::cin : opened;
    const std::string name = file == "-" ? "stdin" : file;
    std::string line;
    int number = 1;
    for (; next_line(in, line); ++number) {
      const std::string where = fmt::format("{}:{}", name, number);
      if (line.size() > kLongestLine) {
        screen_.error(where, "the line is longer than 64 KiB; is this a script?");
        return 2;
      }
      const int code = script_line(line, where);
      if (code != 0 || quit_) return code;
    }
    if (!in.bad()) return 0;
    screen_.error(name, "cannot be read to its end; give the path of a file of commands");
    return 2;
  }

  // Reads no further than a line may be long.
  static constexpr std::size_t kLongestLine = 64 * 1024;
  static bool next_line(std::istream& in, std::string& line) {
    line.clear();
    for (int c = in.get(); c != std::istream::traits_type::eof(); c = in.get()) {
      if (c == '\n') return true;
      line += static_cast<char>(c);
      if (line.size() > kLongestLine) return true;
    }
    return !line.empty();
  }

  int script_line(const std::string& line, const std::string& where) {
    announce(false);
    if (options_.echo && line.find_first_not_of(" \t") != std::string::npos)
      screen_.print(Line("> " + line, Style::Dim));
    Context c = context(true);
    auto result = run_line(c, line);
    if (result && !result->differs) screen_.print(*result);
    announce(false);
    if (screen_.lost()) return 2;  // nobody reads the answers; main() says so
    if (!result) {
      screen_.error(where, result.error().message);
      return 2;
    }
    if (result->differs) {
      std::string text = render(*result, {.width = 0, .colour = false});
      while (!text.empty() && text.back() == '\n') text.pop_back();
      if (!text.empty()) screen_.error(where, text);
      return 1;
    }
    {
      const std::lock_guard lock(mutex_);
      if (!interrupted_) return 0;
    }
    screen_.error(where, "interrupted");
    return 2;
  }

  Result<Output> source(const std::string& file) {
    if (!sources_.insert(file).second)
      return fail(
          fmt::format("source: {} is being run already; a script may not run itself", file));
    const int code = run_script(file);
    sources_.erase(file);
    if (code == 2) return fail(fmt::format("source: {} stopped at its error", file));
    Output out;
    out.differs = code == 1;
    return out;
  }

  // ---- the prompt ----------------------------------------------------------------------------
  std::string prompt() const {
    const auto s = target_.snapshot();
    std::string text;
    switch (s->state) {
      case RunState::Running: text = "running"; break;
      case RunState::Paused: text = "paused"; break;
      case RunState::Stopped:
        text = s->stop ? fmt::format("stopped #{}", s->stop->transaction.seq) : "stopped";
        break;
      case RunState::Ended: text = "ended"; break;
    }
    if (!screen_.colour()) return text + "> ";
    const char* colour = s->state == RunState::Running ? "32"
                         : s->state == RunState::Ended ? "2"
                                                       : "31";
    return fmt::format("\1\033[{}m\1{}\1\033[0m\1> ", colour, text);
  }

  void list(const std::vector<Completion>& items) const {
    Table table;
    table.columns = {{"", "text"}, {"", "doc", false, true}};
    const unsigned width = screen_.width() == 0 ? 80 : screen_.width();
    if (items.size() <= 16) {
      for (const Completion& c : items)
        table.rows.push_back({{"  " + c.text, Style::Name}, {c.doc, Style::Dim}});
      screen_.print(Output(std::move(table)));
      return;
    }
    std::size_t widest = 0;
    for (const Completion& c : items) widest = std::max(widest, c.text.size());
    const std::size_t across = std::max<std::size_t>(1, width / (widest + 2));
    const std::size_t down = std::min<std::size_t>((items.size() + across - 1) / across, 20);
    table.columns.assign(across, {});
    for (std::size_t y = 0; y < down; ++y) {
      std::vector<Cell> row;
      for (std::size_t x = 0; x < across && x * down + y < items.size(); ++x)
        row.push_back({items[x * down + y].text, Style::Name});
      table.rows.push_back(std::move(row));
    }
    screen_.print(Output(std::move(table)));
    if (items.size() > across * down)
      screen_.print(Line(fmt::format("… {} in all", items.size()), Style::Dim));
  }

  void converse() {
    LineReader reader({.prompt = [this] { return prompt(); },
                       .complete =
                           [this](std::string_view line) {
                             return complete_line(CommandTable::standard(), *target_.snapshot(),
                                                  line);
                           },
                       .news = [this] { return news(); },
                       .show = [this] { announce(true); },
                       .interrupt = [this] { interrupt_while_idle(); },
                       .list = [this](const auto& items) { list(items); }},
                      wake_fd_);
    {
      const std::lock_guard lock(mutex_);
      reader_ = &reader;
    }
    std::istringstream greeting(options_.greeting);
    for (std::string text; std::getline(greeting, text);) screen_.print(Line(text));
    announce(true);
    while (!quit_ && !screen_.lost()) {
      const auto line = reader.read();
      if (!line) {
        std::fputs("\n", stdout);
        break;
      }
      auto result = work(*line);
      if (result)
        screen_.print(*result);
      else
        screen_.error("", result.error().message);
      announce(true);
    }
    const std::lock_guard lock(mutex_);
    reader_ = nullptr;
  }

  Result<Output> work(const std::string& line) {
    const auto at_work = [this](bool is) {
      const std::lock_guard lock(mutex_);
      at_work_ = is;
    };
    at_work(true);
    Context c = context(false);
    auto result = run_line(c, line);
    at_work(false);
    return result;
  }

  // Ctrl-C with nothing typed: hold the driver if it runs, else say how to leave.
  void interrupt_while_idle() {
    if (target_.snapshot()->state == RunState::Running) {
      Context c = context(false);
      if (auto r = run_line(c, "pause"); !r) screen_.error("", r.error().message);
      announce(true);
    } else {
      screen_.print(Line("\"quit\" or Ctrl-D ends pcilens", Style::Dim));
    }
  }

  Target& target_;
  const ConsoleOptions& options_;
  Screen screen_;
  int wake_fd_;
  Said said_;
  int hints_ = 3;  // a newcomer reads them a few times, then they are in the way
  bool quit_ = false;
  std::set<std::string> sources_;

  std::mutex mutex_;  // what the signals' thread shares
  std::stop_source cancel_;
  bool interrupted_ = false;
  bool at_work_ = false;  // on a line from the prompt
  LineReader* reader_ = nullptr;
};

}  // namespace

bool is_interactive(const ConsoleOptions& options) {
  const bool scripted = !options.scripts.empty() || !options.commands.empty();
  return isatty(STDIN_FILENO) != 0 && (!scripted || options.stay);
}

int run_console(Target& target, const ConsoleOptions& options) {
  Console console(target, options);
  return console.run();
}

}  // namespace pcilens::ui
