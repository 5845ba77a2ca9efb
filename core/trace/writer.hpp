// Drains a spool into a trace, on a thread of its own.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

#include "core/result.hpp"
#include "core/trace/source_lines.hpp"
#include "core/trace/spool_reader.hpp"

namespace pcilens {

class TraceStore;

struct TraceWriterOptions {
  bool overwrite = false;  // an existing trace may be replaced
  std::chrono::milliseconds commit_interval{100};
  std::uint64_t commit_events = 65536;
  std::chrono::milliseconds poll_interval{10};
  // Asked, on the writer's thread, for the source lines of the driver's code.
  SourceLines source_lines;
  // Told, on the writer's thread, one sentence when writing fails and one when it works again.
  std::function<void(const std::string&)> on_trouble;
  // How long close() keeps trying where the disk is full.
  std::chrono::milliseconds close_patience{2000};
};

class TraceWriter {
 public:
  // A new trace at `path`; refused, with one sentence, where a file lies there or none can be made.
  // The reader outlives the writer and is the writer's alone from now on.
  static Result<std::unique_ptr<TraceWriter>> create(const std::string& path, SpoolReader& reader,
                                                     TraceWriterOptions options = {});
  // Goes on with the trace that a killed pcilens left, with the same spool.
  static Result<std::unique_ptr<TraceWriter>> resume(const std::string& path, SpoolReader& reader,
                                                     TraceWriterOptions options = {});
  ~TraceWriter();
  TraceWriter(const TraceWriter&) = delete;
  TraceWriter& operator=(const TraceWriter&) = delete;

  // Puts a finding of ours beside what the producer records: about the last event so far. Any
  // thread.
  void finding(std::string rule, std::string text);
  // Waits until everything published so far is committed, and so readable.
  Result<void> flush();
  // No producer writes any more: drains, turns what was claimed but never published into gap rows,
  // and closes the file. What could not be written is said in the error. Idempotent.
  Result<void> close();

  const std::string& path() const { return path_; }

 private:
  TraceWriter(std::unique_ptr<TraceStore> store, SpoolReader& reader, TraceWriterOptions options);
  void run();
  bool drain_some(bool ended);
  bool begin();
  bool put_findings();
  bool commit();
  void failed();
  void finish();

  std::string path_;
  std::unique_ptr<TraceStore> store_;
  SpoolReader& reader_;
  TraceWriterOptions options_;

  // The writer's thread alone.
  bool open_ = false;             // a transaction is
  std::size_t findings_put_ = 0;  // within it
  std::uint64_t in_transaction_ = 0;
  std::chrono::steady_clock::time_point began_, retry_at_{};
  std::chrono::milliseconds backoff_{0};

  std::mutex mutex_;
  std::condition_variable wake_, done_;
  bool stop_ = false, ended_ = false;
  struct Finding {
    std::string rule, text;
  };
  std::deque<Finding> findings_;  // not committed yet
  std::uint64_t flush_asked_ = 0, flush_done_ = 0;
  std::string trouble_;  // why writing fails now; empty: it works
  std::string cause_;    // the same in SQLite's words; the writer's thread alone
  Result<void> outcome_;
  std::thread thread_;
};

}  // namespace pcilens
