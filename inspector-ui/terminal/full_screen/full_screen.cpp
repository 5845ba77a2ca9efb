#include "inspector-ui/terminal/full_screen/full_screen.hpp"

#include <fmt/format.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <deque>
#include <sstream>

#include "inspector-ui/commands/describe.hpp"
#include "inspector-ui/commands/runner.hpp"
#include "inspector-ui/models/stop.hpp"
#include "inspector-ui/terminal/full_screen/line_edit.hpp"
#include "inspector-ui/terminal/full_screen/panes.hpp"
#include "inspector-ui/terminal/signals.hpp"

namespace pcilens::ui {
namespace {

constexpr int kLeastHeight = 16, kLeastWidth = 60;
constexpr std::size_t kMostLog = 5000;
constexpr int kAround = 2;  // of the console's lines: its title and the prompt

class FullScreen {
 public:
  FullScreen(Target& target, std::unique_ptr<Curses> curses)
      : curses_(std::move(curses)),
        wake_fd_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)),
        mailbox_(std::make_shared<gui::Mailbox>()),
        desk_{.target = target, .mailbox = mailbox_},
        runner_(target, CommandTable::standard(),
                [this](const std::string& line, const Result<Output>& output) {
                  mailbox_->post([this, line, output] { answered(line, output); });
                }) {
    mailbox_->on_post([fd = wake_fd_] { wake(fd); });
    desk_.run = [this](std::string line) { run_line(std::move(line)); };
    desk_.type = [this](std::string text) {
      edit_.set(std::move(text));
      focus_ = kPrompt;
    };
    runner_.quit = [this] {
      quit_ = true;
      wake(wake_fd_);
    };
    panes_[kRegisters] = make_registers_pane();
    panes_[kTransactions] = make_transactions_pane();
    panes_[kRules] = make_rules_pane();
    panes_[kStop] = make_stop_pane();
    panes_[kCode] = make_code_pane();
    target.on_change([fd = wake_fd_] { wake(fd); });
  }

  ~FullScreen() {
    desk_.target.on_change([] {});
    mailbox_->on_post({});
    close(wake_fd_);
  }

  int run(const std::string& greeting) {
    Signals signals([] {},
                    [fd = wake_fd_, this] {
                      resized_ = true;
                      wake(fd);
                    });
    std::istringstream lines(greeting);
    for (std::string text; std::getline(lines, text);) log(Line(text, Style::Dim));
    refresh();
    while (!quit_) {
      draw();
      pollfd fds[2] = {{STDIN_FILENO, POLLIN, 0}, {wake_fd_, POLLIN, 0}};
      // The pager may want to look again although nothing has happened.
      poll(fds, 2, 200);
      if ((fds[0].revents & (POLLHUP | POLLERR)) != 0) break;
      std::uint64_t count = 0;
      [[maybe_unused]] const auto n = ::read(wake_fd_, &count, sizeof count);
      if (resized_.exchange(false)) curses_->resized();
      while (const auto input = curses_->read()) handle(*input);
      mailbox_->deliver();
      refresh();
    }
    return 0;
  }

 private:
  enum Place : std::size_t {
    kRegisters,
    kRules,
    kStop,
    kCode,
    kTransactions,
    kPanes,
    kPrompt = kPanes
  };

  static void wake(int fd) {
    const std::uint64_t one = 1;
    [[maybe_unused]] const auto n = ::write(fd, &one, sizeof one);
  }

  // ---- what happens ----------------------------------------------------------------------------
  void refresh() {
    auto fresh = desk_.target.snapshot();
    if (desk_.snapshot && fresh->version == desk_.snapshot->version) return;
    if (desk_.snapshot && fresh->driver != desk_.snapshot->driver && !fresh->driver.empty())
      log(Line("driver: " + fresh->driver, Style::Dim));
    const bool none = no_driver(fresh->binding);
    if (none && !said_no_driver_) log(Line("driver: " + fresh->binding_text, Style::Bad));
    said_no_driver_ = none;
    for (; complaints_ < fresh->complaints.size(); ++complaints_)
      log(Line("kernel: " + fresh->complaints[complaints_], Style::Bad));
    desk_.snapshot = std::move(fresh);
    desk_.changes.update(*desk_.snapshot);
  }

  void log(Line line) {
    log_.push_back(std::move(line));
    if (log_.size() > kMostLog) log_.pop_front();
    back_ = 0;
  }

  void answered(const std::string& line, const Result<Output>& output) {
    if (!output) {
      log(Line(output.error().message, Style::Bad));
      return;
    }
    auto lines = lay_out(*output, static_cast<unsigned>(curses_->whole().width));
    const int count = static_cast<int>(lines.size());
    for (Line& one : lines) log(std::move(one));
    // Help is read from its beginning, and wants more than the few lines of a small terminal.
    const auto word = line.substr(0, line.find(' '));
    const auto command = CommandTable::standard().find(word);
    if (!command || (*command)->id != "help") return;
    reading_ = true;
    focus_ = kPrompt;
    const int room = curses_->whole().height - 2 - kAround;
    back_ = std::max(0, count - room);
  }

  void run_line(std::string line) {
    reading_ = false;
    log(Line().add("> ", Style::Dim).add(line, Style::Strong));
    // The only command that is this screen's own.
    const auto word = line.substr(0, line.find(' '));
    if (word == "filter") {
      const auto at = line.find_first_not_of(' ', word.size());
      desk_.filter = at == std::string::npos ? "" : line.substr(at);
      return;
    }
    runner_.run(std::move(line), desk_.selected_register);
  }

  void handle(const Input& input) {
    if (input.type == Input::Type::Resize) return;
    if (input.type == Input::Type::Click || input.type == Input::Type::Wheel) return mouse(input);
    if (input.type == Input::Type::Key && command_key(input.key)) return;
    if (input.type == Input::Type::BackTab ||
        (input.type == Input::Type::Tab && (focus_ != kPrompt || edit_.text().empty()))) {
      reading_ = false;
      const std::size_t by = input.type == Input::Type::Tab ? 1 : std::size_t{kPanes};
      focus_ = static_cast<Place>((focus_ + by) % (kPanes + 1));
      return;
    }
    if (focus_ != kPrompt) {
      if (input.type == Input::Type::Key && input.key == plain(KeyCode::Escape))
        focus_ = kPrompt;
      else
        panes_[focus_]->handle(desk_, input);
      return;
    }
    if (input.type == Input::Type::Tab) return complete();
    if (input.type == Input::Type::Key && input.key == plain(KeyCode::Enter)) {
      const std::string line = edit_.take();
      if (!line.empty()) run_line(line);
    } else if (input.type == Input::Type::Key && input.key == plain(KeyCode::PageUp)) {
      back_ += log_height_;
    } else if (input.type == Input::Type::Key && input.key == plain(KeyCode::PageDown)) {
      back_ = std::max(0, back_ - log_height_);
    } else if (input.type == Input::Type::Key && input.key == plain(KeyCode::Escape)) {
      edit_.set({});
      if (reading_) back_ = 0;
      reading_ = false;
    } else {
      edit_.handle(input);
    }
  }

  // Ctrl-C, Ctrl-D, and the keys that the command table names. Those with an argument still to
  // give go to the prompt.
  bool command_key(Key key) {
    if (key == ctrl(KeyCode::C)) {
      if (!edit_.text().empty())
        edit_.set({});
      else if (desk_.snapshot->state == RunState::Running)
        run_line("pause");
      else
        log(Line("Ctrl-D ends pcilens", Style::Dim));
      return true;
    }
    if (key == ctrl(KeyCode::D) || key == ctrl(KeyCode::Q)) return quit_ = true;
    if (key == ctrl(KeyCode::L)) {
      resized_ = true;
      return true;
    }
    if (key == plain(KeyCode::F1)) {
      run_line("help");
      return true;
    }
    if (key.ctrl && (key.code == KeyCode::B || key.code == KeyCode::F || key.code == KeyCode::E))
      return false;  // the line's own
    const auto bound = CommandTable::standard().bound_to(key);
    if (!bound) return false;
    std::string line(bound->command->id);
    if (!bound->action->arguments.empty()) line += " " + std::string(bound->action->arguments);
    if (bound->action->label.ends_with("…"))
      desk_.type(line + " ");
    else
      run_line(line);
    return true;
  }

  void complete() {
    const auto found =
        complete_line(CommandTable::standard(), *desk_.snapshot, edit_.before_cursor());
    if (found.items.empty()) return;
    std::string common = found.items.front().text;
    for (const Completion& c : found.items) {
      const auto differs = std::ranges::mismatch(common, c.text).in1;
      common.erase(differs, common.end());
    }
    const auto typed =
        edit_.before_cursor().substr(std::min(found.begin, edit_.before_cursor().size()));
    if (found.items.size() == 1) {
      edit_.replace(found.begin, common + (found.items.front().open ? "" : " "));
    } else if (common.size() > typed.size()) {
      edit_.replace(found.begin, common);
    } else {
      Line line;
      for (const Completion& c : found.items) line.add(c.text + "  ", Style::Name);
      log(std::move(line));
    }
  }

  void mouse(const Input& input) {
    for (std::size_t i = 0; i < kPanes; ++i) {
      if (!areas_[i].holds(input.y, input.x)) continue;
      if (input.type == Input::Type::Click)
        focus_ = static_cast<Place>(i);
      else
        panes_[i]->handle(desk_, input);
      return;
    }
    if (input.type == Input::Type::Click)
      focus_ = kPrompt;
    else
      back_ = std::max(0, back_ - input.lines);
  }

  // ---- the screen ------------------------------------------------------------------------------
  void lay_out_panes(const Area& whole) {
    // Title and key bar take a line each, the console a third.
    if (reading_) {
      areas_ = {};
      console_ = {1, 0, whole.height - 2, whole.width};
      return;
    }
    const int console = std::max(6, whole.height * 3 / 10);
    const int upper = whole.height - 2 - console;
    const int left = whole.width * 45 / 100, right = whole.width - left - 1;
    const int rules = std::clamp(upper / 3, 3, 8);
    areas_[kRegisters] = {1, 0, upper - rules, left};
    areas_[kRules] = {1 + upper - rules, 0, rules, left};
    const int code = upper >= 20 ? std::clamp(upper / 4, 4, 12) : 0;
    // What the stop wants, and what is left for a few transactions at least. While the driver runs
    // from stop to stop nothing moves.
    if (desk_.snapshot->state != RunState::Running)
      wanted_ = 1 + panes_[kStop]->wants(desk_, right);
    const int stop = std::clamp(std::max(wanted_, upper / 3), 4, std::max(4, upper - code - 3));
    areas_[kStop] = {1, left + 1, stop, right};
    areas_[kCode] = {1 + stop, left + 1, code, right};
    areas_[kTransactions] = {1 + stop + code, left + 1, upper - stop - code, right};
    console_ = {1 + upper, 0, console, whole.width};
  }

  void draw() {
    const Area whole = curses_->whole();
    curses_->clear();
    if (whole.height < kLeastHeight || whole.width < kLeastWidth) {
      curses_->text(0, 0, whole.width,
                    fmt::format("make the terminal {} by {} at least", kLeastWidth, kLeastHeight),
                    Style::Bad);
      curses_->cursor(0, 0);
      curses_->show();
      return;
    }
    lay_out_panes(whole);
    draw_title(whole);
    for (std::size_t i = 0; i < kPanes; ++i) {
      const Area& area = areas_[i];
      if (area.height < 2) continue;
      curses_->head(area, panes_[i]->title(desk_), focus_ == i);
      panes_[i]->draw(*curses_, desk_, {area.y + 1, area.x, area.height - 1, area.width},
                      focus_ == i);
    }
    draw_console();
    draw_keys(whole);
    curses_->show();
  }

  void draw_title(const Area& whole) {
    const Snapshot& s = *desk_.snapshot;
    Line line;
    line.add("pcilens  ", Style::Strong);
    for (const FunctionState& f : s.functions)
      line.add(f.bdf.empty() ? f.instance + "  " : fmt::format("{} at {}  ", f.instance, f.bdf),
               Style::Name);
    line.add(s.host.empty() ? "" : s.host + "  ", Style::Dim);
    line.add(describe_state(s), s.state == RunState::Running ? Style::Good : Style::Changed);
    curses_->line(0, 0, whole.width, line);
  }

  void draw_console() {
    log_height_ = console_.height - kAround;
    const int size = static_cast<int>(log_.size());
    back_ = std::clamp(back_, 0, std::max(0, size - log_height_));
    std::string title = "Console";
    if (back_ > 0) title += fmt::format(": {} more lines, PageDown", back_);
    if (reading_) title += back_ > 0 ? ", Esc closes" : ": Esc closes";
    curses_->head(console_, title, focus_ == kPrompt);
    const int first = std::max(0, size - log_height_ - back_);
    for (int i = 0; i < log_height_ && first + i < size; ++i)
      curses_->line(console_.y + 1 + i, 0, console_.width,
                    log_[static_cast<std::size_t>(first + i)]);
    const int y = console_.y + console_.height - 1;
    const int prompt = curses_->text(y, 0, console_.width, "> ", Style::Name);
    curses_->text(y, prompt, console_.width - prompt, edit_.text(), Style::Plain);
    curses_->cursor(y, std::min(console_.width - 1, prompt + edit_.column()));
  }

  // What may be pressed now, those of the pane with the focus first.
  void draw_keys(const Area& whole) {
    static constexpr std::array<const char*, kPanes + 1> kOwn = {
        "Enter open  w write  b break",
        "Space on/off  Del remove",
        "e edit  ↑↓ scroll",
        "↑↓ scroll",
        "Enter show  b break  f filter  End follow",
        "Tab panes"};
    Line line;
    line.add(std::string(kOwn[focus_]) + "   ", Style::Name);
    if (focus_ != kPrompt) line.add("Esc prompt   ", Style::Dim);
    line.add("F5 run  F6 pause  F9 break  F10 step  F11 to change  F1 help  Ctrl-D end",
             Style::Dim);
    curses_->line(whole.height - 1, 0, whole.width, line);
  }

  std::unique_ptr<Curses> curses_;
  int wake_fd_;
  std::shared_ptr<gui::Mailbox> mailbox_;
  Desk desk_;
  std::array<std::unique_ptr<Pane>, kPanes> panes_;
  std::array<Area, kPanes> areas_{};
  Area console_;
  Place focus_ = kPrompt;
  LineEdit edit_;
  std::deque<Line> log_;
  int back_ = 0, log_height_ = 1;  // lines scrolled up from the newest
  std::size_t complaints_ = 0;     // of the kernel's, shown
  bool said_no_driver_ = false;
  bool reading_ = false;  // an answer that has the whole screen
  int wanted_ = 0;        // by the last stop, with its title
  std::atomic<bool> quit_{false}, resized_{false};
  CommandRunner runner_;  // last: its thread uses the rest
};

}  // namespace

Result<int> run_full_screen(Target& target, const std::string& greeting) {
  auto curses = Curses::open();
  if (!curses) return tl::unexpected(curses.error());
  FullScreen screen(target, std::move(*curses));
  return screen.run(greeting);
}

}  // namespace pcilens::ui
