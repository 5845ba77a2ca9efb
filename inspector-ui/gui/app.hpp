// What the window's panels share: the target, its newest snapshot, what is selected, and the one
// way to run a command. Lives on the window's thread.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/target/target.hpp"
#include "inspector-ui/commands/command.hpp"
#include "inspector-ui/commands/runner.hpp"
#include "inspector-ui/models/mailbox.hpp"
#include "inspector-ui/models/registers.hpp"
#include "inspector-ui/models/split_tree.hpp"

namespace pcilens::gui {

class App;

// One panel of the window. Its id is its place in layouts and the beginning of its names in tests.
class Panel {
 public:
  virtual ~Panel() = default;
  virtual std::string_view id() const = 0;
  virtual std::string_view title() const = 0;
  virtual void draw(App& app) = 0;
  // A count or mark beside the title; empty for none.
  virtual std::string badge(const App&) const { return {}; }
};

class App {
 public:
  App(Target& target, std::shared_ptr<Mailbox> mailbox);
  ~App();

  // Takes the newest snapshot. True if it is another one.
  bool refresh();
  const Snapshot& snapshot() const { return *snapshot_; }
  Target& target() { return target_; }
  const std::shared_ptr<Mailbox>& mailbox() const { return mailbox_; }
  const ui::CommandTable& table() const { return table_; }
  const ChangeMark& changes() const { return changes_; }

  // Runs a line of the command table on the runner's thread; what it answers goes to the log.
  void run(std::string line);
  // The command that has been running long enough for a person to wonder; empty: none.
  std::string long_command();
  void cancel_command() { runner_.cancel(); }
  void run(const ui::Command& command, const ui::Action& action);
  // Opens the palette with the beginning of a command.
  std::string palette_request;
  bool palette_wanted = false;
  // Ctrl+G and Ctrl+F: go_to.cpp and the panel that was clicked last look at these.
  bool go_to_wanted = false, find_wanted = false;
  std::string active_panel = "transactions";

  // What is selected, shared by all panels.
  std::uint64_t selected_seq = 0;
  std::string selected_register;  // a row id: "STATUS", with several functions "edu0:STATUS"
  // One-shot wishes of one panel to another.
  std::string reveal_register;  // scroll there
  std::uint64_t reveal_seq = 0;
  std::string filter_request;  // for the transactions panel
  bool filter_wanted = false;
  std::uint64_t reveal_iova = 0;  // for the memory panel, with its function
  std::uint8_t reveal_function = 0;
  bool memory_wanted = false;
  std::string reveal_config;         // an item of config space
  std::uint64_t reveal_command = 0;  // the command that this transaction belongs to
  // Shows a transaction everywhere: list, detail, code.
  void select(std::uint64_t seq);

  // What commands answered, newest last; `bad` ones are errors.
  struct Message {
    ui::Output output;
    std::string line;  // the command; empty: nobody asked, and `error` tells what happened
    std::string error;
    bool bad = false;
  };
  const std::deque<Message>& messages() const { return messages_; }
  void say(Message message);
  void say_error(std::string what);
  // What the status bar shows until something else happens.
  const std::string& notice() const { return notice_; }
  bool notice_is_bad() const { return notice_bad_; }
  void clear_notice() { notice_.clear(); }

  // A Done<void> that reports an error in the status bar.
  Done<void> report();

  // Draw again within so many seconds although nothing happens.
  void wake_in(double seconds) { wake_ = wake_ < seconds ? wake_ : seconds; }
  double take_wake() {
    const double w = wake_;
    wake_ = kNever;
    return w;
  }
  static constexpr double kNever = 1e9;

  // Both take effect with the next picture.
  void use_layout(std::string_view preset);  // "debug" "trace" "learn"
  void use_theme(bool light);
  // Whether that is what an entry of the View menu would choose: "layout" "trace".
  bool is_chosen(const ui::Command& command, const ui::Action& action) const;
  // Puts a panel in front and gives it the keyboard, as a click on its tab does.
  void open_panel(std::string_view id);
  std::string entered_panel;  // one-shot: whom that was; the panel takes it
  // What is held must be in sight, whatever tab is in front of it.
  void show_stop();
  bool theme_changed = false;

  SplitTree layout;
  float width = 1600;  // of the window, pixels at scale 1
  std::vector<std::unique_ptr<Panel>> panels;
  Panel* panel(std::string_view id);
  bool quit = false;

 private:
  Target& target_;
  std::shared_ptr<Mailbox> mailbox_;
  std::shared_ptr<const Snapshot> snapshot_;
  ui::CommandTable table_;
  ChangeMark changes_;
  std::uint64_t held_ = 0;  // the stop before
  std::deque<Message> messages_;
  std::string notice_;
  bool notice_bad_ = false;
  double wake_ = kNever;
  ui::CommandRunner runner_;
};

}  // namespace pcilens::gui
