// Runs commands for a window: one after another on a thread of its own, so that the window never
// waits for the target. A new command cancels a waiting one (`wait`).
#pragma once

#include <chrono>
#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <thread>

#include "inspector-ui/commands/command.hpp"

namespace pcilens::ui {

class CommandRunner {
 public:
  // What came out of a line, told on the runner's thread: keep it and wake the window.
  using Finished = std::function<void(const std::string& line, const Result<Output>& output)>;

  // Both must outlive it.
  CommandRunner(Target& target, const CommandTable& table, Finished finished);
  ~CommandRunner();  // cancels and waits
  CommandRunner(const CommandRunner&) = delete;
  CommandRunner& operator=(const CommandRunner&) = delete;

  // A line as typed; `selected` is the register selected on screen. Never blocks.
  void run(std::string line, std::string selected = {});
  // A command with arguments from a prompt.
  void run(const Command& command, Arguments arguments, std::string selected = {});
  // The line that runs now, and since when; none: nothing does.
  struct Running {
    std::string line;
    std::chrono::steady_clock::time_point since;
  };
  std::optional<Running> running() const;
  // Asks it to end: commands that wait or take long do.
  void cancel();
  // For `source` and `quit`; set before the first run().
  std::function<Result<Output>(const std::string& file)> source = {};
  std::function<void()> quit = {};

 private:
  struct Job {
    std::string line;
    const Command* command = nullptr;
    Arguments arguments;
    std::string selected;
  };
  void post(Job job);
  void loop(std::stop_token stop);

  Target& target_;
  const CommandTable& table_;
  Finished finished_;
  mutable std::mutex mutex_;
  std::condition_variable_any wake_;
  std::deque<Job> jobs_;
  std::stop_source current_;
  std::optional<Running> running_;
  std::jthread thread_;  // last: uses all of the above
};

}  // namespace pcilens::ui
