#include "core/registers/checks.hpp"

#include <algorithm>
#include <cstdio>

#include "core/registers/bank.hpp"

namespace pcilens {
namespace {

constexpr std::size_t kMaxFailures = 100;
// So much of a BAR is looked at byte by byte.
constexpr std::uint64_t kMaxSwept = 64 * 1024;

std::string hex(std::uint64_t value) {
  char text[24];
  std::snprintf(text, sizeof text, "0x%llx", static_cast<unsigned long long>(value));
  return text;
}

// Bits of a register that answer alike: a field, or what no field covers.
struct Part {
  std::string name;
  std::uint64_t mask;
  Access access;

  // What these bits show, and what they become, by the words of register.hpp.
  std::uint64_t shown(std::uint64_t stored) const {
    return access == Access::WO || access == Access::Reserved ? 0 : stored & mask;
  }
  std::uint64_t written(std::uint64_t stored, std::uint64_t value) const {
    switch (access) {
      case Access::RO:
      case Access::RC:
      case Access::Reserved: return stored & mask;
      case Access::RW:
      case Access::WO: return value & mask;
      case Access::W1C: return stored & ~value & mask;
      case Access::RW1S: return (stored | value) & mask;
    }
    return 0;
  }
  std::uint64_t after_read(std::uint64_t stored) const {
    return access == Access::RC ? 0 : stored & mask;
  }
};

class Checker {
 public:
  explicit Checker(const RegisterMap& map) : map_(map), bank_(map) {}

  std::vector<std::string> run() {
    for (const Register* r : map_.registers)
      for (std::uint32_t i = 0; i < r->count; ++i)
        if (i < 4 || i + 1 == r->count) check(*r, i);
    sweep_sizes();
    sweep_holes();
    check_reset();
    return std::move(failures_);
  }

 private:
  void expect(std::uint64_t found, std::uint64_t expected, const std::string& where,
              const std::string& what) {
    if (found != expected && failures_.size() < kMaxFailures)
      failures_.push_back(std::string(map_.name) + ": " + where + ": " + what + " gives " +
                          hex(found) + " instead of " + hex(expected));
  }

  static std::vector<Part> parts_of(const Register& r) {
    std::vector<Part> parts;
    std::uint64_t uncovered = r.mask();
    for (const Field& f : r.fields) {
      parts.push_back({'.' + std::string(f.name), f.mask(), f.access});
      uncovered &= ~f.mask();
    }
    if (uncovered != 0) parts.push_back({" (bits of no field)", uncovered, r.access});
    return parts;
  }

  void check(const Register& r, std::uint32_t index) {
    const std::string name = name_of(RegisterRef{&r, index});
    const std::uint64_t at = r.offset_of(index);
    const auto parts = parts_of(r);
    bank_.reset();
    for (const Part& part : parts)
      expect(bank_.peek(at, r.width) & part.mask, part.shown(r.reset), name + part.name,
             "a peek after reset");
    constexpr std::uint64_t kPatterns[] = {0, ~0ull, 0x5555'5555'5555'5555, 0xaaaa'aaaa'aaaa'aaaa,
                                           0x0123'4567'89ab'cdef};
    for (const std::uint64_t stored : kPatterns)
      for (const std::uint64_t value : kPatterns) {
        bank_.set(r, stored, index);
        const std::uint64_t peeked = bank_.peek(at, r.width);
        expect(bank_.get(r, index), stored & r.mask(), name, "the stored value after a peek");
        for (const Part& part : parts)
          expect(peeked & part.mask, part.shown(stored), name + part.name,
                 "a peek of " + hex(stored));
        bank_.write(at, r.width, value);
        for (const Part& part : parts)
          expect(bank_.get(r, index) & part.mask, part.written(stored, value), name + part.name,
                 "a write of " + hex(value) + " over " + hex(stored));
        const std::uint64_t before = bank_.get(r, index), seen = bank_.peek(at, r.width);
        expect(bank_.read(at, r.width), seen, name, "a read, where a peek gave it,");
        for (const Part& part : parts)
          expect(bank_.get(r, index) & part.mask, part.after_read(before), name + part.name,
                 "the stored value after a read of " + hex(before));
        if (failures_.size() >= kMaxFailures) return;
      }
  }

  std::uint64_t swept() const {
    std::uint64_t end = 0;
    for (const Register* r : map_.registers) end = std::max(end, r->end());
    return std::min({(end + 15) & ~std::uint64_t{7}, map_.size, kMaxSwept});
  }

  // The same bytes, read and written in pieces of each size, in banks of their own.
  void sweep_sizes() {
    const auto fill = [&](RegisterBank& bank) {
      for (const Register* r : map_.registers)
        for (std::uint32_t i = 0; i < r->count; ++i)
          bank.set(*r, 0x9e37'79b9'7f4a'7c15 * (r->offset_of(i) + 1), i);
    };
    for (const std::uint32_t size : {1u, 2u, 4u}) {
      RegisterBank whole(map_), pieces(map_);
      fill(whole);
      fill(pieces);
      for (std::uint64_t at = 0; at < swept(); at += 8) {
        const auto joined = [&](auto read) {
          std::uint64_t value = 0;
          for (std::uint32_t i = 0; i < 8; i += size) value |= read(at + i) << (i * 8);
          return value;
        };
        const std::string where = "8 bytes at " + hex(at) + " in pieces of " + std::to_string(size);
        const std::uint64_t peeked = whole.peek(at, 8);
        expect(joined([&](std::uint64_t o) { return pieces.peek(o, size); }), peeked, where,
               "a peek");
        const std::uint64_t value = 0xd1b5'4a32'd192'ed03 * (at + 7);
        whole.write(at, 8, value);
        for (std::uint32_t i = 0; i < 8; i += size) pieces.write(at + i, size, value >> (i * 8));
        const std::uint64_t read = whole.read(at, 8);
        expect(joined([&](std::uint64_t o) { return pieces.read(o, size); }), read, where,
               "a read after a write");
      }
      compare(whole, pieces, "the stored value after writes in pieces of " + std::to_string(size));
    }
  }

  void compare(const RegisterBank& expected, const RegisterBank& found, const std::string& what) {
    for (const Register* r : map_.registers)
      for (std::uint32_t i = 0; i < r->count; ++i)
        if (r->offset_of(i) + r->width <= swept())
          expect(found.get(*r, i), expected.get(*r, i), name_of(RegisterRef{r, i}), what);
  }

  void sweep_holes() {
    for (std::uint64_t at = 0; at < swept(); ++at) {
      if (bank_.lookup().at(at) || bank_.lookup().region_at(at)) continue;
      bank_.write(at, 1, 0xff);
      expect(bank_.read(at, 1), 0, "the byte at " + hex(at), "a read where no register is");
    }
  }

  void check_reset() {
    for (const Register* r : map_.registers)
      for (std::uint32_t i = 0; i < r->count; ++i) bank_.set(*r, ~r->reset, i);
    bank_.reset();
    for (const Register* r : map_.registers)
      for (std::uint32_t i = 0; i < r->count; ++i)
        expect(bank_.get(*r, i), r->reset, name_of(RegisterRef{r, i}), "a reset");
  }

  const RegisterMap& map_;
  RegisterBank bank_;
  std::vector<std::string> failures_;
};

}  // namespace

std::vector<std::string> check_semantics(const RegisterMap& map) {
  return Checker(map).run();
}

}  // namespace pcilens
