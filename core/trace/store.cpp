#include "core/trace/store.hpp"

#include <fcntl.h>
#include <fmt/chrono.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <ctime>

#include "core/trace/schema.hpp"

namespace pcilens {
namespace {

constexpr std::size_t kMostGaps = 1000;

std::string insert_sql(std::size_t rows) {
  std::string sql = "INSERT OR IGNORE INTO event VALUES";
  for (std::size_t i = 0; i < rows; ++i)
    sql += i == 0 ? "(?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)" : ",(?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)";
  return sql;
}

// Whoever has it open by SQLite, in WAL mode, holds a lock on some of these bytes: "The Lock-Byte
// Page" of SQLite's file format.
bool is_open_elsewhere(const std::string& path) {
  const int fd = open(path.c_str(), O_RDWR | O_CLOEXEC);
  if (fd < 0) return true;  // not ours to write: who knows
  struct flock lock{};
  lock.l_type = F_WRLCK;
  lock.l_whence = SEEK_SET;
  lock.l_start = 0x40000000;
  lock.l_len = 512;
  const bool held = fcntl(fd, F_GETLK, &lock) == 0 && lock.l_type != F_UNLCK;
  close(fd);
  return held;
}

// Creates the empty file by itself, so that the reason of a failure is known.
Result<void> create_file(const std::string& path, bool overwrite) {
  int fd = open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
  if (fd < 0 && errno == EEXIST && overwrite) {
    if (auto removed = TraceStore::remove(path); !removed) return removed;
    fd = open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
  }
  if (fd < 0 && errno == EEXIST)
    return fail(fmt::format("{}: exists already; choose another name or remove it first", path));
  if (fd < 0)
    return fail(
        fmt::format("{}: cannot create the trace: {}; choose a folder that you may write to", path,
                    std::strerror(errno)));
  close(fd);
  return {};
}

std::string utc_now() {
  return fmt::format("{:%Y-%m-%dT%H:%M:%SZ}", fmt::gmtime(std::time(nullptr)));
}

}  // namespace

bool TraceStore::is_trace(const std::string& path) {
  auto db = Database::open_for_reading(path);
  if (!db) return false;
  auto id = db->prepare("PRAGMA application_id");
  return id && id->step() == SQLITE_ROW && id->integer(0) == kTraceApplicationId;
}

void TraceStore::unlink_all(const std::string& path) {
  unlink(path.c_str());
  unlink((path + "-wal").c_str());
  unlink((path + "-shm").c_str());
}

Result<void> TraceStore::remove(const std::string& path) {
  struct stat there{};
  if (lstat(path.c_str(), &there) != 0) return {};
  if (!S_ISREG(there.st_mode))
    return fail(fmt::format("{}: is no plain file; it is left alone, choose another name", path));
  if (!is_trace(path))
    return fail(
        fmt::format("{}: exists and is not a pcilens trace; it is left alone, choose "
                    "another name",
                    path));
  if (is_open_elsewhere(path))
    return fail(
        fmt::format("{}: another program has this trace open, or it may not be written; close it "
                    "there, or choose another name",
                    path));
  unlink_all(path);
  return {};
}

Result<std::unique_ptr<TraceStore>> TraceStore::create(const std::string& path, bool overwrite) {
  if (auto made = create_file(path, overwrite); !made) return tl::unexpected(made.error());
  auto store = std::unique_ptr<TraceStore>(new TraceStore);
  store->path_ = path;
  const auto give_up = [&](const std::string& why) {
    store.reset();
    unlink_all(path);
    return fail(
        fmt::format("{}: cannot create the trace: {}; free some space or choose another "
                    "folder",
                    path, why));
  };
  auto db = Database::open(path, SQLITE_OPEN_READWRITE);
  if (!db) return give_up(db.error().message);
  store->db_ = std::move(*db);
  // FULL: a commit is on the disk, so that a power cut takes the last 100 ms only.
  const auto head = fmt::format(
      "PRAGMA page_size=16384; PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;"
      "PRAGMA application_id={}; PRAGMA user_version={}; BEGIN IMMEDIATE;",
      kTraceApplicationId, kTraceVersion);
  if (store->db_.try_exec(head.c_str()) != SQLITE_OK ||
      store->db_.try_exec(kTraceSchema) != SQLITE_OK)
    return give_up(store->db_.why());
  if (auto ready = store->prepare(); !ready) return give_up(ready.error().message);
  if (store->set_meta("created", utc_now()) != SQLITE_OK || store->commit() != SQLITE_OK)
    return give_up(store->db_.why());
  return store;
}

Result<std::unique_ptr<TraceStore>> TraceStore::reopen(const std::string& path) {
  auto db = Database::open(path, SQLITE_OPEN_READWRITE);
  if (!db) return tl::unexpected(db.error());
  auto store = std::unique_ptr<TraceStore>(new TraceStore);
  store->path_ = path;
  store->db_ = std::move(*db);
  auto version = store->db_.prepare("PRAGMA user_version");
  if (!is_trace(path) || !version || version->step() != SQLITE_ROW ||
      version->integer(0) != kTraceVersion)
    return fail(fmt::format("{}: not a trace of this version of pcilens", path));
  if (auto ready = store->db_.exec("PRAGMA synchronous=FULL"); !ready)
    return tl::unexpected(ready.error());
  if (auto ready = store->prepare(); !ready)
    return fail(fmt::format("{}: {}", path, ready.error().message));
  auto last = store->db_.prepare("SELECT max(seq) FROM event");
  if (last && last->step() == SQLITE_ROW) store->state_.last_seq = last->number(0);
  store->committed_ = store->state_;
  return store;
}

TraceStore::~TraceStore() {
  if (db_.get() != nullptr)
    sqlite3_wal_checkpoint_v2(db_.get(), nullptr, SQLITE_CHECKPOINT_TRUNCATE, nullptr, nullptr);
}

Result<void> TraceStore::prepare() {
  const std::pair<Statement*, std::string> all[] = {
      {&insert_batch_, insert_sql(kBatch)},
      {&insert_one_, insert_sql(1)},
      {&complete_, "UPDATE event SET done_ns=?2, value=?3, status=?4, answered_by=?5 WHERE seq=?1"},
      {&edit_, "INSERT INTO edit VALUES(?,?,?,?,?,?)"},
      {&payload_, "INSERT OR REPLACE INTO payload VALUES(?,?)"},
      {&note_, "INSERT INTO note(seq, text) VALUES(?,?)"},
      {&set_meta_, "INSERT OR REPLACE INTO meta VALUES(?,?)"},
  };
  for (const auto& [statement, sql] : all) {
    auto made = db_.prepare(sql);
    if (!made) return tl::unexpected(made.error());
    *statement = std::move(*made);
  }
  return {};
}

int TraceStore::begin() {
  return db_.try_exec("BEGIN IMMEDIATE");
}

int TraceStore::commit() {
  if (const int rc = flush(); rc != SQLITE_OK) return rc;
  if (const int rc = db_.try_exec("COMMIT"); rc != SQLITE_OK) return rc;
  committed_ = state_;
  return SQLITE_OK;
}

void TraceStore::rollback() {
  // Fails harmlessly where SQLite has rolled back by itself.
  db_.try_exec("ROLLBACK");
  waiting_ = 0;
  state_ = committed_;
}

int TraceStore::add(const EventRecord& event) {
  Row& row = rows_[waiting_++];
  row.event = event;
  row.done_ns = event.t_ns + event.duration_ns;
  state_.last_seq = event.seq;
  ++state_.events;
  return waiting_ == kBatch ? flush() : SQLITE_OK;
}

int TraceStore::insert_rows(Statement& statement, std::size_t first, std::size_t count) {
  int i = 1;
  for (std::size_t k = first; k < first + count; ++k) {
    const EventRecord& e = rows_[k].event;
    statement.bind(i++, e.seq);
    statement.bind(i++, e.t_ns);
    if (e.status == static_cast<std::uint8_t>(Status::Pending))
      statement.bind_null(i++);
    else
      statement.bind(i++, rows_[k].done_ns);
    statement.bind(i++, static_cast<int>(e.kind));
    statement.bind(i++, static_cast<int>(e.function));
    statement.bind(i++, static_cast<int>(e.bar));
    statement.bind(i++, e.offset);
    statement.bind(i++, e.size);
    statement.bind(i++, e.value);
    statement.bind(i++, static_cast<int>(e.status));
    statement.bind(i++, static_cast<int>(e.origin));
    if (e.cause_back == 0 || e.cause_back == ~0u)
      statement.bind_null(i++);
    else
      statement.bind(i++, e.seq - e.cause_back);
    if (e.site == 0)
      statement.bind_null(i++);
    else
      statement.bind(i++, e.site);
    statement.bind(i++, e.thread);
    statement.bind(i++, static_cast<int>(e.cpu));
    statement.bind(i++, static_cast<int>(e.answered_by));
  }
  const int rc = statement.run();
  if (rc == SQLITE_OK)
    state_.duplicates += count - static_cast<std::size_t>(sqlite3_changes(db_.get()));
  return rc;
}

int TraceStore::flush() {
  int rc = SQLITE_OK;
  if (waiting_ == kBatch) {
    rc = insert_rows(insert_batch_, 0, kBatch);
  } else {
    for (std::size_t k = 0; k < waiting_ && rc == SQLITE_OK; ++k)
      rc = insert_rows(insert_one_, k, 1);
  }
  waiting_ = 0;
  return rc;
}

int TraceStore::add(const CompletionRecord& c) {
  for (std::size_t k = waiting_; k-- > 0;) {
    if (rows_[k].event.seq != c.seq) continue;
    rows_[k].done_ns = c.done_ns;
    rows_[k].event.value = c.value;
    rows_[k].event.status = c.status;
    rows_[k].event.answered_by = c.answered_by;
    return SQLITE_OK;
  }
  complete_.bind(1, c.seq);
  complete_.bind(2, c.done_ns);
  complete_.bind(3, c.value);
  complete_.bind(4, static_cast<int>(c.status));
  complete_.bind(5, static_cast<int>(c.answered_by));
  return complete_.run();
}

int TraceStore::add(const EditRecord& e) {
  edit_.bind(1, e.seq);
  edit_.bind(2, e.sent);
  edit_.bind(3, e.delivered);
  edit_.bind(4, e.answered);
  edit_.bind(5, e.returned);
  edit_.bind(6, e.rule);
  return edit_.run();
}

void TraceStore::add_lost(std::uint64_t slots) {
  auto& lost = state_.lost;
  if (!lost.empty() && (lost.back().after == state_.last_seq || lost.size() >= kMostGaps))
    lost.back().slots += slots;
  else
    lost.push_back({state_.last_seq, slots});
}

// A gap row takes the first number after the place that no event has.
int TraceStore::finish() {
  if (const int rc = flush(); rc != SQLITE_OK) return rc;
  auto free_number = db_.prepare(
      "SELECT CASE WHEN NOT EXISTS(SELECT 1 FROM event WHERE seq = ?1 + 1) THEN ?1 + 1 ELSE "
      "(SELECT seq + 1 FROM event e WHERE seq > ?1 AND NOT EXISTS"
      "(SELECT 1 FROM event n WHERE n.seq = e.seq + 1) ORDER BY seq LIMIT 1) END");
  if (!free_number) return sqlite3_errcode(db_.get());
  auto lost = std::move(state_.lost);
  state_.lost.clear();
  for (const Lost& gap : lost) {
    free_number->bind(1, gap.after);
    if (free_number->step() != SQLITE_ROW) return sqlite3_errcode(db_.get());
    const auto seq = free_number->number(0);
    free_number->reset();
    EventRecord row{};
    row.seq = seq;
    row.kind = static_cast<std::uint8_t>(Kind::Gap);
    row.bar = kBarNone;
    row.value = gap.slots;
    const auto text = fmt::format(
        "{} slots of the spool were never completed: its writer died or "
        "wrote no valid record",
        gap.slots);
    const auto last = state_.last_seq;
    int rc = add(row);
    state_.last_seq = last;
    if (rc == SQLITE_OK) rc = flush();
    if (rc == SQLITE_OK) rc = add_whole(BlobKind::Payload, seq, std::as_bytes(std::span(text)));
    if (rc != SQLITE_OK) return rc;
  }
  if (state_.duplicates != 0) {
    const auto text = fmt::format("{} events had the number of an earlier one and were left out",
                                  state_.duplicates);
    state_.duplicates = 0;
    if (const int rc = add_finding(state_.last_seq, "trace.duplicate", text); rc != SQLITE_OK)
      return rc;
  }
  return SQLITE_OK;
}

int TraceStore::set_meta(std::string_view name, std::string_view value) {
  set_meta_.bind(1, name);
  set_meta_.bind(2, value);
  return set_meta_.run();
}

int TraceStore::set_meta(std::string_view name, std::uint64_t value) {
  set_meta_.bind(1, name);
  set_meta_.bind(2, value);
  return set_meta_.run();
}

std::uint64_t TraceStore::meta_number(std::string_view name) {
  auto statement = db_.prepare("SELECT value FROM meta WHERE name = ?");
  if (!statement) return 0;
  statement->bind(1, name);
  return statement->step() == SQLITE_ROW ? statement->number(0) : 0;
}

std::string TraceStore::why() const {
  return fmt::format("{}: {}", path_, db_.why());
}

}  // namespace pcilens
