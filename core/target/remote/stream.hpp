// Carries bytes between a character device (a guest's virtio port) and a socket. Such a port is
// half a socket only: it cannot be shut down, its reads end while nobody has the other side open.
#pragma once

#include <functional>
#include <thread>

#include "core/target/remote/socket.hpp"

namespace pcilens::remote {

class StreamBridge {
 public:
  // Takes `device` over. `connected` gets one end of a socket pair, on the bridge's thread, each
  // time that somebody has opened the other side and sends the first byte.
  StreamBridge(Fd device, std::function<void(Fd)> connected);
  ~StreamBridge();
  StreamBridge(const StreamBridge&) = delete;
  StreamBridge& operator=(const StreamBridge&) = delete;

 private:
  void run();
  bool write_all(int to, const char* bytes, std::size_t count);

  Fd device_, stop_;
  std::function<void(Fd)> connected_;
  std::thread thread_;
};

}  // namespace pcilens::remote
