#include "core/host/kmod/privileges.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <grp.h>
#include <pwd.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <mutex>

#ifndef PR_SET_IO_FLUSHER
#define PR_SET_IO_FLUSHER 57
#endif

namespace pcilens::kmod {
namespace {

int helper = -1;  // socket to the child that stays root
std::mutex helper_mutex;

union DescriptorMessage {
  cmsghdr head;
  char bytes[CMSG_SPACE(sizeof(int))];
};

// One byte with a descriptor, or an errno without one.
void send_descriptor(int socket, int fd, int error) {
  DescriptorMessage control{};
  iovec data{&error, sizeof error};
  msghdr message{};
  message.msg_iov = &data;
  message.msg_iovlen = 1;
  if (fd >= 0) {
    message.msg_control = control.bytes;
    message.msg_controllen = sizeof control.bytes;
    cmsghdr* head = CMSG_FIRSTHDR(&message);
    head->cmsg_level = SOL_SOCKET;
    head->cmsg_type = SCM_RIGHTS;
    head->cmsg_len = CMSG_LEN(sizeof fd);
    std::memcpy(CMSG_DATA(head), &fd, sizeof fd);
  }
  ::sendmsg(socket, &message, MSG_NOSIGNAL);
}

int receive_descriptor(int socket) {
  DescriptorMessage control{};
  int error = EIO, fd = -1;
  iovec data{&error, sizeof error};
  msghdr message{};
  message.msg_iov = &data;
  message.msg_iovlen = 1;
  message.msg_control = control.bytes;
  message.msg_controllen = sizeof control.bytes;
  if (::recvmsg(socket, &message, MSG_CMSG_CLOEXEC) != sizeof error) error = EIO;
  const cmsghdr* head = CMSG_FIRSTHDR(&message);
  if (head != nullptr && head->cmsg_type == SCM_RIGHTS)
    std::memcpy(&fd, CMSG_DATA(head), sizeof fd);
  else
    errno = error;
  return fd;
}

// The child: opens this one path, whenever it is asked, and nothing else.
[[noreturn]] void open_for_ever(int socket, const char* path) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::dup2(socket, 3) == 3) ::syscall(SYS_close_range, 4u, ~0u, 0u);
  char asked = 0;
  while (::read(3, &asked, 1) == 1) {
    const int fd = ::open(path, O_RDWR | O_CLOEXEC);
    send_descriptor(3, fd, fd < 0 ? errno : 0);
    if (fd >= 0) ::close(fd);
  }
  ::_exit(0);
}

constexpr const char* kNode = "/dev/pcilens";

}  // namespace

Result<std::string> serve_as_user(const std::string& wanted) {
  if (::geteuid() != 0) return std::string();
  const rlimit unlimited{RLIM_INFINITY, RLIM_INFINITY};
  ::setrlimit(RLIMIT_MEMLOCK, &unlimited);
  // What is never touched needs no memory: stacks and arenas are reserved far larger than used.
  ::mlockall(MCL_CURRENT | MCL_FUTURE | MCL_ONFAULT);
  ::prctl(PR_SET_IO_FLUSHER, 1, 0, 0, 0);  // threads inherit it

  const char* sudo = std::getenv("SUDO_USER");
  const std::string user = !wanted.empty() ? wanted : sudo != nullptr ? sudo : "";
  if (user.empty() || user == "root")
    return std::string("stays root: it was not started by sudo; --user names whom to become");
  const passwd* entry = ::getpwnam(user.c_str());
  if (entry == nullptr)
    return fail(fmt::format("--user {}: there is no such user on this machine", user));
  int pair[2];
  if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0)
    return fail(
        fmt::format("cannot start the process that opens {}: {}", kNode, std::strerror(errno)));
  const pid_t child = ::fork();
  if (child == 0) open_for_ever(pair[1], kNode);
  ::close(pair[1]);
  helper = pair[0];
  if (child < 0 || ::initgroups(entry->pw_name, entry->pw_gid) != 0 ||
      ::setgid(entry->pw_gid) != 0 || ::setuid(entry->pw_uid) != 0)
    return fail(fmt::format("cannot become {}: {}", user, std::strerror(errno)));
  // Not by a set-user-ID program either.
  ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
  return std::string();
}

int open_node(const char* path) {
  const std::lock_guard lock(helper_mutex);
  if (helper < 0) return ::open(path, O_RDWR | O_CLOEXEC);
  const char ask = 1;
  if (::send(helper, &ask, 1, MSG_NOSIGNAL) != 1) return -1;
  return receive_descriptor(helper);
}

}  // namespace pcilens::kmod
