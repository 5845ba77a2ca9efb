// Puts spool records into the trace's tables. Not thread-safe; knows nothing of spools or threads,
// so that importers and tests use it too.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/result.hpp"
#include "core/trace/record.hpp"
#include "core/trace/source_lines.hpp"
#include "core/trace/sqlite.hpp"

namespace pcilens {

class TraceStore {
 public:
  // A new trace. An existing file is refused unless `overwrite`, and then it must be a trace.
  static Result<std::unique_ptr<TraceStore>> create(const std::string& path,
                                                    bool overwrite = false);
  // An existing trace, to write the rest of a spool into it.
  static Result<std::unique_ptr<TraceStore>> reopen(const std::string& path);
  // Folds the log back, so that the file alone is the whole trace even while somebody reads it.
  ~TraceStore();

  // Whether the file carries our application id.
  static bool is_trace(const std::string& path);
  // Removes an earlier trace to make room for one of its name; nothing there is fine. An Error, and
  // nothing removed, where the file is no trace or a program has it open.
  static Result<void> remove(const std::string& path);
  // What lies under that name, with what SQLite keeps beside it, whatever it is.
  static void unlink_all(const std::string& path);

  // Asked for each site that comes without a line.
  void set_source_lines(SourceLines lines) { source_lines_ = std::move(lines); }

  // All of these give SQLITE_OK or SQLite's error; after an error call rollback().
  int begin();
  int commit();
  int add(const EventRecord& event);
  int add(const CompletionRecord& completion);
  int add(const EditRecord& edit);
  int add(const BlobRecord& blob, std::span<const std::byte> bytes);
  // Of the side that reads, about the last event so far.
  int add_finding(std::string_view rule, std::string_view text) {
    return add_finding(state_.last_seq, rule, text);
  }
  // Slots that were claimed and never published, or held no record: a gap row at finish().
  void add_lost(std::uint64_t slots);
  int set_meta(std::string_view name, std::string_view value);
  int set_meta(std::string_view name, std::uint64_t value);
  // Writes the gap rows; within a transaction.
  int finish();
  // Back to the last commit.
  void rollback();

  std::uint64_t meta_number(std::string_view name);  // 0 if there is none
  std::uint64_t events() const { return state_.events; }
  const std::string& path() const { return path_; }
  // "run.db: database or disk is full".
  std::string why() const;

 private:
  static constexpr std::size_t kBatch = 32;
  static constexpr std::size_t kColumns = 16;
  static constexpr std::size_t kMostPartial = 64u << 20;  // bytes of unfinished blobs

  struct Row {
    EventRecord event;
    std::uint64_t done_ns;
  };
  struct Lost {
    std::uint64_t after;  // the last seq before it
    std::uint64_t slots;
  };
  // What a rollback must take back beside the tables.
  struct State {
    std::uint64_t last_seq = 0, events = 0, duplicates = 0;
    std::vector<Lost> lost;
    std::map<std::pair<std::uint8_t, std::uint64_t>, std::vector<std::byte>> partial;
    std::size_t partial_bytes = 0;
  };

  TraceStore() = default;
  int add_site(std::uint64_t id, std::string_view json);
  Result<void> prepare();
  int flush();
  int insert_rows(Statement& statement, std::size_t first, std::size_t count);
  int add_whole(BlobKind what, std::uint64_t key, std::span<const std::byte> bytes);
  int add_function(std::uint64_t key, std::string_view json);
  int add_maps(std::uint64_t key, std::string_view maps);
  int add_finding(std::uint64_t seq, std::string_view rule, std::string_view text);
  int run(std::string_view sql, const auto&... values);

  std::string path_;
  Database db_;
  Statement insert_batch_, insert_one_, complete_, edit_, payload_, note_, set_meta_;
  std::array<Row, kBatch> rows_;
  std::size_t waiting_ = 0;
  SourceLines source_lines_;
  State state_, committed_;
};

}  // namespace pcilens
