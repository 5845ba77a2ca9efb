// Cap'n Proto's event loop on a thread of its own. Everything of kj and capnp is made, used and
// destroyed on that thread; others hand it closures.
#pragma once

#include <kj/async-io.h>

#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace pcilens::remote {

class EventLoop {
 public:
  // `end` runs on the thread as its last closure, to destroy what lives there.
  explicit EventLoop(std::function<void()> end);
  ~EventLoop();
  EventLoop(const EventLoop&) = delete;
  EventLoop& operator=(const EventLoop&) = delete;

  // Runs it on the loop's thread, in the order of the calls. False, and never run, once stop() was
  // called.
  bool post(std::function<void()> closure);
  // Runs what was posted, then `end`, and waits for the thread. Idempotent.
  void stop();

  // On the thread only.
  kj::AsyncIoContext& io() { return *io_; }

 private:
  void run();
  kj::Promise<void> take(kj::AsyncInputStream& wake);
  void run_posted();

  std::function<void()> end_;
  int wake_fd_;
  std::mutex mutex_;
  std::vector<std::function<void()>> posted_;
  bool stopping_ = false;
  kj::AsyncIoContext* io_ = nullptr;
  char byte_[64];
  std::thread thread_;
};

}  // namespace pcilens::remote
