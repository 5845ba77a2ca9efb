// Breakpoints: where the link holds a transaction. They cost only where they can match.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "core/link/armed_table.hpp"
#include "core/link/expression.hpp"
#include "core/result.hpp"

namespace pcilens {

// What a person asks for.
struct Breakpoint {
  std::string expression;       // docs/expressions.md
  Phase phase = Phase::Before;  // hold before the function sees it, or after it answered
  std::uint64_t ignore = 0;     // let this many matches pass first
  bool once = false;            // gone after its first stop
  bool log_only = false;        // counts and notes each match, does not stop
  // A memory write does not make its driver wait: it is held on its way, and the driver goes on.
  bool posted = false;
};

// What became of it.
struct BreakpointState {
  std::uint32_t number = 0;  // from 1, never used again
  Breakpoint breakpoint;
  bool enabled = true;
  std::uint64_t hits = 0;   // matches so far
  std::string synchronous;  // where it can match: "BAR0+0x98..0x9b", "every interrupt"
};

class BreakpointTable : public ArmedTable<BreakpointState> {
 public:
  BreakpointTable() : ArmedTable("breakpoint", "breakpoints") {}
  Result<std::uint32_t> add(Breakpoint breakpoint, std::shared_ptr<const Names> names);
  // The same under other names, as of a plug-in that was rebuilt. A sentence for each that they do
  // not know any more: it stays, disabled.
  std::vector<std::string> rename(const std::shared_ptr<const Names>& names);
  // Numbers of those that stop here, counting hits; `logged` gets the log-only ones.
  void match(const EventView& event, std::vector<std::uint32_t>& stops,
             std::vector<std::uint32_t>& logged);

 private:
  static Result<Expression> compile(Breakpoint& breakpoint,
                                    const std::shared_ptr<const Names>& names);
};

}  // namespace pcilens
