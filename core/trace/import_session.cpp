#include "core/trace/import_session.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <span>

namespace pcilens {
namespace {

std::span<const std::byte> bytes_of(std::string_view text) {
  return std::as_bytes(std::span(text.data(), text.size()));
}

}  // namespace

void ImportSession::at_time(std::uint64_t recorded_ns) {
  if (!began_) began_ns_ = recorded_ns;
  began_ = true;
  now_ns_ = std::max(now_ns_, recorded_ns - std::min(recorded_ns, began_ns_));
}

ImportedFunction* ImportSession::find(std::string_view bdf) {
  for (const auto& f : functions_)
    if (f->bdf() == bdf) return f.get();
  return nullptr;
}

ImportedFunction* ImportSession::function(std::string_view bdf, std::string_view device) {
  if (auto* known = find(bdf)) return known;
  if (functions_.size() >= kMostFunctions) return nullptr;
  const std::string name(device);
  if (elsewhere_ && next_id_ == elsewhere_->id()) ++next_id_;
  functions_.push_back(std::make_unique<ImportedFunction>(
      static_cast<std::uint8_t>(next_id_++), name, fmt::format("{}{}", name, instances_[name]++),
      std::string(bdf)));
  return functions_.back().get();
}

// Never number 0, which is for the recording's device even where something else comes first.
ImportedFunction& ImportSession::elsewhere() {
  if (!elsewhere_) {
    elsewhere_ = std::make_unique<ImportedFunction>(
        static_cast<std::uint8_t>(std::max(1u, next_id_)), "elsewhere", "elsewhere", "");
    elsewhere_->set_bar(0, 0, 1ull << 52, 0);
  }
  return *elsewhere_;
}

void ImportSession::record(Transaction t) {
  t.seq = ++seq_;
  t.t_ns = t.done_ns = now_ns_;
  t.status = Status::SC;
  out_.event(t);
}

void ImportSession::memory(std::uint64_t address, std::uint32_t size, std::uint64_t value,
                           bool write, std::uint32_t thread, std::uint16_t cpu) {
  Transaction t;
  t.kind = write ? Kind::MemWrite : Kind::MemRead;
  t.size = size;
  t.value = value;
  t.thread = thread;
  t.cpu = cpu;
  for (const auto& f : functions_) {
    const auto place = f->place_of(address, size);
    if (!place) continue;
    t.function = f->id();
    t.bar = place->bar;
    t.offset = place->offset;
    f->bar_access(*place, size, write, value);
    return record(t);
  }
  ++elsewhere_accesses_;
  t.function = elsewhere().id();
  t.bar = 0;
  t.offset = address;
  record(t);
}

void ImportSession::config(ImportedFunction& function, std::uint16_t offset, std::uint32_t size,
                           std::uint32_t value, bool write, std::uint32_t thread) {
  if (write)
    function.config_write(offset, size, value);
  else
    function.config_read(offset, size, value);
  Transaction t;
  t.kind = write ? Kind::CfgWrite : Kind::CfgRead;
  t.function = function.id();
  t.bar = kBarConfig;
  t.offset = offset;
  t.size = size;
  t.value = value;
  t.thread = thread;
  record(t);
}

void ImportSession::note(std::string_view text) {
  ++notes_;
  out_.blob(BlobKind::Note, seq_, bytes_of(text));
}

void ImportSession::remark(std::string_view rule, const std::string& text) {
  remarks_.push_back(text);
  const auto json = nlohmann::json{{"rule", std::string(rule)}, {"text", text}}.dump(
      -1, ' ', false, nlohmann::json::error_handler_t::replace);
  out_.blob(BlobKind::Finding, seq_, bytes_of(json));
}

ImportSummary ImportSession::finish() {
  ImportSummary summary;
  const auto describe = [&](const ImportedFunction& f, bool ask) {
    const auto vendor = static_cast<std::uint16_t>(f.first(cfg::kVendor, 2));
    const auto device = static_cast<std::uint16_t>(f.first(cfg::kDevice, 2));
    const auto known =
        ask && options_.known_device ? options_.known_device(vendor, device) : KnownDevice{};
    out_.blob(BlobKind::Function, f.id(), bytes_of(f.json(known)));
    if (ask)
      summary.functions.push_back(fmt::format("{} {} {:04x}:{:04x}",
                                              known.device.empty() ? f.device() : known.device,
                                              f.bdf(), vendor, device));
  };
  for (const auto& f : functions_) describe(*f, true);
  if (elsewhere_) describe(*elsewhere_, false);
  if (elsewhere_accesses_ != 0)
    remark(
        "import.elsewhere",
        fmt::format("{} accesses lie in no BAR of a known function; they stand under \"elsewhere\""
                    " with their absolute address",
                    elsewhere_accesses_));
  if (began_) {
    const auto meta = fmt::format("import.first_ns{}{}", '\0', began_ns_);
    out_.blob(BlobKind::Meta, 0, bytes_of(meta));
  }
  summary.lines = source.number();
  summary.events = seq_;
  summary.notes = notes_;
  summary.remarks = std::move(remarks_);
  return summary;
}

}  // namespace pcilens
