// Sentences and rows about transactions, registers and stops, the same on every screen.
#pragma once

#include <optional>
#include <span>
#include <string>

#include "inspector-ui/commands/output.hpp"
#include "inspector-ui/commands/place.hpp"

namespace pcilens::ui {

// "START=1 MODE=fast"; a field's number or the name of its value. Reserved fields are left out.
std::string decode(std::span<const Field> fields, std::uint64_t value);
// One row a field: name, bits, value (old → new where `before` differs), doc.
Table field_table(std::span<const Field> fields, std::uint64_t value,
                  std::optional<std::uint64_t> before = std::nullopt);
// "fast (2)", "0x10", "1".
std::string field_value(const Field& field, std::uint64_t value);

// "STATUS", "MSIX.CTRL", "IOVA 0x1000", "vector 0"; empty for what has no place.
std::string place_text(const Snapshot& snapshot, const Transaction& t);
// "unsupported request (UR)".
std::string status_text(Status status);
// Why it did not succeed: "COMMAND.BME is 0", "fault rule 1"; empty where it did. `known`: what the
// trace or the stop says, which may be nothing.
std::string refusal_text(const Transaction& t, std::string_view known);
// "kworker/u4:1 (25)"; either may be missing.
std::string thread_text(std::string_view name, std::uint32_t number);
// As a stop has it: the trace hears of an edit when it is delivered.
TraceRow as_held(const Snapshot& snapshot, TraceRow row);
// How long of the time to its completion it was held, by the rows that follow it in the trace.
std::uint64_t held_ns(const Transaction& t, std::span<const TraceRow> later);
// What becomes of a register that is written, where that is not just the value: "stays 0x010000ed
// (read-only)". `before`: what it holds now.
std::string becomes_text(const Snapshot& snapshot, const Spot& spot, const Transaction& t,
                         std::uint64_t before);
// Columns and a row of a list of transactions.
std::vector<Column> transaction_columns();
std::vector<Cell> transaction_row(const Snapshot& snapshot, const TraceRow& row);

// The block that is shown when a transaction is held: what, by whom, old and new, why, what next.
// With `hints` it says what may be typed next. Nothing when not stopped.
Output describe_stop(const Snapshot& snapshot, bool hints);
// "held for 65 s; the kernel's and the driver's timeouts run on"; empty in the first second, and in
// a recording.
std::string held_text(const Snapshot& snapshot);
// Under a list of rules: what "makes the driver wait at" means.
inline constexpr const char* kWaits =
    "there the driver waits for the device, so that it can be held; elsewhere its writes are "
    "posted";
// What a breakpoint or fault rule costs, in a sentence: `synchronous` is where it can match.
std::string cost_of(const Snapshot& snapshot, std::string_view synchronous);
// One line: "stopped at #42, a write of CMD", "running", "ended: the driver finished".
std::string describe_state(const Snapshot& snapshot);
// The driver's call stack, the kernel's locks that it has by that, and the instructions around the
// access with that one marked.
Output describe_code(const CodeView& view);
// "#534 DMA read IOVA 0x1000 follows from #520 write DMA_CMD: there the driver stood": over the
// code of another transaction than the one that was asked for.
std::string follows_text(const Snapshot& snapshot, const Transaction& t, const Transaction& from);
std::string stop_json(const Snapshot& snapshot);

}  // namespace pcilens::ui
