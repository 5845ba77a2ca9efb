#include "core/target/remote/event_loop.hpp"

#include <sys/eventfd.h>
#include <unistd.h>

#include <cstdint>

#include "core/thread_name.hpp"

namespace pcilens::remote {

EventLoop::EventLoop(std::function<void()> end)
    : end_(std::move(end)), wake_fd_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
  thread_ = std::thread([this] { run(); });
}

EventLoop::~EventLoop() {
  stop();
  ::close(wake_fd_);
}

bool EventLoop::post(std::function<void()> closure) {
  {
    const std::lock_guard lock(mutex_);
    if (stopping_) return false;
    posted_.push_back(std::move(closure));
  }
  const std::uint64_t one = 1;
  [[maybe_unused]] const auto n = ::write(wake_fd_, &one, sizeof one);
  return true;
}

void EventLoop::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  const std::uint64_t one = 1;
  [[maybe_unused]] const auto n = ::write(wake_fd_, &one, sizeof one);
  if (thread_.joinable()) thread_.join();
}

void EventLoop::run_posted() {
  std::vector<std::function<void()>> now;
  {
    const std::lock_guard lock(mutex_);
    now.swap(posted_);
  }
  for (auto& closure : now) closure();
}

kj::Promise<void> EventLoop::take(kj::AsyncInputStream& wake) {
  return wake.tryRead(byte_, 1, sizeof byte_).then([this, &wake](std::size_t) -> kj::Promise<void> {
    run_posted();
    {
      const std::lock_guard lock(mutex_);
      if (stopping_ && posted_.empty()) return kj::READY_NOW;
    }
    return take(wake);
  });
}

void EventLoop::run() {
  name_thread("remote");
  auto io = kj::setupAsyncIo();
  io_ = &io;
  {
    auto wake = io.lowLevelProvider->wrapInputFd(wake_fd_);
    take(*wake).wait(io.waitScope);
  }
  end_();
  io_ = nullptr;
}

}  // namespace pcilens::remote
