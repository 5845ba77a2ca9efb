#include "core/trace/spool_memory.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <bit>
#include <cerrno>
#include <cstring>
#include <utility>

#include "core/trace/spool_layout.hpp"

namespace pcilens {
namespace {

std::uint64_t bytes_for(std::uint64_t slots) {
  return kSpoolHeaderSize + slots * kSlotSize;
}

Result<void> check_slots(std::uint64_t slots) {
  if (!std::has_single_bit(slots) || slots < 64 || slots > (1ull << 32))
    return fail(fmt::format("spool: {} slots; give a power of two from 64 to 2^32", slots));
  return {};
}

// MAP_POPULATE, so that the first lap pays no page faults on the driver's thread.
Result<std::span<std::byte>> map_fd(int fd, std::uint64_t offset, std::uint64_t length,
                                    const std::string& name) {
  void* at = mmap(nullptr, length, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, fd,
                  static_cast<off_t>(offset));
  if (at == MAP_FAILED)
    return fail(fmt::format("{}: cannot map {} bytes at {:#x}: {}", name, length, offset,
                            std::strerror(errno)));
  return std::span<std::byte>(static_cast<std::byte*>(at), length);
}

}  // namespace

Result<SpoolMemory> SpoolMemory::map(int fd, std::uint64_t offset, std::uint64_t length,
                                     const std::string& name) {
  auto bytes = map_fd(fd, offset, length, name);
  if (!bytes) {
    close(fd);
    return tl::unexpected(bytes.error());
  }
  return SpoolMemory(fd, *bytes, {});
}

Result<SpoolMemory> SpoolMemory::anonymous(std::uint64_t slots) {
  if (auto ok = check_slots(slots); !ok) return tl::unexpected(ok.error());
  const int fd = memfd_create("pcilens-spool", MFD_CLOEXEC);
  if (fd < 0) return fail(fmt::format("spool: memfd_create: {}", std::strerror(errno)));
  if (const int e = posix_fallocate(fd, 0, static_cast<off_t>(bytes_for(slots))); e != 0) {
    close(fd);
    return fail(
        fmt::format("spool: no {} bytes of memory: {}", bytes_for(slots), std::strerror(e)));
  }
  return map(fd, 0, bytes_for(slots), "spool");
}

Result<SpoolMemory> SpoolMemory::create_file(const std::string& path, std::uint64_t slots) {
  if (auto ok = check_slots(slots); !ok) return tl::unexpected(ok.error());
  const int fd = open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (fd < 0)
    return fail(fmt::format("{}: cannot create the spool: {}", path, std::strerror(errno)));
  // Allocated now: a store to a hole of a full tmpfs would be a SIGBUS later.
  int e = posix_fallocate(fd, 0, static_cast<off_t>(bytes_for(slots)));
  if (e == 0 && flock(fd, LOCK_EX | LOCK_NB) != 0) e = errno;
  if (e != 0) {
    close(fd);
    unlink(path.c_str());
    return fail(fmt::format("{}: no room for a spool of {} bytes: {}", path, bytes_for(slots),
                            std::strerror(e)));
  }
  auto memory = map(fd, 0, bytes_for(slots), path);
  if (!memory) {
    unlink(path.c_str());
    return memory;
  }
  memory->path_ = path;
  return memory;
}

Result<SpoolMemory> SpoolMemory::open_file(const std::string& path) {
  const int fd = open(path.c_str(), O_RDWR | O_CLOEXEC | O_NOFOLLOW);
  if (fd < 0) return fail(fmt::format("{}: cannot open the spool: {}", path, std::strerror(errno)));
  struct stat st{};
  std::string why;
  if (fstat(fd, &st) != 0)
    why = std::strerror(errno);
  else if (!S_ISREG(st.st_mode) || st.st_size < static_cast<off_t>(kSpoolHeaderSize))
    why = "not a spool";
  else if (flock(fd, LOCK_EX | LOCK_NB) != 0)
    why = "in use by a running pcilens";
  if (!why.empty()) {
    close(fd);
    return fail(fmt::format("{}: {}", path, why));
  }
  auto memory = map(fd, 0, static_cast<std::uint64_t>(st.st_size), path);
  if (memory) memory->path_ = path;
  return memory;
}

SpoolMemory::SpoolMemory(SpoolMemory&& other) noexcept
    : fd_(std::exchange(other.fd_, -1)),
      bytes_(std::exchange(other.bytes_, {})),
      path_(std::move(other.path_)) {}

SpoolMemory& SpoolMemory::operator=(SpoolMemory&& other) noexcept {
  std::swap(fd_, other.fd_);
  std::swap(bytes_, other.bytes_);
  std::swap(path_, other.path_);
  return *this;
}

SpoolMemory::~SpoolMemory() {
  if (!bytes_.empty()) munmap(bytes_.data(), bytes_.size());
  if (fd_ >= 0) close(fd_);
}

Result<void> SpoolMemory::keep_as(const std::string& path) const {
  const int fd = open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (fd < 0) return fail(fmt::format("{}: cannot keep the spool: {}", path, std::strerror(errno)));
  int error = 0;
  for (std::size_t at = 0; at < bytes_.size() && error == 0;) {
    const ssize_t n = write(fd, bytes_.data() + at, bytes_.size() - at);
    if (n >= 0)
      at += static_cast<std::size_t>(n);
    else if (errno != EINTR)
      error = errno;
  }
  close(fd);
  if (error == 0) return {};
  unlink(path.c_str());
  return fail(fmt::format("{}: cannot keep the spool: {}", path, std::strerror(error)));
}

void SpoolMemory::remove_file() {
  if (!path_.empty()) unlink(path_.c_str());
  path_.clear();
}

}  // namespace pcilens
