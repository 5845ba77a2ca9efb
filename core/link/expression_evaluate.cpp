// Three-valued evaluation: what is not known (yet) is Unknown, and stays so under `not`.
#include <algorithm>

#include "core/link/expression_program.hpp"

namespace pcilens::expression {
namespace {

struct Seen {
  enum : std::uint8_t { Absent, Known, Unknown } state;
  std::uint64_t value = 0;
};

constexpr Verdict verdict_of(bool b) {
  return b ? Verdict::Yes : Verdict::No;
}

constexpr Verdict invert(Verdict v) {
  if (v == Verdict::Unknown) return v;
  return verdict_of(v == Verdict::No);
}

bool is_completed(const EventView& e) {
  return e.phase == Phase::After && e.t.status != Status::Pending;
}

// ---- old values --------------------------------------------------------------------------------

// The value of an element before the event; bits that no access carried are as after reset.
LastValues::Value before(const EventView& e, std::uint8_t function, const Target& target,
                         std::uint64_t offset) {
  auto v = e.last.before(function, target.bar, offset, static_cast<std::uint32_t>(target.length));
  if (target.has_reset) {
    v.value |= target.reset & v.unseen;
    v.known |= v.unseen;
  }
  return v;
}

// The value of the bytes that an access touches, before it.
LastValues::Value before_access(const EventView& e) {
  auto v = e.last.before(e.t.function, e.t.bar, e.t.offset, e.t.size);
  if (v.unseen == 0) return v;
  const RegisterLookup* lookup = e.t.bar >= 0 ? e.names.bar(e.t.function, e.t.bar) : nullptr;
  for (std::uint32_t i = 0; i < e.t.size && i < 8; ++i) {
    const std::uint64_t lane = 0xffull << (i * 8);
    if ((v.unseen & lane) == 0 || e.t.offset > ~0ull - i) continue;
    std::optional<std::uint64_t> byte;
    if (lookup) {
      if (const RegisterRef r = lookup->at(e.t.offset + i))
        byte = r.reg->reset >> ((e.t.offset + i - r.offset()) * 8) & 0xff;
    } else if (e.t.bar == kBarConfig) {
      byte = e.names.config(e.t.function).first_value(e.t.offset + i, 1);
    }
    if (!byte) continue;
    v.value |= *byte << (i * 8);
    v.known |= lane;
  }
  return v;
}

// ---- attributes --------------------------------------------------------------------------------

Seen read(Attribute attribute, const EventView& e) {
  const Transaction& t = e.t;
  if ((kinds_of(attribute) & bit(t.kind)) == 0) return {Seen::Absent};
  switch (attribute) {
    case Attribute::Value:
      if (t.size > 8) return {Seen::Absent};
      // A failed read has no value; one without completion has none yet.
      if (is_read(t.kind) && !is_completed(e)) return {Seen::Unknown};
      if (is_read(t.kind) && t.status != Status::SC) return {Seen::Absent};
      return {Seen::Known, t.value};
    case Attribute::Old: {
      if (t.size == 0 || t.size > 8) return {Seen::Absent};
      const auto v = before_access(e);
      const bool all = v.known == mask_of_size(t.size);
      return all ? Seen{Seen::Known, v.value} : Seen{Seen::Unknown};
    }
    case Attribute::Offset:
    case Attribute::Vector:
    case Attribute::Iova:
    case Attribute::Timer:
    case Attribute::Input: return {Seen::Known, t.offset};
    case Attribute::Size: return {Seen::Known, t.size};
    case Attribute::Bar:
      if (t.bar < 0) return {Seen::Absent};
      return {Seen::Known, static_cast<std::uint64_t>(t.bar)};
    case Attribute::Seq: return {Seen::Known, t.seq};
    case Attribute::Cause: return {Seen::Known, t.cause};
    case Attribute::Cpu: return {Seen::Known, t.cpu};
    case Attribute::Thread: return {Seen::Known, t.thread};
    case Attribute::Time: return {Seen::Known, t.t_ns};
    case Attribute::Function: return {Seen::Known, t.function};
    case Attribute::Kind: return {Seen::Known, static_cast<std::uint64_t>(t.kind)};
    case Attribute::Origin: return {Seen::Known, static_cast<std::uint64_t>(t.origin)};
    case Attribute::Reset: return {Seen::Known, t.value};
    case Attribute::Edited:
      if (!is_completed(e)) return {Seen::Unknown};  // it may be yet
      return {Seen::Known, t.edited};
    case Attribute::Ignored: {
      const auto ignored = e.names.ignored(t);
      if (!ignored) return {Seen::Unknown};
      return {Seen::Known, *ignored != Ignored::No};
    }
    case Attribute::Latency:
      if (!is_completed(e)) return {Seen::Unknown};
      return {Seen::Known, t.done_ns > t.t_ns ? t.done_ns - t.t_ns : 0};
    case Attribute::Status:
      if (e.phase == Phase::Before) return {Seen::Unknown};
      return {Seen::Known, static_cast<std::uint64_t>(t.status)};
    case Attribute::AnsweredBy:
      if (!is_completed(e)) return {Seen::Unknown};
      return {Seen::Known, static_cast<std::uint64_t>(t.answered_by)};
  }
  return {Seen::Absent};
}

// ---- tests -------------------------------------------------------------------------------------

bool in_ranges(const Program& p, const Node& n, std::uint64_t first, std::uint64_t last) {
  for (std::uint64_t i = n.a; i < n.a + n.b; ++i)
    if (first <= p.ranges[i].high && last >= p.ranges[i].low) return true;
  return false;
}

bool compare(Test test, std::uint64_t left, std::uint64_t right) {
  switch (test) {
    case Test::Equal: return left == right;
    case Test::NotEqual: return left != right;
    case Test::Less: return left < right;
    case Test::LessEqual: return left <= right;
    case Test::Greater: return left > right;
    case Test::GreaterEqual: return left >= right;
    case Test::NonZero: return left != 0;
    default: return false;
  }
}

bool moved(const Node& n, std::uint64_t from, std::uint64_t to) {
  if (n.test == Test::Changes) return from != to;
  if (n.has_from && from != n.a) return false;
  if (n.has_to && to != n.b) return false;
  return (n.has_from && n.has_to) || from != to;
}

// The last value of a register: the event's own function's where several have one of that name.
Seen last_value(const Program& p, std::uint32_t first, std::uint32_t count, const EventView& e) {
  for (std::uint32_t i = first; i < first + count; ++i) {
    const Target& target = p.targets[i];
    const bool own = target.function < 0 || target.function == e.t.function;
    if (!own && count > 1) continue;
    const auto function = own ? e.t.function : static_cast<std::uint8_t>(target.function);
    const auto v = before(e, function, target, target.offset);
    if ((target.bits & ~v.known) != 0) return {Seen::Unknown};
    return {Seen::Known, (v.value & target.bits) >> target.shift};
  }
  return {Seen::Absent};
}

Seen right_side(const Program& p, const Node& n, const EventView& e) {
  switch (n.right) {
    case Right::Number: return {Seen::Known, n.a};
    case Right::Attribute: return read(n.right_attribute, e);
    case Right::Last: return last_value(p, n.right_target, n.right_targets, e);
    case Right::Old: break;
  }
  return {Seen::Absent};
}

Verdict against(const Program& p, const Node& n, const EventView& e, std::uint64_t left) {
  if (n.test == Test::In) return verdict_of(in_ranges(p, n, left, left));
  if (n.test == Test::NotIn) return verdict_of(!in_ranges(p, n, left, left));
  if (n.right == Right::Number) return verdict_of(compare(n.test, left, n.a));
  const Seen right = right_side(p, n, e);
  if (right.state == Seen::Absent) return Verdict::No;
  if (right.state == Seen::Unknown) return Verdict::Unknown;
  return verdict_of(compare(n.test, left, right.value));
}

Verdict test_attribute(const Program& p, const Node& n, const EventView& e) {
  const Seen left = read(n.attribute, e);
  if (left.state == Seen::Absent) return Verdict::No;
  if (left.state == Seen::Unknown) return Verdict::Unknown;
  const std::uint64_t value = left.value & n.mask;
  if (n.test == Test::Transition || n.test == Test::Changes) {
    const Seen old = read(Attribute::Old, e);
    if (old.state == Seen::Absent) return Verdict::No;
    // A new value that cannot match decides without the old one.
    if (n.test == Test::Transition && n.has_to && value != n.b) return Verdict::No;
    if (old.state == Seen::Unknown) return Verdict::Unknown;
    return verdict_of(moved(n, old.value & n.mask, value));
  }
  if ((n.test == Test::In || n.test == Test::NotIn) && n.mask == ~0ull &&
      (n.attribute == Attribute::Offset || n.attribute == Attribute::Iova)) {
    // A range of places asks what the access touches, not only where it begins.
    const std::uint64_t more = e.t.size > 1 ? e.t.size - 1 : 0;
    const std::uint64_t end = value > ~0ull - more ? ~0ull : value + more;
    return verdict_of(in_ranges(p, n, value, end) == (n.test == Test::In));
  }
  return against(p, n, e, value);
}

// ---- registers ---------------------------------------------------------------------------------

bool touches(const Transaction& t, std::uint64_t offset, std::uint64_t length) {
  return t.offset < offset ? offset - t.offset < t.size : t.offset - offset < length && t.size > 0;
}

// What an access carries of an element: which bits, and their value.
struct Carried {
  std::uint64_t bits, value;
};

Carried carried(const Transaction& t, std::uint64_t offset, std::uint64_t length) {
  if (t.offset == offset && t.size == length) {
    const std::uint64_t all = mask_of_size(t.size);
    return {all, t.value & all};
  }
  if (t.offset <= offset) {
    const std::uint64_t skip = offset - t.offset;
    const auto n = static_cast<std::uint32_t>(std::min<std::uint64_t>(t.size - skip, length));
    return {mask_of_size(n), skip < 8 ? t.value >> (skip * 8) & mask_of_size(n) : 0};
  }
  const std::uint64_t lead = t.offset - offset;  // less than the element's length, 8 at most
  const auto n = static_cast<std::uint32_t>(std::min<std::uint64_t>(t.size, length - lead));
  const std::uint64_t mask = mask_of_size(n) << (lead * 8);
  return {mask, t.value << (lead * 8) & mask};
}

// One element that the access touches.
Verdict test_element(const Program& p, const Node& n, const Target& target, std::uint64_t offset,
                     const EventView& e) {
  const std::uint64_t bits = target.bits & (n.mask << target.shift);
  const Carried now = carried(e.t, offset, target.length);
  if ((now.bits & bits) == 0) return Verdict::No;
  if (is_read(e.t.kind)) {
    if (!is_completed(e)) return Verdict::Unknown;
    if (e.t.status != Status::SC) return Verdict::No;
  }
  if (e.t.size > 8) return Verdict::Unknown;

  LastValues::Value old{0, 0, 0};
  const bool whole = (bits & ~now.bits) == 0;
  const bool uses_old =
      n.test == Test::Transition || n.test == Test::Changes || n.right == Right::Old;
  if (whole && n.test == Test::Transition && n.has_to && (now.value & bits) >> target.shift != n.b)
    return Verdict::No;
  if (!whole || uses_old) old = before(e, e.t.function, target, offset);
  if ((bits & ~(now.bits | old.known)) != 0) return Verdict::Unknown;
  const std::uint64_t value = ((now.value | (old.value & ~now.bits)) & bits) >> target.shift;
  if (!uses_old) return against(p, n, e, value);
  if ((bits & ~old.known) != 0) return Verdict::Unknown;
  const std::uint64_t was = (old.value & bits) >> target.shift;
  if (n.right == Right::Old) return verdict_of(compare(n.test, value, was));
  return verdict_of(moved(n, was, value));
}

// Runs `test` on each element of the node's targets that the access touches, until one says Yes.
template <typename F>
Verdict on_touched(const Program& p, const Node& n, const EventView& e, F test) {
  const Transaction& t = e.t;
  if ((n.kinds & bit(t.kind)) == 0) return Verdict::No;
  Verdict verdict = Verdict::No;
  for (std::uint32_t i = n.target; i < n.target + n.targets; ++i) {
    const Target& target = p.targets[i];
    if (target.bar != t.bar || (target.function >= 0 && target.function != t.function)) continue;
    std::uint64_t k = 0;
    if (target.count > 1 && t.offset > target.offset)
      k = (t.offset - target.offset) / target.stride;
    for (; k < target.count; ++k) {
      const std::uint64_t offset = target.offset + k * target.stride;
      if (!touches(t, offset, target.length)) {
        if (offset > t.offset) break;
        continue;
      }
      const Verdict v = test(target, offset);
      if (v == Verdict::Yes) return v;
      if (v == Verdict::Unknown) verdict = v;
    }
  }
  return verdict;
}

Verdict test_symbol(std::string_view symbol, std::string_view pattern) {
  if (symbol.empty()) return Verdict::Unknown;
  if (matches_pattern(symbol, pattern)) return Verdict::Yes;
  // The compiler's own copies of a function: nvme_probe.isra.0, nvme_probe.cold.
  const auto dot = symbol.find('.');
  return verdict_of(dot != std::string_view::npos && dot > 0 &&
                    matches_pattern(symbol.substr(0, dot), pattern));
}

Verdict run(const Program& p, const Node& n, const EventView& e) {
  switch (n.op) {
    case Op::Always: return Verdict::Yes;
    case Op::Kinds: return verdict_of((n.kinds & bit(e.t.kind)) != 0);
    case Op::Touch:
      return on_touched(p, n, e, [](const Target&, std::uint64_t) { return Verdict::Yes; });
    case Op::Register:
      return on_touched(p, n, e, [&](const Target& target, std::uint64_t offset) {
        return test_element(p, n, target, offset, e);
      });
    case Op::Attribute: return test_attribute(p, n, e);
    case Op::Symbol: return test_symbol(e.symbol, p.texts[n.a]);
    case Op::Last: {
      const Seen left = last_value(p, n.target, n.targets, e);
      if (left.state == Seen::Absent) return Verdict::No;
      if (left.state == Seen::Unknown) return Verdict::Unknown;
      return against(p, n, e, left.value & n.mask);
    }
    case Op::Not: return invert(run(p, p.nodes[n.child], e));
    case Op::All: {
      Verdict verdict = Verdict::Yes;
      for (std::uint32_t c = n.child; c != 0; c = p.nodes[c].next) {
        const Verdict v = run(p, p.nodes[c], e);
        if (v == Verdict::No) return v;
        if (v == Verdict::Unknown) verdict = v;
      }
      return verdict;
    }
    case Op::Any: {
      Verdict verdict = Verdict::No;
      for (std::uint32_t c = n.child; c != 0; c = p.nodes[c].next) {
        const Verdict v = run(p, p.nodes[c], e);
        if (v == Verdict::Yes) return v;
        if (v == Verdict::Unknown) verdict = v;
      }
      return verdict;
    }
  }
  return Verdict::No;
}

}  // namespace

Verdict evaluate(const Program& program, const EventView& event) {
  return run(program, program.nodes[program.root], event);
}

std::optional<std::uint64_t> value_of(Attribute attribute, const EventView& event) {
  const Seen seen = read(attribute, event);
  if (seen.state != Seen::Known) return std::nullopt;
  return seen.value;
}

std::uint32_t kinds_of(Attribute attribute) {
  switch (attribute) {
    case Attribute::Value: return kAllKinds & ~bit(Kind::Control) & ~bit(Kind::Timer);
    case Attribute::Old: return kAccessKinds;
    case Attribute::Ignored: return kMemoryKinds;
    case Attribute::Offset:
    case Attribute::Bar: return kAccessKinds | kStateKinds;
    case Attribute::Size: return kAccessKinds | kStateKinds | kDmaKinds | kMapKinds;
    case Attribute::Vector: return bit(Kind::Irq);
    case Attribute::Iova: return kDmaKinds | kMapKinds;
    case Attribute::Timer: return bit(Kind::Timer);
    case Attribute::Input: return bit(Kind::Input);
    case Attribute::Reset: return bit(Kind::Reset);
    case Attribute::Edited: return kAccessKinds | kDmaKinds;
    case Attribute::Latency:
    case Attribute::AnsweredBy: return kAccessKinds | kDmaKinds | bit(Kind::Irq);
    case Attribute::Seq:
    case Attribute::Cause:
    case Attribute::Cpu:
    case Attribute::Thread:
    case Attribute::Time:
    case Attribute::Function:
    case Attribute::Kind:
    case Attribute::Status:
    case Attribute::Origin: break;
  }
  return kAllKinds;
}

bool is_of_completion(Attribute attribute, Kind kind) {
  switch (attribute) {
    case Attribute::Value: return is_read(kind);
    case Attribute::Edited:
    case Attribute::Latency:
    case Attribute::Status:
    case Attribute::AnsweredBy: return true;
    default: return false;
  }
}

bool matches_pattern(std::string_view text, std::string_view pattern) {
  std::size_t t = 0, p = 0, star = std::string_view::npos, retry = 0;
  while (t < text.size()) {
    if (p < pattern.size() && (pattern[p] == '?' || (pattern[p] == text[t] && pattern[p] != '*'))) {
      ++t, ++p;
    } else if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      retry = t;
    } else if (star != std::string_view::npos) {
      p = star + 1;
      t = ++retry;
    } else {
      return false;
    }
  }
  while (p < pattern.size() && pattern[p] == '*') ++p;
  return p == pattern.size();
}

}  // namespace pcilens::expression
