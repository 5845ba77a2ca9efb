#include "devices/nvme/nvme_store.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <map>
#include <mutex>
#include <utility>
#include <vector>

namespace pcilens::nvme {
namespace {

constexpr std::uint64_t kChunk = 64 * 1024;

bool all_of_it(int fd, std::uint64_t at, std::byte* data, std::size_t bytes, bool writing) {
  while (bytes > 0) {
    const auto offset = static_cast<off_t>(at);
    const ssize_t n =
        writing ? ::pwrite(fd, data, bytes, offset) : ::pread(fd, data, bytes, offset);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return false;  // 0: the file has become shorter
    at += static_cast<std::uint64_t>(n);
    data += n;
    bytes -= static_cast<std::size_t>(n);
  }
  return true;
}

// Two that write the same blocks would destroy them. Of this process several may have the file: a
// restart opens it before the old controller is gone. Held until the process ends.
bool take_alone(int fd, const struct stat& file) {
  static std::mutex mutex;
  static std::map<std::pair<dev_t, ino_t>, int> taken;
  const std::lock_guard lock(mutex);
  const auto [at, fresh] = taken.try_emplace({file.st_dev, file.st_ino}, -1);
  if (!fresh) return true;
  at->second = ::fcntl(fd, F_DUPFD_CLOEXEC, 0);
  if (at->second >= 0 && ::flock(at->second, LOCK_EX | LOCK_NB) == 0) return true;
  if (at->second >= 0) ::close(at->second);
  taken.erase(at);
  return false;
}

}  // namespace

Result<std::unique_ptr<Store>> Store::open(const Options& options) {
  std::unique_ptr<Store> store(new Store);
  store->size_ = options.size;
  if (options.file.empty()) return store;
  const auto refuse = [&](const std::string& why) {
    return fail("nvme: disk " + options.file + ": " + why);
  };
  struct stat there{};
  if (::stat(options.file.c_str(), &there) != 0)
    return refuse(std::string(std::strerror(errno)) + "; make one with truncate -s 64M");
  if (S_ISDIR(there.st_mode)) return refuse("it is a folder; name a file in it");
  // Also for root, whom no mode stops.
  const bool may_write = (there.st_mode & 0222) != 0;
  if (!options.snapshot && may_write) store->fd_ = ::open(options.file.c_str(), O_RDWR | O_CLOEXEC);
  store->read_only_ = !options.snapshot && store->fd_ < 0;
  if (store->fd_ < 0) store->fd_ = ::open(options.file.c_str(), O_RDONLY | O_CLOEXEC);
  if (store->fd_ < 0) return refuse(std::strerror(errno));
  store->overlay_ = options.snapshot;
  if (!options.snapshot && !store->read_only_ && !take_alone(store->fd_, there))
    return refuse("another program has it; end that, or look at it with snapshot=on");
  // A block device tells its size so, and not by stat.
  const off_t end = ::lseek(store->fd_, 0, SEEK_END);
  if (end <= 0) return refuse("it is empty or no disk image; give it a size with truncate -s 64M");
  store->size_ = static_cast<std::uint64_t>(end);
  if (store->size_ % options.block != 0)
    return refuse("its " + std::to_string(end) + " bytes are no multiple of the block size " +
                  std::to_string(options.block) + "; round it up with truncate -s %" +
                  std::to_string(options.block));
  if (options.size != 0 && options.size != store->size_)
    return refuse("it has " + std::to_string(end) + " bytes and size asks for " +
                  std::to_string(options.size) + "; leave size out");
  return store;
}

Store::~Store() {
  if (fd_ >= 0) ::close(fd_);
}

bool Store::read(std::uint64_t at, std::span<std::byte> data) {
  if (!overlay_) return all_of_it(fd_, at, data.data(), data.size(), false);
  while (!data.empty()) {
    const std::uint64_t skip = at % kChunk;
    const auto part = data.first(std::min<std::uint64_t>(kChunk - skip, data.size()));
    if (const auto it = chunks_.find(at / kChunk); it != chunks_.end())
      std::memcpy(part.data(), it->second.get() + skip, part.size());
    else if (fd_ >= 0 && !all_of_it(fd_, at, part.data(), part.size(), false))
      return false;
    else if (fd_ < 0)
      std::ranges::fill(part, std::byte{0});
    at += part.size();
    data = data.subspan(part.size());
  }
  return true;
}

// The chunk in memory, filled with what lies below it.
std::byte* Store::chunk(std::uint64_t index) {
  auto& bytes = chunks_[index];
  if (bytes) return bytes.get();
  bytes = std::make_unique<std::byte[]>(kChunk);
  const std::uint64_t at = index * kChunk;
  if (fd_ >= 0 && !all_of_it(fd_, at, bytes.get(), std::min(kChunk, size_ - at), false)) {
    chunks_.erase(index);
    return nullptr;
  }
  return bytes.get();
}

bool Store::write(std::uint64_t at, std::span<const std::byte> data) {
  if (read_only_) return false;
  if (!overlay_) return all_of_it(fd_, at, const_cast<std::byte*>(data.data()), data.size(), true);
  while (!data.empty()) {
    const std::uint64_t skip = at % kChunk;
    const auto part = data.first(std::min<std::uint64_t>(kChunk - skip, data.size()));
    std::byte* bytes = chunk(at / kChunk);
    if (bytes == nullptr) return false;
    std::memcpy(bytes + skip, part.data(), part.size());
    at += part.size();
    data = data.subspan(part.size());
  }
  return true;
}

bool Store::zero(std::uint64_t at, std::uint64_t bytes) {
  if (read_only_) return false;
  if (!overlay_) {
    if (bytes == 0 || ::fallocate(fd_, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
                                  static_cast<off_t>(at), static_cast<off_t>(bytes)) == 0)
      return true;
    std::vector<std::byte> zeroes(std::min<std::uint64_t>(bytes, 1u << 20));
    for (std::uint64_t done = 0; done < bytes; done += zeroes.size())
      if (!all_of_it(fd_, at + done, zeroes.data(),
                     std::min<std::uint64_t>(zeroes.size(), bytes - done), true))
        return false;
    return true;
  }
  while (bytes > 0) {
    const std::uint64_t skip = at % kChunk, part = std::min(kChunk - skip, bytes);
    const bool there = chunks_.contains(at / kChunk);
    if (there && part == kChunk && fd_ < 0) {
      chunks_.erase(at / kChunk);
    } else if (there || fd_ >= 0) {
      std::byte* memory = chunk(at / kChunk);
      if (memory == nullptr) return false;
      std::memset(memory + skip, 0, part);
    }
    at += part;
    bytes -= part;
  }
  return true;
}

bool Store::flush() {
  return overlay_ || read_only_ || ::fdatasync(fd_) == 0;
}

}  // namespace pcilens::nvme
