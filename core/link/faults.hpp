// Fault rules: what the link does wrong on purpose, where an expression matches.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/link/armed_table.hpp"
#include "core/link/expression.hpp"
#include "core/result.hpp"

namespace pcilens {

enum class FaultAction : std::uint8_t {
  Delay,    // `amount` ns before delivery
  Drop,     // a write or interrupt vanishes; a read ends in a completion timeout
  AllOnes,  // a read gives all-ones, successfully
  UnsupportedRequest,
  CompleterAbort,
  FlipBits,         // value XOR `amount`
  ReplaceBits,      // value := value with the bits of `mask` from `amount`
  RepeatInterrupt,  // sent `amount` more times
  CutDma,           // only the first `amount` bytes move, then CA
  CorruptDma,       // `amount` XORed into each 8 bytes
  SurpriseRemove,   // the function is gone from here on
  Replug,           // the same, and a fresh function of the same device stands in its place
};
std::string_view name_of(FaultAction action);  // "delay" "drop" "all-ones" "ur" "ca" "flip" ...

struct Fault {
  std::string expression;
  FaultAction action = FaultAction::Delay;
  std::uint64_t amount = 0;
  std::uint64_t mask = ~0ull;   // ReplaceBits
  std::uint64_t skip = 0;       // let this many matches pass first
  std::uint64_t times = ~0ull;  // then act this often
};

struct FaultState {
  std::uint32_t number = 0;  // from 1, never used again
  Fault fault;
  bool enabled = true;
  std::uint64_t acted = 0;
  std::string synchronous;  // where it can match
};

// "delay 5ms", "flip 0x1", "replace 0x0/0xff", "drop", "cut 512", "repeat 1": as typed on the
// console after the expression's `=>`.
Result<Fault> parse_fault_action(std::string_view text, Fault fault = {});
std::string describe(const Fault& fault);

class FaultTable : public ArmedTable<FaultState> {
 public:
  FaultTable() : ArmedTable("fault rule", "faults") {}
  // An action that can do nothing where the expression matches is an Error.
  Result<std::uint32_t> add(Fault fault, std::shared_ptr<const Names> names);
  // As BreakpointTable::rename().
  std::vector<std::string> rename(const std::shared_ptr<const Names>& names);
  // The first rule that acts here in this phase, if any; counts it. Rules that need the completion
  // act After, all others Before.
  const FaultState* match(const EventView& event);
};

}  // namespace pcilens
