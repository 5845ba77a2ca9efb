// Commands of a device's protocol as text: for the console and for a trace file.
#pragma once

#include <span>

#include "core/function/protocol.hpp"
#include "inspector-ui/commands/output.hpp"

namespace pcilens::ui {

// One row each.
Table command_table(std::span<const ProtocolCommand> commands);
// Its fields and its transactions.
Output command_detail(const ProtocolCommand& command);

}  // namespace pcilens::ui
