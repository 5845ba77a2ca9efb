// The events of a trace that match an expression, as text: for `pcilens query` and for export.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "core/link/expression.hpp"
#include "core/result.hpp"
#include "core/trace/reader.hpp"

namespace pcilens {

enum class RowFormat : std::uint8_t {
  Table,      // for people: aligned, decoded
  JsonLines,  // one object a line; offset and value as "0x..." texts, which no JSON reader rounds
  Csv,        // RFC 4180, a header first
};
std::optional<RowFormat> row_format_named(std::string_view name);  // "table", "json", "csv"

struct QueryOptions {
  RowFormat format = RowFormat::Table;
  std::uint64_t from = 0, to = ~0ull;  // seq; earlier events still count as the expression's past
  std::uint64_t limit = 0;             // rows; 0: all
  bool header = true;                  // of a table or CSV
};

struct QueryStats {
  std::uint64_t looked_at = 0;
  std::uint64_t matches = 0;  // written
  bool more = false;          // the limit cut further matches off
};

// Gives each line, without its newline, to `sink`, until that gives false. The expression was
// compiled against reader.names(). An event with bytes of its own shows how many.
Result<QueryStats> query(TraceReader& reader, const Expression& expression,
                         const QueryOptions& options,
                         const std::function<bool(std::string_view line)>& sink);

// One row: what query() gives for this event. `site` as "symbol+0x1c", empty if unknown.
std::string format_row(const Transaction& t, const Names& names, RowFormat format,
                       std::string_view site = {});
std::string format_header(RowFormat format);

}  // namespace pcilens
