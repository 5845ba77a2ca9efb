// What the registers held at one moment, as far as the trace tells.

#include <fmt/format.h>

#include <map>

#include "core/trace/reader_state.hpp"

namespace pcilens {
namespace {

struct Known {
  std::uint64_t value = 0, changed_seq = 0;
  std::uint64_t bits = 0;  // that were told; the others have the reset value
};

// A driver's write as the access rules of the fields let it act. What a device makes of it beyond
// that follows as State rows.
Known written(const Register& r, const Known& before, std::uint64_t value, std::uint64_t lanes) {
  std::uint64_t after = before.value, covered = 0, told = before.bits;
  const auto apply = [&](Access access, std::uint64_t mask) {
    mask &= lanes;
    switch (access) {
      case Access::RW:
        after = (after & ~mask) | (value & mask);
        told |= mask;
        break;
      case Access::W1C:
        after &= ~(value & mask);
        told |= value & mask;
        break;
      case Access::RW1S:
        after |= value & mask;
        told |= value & mask;
        break;
      case Access::WO: told |= mask; break;  // acts, and reads as 0
      case Access::RO:
      case Access::RC:
      case Access::Reserved: break;
    }
  };
  for (const Field& f : r.fields) {
    apply(f.access, f.mask());
    covered |= f.mask();
  }
  apply(r.access, r.mask() & ~covered);
  return {after, before.changed_seq, told};
}

// Reserved bits say nothing: whoever knows the others knows the register.
std::uint64_t telling_bits(const Register& r) {
  if (r.fields.empty()) return r.mask();
  std::uint64_t bits = 0;
  for (const Field& f : r.fields)
    if (f.access != Access::Reserved) bits |= f.mask();
  return bits;
}

}  // namespace

Result<std::vector<TraceRegister>> TraceReader::registers_at(std::uint64_t seq) {
  const auto all = names();
  using Key = std::tuple<std::uint8_t, std::int8_t, std::uint64_t>;
  std::map<Key, Known> known;
  auto row = state_->prepare(
      fmt::format("SELECT {} FROM event e WHERE e.seq >= ?1 AND e.seq <= ?2 AND (e.bar >= 0 OR "
                  "e.kind IN ({}, {}) OR (e.kind = {} AND e.offset = {})) ORDER BY e.seq LIMIT {}",
                  kEventColumns, static_cast<int>(Kind::Reset), static_cast<int>(Kind::CfgWrite),
                  static_cast<int>(Kind::Control), static_cast<int>(Control::Plug), kRowsATime));
  if (!row) return tl::unexpected(row.error());

  const auto take = [&](const Transaction& t) {
    if (all->resets(t)) {
      std::erase_if(known, [&](const auto& item) { return std::get<0>(item.first) == t.function; });
      return;
    }
    if (t.status != Status::SC || t.size == 0 || t.size > 8) return;
    const RegisterLookup* lookup = all->bar(t.function, t.bar);
    if (lookup == nullptr) return;
    for (const RegisterRef& ref : lookup->covering(t.offset, t.size)) {
      const auto at = ref.offset();
      const auto shift = [](std::uint64_t v, std::int64_t bytes) {
        if (bytes >= 8 || bytes <= -8) return std::uint64_t{0};
        return bytes >= 0 ? v << (8 * bytes) : v >> (-8 * bytes);
      };
      const auto to_register = static_cast<std::int64_t>(t.offset - at);
      const auto value = shift(t.value & mask_of_size(t.size), to_register);
      const auto lanes = shift(mask_of_size(t.size), to_register) & ref.reg->mask();
      const auto found =
          known.try_emplace({t.function, t.bar, at}, Known{ref.reg->reset, 0, 0}).first;
      const Known before = found->second;
      Known& now = found->second;
      now = t.kind == Kind::MemWrite ? written(*ref.reg, before, value, lanes)
                                     : Known{(before.value & ~lanes) | (value & lanes),
                                             before.changed_seq, before.bits | lanes};
      // A read that finds what is known tells nothing new; a write does, also of the same value.
      if (!is_read(t.kind) || now.value != before.value || now.bits != before.bits)
        now.changed_seq = t.seq;
    }
  };
  for (std::int64_t next = 0;;) {
    row->bind(1, next);
    row->bind(2, signed_of(seq));
    int rc = 0, rows = 0;
    while ((rc = row->step()) == SQLITE_ROW) {
      const auto t = transaction_of(*row);
      take(t);
      next = static_cast<std::int64_t>(t.seq) + 1;
      ++rows;
    }
    row->reset();
    if (rc != SQLITE_DONE) return state_->refuse();
    if (rows < kRowsATime) break;
  }

  std::vector<TraceRegister> result;
  constexpr std::size_t kMost = 1u << 20;  // a foreign map may declare any number of elements
  for (std::size_t f = 0; f < all->functions.size(); ++f) {
    for (const auto& lookup : all->functions[f].bars) {
      for (const Register* reg : lookup->map().registers) {
        for (std::uint32_t i = 0; i < reg->count && result.size() < kMost; ++i) {
          TraceRegister r;
          r.ref = {reg, i};
          r.function = static_cast<std::uint8_t>(f);
          r.bar = lookup->map().bar;
          r.value = reg->reset;
          if (const auto it = known.find({r.function, r.bar, r.ref.offset()}); it != known.end()) {
            r.value = it->second.value;
            r.changed_seq = it->second.changed_seq;
            if (it->second.bits != 0) r.recorded = it->second.bits | ~telling_bits(*reg);
          }
          result.push_back(r);
        }
      }
    }
  }
  return result;
}

}  // namespace pcilens
