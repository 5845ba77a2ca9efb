// Opens a trace that may be anybody's.

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <fstream>

#include "core/trace/reader_state.hpp"
#include "core/trace/schema.hpp"

namespace pcilens {
namespace {

bool has_log(const std::string& path) {
  return access((path + "-wal").c_str(), F_OK) == 0;
}

std::uint32_t big_endian(const unsigned char* p) {
  return static_cast<std::uint32_t>(p[0]) << 24 | static_cast<std::uint32_t>(p[1]) << 16 |
         static_cast<std::uint32_t>(p[2]) << 8 | p[3];
}

// What can be told from the file's first bytes (SQLite's file format, 1.3), in better words than
// SQLite's own.
Result<void> check_head(const std::string& path) {
  struct stat st{};
  if (stat(path.c_str(), &st) != 0)
    return fail(fmt::format("{}: cannot open: {}", path, std::strerror(errno)));
  if (!S_ISREG(st.st_mode)) return fail(fmt::format("{}: is not a file", path));
  std::ifstream in(path, std::ios::binary);
  std::array<unsigned char, 100> head{};
  in.read(reinterpret_cast<char*>(head.data()), head.size());
  if (!in.good() && !in.eof())
    return fail(fmt::format("{}: cannot open: {}", path, std::strerror(errno)));
  if (st.st_size == 0) return fail(fmt::format("{}: is empty; it is not a trace", path));
  if (std::memcmp(head.data(), "SQLite format 3", 16) != 0)
    return fail(
        fmt::format("{}: is not a trace; recordings of other tools are taken in with "
                    "\"pcilens import\"",
                    path));
  if (in.gcount() < 100)
    return fail(fmt::format("{}: is cut off after {} bytes; copy it again", path, st.st_size));
  const std::uint64_t page = head[16] == 0 && head[17] == 1 ? 65536 : head[16] * 256u + head[17];
  const std::uint64_t pages = big_endian(&head[28]);
  const bool counted = std::memcmp(&head[24], &head[92], 4) == 0;
  // While a writer's log lies beside it the file may still be short.
  if (counted && !has_log(path) && static_cast<std::uint64_t>(st.st_size) < page * pages)
    return fail(fmt::format("{}: is cut off: {} bytes of {}; copy it again", path, st.st_size,
                            page * pages));
  return {};
}

// Nothing in the file may run code or stand for a table: no views, no triggers, no virtual tables.
void distrust(sqlite3* db) {
  sqlite3_db_config(db, SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr);
  sqlite3_db_config(db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, nullptr);
  sqlite3_db_config(db, SQLITE_DBCONFIG_ENABLE_VIEW, 0, nullptr);
  sqlite3_db_config(db, SQLITE_DBCONFIG_ENABLE_TRIGGER, 0, nullptr);
  sqlite3_limit(db, SQLITE_LIMIT_LENGTH, 256 << 20);
  sqlite3_exec(db, "PRAGMA cell_size_check=1; PRAGMA mmap_size=0", nullptr, nullptr, nullptr);
}

Result<void> check_schema(const std::string& path, Database& db) {
  const auto number = [&](const char* sql) -> Result<std::int64_t> {
    auto statement = db.prepare(sql);
    if (!statement) return tl::unexpected(statement.error());
    if (statement->step() != SQLITE_ROW) return fail(db.why());
    return statement->integer(0);
  };
  const auto damaged = [&](const std::string& why) {
    return fail(fmt::format("{}: is damaged ({}); copy it again", path, why));
  };
  const auto id = number("PRAGMA application_id");
  if (!id) return damaged(id.error().message);
  if (*id != kTraceApplicationId)
    return fail(fmt::format("{}: is a SQLite file, but no pcilens trace; give the trace", path));
  const auto version = number("PRAGMA user_version");
  if (!version) return damaged(version.error().message);
  if (*version > kTraceVersion)
    return fail(
        fmt::format("{}: is a trace of format {}, this pcilens knows up to {}; update pcilens",
                    path, *version, kTraceVersion));
  const auto tables = number(
      "SELECT count(*) FROM sqlite_master WHERE type = 'table' AND rootpage > 0 AND name IN ("
      "'event','edit','payload','site','stack','meta','function','note','finding')");
  if (!tables) return damaged(tables.error().message);
  if (*version < 1 || *tables != 9) return damaged("tables are missing");
  return {};
}

}  // namespace

TraceReader::TraceReader(std::unique_ptr<State> state) : state_(std::move(state)) {}
TraceReader::~TraceReader() = default;

Result<std::unique_ptr<TraceReader>> TraceReader::open(const std::string& path) {
  if (auto head = check_head(path); !head) return tl::unexpected(head.error());
  auto db = Database::open_for_reading(path);
  if (!db) return tl::unexpected(db.error());
  distrust(db->get());
  if (auto schema = check_schema(path, *db); !schema) return tl::unexpected(schema.error());
  auto state = std::make_unique<State>();
  state->path = path;
  state->db = std::move(*db);
  return std::unique_ptr<TraceReader>(new TraceReader(std::move(state)));
}

}  // namespace pcilens
