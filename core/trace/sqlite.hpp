// SQLite with owners and errors as sentences. Private to this floor.
#pragma once

#include <sqlite3.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "core/printable.hpp"
#include "core/result.hpp"

namespace pcilens {

class Statement {
 public:
  Statement() = default;
  explicit Statement(sqlite3_stmt* statement) : statement_(statement) {}

  // Parameters count from 1. Texts and blobs must stay until the statement was stepped.
  void bind(int i, std::int64_t value) { sqlite3_bind_int64(get(), i, value); }
  void bind(int i, std::uint64_t value) { bind(i, static_cast<std::int64_t>(value)); }
  void bind(int i, int value) { sqlite3_bind_int(get(), i, value); }
  void bind(int i, unsigned value) { bind(i, static_cast<std::int64_t>(value)); }
  void bind(int i, std::string_view text) {
    sqlite3_bind_text64(get(), i, text.data() ? text.data() : "", text.size(), SQLITE_STATIC,
                        SQLITE_UTF8);
  }
  void bind(int i, std::span<const std::byte> bytes) {
    sqlite3_bind_blob64(get(), i, bytes.data() ? bytes.data() : &kNothing, bytes.size(),
                        SQLITE_STATIC);
  }
  void bind_null(int i) { sqlite3_bind_null(get(), i); }

  // SQLITE_ROW, SQLITE_DONE or an error.
  int step() { return sqlite3_step(get()); }
  // Steps to the end and makes ready for the next run. SQLITE_OK or an error.
  int run() {
    int rc = step();
    while (rc == SQLITE_ROW) rc = step();
    sqlite3_reset(get());
    return rc == SQLITE_DONE ? SQLITE_OK : rc;
  }
  void reset() {
    sqlite3_reset(get());
    sqlite3_clear_bindings(get());
  }

  // Columns count from 0. Views are valid until the next step.
  std::int64_t integer(int i) { return sqlite3_column_int64(get(), i); }
  std::uint64_t number(int i) { return static_cast<std::uint64_t>(integer(i)); }
  bool is_null(int i) { return sqlite3_column_type(get(), i) == SQLITE_NULL; }
  std::string_view text(int i) {
    const auto* p = reinterpret_cast<const char*>(sqlite3_column_text(get(), i));
    return p ? std::string_view(p, static_cast<std::size_t>(sqlite3_column_bytes(get(), i)))
             : std::string_view();
  }
  std::span<const std::byte> blob(int i) {
    const auto* p = static_cast<const std::byte*>(sqlite3_column_blob(get(), i));
    return {p, p ? static_cast<std::size_t>(sqlite3_column_bytes(get(), i)) : 0};
  }
  explicit operator bool() const { return statement_ != nullptr; }

 private:
  static constexpr std::byte kNothing{};
  sqlite3_stmt* get() const { return statement_.get(); }
  struct Finalize {
    void operator()(sqlite3_stmt* s) const { sqlite3_finalize(s); }
  };
  std::unique_ptr<sqlite3_stmt, Finalize> statement_;
};

class Database {
 public:
  Database() = default;
  // `flags`: SQLITE_OPEN_*.
  static Result<Database> open(const std::string& path, int flags);

  // A writer's log is read with it. Without one the file is finished and is opened as read-only
  // media are: then SQLite puts no files of its own beside it.
  static Result<Database> open_for_reading(const std::string& path);

  Result<void> exec(const char* sql);
  int try_exec(const char* sql) { return sqlite3_exec(get(), sql, nullptr, nullptr, nullptr); }
  Result<Statement> prepare(std::string_view sql);
  // "database or disk is full", as SQLite last said. It repeats names and SQL of the file.
  std::string why() const { return printable(sqlite3_errmsg(db_.get()), 200); }
  sqlite3* get() const { return db_.get(); }

 private:
  struct Close {
    void operator()(sqlite3* db) const { sqlite3_close_v2(db); }
  };
  std::unique_ptr<sqlite3, Close> db_;
};

}  // namespace pcilens
