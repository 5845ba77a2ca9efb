#include "inspector-ui/cli/ending.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <termios.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <initializer_list>
#include <thread>

#include "core/target/recording.hpp"
#include "core/thread_name.hpp"
#include "inspector-ui/cli/subcommands.hpp"

namespace pcilens::cli {
namespace {

sigset_t blocked(std::initializer_list<int> signals) {
  sigset_t set;
  sigemptyset(&set);
  for (const int signal : signals) sigaddset(&set, signal);
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
  return set;
}

// As if nobody had caught it, but for what was recorded and what a prompt or a full screen had
// changed of the terminal (null: nothing).
void end_by(int signal, const termios* terminal) {
  Recording::close_all();
  if (terminal != nullptr) ::tcsetattr(STDIN_FILENO, TCSANOW, terminal);
  sigset_t one;
  sigemptyset(&one);
  sigaddset(&one, signal);
  std::signal(signal, SIG_DFL);
  pthread_sigmask(SIG_UNBLOCK, &one, nullptr);
  ::raise(signal);
}

}  // namespace

void guard_standard_streams() {
  for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; ++fd)
    if (::fcntl(fd, F_GETFD) < 0 && errno == EBADF) ::open("/dev/null", O_RDWR);
  std::signal(SIGPIPE, SIG_IGN);
}

void end_on_signals(bool interrupt) {
  const sigset_t set = interrupt ? blocked({SIGTERM, SIGHUP, SIGINT}) : blocked({SIGTERM, SIGHUP});
  termios terminal{};
  const bool at_terminal = ::tcgetattr(STDIN_FILENO, &terminal) == 0;
  std::thread([set, terminal, at_terminal] {
    name_thread("signals");
    int signal = 0;
    if (sigwait(&set, &signal) != 0) return;
    end_by(signal, at_terminal ? &terminal : nullptr);
  }).detach();
}

EndOnSignals::EndOnSignals() {
  const sigset_t set = blocked({SIGINT, SIGTERM, SIGHUP});
  signals_ = ::signalfd(-1, &set, SFD_CLOEXEC);
  stop_ = ::eventfd(0, EFD_CLOEXEC);
  thread_ = std::thread([this] {
    name_thread("signals");
    for (;;) {
      pollfd fds[2] = {{signals_, POLLIN, 0}, {stop_, POLLIN, 0}};
      if (::poll(fds, 2, -1) < 0) continue;
      if (fds[1].revents != 0) return;
      signalfd_siginfo info{};
      if (::read(signals_, &info, sizeof info) == sizeof info)
        end_by(static_cast<int>(info.ssi_signo), nullptr);
    }
  });
}

EndOnSignals::~EndOnSignals() {
  const std::uint64_t one = 1;
  [[maybe_unused]] const auto n = ::write(stop_, &one, sizeof one);
  thread_.join();
  ::close(signals_);
  ::close(stop_);
}

void block_end_signals() {
  blocked({SIGINT, SIGTERM, SIGHUP});
}

void wait_for_end_signal() {
  const sigset_t set = blocked({SIGINT, SIGTERM, SIGHUP});
  int signal = 0;
  sigwait(&set, &signal);
}

int check_output(int code, int error) {
  const bool failed = std::fflush(stdout) != 0;
  if (failed) error = errno;
  if (!failed && std::ferror(stdout) == 0) return code;
  // Where the write that failed was an earlier one, the pipe itself tells.
  pollfd output{.fd = STDOUT_FILENO, .events = POLLOUT, .revents = 0};
  if (error == EPIPE || (::poll(&output, 1, 0) == 1 && (output.revents & POLLERR) != 0))
    return 128 + SIGPIPE;
  return cannot(fmt::format("standard output: {}; not all of the answer was written",
                            error != 0 ? std::strerror(error) : "it took no more"));
}

}  // namespace pcilens::cli
