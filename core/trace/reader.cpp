#include "core/trace/reader.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "core/printable.hpp"
#include "core/trace/reader_state.hpp"

namespace pcilens {
namespace {

constexpr std::size_t kLongestText = 4096;  // bytes, of a control or gap row

}  // namespace

tl::unexpected<Error> TraceReader::State::refuse() const {
  return fail(fmt::format("{}: cannot be read: {}", path, db.why()));
}

Result<Statement> TraceReader::State::prepare(std::string_view sql) {
  auto statement = db.prepare(sql);
  if (!statement) return refuse();
  return statement;
}

Transaction transaction_of(Statement& row) {
  Transaction t;
  const auto in = [&](int column, std::int64_t most) {
    return std::clamp<std::int64_t>(row.integer(column), 0, most);
  };
  t.seq = row.number(0);
  t.t_ns = row.number(1);
  t.done_ns = row.number(2);
  const auto kind = row.integer(3);
  t.kind =
      kind >= 0 && kind < static_cast<std::int64_t>(kKinds) ? static_cast<Kind>(kind) : Kind::Gap;
  t.function = static_cast<std::uint8_t>(in(4, 255));
  const auto bar = row.integer(5);
  t.bar = bar >= kBarNone && bar <= 5 ? static_cast<std::int8_t>(bar) : kBarNone;
  t.offset = row.number(6);
  t.size = static_cast<std::uint32_t>(in(7, ~0u));
  t.value = row.number(8);
  switch (const auto status = row.integer(9)) {
    case 0:
    case 1:
    case 4:
    case 8: t.status = static_cast<Status>(status); break;
    default: t.status = Status::Pending;
  }
  const auto origin = row.integer(10);
  t.origin = origin >= 0 && origin <= 4 ? static_cast<Origin>(origin) : Origin::Driver;
  t.cause = row.number(11);
  t.site = static_cast<std::uint32_t>(in(12, ~0u));
  t.thread = static_cast<std::uint32_t>(in(13, ~0u));
  t.cpu = static_cast<std::uint16_t>(in(14, 0xffff));
  const auto by = row.integer(15);
  t.answered_by = by >= 0 && by <= 5 ? static_cast<AnsweredBy>(by) : AnsweredBy::Function;
  return t;
}

const std::string& TraceReader::path() const {
  return state_->path;
}

std::optional<std::string> TraceReader::meta(std::string_view name) {
  auto row = state_->prepare("SELECT value FROM meta WHERE name = ?");
  if (!row) return {};
  row->bind(1, name);
  if (row->step() != SQLITE_ROW) return {};
  return printable(row->text(0));
}

std::vector<std::pair<std::string, std::string>> TraceReader::all_meta() {
  std::vector<std::pair<std::string, std::string>> all;
  auto row = state_->prepare("SELECT name, value FROM meta ORDER BY name LIMIT 10000");
  while (row && row->step() == SQLITE_ROW)
    all.emplace_back(printable(row->text(0)), printable(row->text(1)));
  return all;
}

std::uint64_t TraceReader::last_seq() {
  auto row = state_->prepare("SELECT max(seq) FROM event");
  return row && row->step() == SQLITE_ROW ? row->number(0) : 0;
}

std::uint64_t TraceReader::count() {
  auto row = state_->prepare("SELECT count(*) FROM event");
  return row && row->step() == SQLITE_ROW ? row->number(0) : 0;
}

namespace {

std::string window_sql(std::string_view condition) {
  return fmt::format(
      "SELECT {}, (SELECT length(p.data) FROM payload p WHERE p.seq = e.seq), "
      "CASE WHEN e.kind IN (14, 15) THEN (SELECT p.data FROM payload p WHERE p.seq = e.seq) END, "
      "d.seq, d.sent, d.delivered, d.answered, d.returned, d.rule "
      "FROM event e LEFT JOIN edit d ON d.rowid = (SELECT max(rowid) FROM edit WHERE seq = e.seq) "
      "WHERE {}",
      kEventColumns, condition);
}

TraceEdit edit_of(Statement& row, int first) {
  return {row.number(first),     row.number(first + 1),
          row.number(first + 2), row.number(first + 3),
          row.number(first + 4), static_cast<std::uint32_t>(row.number(first + 5))};
}

TraceEvent event_of(Statement& row) {
  TraceEvent event;
  event.t = transaction_of(row);
  event.payload_bytes =
      static_cast<std::uint32_t>(std::clamp<std::int64_t>(row.integer(kEventColumnCount), 0, ~0u));
  const auto text = row.blob(kEventColumnCount + 1);
  if (row.number(kEventColumnCount + 2) != 0) event.edit = edit_of(row, kEventColumnCount + 2);
  event.t.edited = event.edit.has_value();
  event.text = printable({reinterpret_cast<const char*>(text.data()), text.size()}, kLongestText);
  return event;
}

}  // namespace

Result<std::vector<TraceEvent>> TraceReader::controls(std::initializer_list<Control> kinds) {
  std::string wanted;
  for (const Control kind : kinds)
    wanted += fmt::format("{}{}", wanted.empty() ? "" : ",", static_cast<int>(kind));
  auto row = state_->prepare(window_sql(fmt::format(
      "e.kind = {} AND e.offset IN ({}) ORDER BY e.seq", static_cast<int>(Kind::Control), wanted)));
  if (!row) return tl::unexpected(row.error());
  std::vector<TraceEvent> events;
  int rc = SQLITE_ROW;
  while ((rc = row->step()) == SQLITE_ROW) events.push_back(event_of(*row));
  if (rc != SQLITE_DONE) return state_->refuse();
  return events;
}

Result<std::optional<TraceEvent>> TraceReader::event(std::uint64_t seq) {
  auto row = state_->prepare(window_sql("e.seq = ?"));
  if (!row) return tl::unexpected(row.error());
  row->bind(1, seq);
  const int rc = row->step();
  if (rc == SQLITE_DONE) return std::optional<TraceEvent>();
  if (rc != SQLITE_ROW) return state_->refuse();
  return std::optional(event_of(*row));
}

Result<TraceReader::Page> TraceReader::window(const TraceWindow& w) {
  Page page;
  if (w.limit == 0) return page;
  if (w.filter != nullptr && !w.filter->text().empty()) {
    const std::uint64_t end = w.backward && w.from != 0 ? w.from : ~0ull;
    const auto all = state_->extend(*w.filter, w.backward ? end : w.from,
                                    w.backward ? 0 : std::size_t{w.limit} + 1, w.budget);
    if (!all) return tl::unexpected(all.error());
    if (!*all) return Page{.events = {}, .partial = true, .looked_at = state_->index.next - 1};
    const auto& matches = state_->index.matches;
    auto first = std::lower_bound(matches.begin(), matches.end(), w.backward ? end : w.from);
    auto last = first;
    if (w.backward)
      first -= std::min<std::ptrdiff_t>(w.limit, first - matches.begin());
    else
      last += std::min<std::ptrdiff_t>(w.limit, matches.end() - first);
    page.more = w.backward ? first != matches.begin() : last != matches.end();
    for (; first != last; ++first) {
      auto found = event(*first);
      if (!found) return tl::unexpected(found.error());
      if (*found) page.events.push_back(std::move(**found));
    }
    return page;
  }
  const bool to_end = w.backward && w.from == 0;
  auto row = state_->prepare(window_sql(!w.backward ? "e.seq >= ?1 ORDER BY e.seq LIMIT ?2"
                                        : to_end    ? "e.seq <= ?1 ORDER BY e.seq DESC LIMIT ?2"
                                                    : "e.seq < ?1 ORDER BY e.seq DESC LIMIT ?2"));
  if (!row) return tl::unexpected(row.error());
  row->bind(1, to_end ? signed_of(~0ull) : signed_of(w.from));
  row->bind(2, std::int64_t{w.limit} + 1);
  int rc = 0;
  while ((rc = row->step()) == SQLITE_ROW) {
    if (page.events.size() == w.limit) {
      page.more = true;
      break;
    }
    page.events.push_back(event_of(*row));
  }
  if (rc != SQLITE_DONE && rc != SQLITE_ROW) return state_->refuse();
  if (w.backward) std::reverse(page.events.begin(), page.events.end());
  return page;
}

Result<std::vector<std::byte>> TraceReader::payload(std::uint64_t seq) {
  auto row = state_->prepare("SELECT data FROM payload WHERE seq = ?");
  if (!row) return tl::unexpected(row.error());
  row->bind(1, seq);
  const int rc = row->step();
  if (rc != SQLITE_ROW && rc != SQLITE_DONE) return state_->refuse();
  const auto data = rc == SQLITE_ROW ? row->blob(0) : std::span<const std::byte>();
  return std::vector<std::byte>(data.begin(), data.end());
}

Result<std::vector<TraceEdit>> TraceReader::edits(std::uint64_t from, std::uint64_t to) {
  auto row = state_->prepare(
      "SELECT seq, sent, delivered, answered, returned, rule FROM edit WHERE seq BETWEEN ? AND ? "
      "ORDER BY seq, rowid LIMIT 100000");
  if (!row) return tl::unexpected(row.error());
  row->bind(1, signed_of(from));
  row->bind(2, signed_of(to));
  std::vector<TraceEdit> all;
  int rc = 0;
  while ((rc = row->step()) == SQLITE_ROW) all.push_back(edit_of(*row, 0));
  if (rc != SQLITE_DONE) return state_->refuse();
  return all;
}

Result<void> TraceReader::State::tell_edited(std::vector<Transaction>& some) {
  if (some.empty()) return {};
  auto row = prepare("SELECT seq FROM edit WHERE seq BETWEEN ? AND ?");
  if (!row) return tl::unexpected(row.error());
  row->bind(1, signed_of(some.front().seq));
  row->bind(2, signed_of(some.back().seq));
  int rc = 0;
  while ((rc = row->step()) == SQLITE_ROW) {
    const auto t = std::ranges::lower_bound(some, row->number(0), {}, &Transaction::seq);
    if (t != some.end() && t->seq == row->number(0)) t->edited = true;
  }
  if (rc != SQLITE_DONE) return refuse();
  return {};
}

std::uint64_t TraceReader::State::last_edit() {
  auto row = prepare("SELECT max(rowid) FROM edit");
  return row && row->step() == SQLITE_ROW ? row->number(0) : 0;
}

bool TraceReader::State::edited_since(std::uint64_t edit, std::uint64_t before) {
  auto row = prepare("SELECT 1 FROM edit WHERE rowid > ? AND +seq < ? LIMIT 1");
  if (!row) return true;
  row->bind(1, signed_of(edit));
  row->bind(2, signed_of(before));
  return row->step() == SQLITE_ROW;
}

std::uint64_t TraceReader::last_edit() {
  return state_->last_edit();
}

bool TraceReader::edited_since(std::uint64_t edit, std::uint64_t before) {
  return state_->edited_since(edit, before);
}

Result<std::vector<TraceText>> TraceReader::notes(std::uint64_t from, std::uint64_t to) {
  auto row = state_->prepare(
      "SELECT seq, text FROM note WHERE seq BETWEEN ? AND ? ORDER BY id LIMIT 100000");
  if (!row) return tl::unexpected(row.error());
  row->bind(1, signed_of(from));
  row->bind(2, signed_of(to));
  std::vector<TraceText> all;
  int rc = 0;
  while ((rc = row->step()) == SQLITE_ROW)
    all.push_back({row->number(0), {}, printable(row->text(1))});
  if (rc != SQLITE_DONE) return state_->refuse();
  return all;
}

Result<std::vector<TraceText>> TraceReader::findings(std::uint64_t from, std::uint64_t to) {
  auto row = state_->prepare(
      "SELECT seq, rule, text FROM finding WHERE seq BETWEEN ? AND ? ORDER BY id LIMIT 100000");
  if (!row) return tl::unexpected(row.error());
  row->bind(1, signed_of(from));
  row->bind(2, signed_of(to));
  std::vector<TraceText> all;
  int rc = 0;
  while ((rc = row->step()) == SQLITE_ROW)
    all.push_back({row->number(0), printable(row->text(1), kLongestName), printable(row->text(2))});
  if (rc != SQLITE_DONE) return state_->refuse();
  return all;
}

Result<std::optional<TraceSite>> TraceReader::site(std::uint32_t id) {
  auto row = state_->prepare(
      "SELECT module, build_id, symbol, displacement, code, file, line FROM site WHERE id = ?");
  if (!row) return tl::unexpected(row.error());
  row->bind(1, std::int64_t{id});
  const int rc = row->step();
  if (rc == SQLITE_DONE) return std::optional<TraceSite>();
  if (rc != SQLITE_ROW) return state_->refuse();
  TraceSite site;
  site.id = id;
  site.module = printable(row->text(0), kLongestSymbol);
  site.build_id = printable(row->text(1), kLongestSymbol);
  site.symbol = printable(row->text(2), kLongestSymbol);
  site.displacement = row->number(3);
  const auto code = row->blob(4);
  site.code.assign(code.begin(), code.end());
  site.file = printable(row->text(5), 4096);
  site.line = static_cast<std::uint32_t>(row->number(6));
  return std::optional(std::move(site));
}

Result<DmaMappings> TraceReader::mappings_at(std::uint64_t seq) {
  auto row = state_->prepare(
      fmt::format("SELECT {} FROM event e WHERE e.kind IN ({}, {}) AND e.seq <= ? ORDER BY e.seq",
                  kEventColumns, static_cast<int>(Kind::DmaMap), static_cast<int>(Kind::DmaUnmap)));
  if (!row) return tl::unexpected(row.error());
  row->bind(1, signed_of(seq));
  DmaMappings mappings;
  int rc = 0;
  while ((rc = row->step()) == SQLITE_ROW) mappings.record(transaction_of(*row));
  if (rc != SQLITE_DONE) return state_->refuse();
  return mappings;
}

Result<std::vector<TraceSite>> TraceReader::stack(std::uint64_t seq) {
  auto row = state_->prepare("SELECT sites FROM stack WHERE seq = ?");
  if (!row) return tl::unexpected(row.error());
  row->bind(1, seq);
  std::vector<TraceSite> frames;
  if (row->step() != SQLITE_ROW) return frames;
  const auto ids = nlohmann::json::parse(row->text(0), nullptr, false);
  if (!ids.is_array()) return frames;
  for (const auto& id : ids) {
    if (frames.size() >= 256 || !id.is_number_unsigned()) break;
    auto frame = site(static_cast<std::uint32_t>(id.get<std::uint64_t>()));
    if (!frame) return tl::unexpected(frame.error());
    if (*frame) frames.push_back(std::move(**frame));
  }
  return frames;
}

Result<void> TraceReader::for_each(std::uint64_t from, std::uint64_t to,
                                   const std::function<bool(const Transaction&)>& each) {
  constexpr std::size_t kBytesATime = 4u << 20;
  auto row = state_->prepare(
      fmt::format("SELECT {}, p.data FROM event e LEFT JOIN payload p ON p.seq = e.seq "
                  "WHERE e.seq BETWEEN ?1 AND ?2 ORDER BY e.seq LIMIT {}",
                  kEventColumns, kRowsATime));
  if (!row) return tl::unexpected(row.error());
  std::vector<Transaction> some;
  std::vector<std::pair<std::size_t, std::vector<std::byte>>> payloads;
  // Copied out before anybody sees them: what `each` does may take long, a transaction may not.
  for (auto next = signed_of(from); next <= signed_of(to);) {
    some.clear();
    payloads.clear();
    std::size_t bytes = 0;
    row->bind(1, next);
    row->bind(2, signed_of(to));
    int rc = SQLITE_ROW;
    while (bytes < kBytesATime && (rc = row->step()) == SQLITE_ROW) {
      some.push_back(transaction_of(*row));
      const auto data = row->blob(kEventColumnCount);
      if (data.empty()) continue;
      bytes += data.size();
      payloads.emplace_back(some.size() - 1, std::vector(data.begin(), data.end()));
    }
    row->reset();
    if (rc != SQLITE_ROW && rc != SQLITE_DONE) return state_->refuse();
    for (const auto& [i, data] : payloads) some[i].payload = data;
    if (auto told = state_->tell_edited(some); !told) return told;
    for (const Transaction& t : some)
      if (!each(t)) return {};
    if (some.empty() || some.back().seq >= static_cast<std::uint64_t>(signed_of(to))) break;
    next = static_cast<std::int64_t>(some.back().seq) + 1;
  }
  return {};
}

}  // namespace pcilens
