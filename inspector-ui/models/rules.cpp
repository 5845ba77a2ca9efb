#include "inspector-ui/models/rules.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "inspector-ui/commands/describe.hpp"
#include "inspector-ui/commands/wait.hpp"

namespace pcilens::gui {

std::vector<RuleRow> breakpoint_rows(const Snapshot& snapshot) {
  std::vector<RuleRow> rows;
  for (const BreakpointState& b : snapshot.breakpoints) {
    RuleRow row;
    row.number = b.number;
    row.enabled = b.enabled;
    row.expression = b.breakpoint.expression;
    row.what = b.breakpoint.phase == Phase::Before ? "before" : "after";
    if (b.breakpoint.once) row.what += ", once";
    if (b.breakpoint.log_only) row.what += ", log only";
    if (b.breakpoint.posted) row.what += ", posted";
    if (b.breakpoint.ignore != 0) row.what += fmt::format(", skip {}", b.breakpoint.ignore);
    row.count = ui::count_of(b.hits, "hit");
    row.times = b.hits;
    row.cost = ui::cost_of(snapshot, b.synchronous);
    row.here = snapshot.stop && std::ranges::find(snapshot.stop->breakpoints, b.number) !=
                                    snapshot.stop->breakpoints.end();
    rows.push_back(std::move(row));
  }
  return rows;
}

std::vector<RuleRow> fault_rows(const Snapshot& snapshot) {
  std::vector<RuleRow> rows;
  for (const FaultState& f : snapshot.faults) {
    RuleRow row;
    row.number = f.number;
    row.enabled = f.enabled;
    row.expression = f.fault.expression;
    row.what = describe(f.fault);
    if (const auto arrow = row.what.find("=>"); arrow != std::string::npos)
      row.what.erase(0, row.what.find_first_not_of(' ', arrow + 2));
    row.count = ui::count_of(f.acted, "time");
    row.times = f.acted;
    row.cost = ui::cost_of(snapshot, f.synchronous);
    rows.push_back(std::move(row));
  }
  return rows;
}

}  // namespace pcilens::gui
