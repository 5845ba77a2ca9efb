#include "core/pci/msix_table.hpp"

namespace pcilens {
namespace {

constexpr std::uint32_t kMasked = 1;

// Writable bits of the words of an entry (7.7.2.5 ff.): a message goes to a dword; of vector
// control only the mask bit.
constexpr std::uint32_t kWritable[4] = {~3u, ~0u, ~0u, kMasked};

}  // namespace

MsixTable::MsixTable(const ConfigSpace::MsixTable& where)
    : where_(where), entries_(where.vectors) {}

bool MsixTable::covers(std::int8_t bar, std::uint64_t offset, std::uint32_t size) const {
  const auto inside = [&](std::uint8_t b, std::uint64_t begin, std::uint64_t bytes) {
    return bar == static_cast<std::int8_t>(b) && offset < begin + bytes && begin < offset + size;
  };
  return inside(where_.table_bar, where_.table_offset, entries_.size() * 16) ||
         inside(where_.pba_bar, where_.pba_offset, (entries_.size() + 63) / 64 * 8);
}

std::uint64_t MsixTable::read(std::int8_t bar, std::uint64_t offset, std::uint32_t size) const {
  // Byte by byte: a screen may ask for any size, a driver only for 4 or 8 (7.7.2).
  const auto byte_at = [&](std::uint64_t at) -> std::uint64_t {
    if (bar == static_cast<std::int8_t>(where_.table_bar) && at >= where_.table_offset) {
      const std::uint64_t i = at - where_.table_offset;
      if (i / 16 < entries_.size()) return entries_[i / 16].word[i / 4 % 4] >> (i % 4 * 8) & 0xff;
    }
    std::uint64_t pending = 0;
    if (bar == static_cast<std::int8_t>(where_.pba_bar) && at >= where_.pba_offset)
      for (std::uint64_t bit = 0, first = (at - where_.pba_offset) * 8; bit < 8; ++bit)
        if (first + bit < entries_.size() && entries_[first + bit].pending) pending |= 1u << bit;
    return pending;
  };
  std::uint64_t value = 0;
  for (std::uint32_t i = 0; i < size && i < 8; ++i) value |= byte_at(offset + i) << (i * 8);
  return value;
}

void MsixTable::write(std::int8_t bar, std::uint64_t offset, std::uint32_t size,
                      std::uint64_t value) {
  if (bar != static_cast<std::int8_t>(where_.table_bar)) return;  // the PBA is read-only
  for (std::uint32_t i = 0; i < size && i < 8; ++i) {
    if (offset + i < where_.table_offset) continue;
    const std::uint64_t at = offset + i - where_.table_offset;
    if (at / 16 >= entries_.size()) continue;
    std::uint32_t& word = entries_[at / 16].word[at / 4 % 4];
    const std::uint32_t lanes = (0xffu << (at % 4 * 8)) & kWritable[at / 4 % 4];
    const auto written = static_cast<std::uint32_t>(value >> (i * 8) & 0xff) << (at % 4 * 8);
    word = (word & ~lanes) | (written & lanes);
  }
}

bool MsixTable::raise(std::uint32_t vector, const ConfigSpace& config) {
  if (vector >= entries_.size()) return false;
  const auto control = config.msix();
  Entry& entry = entries_[vector];
  if (control && control->enabled && !control->function_mask && (entry.word[3] & kMasked) == 0)
    return true;
  entry.pending = true;
  return false;
}

std::vector<std::uint32_t> MsixTable::take_unmasked(const ConfigSpace& config) {
  std::vector<std::uint32_t> ready;
  const auto control = config.msix();
  if (!control || !control->enabled || control->function_mask) return ready;
  for (std::uint32_t i = 0; i < entries_.size(); ++i) {
    Entry& entry = entries_[i];
    if (!entry.pending || (entry.word[3] & kMasked) != 0) continue;
    entry.pending = false;
    ready.push_back(i);
  }
  return ready;
}

std::uint64_t MsixTable::address(std::uint32_t vector) const {
  const Entry& entry = entries_.at(vector);
  return entry.word[0] | std::uint64_t{entry.word[1]} << 32;
}

std::uint32_t MsixTable::data(std::uint32_t vector) const {
  return entries_.at(vector).word[2];
}

void MsixTable::reset() {
  entries_.assign(entries_.size(), Entry{});
}

}  // namespace pcilens
