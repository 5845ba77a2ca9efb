// What an expression compiles to: a flat tree of conditions that is evaluated without allocation.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/link/expression.hpp"

namespace pcilens::expression {

constexpr std::uint32_t bit(Kind kind) {
  return 1u << static_cast<unsigned>(kind);
}
inline constexpr std::uint32_t kAllKinds = (1u << kKinds) - 1;
inline constexpr std::uint32_t kConfigKinds = bit(Kind::CfgRead) | bit(Kind::CfgWrite);
inline constexpr std::uint32_t kMemoryKinds = bit(Kind::MemRead) | bit(Kind::MemWrite);
inline constexpr std::uint32_t kDmaKinds = bit(Kind::DmaRead) | bit(Kind::DmaWrite);
inline constexpr std::uint32_t kMapKinds = bit(Kind::DmaMap) | bit(Kind::DmaUnmap);
inline constexpr std::uint32_t kReadKinds =
    bit(Kind::CfgRead) | bit(Kind::MemRead) | bit(Kind::DmaRead);
inline constexpr std::uint32_t kWriteKinds =
    bit(Kind::CfgWrite) | bit(Kind::MemWrite) | bit(Kind::DmaWrite);
// Stored state that changed without a transaction; these have a bar and an offset as accesses have.
inline constexpr std::uint32_t kStateKinds = bit(Kind::State) | bit(Kind::Force);
inline constexpr std::uint32_t kAccessKinds = kConfigKinds | kMemoryKinds;

enum class Op : std::uint8_t {
  Always,
  All,        // children, `and`
  Any,        // children, `or`
  Not,        // one child
  Kinds,      // the event is one of `kinds`
  Touch,      // the access touches one of the targets
  Register,   // ... and the target's value passes the test
  Last,       // the last value of the event's function's target passes the test
  Attribute,  // a property of the event passes the test
  Symbol,     // the driver's function matches a pattern
};

enum class Test : std::uint8_t {
  Equal,
  NotEqual,
  Less,
  LessEqual,
  Greater,
  GreaterEqual,
  In,  // one of the ranges
  NotIn,
  NonZero,
  Transition,  // old value is `from` (if given), new value is `to` (if given), and they differ
               // unless both are given
  Changes,
};

enum class Attribute : std::uint8_t {
  Value,
  Old,
  Offset,
  Size,
  Bar,
  Vector,
  Iova,
  Seq,
  Cause,
  Cpu,
  Thread,
  Time,
  Latency,
  Function,
  Kind,
  Status,
  Origin,
  AnsweredBy,
  Timer,  // the number after `timer`
  Input,  // the number after `input`
  Reset,  // the name after `reset`
  Edited,
  Ignored,
};

// What a test compares with.
enum class Right : std::uint8_t {
  Number,     // `a`
  Attribute,  // of the same event; `right_attribute`
  Old,        // the old value of the left side
  Last,       // the last value of `right_targets`
};

// Where a register, a field, or a range of bytes lies; arrays have `count` elements.
struct Target {
  std::uint64_t offset = 0;  // of the first element
  std::uint64_t length = 0;  // bytes of one element
  std::uint64_t bits = 0;    // of the element's value, unshifted; 0: a range without a value
  std::uint64_t reset = 0;   // the element's value after reset
  std::uint32_t stride = 0;
  std::uint32_t count = 1;
  std::int16_t function = -1;  // -1: every function
  std::int8_t bar = 0;
  std::uint8_t shift = 0;
  bool has_reset = false;
};

struct Node {
  Op op = Op::Always;
  Test test = Test::NonZero;
  Attribute attribute = Attribute::Value;
  Right right = Right::Number;
  Attribute right_attribute = Attribute::Value;
  bool has_from = false, has_to = false;
  std::uint32_t kinds = kAllKinds;
  std::uint32_t child = 0, next = 0;      // indices of nodes; next 0: the last sibling
  std::uint32_t target = 0, targets = 0;  // first and number; of Ignored: where writes can be
  std::uint32_t right_target = 0, right_targets = 0;  // of Ignored: where reads can be
  std::uint64_t mask = ~0ull;                         // `& mask`
  std::uint64_t a = 0, b = 0;  // number; from and to; first range and number; text
};

struct Range {
  std::uint64_t low, high;  // inclusive
};

struct Program {
  std::vector<Node> nodes;  // nodes[0] is unused, so that 0 can mean none
  std::uint32_t root = 0;
  std::vector<Target> targets;
  std::vector<Range> ranges;
  std::vector<std::string> texts;
};

Verdict evaluate(const Program& program, const EventView& event);
Reach derive_reach(const Program& program);
bool needs_completion(const Program& program);

// An attribute of a completed event; nothing where it has none, or none that is known.
std::optional<std::uint64_t> value_of(Attribute attribute, const EventView& event);
// The attributes' kinds: of other events a comparison says No.
std::uint32_t kinds_of(Attribute attribute);
// Attributes that are known only from the completion on; the value only of reads.
bool is_of_completion(Attribute attribute, Kind kind);
// '*' stands for any characters, '?' for one.
bool matches_pattern(std::string_view text, std::string_view pattern);

}  // namespace pcilens::expression
