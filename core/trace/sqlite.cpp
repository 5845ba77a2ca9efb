#include "core/trace/sqlite.hpp"

#include <fmt/format.h>
#include <unistd.h>

namespace pcilens {

Result<Database> Database::open(const std::string& path, int flags) {
  sqlite3* raw = nullptr;
  const int rc = sqlite3_open_v2(path.c_str(), &raw, flags | SQLITE_OPEN_NOMUTEX, nullptr);
  Database db;
  db.db_.reset(raw);
  if (rc != SQLITE_OK) return fail(fmt::format("{}: cannot open: {}", path, sqlite3_errstr(rc)));
  sqlite3_extended_result_codes(raw, 1);
  sqlite3_busy_timeout(raw, 2000);
  return db;
}

Result<Database> Database::open_for_reading(const std::string& path) {
  if (access((path + "-wal").c_str(), F_OK) == 0) return open(path, SQLITE_OPEN_READONLY);
  std::string uri = "file:";
  for (const char c : path) {
    if (c == '?' || c == '#' || c == '%')
      uri += fmt::format("%{:02x}", static_cast<unsigned>(c));
    else
      uri += c;
  }
  return open(uri + "?immutable=1", SQLITE_OPEN_READONLY | SQLITE_OPEN_URI);
}

Result<void> Database::exec(const char* sql) {
  if (try_exec(sql) != SQLITE_OK) return fail(why());
  return {};
}

Result<Statement> Database::prepare(std::string_view sql) {
  sqlite3_stmt* raw = nullptr;
  const int rc = sqlite3_prepare_v3(get(), sql.data(), static_cast<int>(sql.size()),
                                    SQLITE_PREPARE_PERSISTENT, &raw, nullptr);
  if (rc != SQLITE_OK) return fail(why());
  return Statement(raw);
}

}  // namespace pcilens
