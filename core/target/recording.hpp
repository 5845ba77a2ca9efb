// The trace side of a session: the spool that the link writes to, the thread that carries it to
// SQLite, and a thread that answers questions about it. Screens never wait for any of them.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "core/result.hpp"
#include "core/target/device_loader.hpp"
#include "core/target/target.hpp"
#include "core/trace/spool.hpp"
#include "core/trace/spool_memory.hpp"
#include "core/trace/spool_reader.hpp"
#include "core/trace/writer.hpp"

namespace pcilens {

class MatchCounter;
class TraceReader;
struct TraceEvent;

// A row of the trace as screens take it.
TraceRow row_of(const TraceEvent& event);
// Stack and code as Target::code_at() answers, as far as the trace tells.
Result<CodeView> code_view(TraceReader& trace, std::uint64_t seq);

class Recording {
 public:
  // `trace`: the file to make; empty: one in the temporary folder, removed at the end. What is not
  // in the file yet lies in shared memory that outlives a killed process. Where `trace` is the file
  // of such a process, its rest is brought in and this one goes on in it: last_seq() is not 0 then.
  // `overwrite`: a trace that is there is replaced, unless somebody has it open.
  static Result<std::unique_ptr<Recording>> to_file(const std::string& trace,
                                                    std::function<void(std::string)> trouble,
                                                    bool overwrite = false);
  // Into shared memory that somebody else reads (a VM's host): no file here, no questions.
  static Result<std::unique_ptr<Recording>> to_spool(const std::string& memory);
  // From shared memory that somebody else writes (a VM's guest by to_spool): formats it, and
  // carries it to a file here. recorder() is not ours then. `source_lines` is asked on a thread of
  // the recording's.
  static Result<std::unique_ptr<Recording>> from_spool(SpoolMemory memory, const std::string& trace,
                                                       std::function<void(std::string)> trouble,
                                                       SourceLines source_lines = {});
  // A trace that somebody made before: only the questions.
  static Result<std::unique_ptr<Recording>> of_file(const std::string& trace);
  ~Recording();

  Recorder& recorder() { return *spool_; }
  // Of the last event that is recorded already, by a process before this one.
  std::uint64_t last_seq() const { return last_seq_; }
  std::uint64_t last_ns() const { return last_ns_; }
  const std::string& path() const { return path_; }  // empty for a spool
  void page(TraceRequest request, Done<TracePage> done);
  void payload(std::uint64_t seq, Done<std::vector<std::byte>> done);
  void code(std::uint64_t seq, Done<CodeView> done);
  void count(std::string expression, Done<MatchCount> done);
  void commands(CommandRequest request, Done<CommandPage> done);
  // Any other question: called on the thread that answers, with the reader or why there is none.
  void ask(std::function<void(Result<TraceReader*>)> question);
  // Puts a finding of this side into the trace, about the last event so far; any thread.
  void finding(std::string rule, std::string text);
  // Everything recorded so far is in the file.
  Result<void> flush();
  Result<void> close();
  // All that live, where the program has to end at once. Whoever still records loses that; any
  // thread.
  static void close_all();

 private:
  // One function's protocol decoder and how far it is.
  struct Decoding {
    std::shared_ptr<LoadedDevice> device;      // whose code the decoder is
    std::unique_ptr<ProtocolDecoder> decoder;  // null: the device has none
    std::uint64_t next = 1;
  };
  Recording();
  Result<void> end();
  void remove_if_temporary() const;
  Result<CommandPage> decode(TraceReader& trace, const CommandRequest& request);
  enum class Begin : std::uint8_t { Anew, GoOn };
  static Result<std::unique_ptr<Recording>> carry(Result<SpoolMemory> memory,
                                                  const std::string& trace,
                                                  std::function<void(std::string)> trouble,
                                                  Begin begin = Begin::Anew,
                                                  SourceLines source_lines = {});
  void run();
  void went_on();

  std::string path_;
  bool temporary_ = false;
  std::uint64_t last_seq_ = 0, last_ns_ = 0;
  std::unique_ptr<SpoolMemory> memory_;
  std::unique_ptr<Spool> spool_;
  std::unique_ptr<SpoolReader> reader_;
  std::unique_ptr<TraceWriter> writer_;

  std::mutex closing_;
  std::optional<Result<void>> closed_;

  std::mutex mutex_;
  std::condition_variable asked_;
  std::deque<std::function<void(Result<TraceReader*>)>> questions_;
  bool ending_ = false;
  std::unique_ptr<TraceReader> trace_;                   // the question thread's, and so are these
  std::map<std::uint8_t, Decoding> decodings_;           // by function
  std::vector<std::unique_ptr<MatchCounter>> counters_;  // the one asked for last is the last
  std::thread thread_;
};

}  // namespace pcilens
