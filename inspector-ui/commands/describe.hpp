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
// Columns and a row of a list of transactions.
std::vector<Column> transaction_columns();
std::vector<Cell> transaction_row(const Snapshot& snapshot, const TraceRow& row);

// The block that is shown when a transaction is held: what, by whom, old and new, why, what next.
// With `hints` it says what may be typed next. Nothing when not stopped.
Output describe_stop(const Snapshot& snapshot, bool hints);
// "held for 65 s; the kernel's and the driver's timeouts run on"; empty in the first second, and in
// a recording.
std::string held_text(const Snapshot& snapshot);
// Under a list of rules: what "the driver waits at" means.
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
std::string stop_json(const Snapshot& snapshot);

}  // namespace pcilens::ui
