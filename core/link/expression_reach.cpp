// Where an expression can match at all. Always a superset: what lies outside certainly does not
// match, so the link may leave it posted.
#include <algorithm>
#include <tuple>

#include "core/link/expression_program.hpp"

namespace pcilens::expression {
namespace {

constexpr std::int8_t kAnyBar = 127;

// Events that touch [begin, end) of a BAR; the whole of everything when all are open.
struct Area {
  int function = -1;
  std::int8_t bar = kAnyBar;
  std::uint64_t begin = 0, end = ~0ull;

  bool is_everything() const {
    return function < 0 && bar == kAnyBar && begin == 0 && end == ~0ull;
  }
  bool contains(const Area& o) const {
    return (function < 0 || function == o.function) && (bar == kAnyBar || bar == o.bar) &&
           begin <= o.begin && end >= o.end;
  }
  bool operator==(const Area&) const = default;
};

// The areas of each kind; a kind without areas cannot match.
using Areas = std::array<std::vector<Area>, kKinds>;

Areas everything(std::uint32_t kinds = kAllKinds) {
  Areas out;
  for (unsigned k = 0; k < kKinds; ++k)
    if ((kinds >> k & 1) != 0) out[k].push_back({});
  return out;
}

void insert(std::vector<Area>& into, const Area& area) {
  for (const Area& a : into)
    if (a.contains(area)) return;
  into.erase(
      std::remove_if(into.begin(), into.end(), [&](const Area& a) { return area.contains(a); }),
      into.end());
  into.push_back(area);
}

void unite(Areas& into, const Areas& other) {
  for (unsigned k = 0; k < kKinds; ++k)
    for (const Area& a : other[k]) insert(into[k], a);
}

// One event lies in both areas. It need not lie in their intersection: a wide access may touch two
// registers. So the bytes of one of the two are kept, and the function and BAR of both.
std::optional<Area> both(const Area& a, const Area& b) {
  if (a.function >= 0 && b.function >= 0 && a.function != b.function) return std::nullopt;
  if (a.bar != kAnyBar && b.bar != kAnyBar && a.bar != b.bar) return std::nullopt;
  Area out = a.end - a.begin <= b.end - b.begin ? a : b;
  out.function = std::max(a.function, b.function);
  out.bar = a.bar == kAnyBar ? b.bar : a.bar;
  return out;
}

Areas intersect(const Areas& x, const Areas& y) {
  constexpr std::size_t kMaxPairs = 4096;
  Areas out;
  for (unsigned k = 0; k < kKinds; ++k) {
    if (x[k].size() * y[k].size() > kMaxPairs) {
      out[k] = x[k].size() < y[k].size() ? x[k] : y[k];
      continue;
    }
    for (const Area& a : x[k])
      for (const Area& b : y[k])
        if (const auto area = both(a, b)) insert(out[k], *area);
  }
  return out;
}

Areas of_kinds(std::uint32_t kinds, const std::vector<Area>& areas) {
  Areas out;
  for (unsigned k = 0; k < kKinds; ++k)
    if ((kinds >> k & 1) != 0) out[k] = areas;
  return out;
}

Areas of_targets(const Program& p, const Node& n) {
  std::vector<Area> areas;
  for (std::uint32_t i = n.target; i < n.target + n.targets; ++i) {
    const Target& t = p.targets[i];
    // Elements that follow each other closely are one range: doorbells, not 64 of them.
    const bool close = t.stride <= 2 * t.length || t.count > 64;
    const std::uint64_t span = std::uint64_t{t.stride} * (t.count - 1) + t.length;
    if (t.count == 1 || close) {
      insert(areas, {t.function, t.bar, t.offset, t.offset + span});
      continue;
    }
    for (std::uint32_t e = 0; e < t.count; ++e) {
      const std::uint64_t at = t.offset + std::uint64_t{t.stride} * e;
      insert(areas, {t.function, t.bar, at, at + t.length});
    }
  }
  return of_kinds(n.kinds, areas);
}

std::vector<Area> ranges_of(const Program& p, std::uint32_t first, std::uint32_t count) {
  std::vector<Area> areas;
  for (std::uint32_t i = first; i < first + count; ++i) {
    const Target& t = p.targets[i];
    areas.push_back({t.function, t.bar, t.offset, t.offset + t.length});
  }
  return areas;
}

Areas of_attribute(const Program& p, const Node& n) {
  if (n.attribute == Attribute::Ignored) {
    Areas out = of_kinds(bit(Kind::MemWrite), ranges_of(p, n.target, n.targets));
    unite(out, of_kinds(bit(Kind::MemRead), ranges_of(p, n.right_target, n.right_targets)));
    return out;
  }
  const std::uint32_t kinds = kinds_of(n.attribute);
  const bool plain = n.right == Right::Number && n.mask == ~0ull;
  if (plain && n.test == Test::Equal && n.attribute == Attribute::Kind)
    return everything(n.a < kKinds ? 1u << n.a : 0);
  if (plain && n.test == Test::Equal && n.attribute == Attribute::Function)
    return of_kinds(kinds, {Area{.function = static_cast<int>(std::min<std::uint64_t>(n.a, 256))}});
  if (plain && n.test == Test::Equal && n.attribute == Attribute::Bar)
    return of_kinds(kinds,
                    {Area{.bar = static_cast<std::int8_t>(std::min<std::uint64_t>(n.a, 6))}});

  const bool is_place = n.attribute == Attribute::Offset || n.attribute == Attribute::Iova ||
                        n.attribute == Attribute::Vector;
  std::vector<Area> areas;
  const auto add = [&](std::uint64_t low, std::uint64_t high) {
    areas.push_back({.begin = low, .end = high == ~0ull ? high : high + 1});
  };
  if (is_place && n.test == Test::In && n.mask == ~0ull) {
    for (std::uint64_t i = n.a; i < n.a + n.b; ++i) add(p.ranges[i].low, p.ranges[i].high);
  } else if (is_place && plain) {
    switch (n.test) {
      case Test::Equal: add(n.a, n.a); break;
      case Test::Less:
        if (n.a == 0) return {};
        add(0, n.a - 1);
        break;
      case Test::LessEqual: add(0, n.a); break;
      case Test::Greater: add(n.a == ~0ull ? n.a : n.a + 1, ~0ull); break;
      case Test::GreaterEqual: add(n.a, ~0ull); break;
      default: break;
    }
  }
  return areas.empty() ? everything(kinds) : of_kinds(kinds, areas);
}

// Where the node can say `wanted`.
Areas areas_of(const Program& p, const Node& n, bool wanted) {
  switch (n.op) {
    case Op::Always: return wanted ? everything() : Areas{};
    case Op::Kinds: return everything(wanted ? n.kinds : kAllKinds & ~n.kinds);
    case Op::Touch:
    case Op::Register: return wanted ? of_targets(p, n) : everything();
    case Op::Attribute: return wanted ? of_attribute(p, n) : everything();
    case Op::Last:
    case Op::Symbol: return everything();
    case Op::Not: return areas_of(p, p.nodes[n.child], !wanted);
    case Op::All:
    case Op::Any: {
      const bool all = (n.op == Op::All) == wanted;
      Areas out = areas_of(p, p.nodes[n.child], wanted);
      for (std::uint32_t c = p.nodes[n.child].next; c != 0; c = p.nodes[c].next) {
        const Areas more = areas_of(p, p.nodes[c], wanted);
        if (all)
          out = intersect(out, more);
        else
          unite(out, more);
      }
      return out;
    }
  }
  return everything();
}

// The BARs that events of a kind can have, where an area leaves it open.
std::vector<std::int8_t> bars_of(Kind kind) {
  if (is_memory(kind)) return {0, 1, 2, 3, 4, 5};
  if (is_config(kind)) return {kBarConfig};
  if (is_dma(kind) || kind == Kind::DmaMap || kind == Kind::DmaUnmap) return {kBarDma};
  if (kind == Kind::Irq) return {kBarInterrupt};
  if (kind == Kind::State || kind == Kind::Force) return {0, 1, 2, 3, 4, 5, kBarConfig};
  return {kBarNone};
}

Reach flatten(const Areas& areas) {
  Reach reach;
  reach.kinds = 0;
  reach.everywhere = false;
  bool open = true;
  for (unsigned k = 0; k < kKinds; ++k) {
    if (areas[k].empty()) continue;
    reach.kinds |= 1u << k;
    open &= areas[k].size() == 1 && areas[k].front().is_everything();
  }
  if (reach.kinds != 0 && open) {
    reach.everywhere = true;
    return reach;
  }
  for (unsigned k = 0; k < kKinds; ++k) {
    for (const Area& a : areas[k]) {
      const auto bars =
          a.bar == kAnyBar ? bars_of(static_cast<Kind>(k)) : std::vector<std::int8_t>{a.bar};
      for (const std::int8_t bar : bars) {
        const Reach::Range range{a.function, bar, a.begin, a.end, 1u << k};
        const auto same =
            std::find_if(reach.ranges.begin(), reach.ranges.end(), [&](const Reach::Range& r) {
              return std::tie(r.function, r.bar, r.begin, r.end) ==
                     std::tie(range.function, range.bar, range.begin, range.end);
            });
        if (same == reach.ranges.end())
          reach.ranges.push_back(range);
        else
          same->kinds |= range.kinds;
      }
    }
  }
  return reach;
}

// Which verdicts a node can give for events of one kind before their completion.
struct Possible {
  bool yes, no;
};

Possible before_completion(const Program& p, const Node& n, Kind kind) {
  const bool applies = (n.kinds & bit(kind)) != 0;
  const bool right_is_late =
      n.right == Right::Attribute && is_of_completion(n.right_attribute, kind);
  switch (n.op) {
    case Op::Always: return {true, false};
    case Op::Kinds: return {applies, !applies};
    case Op::Touch: return {applies, true};
    case Op::Register: return {applies && !is_read(kind) && !right_is_late, true};
    case Op::Last: return {!right_is_late, true};
    case Op::Symbol: return {true, true};
    case Op::Attribute: {
      if ((kinds_of(n.attribute) & bit(kind)) == 0) return {false, true};
      const bool late = is_of_completion(n.attribute, kind) || right_is_late;
      // A value over 8 bytes is none: that can be said before.
      return {!late, !late || n.attribute == Attribute::Value};
    }
    case Op::Not: {
      const Possible child = before_completion(p, p.nodes[n.child], kind);
      return {child.no, child.yes};
    }
    case Op::All:
    case Op::Any: {
      const bool all = n.op == Op::All;
      Possible out{all, !all};
      for (std::uint32_t c = n.child; c != 0; c = p.nodes[c].next) {
        const Possible child = before_completion(p, p.nodes[c], kind);
        out.yes = all ? out.yes && child.yes : out.yes || child.yes;
        out.no = all ? out.no || child.no : out.no && child.no;
      }
      return out;
    }
  }
  return {true, true};
}

}  // namespace

Reach derive_reach(const Program& program) {
  return flatten(areas_of(program, program.nodes[program.root], true));
}

bool needs_completion(const Program& program) {
  const Reach reach = derive_reach(program);
  for (unsigned k = 0; k < kKinds; ++k) {
    if ((reach.kinds >> k & 1) == 0) continue;
    if (before_completion(program, program.nodes[program.root], static_cast<Kind>(k)).yes)
      return false;
  }
  return reach.kinds != 0;
}

}  // namespace pcilens::expression
