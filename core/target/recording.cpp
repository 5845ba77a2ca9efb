#include "core/target/recording.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <set>

#include "core/code/disassembly.hpp"
#include "core/function/device.hpp"
#include "core/printable.hpp"
#include "core/thread_name.hpp"
#include "core/trace/causes.hpp"
#include "core/trace/match_counter.hpp"
#include "core/trace/reader.hpp"
#include "core/trace/store.hpp"

namespace pcilens {
namespace {

constexpr std::uint64_t kCountAtOnce = 65'536;   // events, about 100 ms
constexpr std::uint64_t kDecodeAtOnce = 65'536;  // events
constexpr std::uint64_t kPatience = 65'536;      // transactions after one that stays open
constexpr std::uint64_t kMostCommands = 1000;    // in one page
constexpr std::size_t kMostCounters = 24;        // breakpoints and rules that somebody looks at

// Where the rest of this trace lies while it is written: the same place for the same file.
std::string spool_of(const std::string& trace) {
  std::error_code error;
  const auto whole = std::filesystem::weakly_canonical(trace, error);
  std::uint64_t hash = 0xcbf29ce484222325ull;  // FNV-1a
  for (const char c : error ? trace : whole.string())
    hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3ull;
  return fmt::format("/dev/shm/pcilens-{}-{:016x}.spool", ::geteuid(), hash);
}

Result<std::string> temporary_trace() {
  std::error_code error;
  const char* const named = std::getenv("TMPDIR");
  // An empty one is none, as for mktemp.
  const auto folder = named != nullptr && *named == '\0'
                          ? std::filesystem::path("/tmp")
                          : std::filesystem::temp_directory_path(error);
  if (error)
    return fail(
        fmt::format("{}: no folder for a temporary trace: {}; set TMPDIR to one that you may write "
                    "to, or name the trace with --trace",
                    named != nullptr ? named : "/tmp", error.message()));
  for (int n = 0;; ++n) {
    auto path = folder / fmt::format("pcilens-{}-{}.trace", ::getpid(), n);
    // What cannot even be looked at is said when it is made.
    if (!std::filesystem::exists(path, error)) return path.string();
  }
}

std::string place_of(const TraceSite& site, std::uint64_t further = 0) {
  std::string text = site.symbol.empty() ? "?" : site.symbol;
  if (site.displacement + further != 0) text += fmt::format("+{:#x}", site.displacement + further);
  if (!site.module.empty()) text += fmt::format(" [{}]", site.module);
  return text;
}

}  // namespace

Result<CodeView> code_view(TraceReader& trace, std::uint64_t seq) {
  CodeView view;
  const auto access = driver_access(trace, seq);
  if (!access) return tl::unexpected(access.error());
  if (!*access) return view;
  view.of = (*access)->seq;
  auto stack = trace.stack(view.of);
  if (!stack) return tl::unexpected(stack.error());
  const auto site = trace.site((*access)->site);
  if (!site) return tl::unexpected(site.error());
  if (stack->empty() && *site) stack->push_back(**site);
  for (const TraceSite& frame : *stack)
    view.stack.push_back({.symbol = place_of(frame), .file = frame.file, .line = frame.line});
  if (!*site || (*site)->code.empty()) return view;
  for (const Instruction& i : disassemble((*site)->code, 0))
    view.instructions.push_back({.address = place_of(**site, i.offset),
                                 .bytes = i.bytes,
                                 .text = i.text,
                                 .accessing = i.offset == 0});
  return view;
}

TraceRow row_of(const TraceEvent& event) {
  TraceRow row{.transaction = event.t,
               .edit = std::nullopt,
               .payload_bytes = event.payload_bytes,
               .text = event.text,
               .finding = {},
               .thread = {}};
  if (const auto& e = event.edit)
    row.edit = Edit{.sent = e->sent,
                    .delivered = e->delivered,
                    .answered = e->answered,
                    .returned = e->returned,
                    .rule = e->rule};
  return row;
}

Result<std::unique_ptr<Recording>> Recording::to_file(const std::string& trace,
                                                      std::function<void(std::string)> trouble,
                                                      bool overwrite) {
  if (trace.empty()) return carry(SpoolMemory::anonymous(), trace, std::move(trouble));
  if (overwrite)
    if (auto removed = TraceStore::remove(trace); !removed) return tl::unexpected(removed.error());
  const std::string beside = spool_of(trace);
  auto left = SpoolMemory::open_file(beside);
  std::error_code error;
  const bool there = std::filesystem::exists(trace, error);
  if (error)
    return fail(fmt::format("{}: {}; choose another name", printable(trace, kLongestName),
                            error.message()));
  if (there && left) return carry(std::move(left), trace, std::move(trouble), Begin::GoOn);
  if (there && std::filesystem::exists(beside, error))
    return fail(fmt::format("{}: a running pcilens writes it; choose another name", trace));
  if (there)
    return fail(std::filesystem::is_directory(trace, error)
                    ? fmt::format("{}: is a folder; name a file in it", trace)
                    : fmt::format("{}: exists already; choose another name, or replace a trace "
                                  "with --overwrite",
                                  trace));
  if (left) left->remove_file();  // of a trace that somebody removed
  auto memory = SpoolMemory::create_file(beside);
  // Without room there, a killed process takes its last 100 ms along.
  if (!memory) memory = SpoolMemory::anonymous();
  return carry(std::move(memory), trace, std::move(trouble));
}

Result<std::unique_ptr<Recording>> Recording::from_spool(SpoolMemory memory,
                                                         const std::string& trace,
                                                         std::function<void(std::string)> trouble,
                                                         SourceLines source_lines) {
  auto made =
      carry(std::move(memory), trace, std::move(trouble), Begin::Anew, std::move(source_lines));
  if (made) (*made)->spool_.reset();  // it was for the format only
  return made;
}

Result<std::unique_ptr<Recording>> Recording::carry(Result<SpoolMemory> memory,
                                                    const std::string& trace,
                                                    std::function<void(std::string)> trouble,
                                                    Begin begin, SourceLines source_lines) {
  std::unique_ptr<Recording> made(new Recording);
  made->temporary_ = trace.empty();
  made->path_ = trace;
  if (trace.empty()) {
    auto path = temporary_trace();
    if (!path) return tl::unexpected(path.error());
    made->path_ = std::move(*path);
  }
  if (!memory) return tl::unexpected(memory.error());
  made->memory_ = std::make_unique<SpoolMemory>(std::move(*memory));
  const bool anew = begin == Begin::Anew;
  auto spool = anew ? Spool::create(made->memory_->bytes()) : Spool::attach(made->memory_->bytes());
  if (!spool) return tl::unexpected(spool.error());
  made->spool_ = std::move(*spool);
  auto reader = SpoolReader::open(made->memory_->bytes());
  if (!reader) return tl::unexpected(reader.error());
  made->reader_ = std::move(*reader);
  TraceWriterOptions options;
  options.source_lines = std::move(source_lines);
  options.on_trouble = [trouble](const std::string& text) { trouble(text); };
  auto writer = anew ? TraceWriter::create(made->path_, *made->reader_, options)
                     : TraceWriter::resume(made->path_, *made->reader_, options);
  if (!writer) {
    if (anew) made->memory_->remove_file();
    return tl::unexpected(writer.error());
  }
  if (!anew) made->went_on();
  made->writer_ = std::move(*writer);
  made->thread_ = std::thread([self = made.get()] { self->run(); });
  return made;
}

Result<std::unique_ptr<Recording>> Recording::to_spool(const std::string& memory) {
  std::unique_ptr<Recording> made(new Recording);
  const int fd = ::open(memory.c_str(), O_RDWR | O_CLOEXEC);
  if (fd < 0)
    return fail(fmt::format("{}: {}; name the shared memory", memory, std::strerror(errno)));
  struct stat there{};  // a BAR in sysfs tells its size so, and not by lseek
  if (::fstat(fd, &there) != 0 || there.st_size <= 0) {
    ::close(fd);
    return fail(
        fmt::format("{}: is no shared memory; name the file that \"pcilens vm\" made, or the BAR "
                    "that holds it",
                    memory));
  }
  auto mapped = SpoolMemory::map(fd, 0, static_cast<std::uint64_t>(there.st_size), memory);
  if (!mapped) return tl::unexpected(mapped.error());
  made->memory_ = std::make_unique<SpoolMemory>(std::move(*mapped));
  auto spool = Spool::attach(made->memory_->bytes());
  if (!spool) return tl::unexpected(spool.error());
  made->spool_ = std::move(*spool);
  if (made->spool_->last_seq() != 0) made->went_on();
  return made;
}

void Recording::went_on() {
  last_seq_ = spool_->last_seq();
  last_ns_ = spool_->last_ns();
  constexpr std::string_view kText = "another pcilens goes on here; the one before was killed";
  spool_->blob(BlobKind::Note, last_seq_, std::as_bytes(std::span(kText)));
}

Result<std::unique_ptr<Recording>> Recording::of_file(const std::string& trace) {
  auto reader = TraceReader::open(trace);
  if (!reader) return tl::unexpected(reader.error());
  std::unique_ptr<Recording> made(new Recording);
  made->path_ = trace;
  made->trace_ = std::move(*reader);
  made->thread_ = std::thread([self = made.get()] { self->run(); });
  return made;
}

namespace {

struct Living {
  std::mutex mutex;
  std::set<Recording*> recordings;
};
Living& living() {
  static Living all;
  return all;
}

}  // namespace

Recording::Recording() {
  const std::lock_guard lock(living().mutex);
  living().recordings.insert(this);
}

Recording::~Recording() {
  {
    const std::lock_guard lock(living().mutex);
    living().recordings.erase(this);
  }
  close();
  remove_if_temporary();
}

void Recording::close_all() {
  const std::lock_guard lock(living().mutex);
  for (Recording* recording : living().recordings) {
    recording->close();
    recording->remove_if_temporary();
  }
}

void Recording::remove_if_temporary() const {
  if (!temporary_) return;
  std::error_code ignored;
  for (const char* suffix : {"", "-wal", "-shm"}) std::filesystem::remove(path_ + suffix, ignored);
}

void Recording::finding(std::string rule, std::string text) {
  if (writer_) writer_->finding(std::move(rule), std::move(text));
}

Result<void> Recording::flush() {
  if (!writer_) return {};
  return writer_->flush();
}

Result<void> Recording::close() {
  const std::lock_guard closing(closing_);
  if (!closed_) closed_ = end();
  return *closed_;
}

Result<void> Recording::end() {
  {
    const std::lock_guard lock(mutex_);
    ending_ = true;
  }
  asked_.notify_all();
  if (thread_.joinable()) thread_.join();
  if (spool_) spool_->close();
  if (!writer_) return {};
  auto closed = writer_->close();
  if (closed) {
    if (memory_) memory_->remove_file();
    return {};
  }
  // A temporary one goes anyway; nobody misses its end.
  if (temporary_) return {};
  // What could not be written stays where it is, for one who makes room and goes on.
  const bool kept = memory_ && (!memory_->path().empty() || memory_->keep_as(spool_of(path_)));
  return fail(closed.error().message +
              (kept ? "; make room on its disk, and the next session that records into it brings "
                      "the end in before it goes on"
                    : "; make room on its disk before the next session"));
}

// ---- questions ---------------------------------------------------------------------------------

void Recording::ask(std::function<void(Result<TraceReader*>)> question) {
  {
    const std::lock_guard lock(mutex_);
    if (!ending_ && thread_.joinable()) {
      questions_.push_back(std::move(question));
      asked_.notify_one();
      return;
    }
  }
  question(fail(ending_ ? "the trace is closed" : "the trace is kept by the host of this VM"));
}

void Recording::run() {
  name_thread("trace reader");
  for (;;) {
    std::function<void(Result<TraceReader*>)> question;
    {
      std::unique_lock lock(mutex_);
      asked_.wait(lock, [this] { return ending_ || !questions_.empty(); });
      if (questions_.empty()) break;
      question = std::move(questions_.front());
      questions_.pop_front();
    }
    // An answer tells of everything that happened before the question.
    if (writer_) writer_->flush();
    if (!trace_) {
      auto opened = TraceReader::open(path_);
      if (!opened) {
        question(tl::unexpected(opened.error()));
        continue;
      }
      trace_ = std::move(*opened);
    }
    question(trace_.get());
  }
  counters_.clear();
  decodings_.clear();
  trace_.reset();
}

namespace {

// What the trace says is wrong with these, in order.
Result<void> tell_findings(TraceReader& trace, std::vector<TraceRow>& rows) {
  if (rows.empty()) return {};
  const auto findings = trace.findings(rows.front().transaction.seq, rows.back().transaction.seq);
  if (!findings) return tl::unexpected(findings.error());
  for (const TraceText& finding : *findings) {
    if (finding.rule == "kernel") continue;  // that came after the transaction, not from it
    const auto row = std::ranges::lower_bound(rows, finding.seq, {},
                                              [](const TraceRow& r) { return r.transaction.seq; });
    if (row != rows.end() && row->transaction.seq == finding.seq)
      row->finding += (row->finding.empty() ? "" : "; ") + finding.text;
  }
  return {};
}

// The names of the drivers' threads, as the host told them.
void tell_threads(TraceReader& trace, std::vector<TraceRow>& rows) {
  std::map<std::uint32_t, std::string> names;
  for (TraceRow& row : rows) {
    const std::uint32_t thread = row.transaction.thread;
    if (thread == 0) continue;
    auto it = names.find(thread);
    if (it == names.end())
      it = names.emplace(thread, trace.meta(fmt::format("thread.{}", thread)).value_or("")).first;
    row.thread = it->second;
  }
}

}  // namespace

void Recording::page(TraceRequest request, Done<TracePage> done) {
  ask([request = std::move(request), done = std::move(done)](Result<TraceReader*> trace) {
    if (!trace) return done(tl::unexpected(trace.error()));
    Expression filter;
    if (!request.filter.empty()) {
      auto compiled = Expression::compile(request.filter, (*trace)->names());
      if (!compiled) return done(tl::unexpected(compiled.error()));
      filter = std::move(*compiled);
    }
    auto window =
        (*trace)->window({.from = request.from,
                          .limit = request.limit,
                          .backward = request.direction == TraceRequest::Direction::Backward,
                          .filter = request.filter.empty() ? nullptr : &filter,
                          .budget = request.budget});
    if (!window) return done(tl::unexpected(window.error()));
    TracePage page{.rows = {},
                   .last_seq = (*trace)->last_seq(),
                   .more = window->more,
                   .partial = window->partial,
                   .looked_at = window->looked_at};
    for (const TraceEvent& event : window->events) page.rows.push_back(row_of(event));
    if (auto told = tell_findings(**trace, page.rows); !told)
      return done(tl::unexpected(told.error()));
    tell_threads(**trace, page.rows);
    done(std::move(page));
  });
}

void Recording::payload(std::uint64_t seq, Done<std::vector<std::byte>> done) {
  ask([seq, done = std::move(done)](Result<TraceReader*> trace) {
    if (!trace) return done(tl::unexpected(trace.error()));
    done((*trace)->payload(seq));
  });
}

void Recording::count(std::string expression, Done<MatchCount> done) {
  ask([this, expression = std::move(expression),
       done = std::move(done)](Result<TraceReader*> trace) {
    if (!trace) return done(tl::unexpected(trace.error()));
    const auto is_it = [&](const auto& counter) { return counter->text() == expression; };
    const auto found = std::find_if(counters_.begin(), counters_.end(), is_it);
    if (found != counters_.end()) {
      std::rotate(found, found + 1, counters_.end());
    } else {
      auto made = MatchCounter::create(**trace, expression);
      if (!made) return done(tl::unexpected(made.error()));
      if (counters_.size() == kMostCounters) counters_.erase(counters_.begin());
      counters_.push_back(std::move(*made));
    }
    const auto progress = counters_.back()->advance(kCountAtOnce);
    if (!progress) {
      counters_.pop_back();
      return done(tl::unexpected(progress.error()));
    }
    done(MatchCount{
        .matches = progress->matches, .looked_at = progress->looked_at, .of = progress->of});
  });
}

void Recording::commands(CommandRequest request, Done<CommandPage> done) {
  ask([this, request, done = std::move(done)](Result<TraceReader*> trace) {
    if (!trace) return done(tl::unexpected(trace.error()));
    done(decode(**trace, request));
  });
}

Result<CommandPage> Recording::decode(TraceReader& trace, const CommandRequest& request) {
  CommandPage page;
  const auto& functions = trace.functions();
  const auto described = std::find_if(functions.begin(), functions.end(),
                                      [&](const auto& f) { return f.id == request.function; });
  if (described == functions.end()) return page;
  if (!decodings_.contains(request.function)) {
    Decoding& fresh = decodings_[request.function];
    if (auto device = LoadedDevice::recorded(described->device);
        device && (*device)->device().decoder != nullptr) {
      fresh.decoder = (*device)->device().decoder();
      fresh.device = std::move(*device);
    }
  }
  Decoding& decoding = decodings_[request.function];
  if (!decoding.decoder) return page;
  ProtocolDecoder& decoder = *decoding.decoder;
  page.protocol = true;
  page.of = trace.last_seq();
  std::uint64_t looked_at = 0;
  bool open_end = false;
  const auto read = trace.for_each(decoding.next, page.of, [&](const Transaction& t) {
    if (looked_at == kDecodeAtOnce) return false;
    // It wants completed ones; a read that stays suspended must not keep it for ever.
    if (t.status == Status::Pending && page.of - t.seq < kPatience) {
      open_end = true;
      return false;
    }
    ++looked_at;
    if (t.function == request.function) decoder.look(t);
    decoding.next = t.seq + 1;
    return true;
  });
  if (!read) return tl::unexpected(read.error());
  page.looked_at = open_end || looked_at < kDecodeAtOnce ? page.of : decoding.next - 1;
  page.last = decoder.last_number();
  page.first = page.last == 0 ? 0 : decoder.first_number();
  if (page.last == 0) return page;
  if (request.seq != 0) {
    const auto holds = [&](const ProtocolCommand* c) {
      return c != nullptr && std::any_of(c->steps.begin(), c->steps.end(),
                                         [&](const auto& s) { return s.seq == request.seq; });
    };
    for (std::uint64_t n = page.last; n >= page.first && page.found == 0; --n)
      if (holds(decoder.command(n))) page.found = n;
  }
  const std::uint64_t limit = std::clamp<std::uint64_t>(request.limit, 1, kMostCommands);
  std::uint64_t from = request.from;
  if (page.found != 0) from = page.found - std::min(page.found, limit / 2);
  if (from == 0 && page.found == 0) from = page.last >= limit ? page.last - limit + 1 : 1;
  from = std::max(from, page.first);
  for (std::uint64_t n = from; n <= page.last && n - from < limit; ++n)
    if (const ProtocolCommand* command = decoder.command(n)) page.commands.push_back(*command);
  return page;
}

void Recording::code(std::uint64_t seq, Done<CodeView> done) {
  ask([seq, done = std::move(done)](Result<TraceReader*> trace) {
    if (!trace) return done(tl::unexpected(trace.error()));
    done(code_view(**trace, seq));
  });
}

}  // namespace pcilens
