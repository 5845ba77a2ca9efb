#include "core/trace/import.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <stdio.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <memory>

#include "core/trace/import_mmiotrace.hpp"
#include "core/trace/import_qemu_log.hpp"
#include "core/trace/import_session.hpp"
#include "core/trace/store.hpp"

namespace pcilens {
namespace {

constexpr ImportFormat kFormats[] = {
    {"mmiotrace", "the Linux kernel's mmiotrace of a driver on real hardware"},
    {"qemu-log", "QEMU's log of memory_region_ops_*, pci_cfg_*, vfio_*"},
};

// Straight into the tables: no ring, no thread. Keeps the first failure and then does nothing.
class StoreRecorder final : public Recorder {
 public:
  explicit StoreRecorder(TraceStore& store) : store_(store) { keep(store_.begin()); }

  void event(const Transaction& t) override {
    if (rc_ != SQLITE_OK) return;
    EventRecord record{};
    fill(record, t);
    keep(store_.add(record));
    if (!t.payload.empty()) blob(BlobKind::Payload, t.seq, t.payload);
    if (rc_ == SQLITE_OK && ++waiting_ == kCommit) {
      waiting_ = 0;
      keep(store_.commit());
      if (rc_ == SQLITE_OK) keep(store_.begin());
    }
  }
  void completion(const Transaction&) override {}
  void edit(std::uint64_t, std::uint64_t, std::uint64_t, std::uint64_t, std::uint64_t,
            std::uint32_t) override {}
  void blob(BlobKind what, std::uint64_t key, std::span<const std::byte> bytes) override {
    if (rc_ != SQLITE_OK) return;
    BlobRecord record{};
    record.key = key;
    record.length = bytes.size();
    record.what = static_cast<std::uint8_t>(what);
    keep(store_.add(record, bytes));
  }
  Result<void> finish() {
    if (rc_ == SQLITE_OK) keep(store_.finish());
    if (rc_ == SQLITE_OK) keep(store_.commit());
    if (rc_ != SQLITE_OK) return fail(why_ + "; make room on its disk and import again");
    return {};
  }

 private:
  static constexpr int kCommit = 65536;
  void keep(int rc) {
    if (rc == SQLITE_OK || rc_ != SQLITE_OK) return;
    rc_ = rc;
    why_ = store_.why();
  }
  TraceStore& store_;
  int rc_ = SQLITE_OK, waiting_ = 0;
  std::string why_;
};

}  // namespace

std::span<const ImportFormat> import_formats() {
  return kFormats;
}

Result<ImportSummary> import_stream(std::string_view format, std::istream& in,
                                    const ImportOptions& options, Recorder& out) {
  LineSource source(in, options.name.empty() ? "input" : options.name);
  ImportSession session(source, options, out);
  Result<void> done;
  if (format == "mmiotrace") {
    done = import_mmiotrace(session);
  } else if (format == "qemu-log") {
    done = import_qemu_log(session);
  } else {
    return fail(
        fmt::format("there is no import format \"{}\"; there are mmiotrace and qemu-log", format));
  }
  if (!done) return tl::unexpected(done.error());
  const auto meta = fmt::format("import.format{}{}", '\0', format);
  out.blob(BlobKind::Meta, 0, std::as_bytes(std::span(meta)));
  const auto from = fmt::format("import.source{}{}", '\0',
                                std::filesystem::path(options.name).filename().string());
  out.blob(BlobKind::Meta, 0, std::as_bytes(std::span(from)));
  return session.finish();
}

Result<ImportSummary> import_file(std::string_view format, const std::string& input,
                                  const std::string& trace, ImportOptions options) {
  std::error_code ec;
  if (std::filesystem::is_directory(input, ec))
    return fail(fmt::format("{}: is a folder; give the recording's file", input));
  std::ifstream in(input, std::ios::binary);
  if (!in) return fail(fmt::format("{}: cannot open: {}", input, std::strerror(errno)));
  if (options.name.empty()) options.name = input;
  // Made under its own name first, to refuse early what would be refused at the end.
  const auto part = fmt::format("{}.part{}", trace, getpid());
  if (std::filesystem::exists(trace, ec) && !options.overwrite)
    return fail(fmt::format("{}: exists already; choose another name or remove it first", trace));
  if (std::filesystem::exists(trace, ec) && !TraceStore::is_trace(trace))
    return fail(
        fmt::format("{}: exists and is not a pcilens trace; it is left alone, choose another "
                    "name",
                    trace));
  auto store = TraceStore::create(part);
  if (!store) return tl::unexpected(store.error());
  auto summary = [&]() -> Result<ImportSummary> {
    StoreRecorder recorder(**store);
    auto done = import_stream(format, in, options, recorder);
    if (!done) return done;
    if (auto saved = recorder.finish(); !saved) return tl::unexpected(saved.error());
    return done;
  }();
  store->reset();
  if (summary) {
    auto room = options.overwrite ? TraceStore::remove(trace) : Result<void>{};
    if (!room)
      summary = tl::unexpected(room.error());
    else if (renameat2(AT_FDCWD, part.c_str(), AT_FDCWD, trace.c_str(), RENAME_NOREPLACE) != 0)
      summary = fail(fmt::format("{}: cannot be made: {}", trace, std::strerror(errno)));
  }
  if (!summary) TraceStore::unlink_all(part);
  return summary;
}

}  // namespace pcilens
