// Where the blocks lie: in memory, in a file, or in a file whose changes stay in memory.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <unordered_map>

#include "core/result.hpp"

namespace pcilens::nvme {

class Store {
 public:
  struct Options {
    std::string file;        // empty: memory
    std::uint64_t size = 0;  // bytes; of a file: 0, or what it must have
    bool snapshot = false;   // of a file: opened for reading, writes stay in memory
    std::uint32_t block = 512;
  };
  // An Error for a file that cannot be opened, is empty or no multiple of the block size.
  static Result<std::unique_ptr<Store>> open(const Options& options);
  ~Store();
  Store(const Store&) = delete;
  Store& operator=(const Store&) = delete;

  std::uint64_t size() const { return size_; }  // bytes
  bool read_only() const { return read_only_; }
  // What a read gives is not decided by the link's history alone.
  bool outside() const { return fd_ >= 0; }

  // `at` and the length lie inside size(). False: the file could not be read or written.
  bool read(std::uint64_t at, std::span<std::byte> data);
  bool write(std::uint64_t at, std::span<const std::byte> data);
  bool zero(std::uint64_t at, std::uint64_t bytes);
  // Everything written so far is on the disk.
  bool flush();

 private:
  Store() = default;
  std::byte* chunk(std::uint64_t index);

  int fd_ = -1;
  bool read_only_ = false, overlay_ = true;  // overlay_: writes go to chunks_
  std::uint64_t size_ = 0;
  std::unordered_map<std::uint64_t, std::unique_ptr<std::byte[]>> chunks_;
};

}  // namespace pcilens::nvme
