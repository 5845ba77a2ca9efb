// One line from the terminal, with editing, history and completion (libedit). While it waits for
// keys it also listens for a wake-up, so that a stop is shown above the line being typed.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "inspector-ui/commands/command.hpp"

namespace pcilens::ui {

class LineReader {
 public:
  struct Hooks {
    std::function<std::string()> prompt;  // may hold colours between \1 marks
    std::function<Completions(std::string_view line)> complete;
    // Something woke it: returns whether it has anything to show, then shows it when called again
    // by `show`, between the lines.
    std::function<bool()> news;
    std::function<void()> show;
    std::function<void()> interrupt;                           // Ctrl-C on an empty line
    std::function<void(const std::vector<Completion>&)> list;  // several completions
  };

  // `wake_fd` becomes readable when somebody calls for it (eventfd).
  LineReader(Hooks hooks, int wake_fd);
  ~LineReader();
  // Nothing at the end of input (Ctrl-D).
  std::optional<std::string> read();

  // Asked by whoever handles the signals; any thread, then wake it by the fd.
  void interrupted();
  void resized();

 private:
  struct Implementation;
  std::unique_ptr<Implementation> p_;
};

}  // namespace pcilens::ui
