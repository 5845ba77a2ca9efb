#include "core/trace/writer.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "core/thread_name.hpp"
#include "core/trace/store.hpp"

namespace pcilens {
namespace {

using Clock = std::chrono::steady_clock;

int put(TraceStore& store, const SpoolRecord& record) {
  switch (record.what) {
    case SpoolRecord::What::Event: return store.add(record.event);
    case SpoolRecord::What::Completion: return store.add(record.completion);
    case SpoolRecord::What::Edit: return store.add(record.edit);
    case SpoolRecord::What::Blob: return store.add(record.blob, record.bytes);
    case SpoolRecord::What::Lost: store.add_lost(record.lost_slots); break;
  }
  return SQLITE_OK;
}

}  // namespace

Result<std::unique_ptr<TraceWriter>> TraceWriter::create(const std::string& path,
                                                         SpoolReader& reader,
                                                         TraceWriterOptions options) {
  auto store = TraceStore::create(path, options.overwrite);
  if (!store) return tl::unexpected(store.error());
  // From its first moment the trace says whose rest it lacks, should we be killed.
  if ((*store)->begin() != SQLITE_OK || (*store)->set_meta("spool.id", reader.id()) != SQLITE_OK ||
      (*store)->commit() != SQLITE_OK)
    return fail((*store)->why());
  return std::unique_ptr<TraceWriter>(
      new TraceWriter(std::move(*store), reader, std::move(options)));
}

Result<std::unique_ptr<TraceWriter>> TraceWriter::resume(const std::string& path,
                                                         SpoolReader& reader,
                                                         TraceWriterOptions options) {
  auto store = TraceStore::reopen(path);
  if (!store) return tl::unexpected(store.error());
  if ((*store)->meta_number("spool.id") != reader.id())
    return fail(fmt::format("{}: was not written from this spool", path));
  // What was committed but not yet released when the writer was killed is not written twice.
  reader.skip_to((*store)->meta_number("spool.drained"));
  // A full ring with nothing left to take would otherwise stay full: nobody could put more into it.
  reader.release();
  return std::unique_ptr<TraceWriter>(
      new TraceWriter(std::move(*store), reader, std::move(options)));
}

TraceWriter::TraceWriter(std::unique_ptr<TraceStore> store, SpoolReader& reader,
                         TraceWriterOptions options)
    : path_(store->path()),
      store_(std::move(store)),
      reader_(reader),
      options_(std::move(options)) {
  store_->set_source_lines(options_.source_lines);
  thread_ = std::thread([this] { run(); });
}

TraceWriter::~TraceWriter() {
  (void)close();
}

bool TraceWriter::commit() {
  if (!open_) return true;
  if (store_->set_meta("spool.id", reader_.id()) != SQLITE_OK ||
      store_->set_meta("spool.drained", reader_.position()) != SQLITE_OK ||
      store_->commit() != SQLITE_OK) {
    failed();
    return false;
  }
  // Only now may the slots be used again: until here they are the one copy.
  reader_.release();
  open_ = false;
  in_transaction_ = 0;
  backoff_ = {};
  std::unique_lock lock(mutex_);
  findings_.erase(findings_.begin(),
                  findings_.begin() + static_cast<std::ptrdiff_t>(findings_put_));
  findings_put_ = 0;
  if (!trouble_.empty()) {
    trouble_.clear();
    lock.unlock();
    if (options_.on_trouble)
      options_.on_trouble(fmt::format("{}: the trace is written again", path_));
  }
  return true;
}

void TraceWriter::failed() {
  cause_ = store_->why();
  const auto why = fmt::format(
      "{}; what is in the trace is safe, make room on its disk and recording goes on", cause_);
  store_->rollback();
  reader_.rewind();
  open_ = false;
  in_transaction_ = 0;
  findings_put_ = 0;
  backoff_ =
      std::clamp(backoff_ * 2, std::chrono::milliseconds(100), std::chrono::milliseconds(2000));
  retry_at_ = Clock::now() + backoff_;
  std::unique_lock lock(mutex_);
  const bool first = trouble_.empty();
  trouble_ = why;
  lock.unlock();
  if (first && options_.on_trouble) options_.on_trouble(why);
}

bool TraceWriter::begin() {
  if (open_) return true;
  if (store_->begin() != SQLITE_OK) return failed(), false;
  open_ = true;
  began_ = Clock::now();
  return true;
}

// False: writing failed.
bool TraceWriter::put_findings() {
  for (;;) {
    Finding finding;
    {
      const std::lock_guard lock(mutex_);
      if (findings_put_ == findings_.size()) return true;
      finding = findings_[findings_put_];
    }
    if (!begin()) return false;
    if (store_->add_finding(finding.rule, finding.text) != SQLITE_OK) return failed(), false;
    ++findings_put_;
  }
}

// Takes up to one transaction's worth. False: nothing more to take now, or writing failed.
bool TraceWriter::drain_some(bool ended) {
  if (!put_findings()) return false;
  SpoolRecord record;
  const auto end = reader_.head();
  // Stepping over what a dead producer left needs the end of time, not of this moment.
  while (ended || reader_.position() < end) {
    if (!reader_.next(record, ended)) return false;
    if (!begin()) return false;
    if (put(*store_, record) != SQLITE_OK) return failed(), false;
    if (++in_transaction_ >= options_.commit_events) return commit();
  }
  return false;
}

void TraceWriter::run() {
  name_thread("trace writer");
  std::unique_lock lock(mutex_);
  while (!stop_) {
    const auto asked = flush_asked_;
    lock.unlock();
    if (Clock::now() >= retry_at_) {
      bool more = drain_some(false);
      // A flush ends where the ring's end was when it began.
      if (asked != flush_done_) {
        for (const auto target = reader_.head(); more && reader_.position() < target;)
          more = drain_some(false);
      }
      if (open_ && (asked != flush_done_ || Clock::now() - began_ >= options_.commit_interval))
        commit();
      if (more) {
        lock.lock();
        continue;
      }
    }
    lock.lock();
    if (asked != flush_done_) {
      flush_done_ = asked;
      done_.notify_all();
    }
    if (!stop_ && flush_asked_ == asked) wake_.wait_for(lock, options_.poll_interval);
  }
  lock.unlock();
  finish();
}

void TraceWriter::finish() {
  const auto deadline = Clock::now() + options_.close_patience;
  for (;;) {
    while (drain_some(true)) {
    }
    bool fine = reader_.position() == reader_.head();
    fine = fine && put_findings() && begin();
    if (fine && store_->finish() != SQLITE_OK) {
      failed();
      fine = false;
    }
    if (fine && commit()) break;
    if (Clock::now() >= deadline) {
      const std::lock_guard lock(mutex_);
      outcome_ = fail(fmt::format("{}; the trace is safe up to there and lacks the end", cause_));
      break;
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
  }
  store_.reset();
  const std::lock_guard lock(mutex_);
  ended_ = true;
  flush_done_ = flush_asked_;
  done_.notify_all();
}

void TraceWriter::finding(std::string rule, std::string text) {
  {
    const std::lock_guard lock(mutex_);
    findings_.push_back({std::move(rule), std::move(text)});
  }
  wake_.notify_all();
}

Result<void> TraceWriter::flush() {
  std::unique_lock lock(mutex_);
  if (ended_) return outcome_;
  const auto ticket = ++flush_asked_;
  wake_.notify_all();
  done_.wait(lock, [&] { return flush_done_ >= ticket; });
  if (!trouble_.empty()) return fail(trouble_);
  return {};
}

Result<void> TraceWriter::close() {
  {
    const std::lock_guard lock(mutex_);
    stop_ = true;
    wake_.notify_all();
  }
  if (thread_.joinable()) thread_.join();
  return outcome_;
}

}  // namespace pcilens
