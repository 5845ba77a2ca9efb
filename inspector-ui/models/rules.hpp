// Breakpoints and fault rules as their panel lists them.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/target/target.hpp"

namespace pcilens::gui {

struct RuleRow {
  std::uint32_t number = 0;
  bool enabled = true;
  std::string expression;
  std::string what;         // "before", "after, once", "delay 5ms"
  std::string count;        // "3 hits"; of a fault rule "2 times"
  std::uint64_t times = 0;  // the same as a number
  std::string cost;         // a sentence: where the driver has to wait because of it
  bool here = false;        // this one holds now
};
std::vector<RuleRow> breakpoint_rows(const Snapshot& snapshot);
std::vector<RuleRow> fault_rows(const Snapshot& snapshot);

}  // namespace pcilens::gui
