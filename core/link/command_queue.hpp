// What screens and scripts ask of the link: they push without ever taking the link's lock, and the
// link thread (or, during a stop on that very thread, the holder) runs one after another.
#pragma once

#include <chrono>
#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <utility>

namespace pcilens {

class CommandQueue {
 public:
  using Command = std::function<void()>;

  void push(Command command) {
    {
      const std::lock_guard lock(mutex_);
      commands_.push_back(std::move(command));
    }
    changed_.notify_one();
  }
  // Wakes the waiter without a command.
  void poke() {
    {
      const std::lock_guard lock(mutex_);
      poked_ = true;
    }
    changed_.notify_one();
  }
  // The next command; an empty one when the time ran out or somebody poked.
  Command wait_until(std::chrono::steady_clock::time_point deadline) {
    std::unique_lock lock(mutex_);
    changed_.wait_until(lock, deadline, [this] { return poked_ || !commands_.empty(); });
    poked_ = false;
    if (commands_.empty()) return {};
    Command command = std::move(commands_.front());
    commands_.pop_front();
    return command;
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Command> commands_;
  bool poked_ = false;
};

}  // namespace pcilens
