// Which events of a trace match an expression, kept so that paging does not look twice.

#include <fmt/format.h>

#include "core/printable.hpp"
#include "core/trace/reader_state.hpp"

namespace pcilens {
namespace {

constexpr std::size_t kMostMatches = 32u << 20;  // 256 MiB
constexpr std::size_t kMostPending = 64;

bool any_completed(Database& db, const std::vector<std::uint64_t>& pending) {
  auto row = db.prepare("SELECT status FROM event WHERE seq = ?");
  if (!row) return true;
  for (const auto seq : pending) {
    row->bind(1, seq);
    if (row->step() != SQLITE_ROW || row->integer(0) != static_cast<int>(Status::Pending))
      return true;
    row->reset();
  }
  return false;
}

}  // namespace

std::string_view TraceReader::State::symbol(std::uint32_t site) {
  if (site == 0) return {};
  const auto known = symbols.find(site);
  if (known != symbols.end()) return known->second;
  auto row = db.prepare("SELECT symbol FROM site WHERE id = ?");
  if (!row) return {};
  row->bind(1, std::int64_t{site});
  if (row->step() != SQLITE_ROW) return {};
  return symbols.emplace(site, printable(row->text(0), kLongestSymbol)).first->second;
}

// Looks at events up to `until`, and further until there are `matches_after` matches from it on.
Result<bool> TraceReader::State::extend(const Expression& filter, std::uint64_t until,
                                        std::size_t matches_after, std::uint64_t budget) {
  std::uint64_t looked_at = 0;
  refresh();
  // What comes meanwhile is for the next time: its edits are newer than the newest one now.
  auto newest = prepare("SELECT max(seq) FROM event");
  if (!newest) return tl::unexpected(newest.error());
  const std::int64_t last = newest->step() == SQLITE_ROW ? newest->integer(0) : 0;
  newest->reset();
  const std::uint64_t newest_edit = last_edit();
  if (index.text != filter.text() || index.names != names || index.pending.size() > kMostPending ||
      any_completed(db, index.pending) || edited_since(index.last_edit, index.next)) {
    index = FilterIndex{};
    index.text = filter.text();
    index.names = names;
  }
  index.last_edit = newest_edit;
  auto row =
      prepare(fmt::format("SELECT {} FROM event e WHERE e.seq BETWEEN ?1 AND ?2 ORDER BY e.seq "
                          "LIMIT {}",
                          kEventColumns, kRowsATime));
  if (!row) return tl::unexpected(row.error());
  std::size_t after = 0;
  for (auto i = index.matches.size(); i-- > 0 && index.matches[i] >= until;) ++after;
  std::vector<Transaction> some;
  while (index.next < until || after < matches_after) {
    some.clear();
    row->bind(1, signed_of(index.next));
    row->bind(2, last);
    int rc = 0;
    while ((rc = row->step()) == SQLITE_ROW) some.push_back(transaction_of(*row));
    row->reset();
    if (rc != SQLITE_DONE) return refuse();
    if (auto told = tell_edited(some); !told) return tl::unexpected(told.error());
    for (const Transaction& t : some) {
      if (filter.matches({t, Phase::After, index.last, *names, symbol(t.site)})) {
        index.matches.push_back(t.seq);
        if (t.seq >= until) ++after;
      }
      if (t.status == Status::Pending) index.pending.push_back(t.seq);
      index.last.record(t, *names);
      index.next = t.seq + 1;
    }
    if (index.matches.size() > kMostMatches)
      return fail(fmt::format("the filter \"{}\" matches more than {} events; narrow it",
                              filter.text(), kMostMatches));
    if (some.size() < static_cast<std::size_t>(kRowsATime)) break;
    looked_at += some.size();
    if (budget != 0 && looked_at >= budget) return false;
  }
  return true;
}

}  // namespace pcilens
