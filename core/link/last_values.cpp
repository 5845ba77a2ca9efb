// The last value on the road for each byte: pages of 4 KiB behind one hash table, because BARs are
// large and sparse and the common access must cost a few nanoseconds.
#include <algorithm>
#include <array>
#include <bitset>
#include <cstring>

#include "core/link/expression.hpp"

namespace pcilens {
namespace {

constexpr std::uint64_t kPageBytes = 4096;
constexpr std::uint64_t kWords = kPageBytes / 64;

struct Page {
  // Eight bytes more, so that any place can be loaded as a whole word.
  std::array<std::uint8_t, kPageBytes + 8> bytes{};
  // One bit a byte. A byte is known, or lost (something touched it, its value is not known), or
  // neither: unseen since reset.
  std::array<std::uint64_t, kWords> known{}, lost{};
};
constexpr std::size_t kMaxPages = LastValues::kMaxBytes / sizeof(Page);

// The bytes of a bit mask of 8: bit i becomes byte i.
std::uint64_t widen(std::uint64_t bits) {
  std::uint64_t mask = 0;
  for (unsigned i = 0; i < 8; ++i)
    if ((bits >> i & 1) != 0) mask |= 0xffull << (i * 8);
  return mask;
}

std::uint64_t key_of(std::uint8_t function, std::int8_t bar, std::uint64_t offset) {
  return std::uint64_t{function} << 56 | (static_cast<std::uint64_t>(bar + 4) & 15) << 52 |
         offset / kPageBytes;
}

std::uint8_t function_of(std::uint64_t key) {
  return static_cast<std::uint8_t>(key >> 56);
}

}  // namespace

struct LastValues::Pages {
  struct Slot {
    std::uint64_t key = 0;
    Page* page = nullptr;
  };

  std::vector<std::unique_ptr<Page>> storage;
  std::vector<Slot> table = std::vector<Slot>(64);  // a power of two, at most half full
  std::bitset<256> gap;  // functions of which something was lost: what is not stored is not unseen
  bool refused = false;  // a page was refused: the same, for every function
  std::uint64_t recent_key = ~0ull;
  Page* recent = nullptr;

  Slot& slot(std::uint64_t key) {
    const std::size_t mask = table.size() - 1;
    std::size_t i = (key * 0x9e3779b97f4a7c15ull >> 32) & mask;
    while (table[i].page && table[i].key != key) i = (i + 1) & mask;
    return table[i];
  }

  const Page* find(std::uint64_t key) const {
    return key == recent_key ? recent : const_cast<Pages*>(this)->slot(key).page;
  }

  Page* obtain(std::uint64_t key) {
    if (key == recent_key) return recent;
    Slot* place = &slot(key);
    if (!place->page) {
      if (storage.size() >= kMaxPages) {
        refused = true;
        return nullptr;
      }
      storage.push_back(std::make_unique<Page>());
      if (gap[function_of(key)]) storage.back()->lost.fill(~0ull);
      if (storage.size() * 2 > table.size()) grow();
      place = &slot(key);
      *place = {key, storage.back().get()};
    }
    recent_key = key;
    return recent = place->page;
  }

  void grow() {
    std::vector<Slot> old(table.size() * 2);
    old.swap(table);
    for (const Slot& s : old)
      if (s.page) slot(s.key) = s;
  }

  // Pages stay allocated: a reset is no moment to free and fault them in again.
  template <typename Select>
  void wipe(Select select, std::uint64_t lost) {
    for (const Slot& s : table) {
      if (!s.page || !select(function_of(s.key))) continue;
      s.page->known.fill(0);
      s.page->lost.fill(lost);
    }
  }

  // At most 8 bytes inside one page.
  void store(std::uint8_t function, std::int8_t bar, std::uint64_t offset, std::uint32_t size,
             std::uint64_t value, bool known) {
    Page* page = obtain(key_of(function, bar, offset));
    if (!page) return;
    const std::uint64_t at = offset % kPageBytes;
    // The usual sizes as constants: a call of memcpy would cost more than all the rest.
    switch (size) {
      case 1: std::memcpy(&page->bytes[at], &value, 1); break;
      case 2: std::memcpy(&page->bytes[at], &value, 2); break;
      case 4: std::memcpy(&page->bytes[at], &value, 4); break;
      case 8: std::memcpy(&page->bytes[at], &value, 8); break;
      default: std::memcpy(&page->bytes[at], &value, size);
    }
    std::uint64_t bits = ((1ull << size) - 1) << (at % 64);
    mark(*page, at / 64, bits, known);
    if (at % 64 + size > 64) {
      bits = ((1ull << size) - 1) >> (64 - at % 64);
      mark(*page, at / 64 + 1, bits, known);
    }
  }

  static void mark(Page& page, std::uint64_t word, std::uint64_t bits, bool known) {
    if (known) {
      page.known[word] |= bits;
      page.lost[word] &= ~bits;
    } else {
      page.known[word] &= ~bits;
      page.lost[word] |= bits;
    }
  }

  // An access that crosses pages or is longer than 8 bytes. What lies past the first few pages of a
  // monstrous one is not worth its time: everything of that function becomes unknown instead.
  void store_slowly(const Transaction& t) {
    if (t.size > 16 * kPageBytes) return lose(t.function);
    const bool known = t.size <= 8;
    std::uint32_t done = 0;
    while (done < t.size && t.offset <= ~0ull - done) {
      const std::uint64_t offset = t.offset + done;
      const auto n = static_cast<std::uint32_t>(
          std::min<std::uint64_t>({8, t.size - done, kPageBytes - offset % kPageBytes}));
      store(t.function, t.bar, offset, n, known ? t.value >> (done * 8) : 0, known);
      done += n;
    }
  }

  void lose(std::uint8_t function) {
    gap.set(function);
    wipe([=](std::uint8_t f) { return f == function; }, ~0ull);
  }

  // Bits of [at, at + size) in a page's map; size 1..8, inside the page.
  static std::uint64_t bits_of(const std::array<std::uint64_t, kWords>& map, std::uint64_t at,
                               std::uint32_t size) {
    std::uint64_t bits = map[at / 64] >> (at % 64);
    if (at % 64 + size > 64) bits |= map[at / 64 + 1] << (64 - at % 64);
    return bits & ((1ull << size) - 1);
  }
};

LastValues::LastValues() : pages_(std::make_unique<Pages>()) {}
LastValues::~LastValues() = default;
LastValues::LastValues(LastValues&&) noexcept = default;
LastValues& LastValues::operator=(LastValues&&) noexcept = default;

void LastValues::clear() {
  *pages_ = Pages();
}

LastValues::Value LastValues::before(std::uint8_t function, std::int8_t bar, std::uint64_t offset,
                                     std::uint32_t size) const {
  if (size == 0 || size > 8) return {0, 0, 0};
  const std::uint64_t at = offset % kPageBytes;
  if (at + size > kPageBytes) {
    const auto low = static_cast<std::uint32_t>(kPageBytes - at);
    const Value a = before(function, bar, offset, low);
    const Value b = before(function, bar, offset + low, size - low);
    return {a.value | b.value << (low * 8), a.known | b.known << (low * 8),
            a.unseen | b.unseen << (low * 8)};
  }
  const std::uint64_t all = mask_of_size(size);
  const Page* page = pages_->find(key_of(function, bar, offset));
  if (!page) return {0, 0, pages_->refused || pages_->gap[function] ? 0 : all};
  Value found{0, 0, 0};
  std::memcpy(&found.value, &page->bytes[at], 8);
  const std::uint64_t known = Pages::bits_of(page->known, at, size);
  found.known = known == (1ull << size) - 1 ? all : widen(known);
  found.value &= found.known;
  if (found.known != all)
    found.unseen = all & ~found.known & ~widen(Pages::bits_of(page->lost, at, size));
  return found;
}

void LastValues::record(const Transaction& t, const Names& names) {
  // No memory access is a reset, and nearly all are memory accesses.
  if (!is_memory(t.kind) && names.resets(t)) {
    pages_->gap.reset(t.function);
    pages_->wipe([&](std::uint8_t f) { return f == t.function; }, 0);
  } else if (is_memory(t.kind) || is_config(t.kind)) {
    if (t.status != Status::SC || t.size == 0) return;
    if (t.size <= 8 && t.offset % kPageBytes + t.size <= kPageBytes)
      pages_->store(t.function, t.bar, t.offset, t.size, t.value, true);
    else
      pages_->store_slowly(t);
  } else if (t.kind == Kind::Gap) {
    pages_->gap.set();
    pages_->wipe([](std::uint8_t) { return true; }, ~0ull);
  }
}

void LastValues::prepare(std::uint8_t function, std::int8_t bar, std::uint64_t offset,
                         std::uint64_t bytes) {
  if (bytes == 0 || bytes - 1 > ~0ull - offset) return;
  const std::uint64_t last = (offset + bytes - 1) / kPageBytes;
  for (std::uint64_t page = offset / kPageBytes; page <= last; ++page) {
    if (pages_->storage.size() >= kMaxPages) return;  // refuses later, when it matters
    pages_->obtain(key_of(function, bar, page * kPageBytes));
  }
}

}  // namespace pcilens
