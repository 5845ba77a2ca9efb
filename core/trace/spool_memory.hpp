// Where a spool lies. Owns a file descriptor and its mapping.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

#include "core/result.hpp"

namespace pcilens {

class SpoolMemory {
 public:
  static constexpr std::uint64_t kDefaultSlots = 1u << 18;  // 16 MiB

  // Memory of this process and its children only. `slots`: a power of two.
  static Result<SpoolMemory> anonymous(std::uint64_t slots = kDefaultSlots);
  // A new file, 0600, fully allocated: on tmpfs (/dev/shm), where a store never waits for a disk.
  // It outlives a killed process. The file stays locked while this object lives.
  static Result<SpoolMemory> create_file(const std::string& path,
                                         std::uint64_t slots = kDefaultSlots);
  // A file that create_file made. Fails while the process that made it lives.
  static Result<SpoolMemory> open_file(const std::string& path);
  // Part of something open: a PCI BAR (/sys/bus/pci/devices/0000:00:03.0/resource2), a shared file.
  // `offset`: a multiple of the page size; takes the descriptor over.
  static Result<SpoolMemory> map(int fd, std::uint64_t offset, std::uint64_t length,
                                 const std::string& name);

  SpoolMemory(SpoolMemory&& other) noexcept;
  SpoolMemory& operator=(SpoolMemory&& other) noexcept;
  ~SpoolMemory();

  std::span<std::byte> bytes() const { return bytes_; }
  int fd() const { return fd_; }
  const std::string& path() const { return path_; }  // empty unless a file
  // Keeps what is in it as a file that open_file() takes. Fails where one is there already.
  Result<void> keep_as(const std::string& path) const;
  void remove_file();

 private:
  SpoolMemory(int fd, std::span<std::byte> bytes, std::string path)
      : fd_(fd), bytes_(bytes), path_(std::move(path)) {}

  int fd_ = -1;
  std::span<std::byte> bytes_;
  std::string path_;
};

}  // namespace pcilens
