#include "core/target/remote/socket.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <utility>

#include "core/target/remote.hpp"

namespace pcilens {
namespace remote {
namespace {

Result<sockaddr_un> address_of(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path)
    return fail(fmt::format("{}: a UNIX socket's path has at most {} bytes; use a shorter one",
                            path, sizeof address.sun_path - 1));
  std::memcpy(address.sun_path, path.data(), path.size());
  return address;
}

std::string lock_path(const std::string& path) {
  return path + ".lock";
}

// Locks PATH.lock, which is made where needed. The file that is locked must still be the one in the
// folder: the one who served before may have removed it between our open and our lock.
Result<Fd> lock(const std::string& path) {
  const std::string file = lock_path(path);
  for (;;) {
    Fd fd(::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
    if (fd.get() < 0)
      return fail(fmt::format("{}: {}; give a path in a folder that you may write", file,
                              std::strerror(errno)));
    if (::flock(fd.get(), LOCK_EX | LOCK_NB) != 0)
      return fail(
          fmt::format("{}: another pcilens serves this socket already; attach to it, or "
                      "serve with another --socket NAME",
                      path));
    struct stat ours{}, there{};
    if (::fstat(fd.get(), &ours) == 0 && ::stat(file.c_str(), &there) == 0 &&
        ours.st_ino == there.st_ino && ours.st_dev == there.st_dev)
      return fd;
  }
}

}  // namespace

Fd& Fd::operator=(Fd&& other) noexcept {
  if (this != &other) {
    if (fd_ >= 0) ::close(fd_);
    fd_ = other.release();
  }
  return *this;
}
Fd::~Fd() {
  if (fd_ >= 0) ::close(fd_);
}
int Fd::release() {
  return std::exchange(fd_, -1);
}

Result<ListeningSocket> ListeningSocket::open(const std::string& path) {
  const auto address = address_of(path);
  if (!address) return tl::unexpected(address.error());
  auto locked = lock(path);
  if (!locked) return tl::unexpected(locked.error());
  ListeningSocket made(path, std::move(*locked));
  struct stat there{};
  if (::lstat(path.c_str(), &there) == 0) {
    if (!S_ISSOCK(there.st_mode)) {
      made.path_.clear();  // not ours to remove
      ::unlink(lock_path(path).c_str());
      return fail(fmt::format(
          "{}: there is a file that is no socket; remove it or use another name", path));
    }
    ::unlink(path.c_str());  // its process is dead, or it would hold the lock
  }
  made.socket_ = Fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  // The mode counts from the first moment on, wherever the socket lies.
  const mode_t mask = ::umask(0177);
  const int bound =
      ::bind(made.socket_.get(), reinterpret_cast<const sockaddr*>(&*address), sizeof *address);
  const int why = errno;
  ::umask(mask);
  if (bound != 0 || ::listen(made.socket_.get(), 16) != 0)
    return fail(
        fmt::format("{}: {}; use another name", path, std::strerror(bound != 0 ? why : errno)));
  return made;
}

ListeningSocket::~ListeningSocket() {
  if (lock_.get() < 0 || path_.empty()) return;
  if (socket_.get() >= 0) ::unlink(path_.c_str());
  ::unlink(lock_path(path_).c_str());
}

Result<Fd> connect_to(const std::string& path) {
  const auto address = address_of(path);
  if (!address) return tl::unexpected(address.error());
  Fd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (::connect(fd.get(), reinterpret_cast<const sockaddr*>(&*address), sizeof *address) != 0) {
    if (errno == ENOENT || errno == ECONNREFUSED)
      return fail(
          fmt::format("{}: nobody serves there; start \"pcilens serve\" or \"pcilens vm "
                      "--serve NAME\" first",
                      path));
    return fail(fmt::format("{}: {}", path, std::strerror(errno)));
  }
  return fd;
}

bool peer_is_ours(int fd) {
  ucred peer{};
  socklen_t size = sizeof peer;
  if (::getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0) return false;
  return peer.uid == ::geteuid() || peer.uid == 0;
}

}  // namespace remote

Result<std::string> socket_folder(FolderOfSocket what) {
  const char* runtime = std::getenv("XDG_RUNTIME_DIR");
  const std::string folder = runtime != nullptr && *runtime == '/'
                                 ? std::string(runtime) + "/pcilens"
                                 : fmt::format("/tmp/pcilens-{}", ::geteuid());
  struct stat there{};
  // Who only looks for a socket leaves nothing behind.
  if (what == FolderOfSocket::LookedAt && ::lstat(folder.c_str(), &there) != 0 && errno == ENOENT)
    return folder;
  if (::mkdir(folder.c_str(), 0700) != 0 && errno != EEXIST)
    return fail(fmt::format("{}: {}; set XDG_RUNTIME_DIR to a folder of yours", folder,
                            std::strerror(errno)));
  if (::lstat(folder.c_str(), &there) != 0 || !S_ISDIR(there.st_mode) ||
      there.st_uid != ::geteuid() || (there.st_mode & 077) != 0)
    return fail(
        fmt::format("{}: is not a folder of this user alone (mode 0700); remove it, or set "
                    "XDG_RUNTIME_DIR",
                    folder));
  return folder;
}

Result<std::string> socket_path(const std::string& name_or_path, FolderOfSocket what) {
  if (name_or_path.find('/') != std::string::npos) return name_or_path;
  auto folder = socket_folder(what);
  if (!folder) return folder;
  return *folder + "/" + name_or_path + (name_or_path.ends_with(".sock") ? "" : ".sock");
}

Result<std::vector<std::string>> served_sockets() {
  const auto folder = socket_folder(FolderOfSocket::LookedAt);
  if (!folder) return tl::unexpected(folder.error());
  std::vector<std::string> found;
  std::error_code ignored;
  for (const auto& entry : std::filesystem::directory_iterator(*folder, ignored))
    if (entry.path().extension() == ".sock" && remote::connect_to(entry.path().string()))
      found.push_back(entry.path().string());
  std::sort(found.begin(), found.end());
  return found;
}

}  // namespace pcilens
