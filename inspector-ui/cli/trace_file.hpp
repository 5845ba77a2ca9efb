// A trace file shown with the same rows as a running target.
#pragma once

#include <memory>
#include <vector>

#include "core/target/target.hpp"
#include "core/trace/reader.hpp"
#include "inspector-ui/commands/output.hpp"

namespace pcilens::cli {

// The names and functions that the trace describes; no live state.
std::shared_ptr<const Snapshot> snapshot_of(TraceReader& reader);
// {"seq":1,...} and a newline on standard output.
void print_json_line(const std::vector<ui::Column>& columns, const std::vector<ui::Cell>& row);

}  // namespace pcilens::cli
