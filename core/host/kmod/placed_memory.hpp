// Recorded IOVAs in a pool of other addresses: a page of IOVA gets a page of the pool when
// something is placed there. Where the IOVA is the pool's own it stays that.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <map>
#include <optional>
#include <span>
#include <vector>

namespace pcilens::kmod {

class PlacedMemory {
 public:
  // `base`: the IOVA of the pool's first byte.
  PlacedMemory(std::span<std::byte> pool, std::uint64_t base)
      : pool_(pool), base_(base), taken_(pool.size() / kPage) {}

  // False: no page of the pool is left.
  bool place(std::uint64_t iova, std::span<const std::byte> bytes) {
    return each_page(iova, bytes.size(), [&](std::uint64_t at, std::size_t from, std::size_t n) {
      const auto page = page_of(at);
      if (!page) return false;
      std::memcpy(pool_.data() + *page * kPage + at % kPage, bytes.data() + from, n);
      return true;
    });
  }
  // False where a page has none.
  bool look(std::uint64_t iova, std::span<std::byte> bytes) const {
    return each_page(iova, bytes.size(), [&](std::uint64_t at, std::size_t from, std::size_t n) {
      const auto found = pages_.find(at / kPage);
      if (found == pages_.end()) return false;
      std::memcpy(bytes.data() + from, pool_.data() + found->second * kPage + at % kPage, n);
      return true;
    });
  }

 private:
  static constexpr std::uint64_t kPage = 4096;

  template <typename Each>
  static bool each_page(std::uint64_t iova, std::size_t size, Each each) {
    for (std::size_t from = 0; from < size;) {
      const std::uint64_t at = iova + from;
      const auto n = std::min<std::uint64_t>(size - from, kPage - at % kPage);
      if (!each(at, from, static_cast<std::size_t>(n))) return false;
      from += static_cast<std::size_t>(n);
    }
    return true;
  }

  std::optional<std::size_t> page_of(std::uint64_t iova) {
    if (const auto found = pages_.find(iova / kPage); found != pages_.end()) return found->second;
    std::size_t page = taken_.size();
    if (iova >= base_ && iova - base_ < pool_.size() && !taken_[(iova - base_) / kPage])
      page = static_cast<std::size_t>((iova - base_) / kPage);
    // From the end, where the pool's own IOVAs are used last.
    for (std::size_t i = taken_.size(); page == taken_.size() && i-- > 0;)
      if (!taken_[i]) page = i;
    if (page == taken_.size()) return std::nullopt;
    taken_[page] = true;
    pages_[iova / kPage] = page;
    return page;
  }

  std::span<std::byte> pool_;
  std::uint64_t base_;
  std::vector<bool> taken_;
  std::map<std::uint64_t, std::size_t> pages_;  // IOVA page -> pool page
};

}  // namespace pcilens::kmod
