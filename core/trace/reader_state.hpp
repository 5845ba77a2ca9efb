// The inside of TraceReader. Private to this floor.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "core/trace/reader.hpp"
#include "core/trace/sqlite.hpp"

namespace pcilens {

inline constexpr std::size_t kLongestSymbol = 511;  // bytes, as the kernel keeps of a symbol
inline constexpr int kRowsATime = 4096;             // rows a transaction reads: some milliseconds

// All matches of the filter that was asked last, so that paging through them is a search.
struct FilterIndex {
  std::string text;
  std::shared_ptr<const Names> names;
  std::vector<std::uint64_t> matches;
  std::vector<std::uint64_t> pending;  // looked at before they completed
  LastValues last;
  std::uint64_t next = 0;       // the first seq not looked at
  std::uint64_t last_edit = 0;  // TraceReader::last_edit() before it was
};

struct TraceReader::State {
  std::string path;
  Database db;
  std::vector<TraceFunction> functions;
  std::shared_ptr<const Names> names = std::make_shared<Names>();
  std::vector<std::pair<std::uint8_t, std::shared_ptr<const OwnedRegisterMap>>> put;
  std::string described_by;  // tells one description of the functions from the next
  std::int64_t data_version = -1;
  std::map<std::uint32_t, std::string> symbols;  // site -> driver's function
  FilterIndex index;

  // SQLite's last error as this floor's.
  tl::unexpected<Error> refuse() const;
  Result<Statement> prepare(std::string_view sql);
  // Reads functions and names again if they were described anew.
  void refresh();
  std::string_view symbol(std::uint32_t site);
  // Sets Transaction::edited of these, which are in order.
  Result<void> tell_edited(std::vector<Transaction>& some);
  std::uint64_t last_edit();
  bool edited_since(std::uint64_t edit, std::uint64_t before);
  // False: the budget of events ran out first (0: there is none).
  Result<bool> extend(const Expression& filter, std::uint64_t until, std::size_t matches_after,
                      std::uint64_t budget);
};

// Columns of event, in the order in which transaction_of() takes them.
inline constexpr std::string_view kEventColumns =
    "e.seq, e.t_ns, e.done_ns, e.kind, e.function, e.bar, e.offset, e.size, e.value, e.status, "
    "e.origin, e.cause, e.site, e.thread, e.cpu, e.answered_by";
inline constexpr int kEventColumnCount = 16;
// Numbers out of range, as a foreign file may have them, become ones that exist.
Transaction transaction_of(Statement& row);

inline std::int64_t signed_of(std::uint64_t seq) {
  return seq > (~0ull >> 1) ? static_cast<std::int64_t>(~0ull >> 1)
                            : static_cast<std::int64_t>(seq);
}

}  // namespace pcilens
