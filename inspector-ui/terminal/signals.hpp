// Ctrl-C and the window's size as events of a thread of its own: a command that waits can be
// cancelled, a line that is typed can be cleared.
#pragma once

#include <functional>
#include <thread>

namespace pcilens::ui {

class Signals {
 public:
  // Both are called on the signals' thread.
  Signals(std::function<void()> interrupt, std::function<void()> resize);
  ~Signals();
  Signals(const Signals&) = delete;
  Signals& operator=(const Signals&) = delete;

 private:
  int signal_fd_, stop_fd_;
  std::thread thread_;
};

}  // namespace pcilens::ui
