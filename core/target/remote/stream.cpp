#include "core/target/remote/stream.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>

#include "core/thread_name.hpp"

namespace pcilens::remote {

StreamBridge::StreamBridge(Fd device, std::function<void(Fd)> connected)
    : device_(std::move(device)),
      stop_(::eventfd(0, EFD_CLOEXEC)),
      connected_(std::move(connected)) {
  ::fcntl(device_.get(), F_SETFL, ::fcntl(device_.get(), F_GETFL) | O_NONBLOCK);
  thread_ = std::thread([this] { run(); });
}

StreamBridge::~StreamBridge() {
  const std::uint64_t one = 1;
  [[maybe_unused]] const auto n = ::write(stop_.get(), &one, sizeof one);
  thread_.join();
}

bool StreamBridge::write_all(int to, const char* bytes, std::size_t count) {
  while (count > 0) {
    const ssize_t written = ::write(to, bytes, count);
    if (written > 0) {
      bytes += written;
      count -= static_cast<std::size_t>(written);
    } else if (written < 0 && errno == EAGAIN) {
      pollfd fds[2] = {{stop_.get(), POLLIN, 0}, {to, POLLOUT, 0}};
      ::poll(fds, 2, -1);
      if (fds[0].revents != 0 || (fds[1].revents & (POLLHUP | POLLERR)) != 0) return false;
    } else if (written == 0 || errno != EINTR) {
      return false;
    }
  }
  return true;
}

void StreamBridge::run() {
  name_thread("stream bridge");
  Fd ours;  // while somebody is connected
  char buffer[65536];
  for (;;) {
    pollfd fds[3] = {{stop_.get(), POLLIN, 0}, {device_.get(), POLLIN, 0}, {ours.get(), POLLIN, 0}};
    ::poll(fds, 3, -1);
    if (fds[0].revents != 0) return;
    if (ours.get() >= 0 && fds[2].revents != 0) {
      const ssize_t count = ::read(ours.get(), buffer, sizeof buffer);
      if (count == 0 ||
          (count > 0 && !write_all(device_.get(), buffer, static_cast<std::size_t>(count))))
        ours = Fd();
    }
    if (fds[1].revents == 0) continue;
    const ssize_t count = ::read(device_.get(), buffer, sizeof buffer);
    if (count > 0) {
      if (ours.get() < 0) {
        int pair[2];
        if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair) != 0) return;
        ours = Fd(pair[0]);
        connected_(Fd(pair[1]));
      }
      if (!write_all(ours.get(), buffer, static_cast<std::size_t>(count))) ours = Fd();
    } else if (count == 0 || (errno != EAGAIN && errno != EINTR)) {
      // The other side has closed it. Such a port is "ready" all the time: look now and then.
      ours = Fd();
      pollfd stop{stop_.get(), POLLIN, 0};
      if (::poll(&stop, 1, 50) > 0) return;
    }
  }
}

}  // namespace pcilens::remote
