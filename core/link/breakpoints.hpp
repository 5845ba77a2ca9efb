// Breakpoints: where the link holds a transaction. They cost only where they can match.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/link/expression.hpp"
#include "core/link/transaction.hpp"
#include "core/result.hpp"

namespace pcilens {

// What a person asks for.
struct Breakpoint {
  std::string expression;       // docs/expressions.md
  Phase phase = Phase::Before;  // hold before the function sees it, or after it answered
  std::uint64_t ignore = 0;     // let this many matches pass first
  bool once = false;            // gone after its first stop
  bool log_only = false;        // counts and notes each match, does not stop
};

// What became of it.
struct BreakpointState {
  std::uint32_t number = 0;  // from 1, never used again
  Breakpoint breakpoint;
  bool enabled = true;
  std::uint64_t hits = 0;   // matches so far
  std::string synchronous;  // what it makes synchronous: "BAR0+0x98..0x9b", "everything"
};

// Which places are armed, as the link asks for each transaction: one bit test where nothing is.
// Used for breakpoints and for fault rules alike.
class ArmedPlaces {
 public:
  // Replaces what is armed. Reaches are kept by index: match candidates come back as indices.
  void rebuild(const std::vector<const Reach*>& reaches);
  // Whether any reach may match; a false positive is allowed, a false negative is not.
  bool may_match(Kind kind, std::uint8_t function, std::int8_t bar, std::uint64_t offset,
                 std::uint32_t size) const {
    const auto bit = 1u << static_cast<unsigned>(kind);
    if ((kinds_everywhere_ & bit) != 0) return true;
    if ((kinds_ranged_ & bit) == 0) return false;
    return in_filter(function, bar, offset, size);
  }
  // The indices that may match there, ascending.
  const std::vector<std::uint32_t>& candidates(Kind kind, std::uint8_t function, std::int8_t bar,
                                               std::uint64_t offset, std::uint32_t size) const;
  bool empty() const { return (kinds_everywhere_ | kinds_ranged_) == 0; }

 private:
  static constexpr std::size_t kFilterBits = 1 << 16;
  static std::size_t hash(std::int8_t bar, std::uint64_t dword) {
    return static_cast<std::size_t>(
        (dword + static_cast<std::uint64_t>(bar + 4) * 0x9e37u) * 0x9e3779b97f4a7c15ull >> 48);
  }
  bool in_filter(std::uint8_t function, std::int8_t bar, std::uint64_t offset,
                 std::uint32_t size) const;

  struct Entry {
    std::uint32_t index;
    std::uint32_t kinds;
    int function;
    std::int8_t bar;
    std::uint64_t begin, end;
  };
  std::uint32_t kinds_everywhere_ = 0, kinds_ranged_ = 0;
  bool filter_full_ = false;  // a range too wide to enter bit by bit
  std::vector<std::uint64_t> filter_ = std::vector<std::uint64_t>(kFilterBits / 64);
  std::vector<Entry> everywhere_, wide_;
  std::vector<std::vector<Entry>> buckets_ = std::vector<std::vector<Entry>>(1024);
  mutable std::vector<std::uint32_t> found_;
};

class BreakpointTable {
 public:
  Result<std::uint32_t> add(Breakpoint breakpoint, std::shared_ptr<const Names> names);
  Result<void> enable(std::uint32_t number, bool enabled);
  Result<void> remove(std::uint32_t number);
  std::vector<BreakpointState> list() const;

  bool may_match(const Transaction& t) const {
    return armed_.may_match(t.kind, t.function, t.bar, t.offset, t.size);
  }
  bool empty() const { return armed_.empty(); }
  // Numbers of those that stop here, counting hits; `logged` gets the log-only ones.
  void match(const EventView& event, std::vector<std::uint32_t>& stops,
             std::vector<std::uint32_t>& logged);
  const BreakpointState* find(std::uint32_t number) const;
  std::vector<Reach> reaches() const;  // of those enabled

 private:
  struct Item {
    BreakpointState state;
    Expression expression;
    std::uint64_t to_ignore;
  };
  void rearm();

  std::vector<Item> items_;
  std::uint32_t next_ = 1;
  ArmedPlaces armed_;
  std::vector<std::size_t> armed_items_;  // index in ArmedPlaces -> index in items_
};

// "BAR0+0x98..0x9b, config 0x4..0x5": what a person sees of a reach.
std::string describe(const Reach& reach);

}  // namespace pcilens
