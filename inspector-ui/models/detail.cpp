#include "inspector-ui/models/detail.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "core/pci/config_space.hpp"
#include "inspector-ui/commands/describe.hpp"
#include "inspector-ui/commands/place.hpp"
#include "inspector-ui/models/field_text.hpp"
#include "inspector-ui/models/transactions.hpp"

namespace pcilens::gui {
namespace {

std::string instance_of(const Snapshot& snapshot, const Transaction& t) {
  return t.function < snapshot.functions.size() ? snapshot.functions[t.function].instance
                                                : fmt::format("function {}", t.function);
}

std::string where_of(const Snapshot& snapshot, const Transaction& t) {
  const std::string instance = instance_of(snapshot, t);
  if (t.bar >= 0)
    return fmt::format("{}, BAR{}+0x{:03x}, {} bytes", instance, t.bar, t.offset, t.size);
  if (t.bar == kBarConfig)
    return fmt::format("{}, config+0x{:03x}, {} bytes", instance, t.offset, t.size);
  if (t.bar == kBarDma) return fmt::format("{}, IOVA 0x{:x}, {} bytes", instance, t.offset, t.size);
  return instance;
}

// " after 12.300 µs, held for 4.120 s before".
std::string took_text(const Transaction& t, std::uint64_t held) {
  if (t.done_ns <= t.t_ns) return {};
  const std::uint64_t all = t.done_ns - t.t_ns;
  std::string text = " after " + ui::format_time(all - std::min(all, held));
  if (held != 0) text += fmt::format(", held for {} before", ui::format_time(held));
  return text;
}

bool has_value(const Transaction& t) {
  return is_config(t.kind) || is_memory(t.kind) || t.kind == Kind::State || t.kind == Kind::Force;
}

void tell_outcome(const Snapshot& snapshot, const TraceRow& row, std::span<const TraceRow> later,
                  DetailModel& m) {
  const Transaction& t = row.transaction;
  const std::string instance = instance_of(snapshot, t);
  const bool by_function = t.origin == Origin::Function;
  const std::string took = took_text(t, ui::held_ns(t, later));
  const std::string why = ui::refusal_text(t, is_dma(t.kind) ? row.finding : "");
  if (why != row.finding) m.finding = row.finding;
  m.bad = t.status != Status::SC && t.status != Status::Pending;
  switch (t.status) {
    case Status::Pending:
      m.outcome = snapshot.stop && snapshot.stop->transaction.seq == t.seq ? "Held: see Stop"
                                                                           : "Not completed yet";
      return;
    case Status::UR:
      m.outcome = (why.empty() ? "Unsupported Request: nobody there takes it"
                               : fmt::format("Unsupported Request, refused: {}", why)) +
                  took;
      return;
    case Status::CA:
      m.outcome = (why.empty() ? "Completer Abort: it was refused"
                               : fmt::format("Completer Abort, refused: {}", why)) +
                  took;
      return;
    case Status::Timeout: m.outcome = "Completion timeout: no answer came" + took; return;
    case Status::SC: break;
  }
  if (is_read(t.kind)) {
    switch (t.answered_by) {
      case AnsweredBy::Function:
        m.outcome = (by_function ? "Host memory" : instance) + " answered" + took;
        break;
      case AnsweredBy::Shadow: m.outcome = "The host's own copy answered"; break;
      case AnsweredBy::Rule: m.outcome = "A fault rule answered" + took; break;
      case AnsweredBy::User: m.outcome = "Somebody at a stop answered" + took; break;
      case AnsweredBy::Nobody:
        m.outcome = "Nobody answered: all ones";
        m.bad = true;
        break;
      case AnsweredBy::PassedStop:
        m.outcome = instance + " answered past the stop: the driver could not wait";
        m.bad = true;
        break;
    }
  } else if (is_dma(t.kind)) {
    m.outcome = "Written to host memory" + took;
  } else if (t.kind == Kind::Irq) {
    m.outcome = "Signalled to the driver";
  } else if (is_config(t.kind) || is_memory(t.kind)) {
    m.outcome = "Delivered to " + instance + took;
  }
}

void add_fields(const Snapshot& snapshot, const Transaction& t, DetailModel& m) {
  const ui::Spot spot = ui::spot_of(snapshot, t);
  if (spot.ref) m.spec = std::string(spot.ref.reg->spec);
  const bool whole = (spot.ref && t.offset == spot.ref.offset() && t.size == spot.ref.reg->width) ||
                     (spot.item && t.offset == spot.item->offset && t.size == spot.item->width);
  if (!whole || (is_read(t.kind) && t.status != Status::SC)) return;
  for (const Field& f : spot.fields) {
    if (f.access == Access::Reserved && f.extract(t.value) == 0) continue;
    m.fields.push_back(
        {std::string(f.name), bits_text(f), field_text(f, t.value), std::string(f.doc)});
  }
}

void add_edits(const TraceRow& row, DetailModel& m) {
  if (!row.edit) return;
  const Edit& e = *row.edit;
  const std::uint32_t size = row.transaction.size;
  const std::string by =
      e.rule != 0 ? fmt::format("fault rule {}", e.rule) : std::string("by hand at a stop");
  if (e.sent != e.delivered)
    m.edits.push_back(fmt::format("Sent {}, delivered {}  ({})", ui::hex(e.sent, size),
                                  ui::hex(e.delivered, size), by));
  if (is_read(row.transaction.kind) && e.answered != e.returned)
    m.edits.push_back(fmt::format("Answered {}, returned {}  ({})", ui::hex(e.answered, size),
                                  ui::hex(e.returned, size), by));
}

}  // namespace

TlpEnds tlp_ends(const Snapshot& snapshot, const Transaction& t) {
  TlpEnds ends;
  if (t.function >= snapshot.functions.size()) return ends;
  const FunctionState& f = snapshot.functions[t.function];
  ends.function = routing_id(f.bdf).value_or(0);
  for (const BarState& bar : f.bars)
    if (bar.index == t.bar) ends.bar_address = bar.address;
  if (!f.config || f.config->size() < 256) return ends;
  const auto byte = [&](std::size_t at) { return std::to_integer<unsigned>((*f.config)[at]); };
  const auto word = [&](std::size_t at) { return byte(at) | byte(at + 1) << 8; };
  const auto dword = [&](std::size_t at) { return word(at) | word(at + 2) << 16; };
  unsigned at = byte(0x34) & 0xfc;
  for (int i = 0; at >= 0x40 && at + 16 <= 256 && i < 48; ++i, at = byte(at + 1) & 0xfc) {
    constexpr unsigned kMsi = 0x05, kExpress = 0x10, kMsix = 0x11;
    const unsigned control = word(at + 2);
    if (byte(at) == kExpress) {
      // Device Control, 7.5.3.4: sizes are 128 << field.
      ends.max_payload = 128u << std::min(word(at + 8) >> 5 & 7, 5u);
      ends.max_read_request = 128u << std::min(word(at + 8) >> 12 & 7, 5u);
    } else if (byte(at) == kMsi && (control & 1) != 0 && t.kind == Kind::Irq) {
      // 7.7.1: the low bits of the data are the message's number.
      const bool wide = (control & 0x80) != 0;
      const std::uint32_t vectors = 1u << std::min(control >> 4 & 7, 5u);
      const std::uint64_t high = wide ? dword(at + 8) : 0;
      const std::uint32_t data = word(at + (wide ? 12 : 8));
      ends.msi = {high << 32 | dword(at + 4),
                  (data & ~(vectors - 1)) | (static_cast<std::uint32_t>(t.offset) & (vectors - 1))};
    } else if (byte(at) == kMsix && (control & 0x8000) != 0) {
      // 7.7.2: entries of 16 bytes.
      const unsigned table = dword(at + 4);
      ends.msix_entry = fmt::format("BAR{}+{:#x}", table & 7, (table & ~7u) + t.offset * 16);
    }
  }
  return ends;
}

DetailModel detail_model(const Snapshot& snapshot, const TraceRow& recorded,
                         std::span<const TraceRow> later) {
  const TraceRow row = ui::as_held(snapshot, recorded);
  const Transaction& t = row.transaction;
  DetailModel m;
  const bool plain = t.kind == Kind::Control || t.kind == Kind::Gap;
  m.headline = std::string(in_words(t.kind));
  if (const std::string place = plain ? "" : snapshot.names->place(t); !place.empty())
    m.headline += " " + place;
  if (plain) {
    m.outcome = row.text;
  } else {
    tell_outcome(snapshot, row, later, m);
  }
  const bool answered = !is_read(t.kind) || t.status == Status::SC;
  if (has_value(t) && answered) m.value = ui::hex(t.value, t.size);
  add_edits(row, m);
  if (has_value(t)) add_fields(snapshot, t, m);
  m.facts.push_back({"Number", fmt::format("{}", t.seq)});
  if (!plain) m.facts.push_back({"Where", where_of(snapshot, t)});
  std::string who(t.origin == Origin::Driver && plain ? "link" : name_of(t.origin));
  if (t.thread != 0)
    who += fmt::format(", thread {}, CPU {}", ui::thread_text(row.thread, t.thread), t.cpu);
  m.facts.push_back({"Who", who});
  m.facts.push_back({"When", ui::format_time(t.t_ns)});
  m.tlp = tlp_exchange(t, tlp_ends(snapshot, t));
  return m;
}

std::vector<TraceRow> effects_of(std::uint64_t seq, const std::vector<TraceRow>& rows) {
  std::vector<TraceRow> effects;
  for (const TraceRow& row : rows)
    if (row.transaction.cause == seq && row.transaction.seq != seq) effects.push_back(row);
  return effects;
}

std::string line_of(const Snapshot& snapshot, const TraceRow& row) {
  const TransactionText text = text_of(snapshot, row);
  // "timer 3" says by itself that it is a timer.
  if (text.place.starts_with(text.kind)) return text.place;
  std::string line = text.kind;
  if (!text.place.empty()) line += " " + text.place;
  if (!text.value.empty())
    line += " = " + text.value;
  else if (!text.meaning.empty())
    line += ", " + text.meaning;
  return line;
}

}  // namespace pcilens::gui
