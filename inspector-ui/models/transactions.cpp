#include "inspector-ui/models/transactions.hpp"

#include <fmt/format.h>

#include "inspector-ui/commands/describe.hpp"
#include "inspector-ui/commands/place.hpp"

namespace pcilens::gui {
namespace {

// Whether the kind has a value that a person wants to see.
bool has_value(Kind kind) {
  switch (kind) {
    case Kind::CfgRead:
    case Kind::CfgWrite:
    case Kind::MemRead:
    case Kind::MemWrite:
    case Kind::State:
    case Kind::Force: return true;
    default: return false;
  }
}

std::string flag_of(const TraceRow& row, bool& bad) {
  const Transaction& t = row.transaction;
  bad = false;
  switch (t.status) {
    case Status::UR:
    case Status::CA:
    case Status::Timeout: bad = true; return std::string(name_of(t.status));
    case Status::Pending: return "pending";
    case Status::SC: break;
  }
  switch (t.answered_by) {
    case AnsweredBy::Rule: return "fault rule";
    case AnsweredBy::Nobody: bad = true; return "no answer";
    case AnsweredBy::PassedStop: bad = true; return "passed the stop";
    case AnsweredBy::User: return "edited";
    case AnsweredBy::Function:
    case AnsweredBy::Shadow: break;
  }
  return row.edit ? "edited" : std::string();
}

// "edu1:" where there are several functions: it stands before the whole condition.
std::string prefix_of(const Snapshot& snapshot, const Transaction& t) {
  if (snapshot.functions.size() <= 1 || t.function >= snapshot.functions.size()) return {};
  return snapshot.functions[t.function].instance + ":";
}

// The place as expressions name it (docs/expressions.md): a register, "BAR0+0x98", the name of a
// config item, or "[0x500..0x503]" of config space; empty where the kind has no such place.
std::string place_of(const Snapshot& snapshot, const Transaction& t) {
  const bool stored = t.kind == Kind::State || t.kind == Kind::Force;
  if (!is_memory(t.kind) && !is_config(t.kind) && !stored) return {};
  if (t.bar == kBarConfig) {
    if (const ConfigItem* item = snapshot.names->config(t.function).at(t.offset)) return item->name;
    return fmt::format("[{:#x}..{:#x}]", t.offset, t.offset + (t.size == 0 ? 1 : t.size) - 1);
  }
  if (const RegisterRef ref = snapshot.names->at(t)) return name_of(ref);
  return t.bar >= 0 ? fmt::format("BAR{}+{:#x}", t.bar, t.offset) : std::string();
}

std::string payload_of(const TraceRow& row) {
  const std::uint32_t bytes = row.transaction.size != 0 ? row.transaction.size : row.payload_bytes;
  return fmt::format("{} bytes", bytes);
}

}  // namespace

KindGroup group_of(Kind kind) {
  switch (kind) {
    case Kind::CfgRead:
    case Kind::CfgWrite: return KindGroup::Config;
    case Kind::MemRead: return KindGroup::Read;
    case Kind::MemWrite:
    case Kind::State:
    case Kind::Force: return KindGroup::Write;
    case Kind::DmaRead:
    case Kind::DmaWrite:
    case Kind::DmaMap:
    case Kind::DmaUnmap: return KindGroup::Dma;
    case Kind::Irq: return KindGroup::Interrupt;
    default: return KindGroup::Note;
  }
}

std::string expression_for_place(const Snapshot& snapshot, const Transaction& t) {
  const std::string place = place_of(snapshot, t);
  if (place.empty()) return {};
  return prefix_of(snapshot, t) + (t.bar == kBarConfig && place[0] != '[' ? "config " : "") +
         (place[0] == '[' ? "config" : "") + place;
}

std::string expression_for_kind_and_place(const Snapshot& snapshot, const Transaction& t) {
  if (t.kind == Kind::Control || t.kind == Kind::Gap) return {};
  const std::string prefix = prefix_of(snapshot, t), place = place_of(snapshot, t);
  std::string kind(name_of(t.kind));
  if (is_memory(t.kind)) kind = is_read(t.kind) ? "read" : "write";
  if (is_config(t.kind)) kind = is_read(t.kind) ? "config read" : "config write";
  if (is_dma(t.kind)) kind = is_read(t.kind) ? "dma read" : "dma write";
  // Bytes of config space without a name are told by their offset.
  if (!place.empty() && place[0] == '[')
    return fmt::format("{}({} and offset == {:#x})", prefix, kind, t.offset);
  return place.empty() ? prefix + kind : prefix + kind + " " + place;
}

TransactionText text_of(const Snapshot& snapshot, const TraceRow& recorded) {
  const TraceRow row = ui::as_held(snapshot, recorded);
  const Transaction& t = row.transaction;
  TransactionText out;
  out.seq = fmt::format("{}", t.seq);
  out.time = fmt::format("{}.{:06}", t.t_ns / 1'000'000'000, t.t_ns / 1000 % 1'000'000);
  out.kind = std::string(in_words(t.kind));
  if (t.kind != Kind::Control && t.kind != Kind::Gap && t.kind != Kind::Reset)
    out.place = snapshot.names->place(t);
  // What somebody did to the link itself; the function has no part in it.
  out.who = std::string(t.kind == Kind::Control ? "link" : name_of(t.origin));
  out.flag = flag_of(row, out.bad);
  if (const auto ignored = snapshot.names->ignored(t).value_or(Ignored::No);
      ignored != Ignored::No && out.flag.empty())
    out.flag = fmt::format("ignored: {}", in_words(ignored));
  out.meaning = row.text;
  if (is_dma(t.kind) || t.kind == Kind::DmaMap) out.meaning = payload_of(row);
  if (!has_value(t.kind)) return out;
  out.value = is_read(t.kind) && t.status == Status::Pending ? "…" : ui::hex(t.value, t.size);
  if (out.value == "…") return out;
  // Config space by its own bytes: they have the capabilities where the driver finds them.
  const ui::Spot spot = ui::spot_of(snapshot, t);
  if (spot.item && t.offset == spot.item->offset && t.size == spot.item->width) {
    if (!spot.fields.empty()) out.meaning = Names::decode(spot.fields, t.value);
  } else {
    out.meaning = snapshot.names->decode(t);
  }
  return out;
}

}  // namespace pcilens::gui
