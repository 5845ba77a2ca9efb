#include "inspector-ui/models/stop.hpp"

#include <fmt/format.h>

#include <cctype>

#include "inspector-ui/commands/describe.hpp"
#include "inspector-ui/commands/place.hpp"
#include "inspector-ui/models/field_text.hpp"
#include "inspector-ui/models/transactions.hpp"

namespace pcilens::gui {
namespace {

bool value_is_there(const Stop& stop) {
  const Transaction& t = stop.transaction;
  if (is_config(t.kind) || is_memory(t.kind)) return !is_read(t.kind) || stop.phase == Phase::After;
  return t.kind == Kind::State || t.kind == Kind::Force;
}

std::string phase_text(const Stop& stop, const std::string& instance) {
  const Transaction& t = stop.transaction;
  const bool by_function = t.origin == Origin::Function;
  if (stop.phase == Phase::Before)
    return by_function ? "Held before the host sees it" : "Held before " + instance + " sees it";
  const bool refused = t.status == Status::UR || t.status == Status::CA;
  if (t.status == Status::Timeout) return "Held after it was lost on its way";
  if (refused && t.answered_by == AnsweredBy::Rule) return "Held after a fault rule refused it";
  if (by_function)
    return refused ? "Held after the host refused it" : "Held after the host took it";
  return fmt::format("Held after {} {}, before the driver sees it", instance,
                     refused ? "refused it" : "answered");
}

std::string place_text(const Snapshot& snapshot, const Transaction& t) {
  const std::string instance = t.function < snapshot.functions.size()
                                   ? snapshot.functions[t.function].instance
                                   : fmt::format("function {}", t.function);
  if (t.bar >= 0)
    return fmt::format("{}, BAR{}+0x{:03x}, {} bytes", instance, t.bar, t.offset, t.size);
  if (t.bar == kBarConfig)
    return fmt::format("{}, config+0x{:03x}, {} bytes", instance, t.offset, t.size);
  if (t.bar == kBarDma) return fmt::format("{}, IOVA 0x{:x}, {} bytes", instance, t.offset, t.size);
  return instance;
}

// The panel's sentences begin with a capital; a terminal's lines do not.
std::string as_sentence(std::string text) {
  if (!text.empty())
    text.front() = static_cast<char>(std::toupper(static_cast<unsigned char>(text.front())));
  return text;
}

}  // namespace

StopModel stop_model(const Snapshot& snapshot) {
  const Stop& stop = *snapshot.stop;
  const Transaction& t = stop.transaction;
  StopModel m;
  m.headline = fmt::format("{} {}", in_words(t.kind), snapshot.names->place(t));
  const std::string instance = t.function < snapshot.functions.size()
                                   ? snapshot.functions[t.function].instance
                                   : std::string("the function");
  m.phase = phase_text(stop, instance);
  if (stop.phase == Phase::After && t.status != Status::SC && t.status != Status::Pending) {
    const std::string why = ui::refusal_text(t, stop.refusal);
    m.refused =
        fmt::format("Refused: {}{}{}", why, why.empty() ? "" : "; ", ui::status_text(t.status));
  }
  m.reason = stop.reason;
  m.where = place_text(snapshot, t);
  m.when = fmt::format("transaction {} at {}", t.seq, ui::format_time(t.t_ns));
  m.held = as_sentence(ui::held_text(snapshot));
  m.who = std::string(name_of(t.origin));
  if (const std::string thread = ui::thread_text(stop.thread_name, t.thread); !thread.empty())
    m.who += ", thread " + thread;
  if (t.thread != 0) m.who += fmt::format(", CPU {}", t.cpu);
  m.bytes = t.size == 0 || t.size > 8 ? 8 : t.size;

  const ui::Spot spot = ui::spot_of(snapshot, t);
  m.has_value = value_is_there(stop);
  const bool whole = (spot.ref && t.offset == spot.ref.offset() && t.size == spot.ref.reg->width) ||
                     (spot.item && t.offset == spot.item->offset && t.size == spot.item->width);
  m.new_value = t.value;
  if (is_read(t.kind) && !m.has_value && (is_config(t.kind) || is_memory(t.kind))) {
    const auto now = whole ? ui::peek(snapshot, spot) : std::nullopt;
    m.foreseen = now.has_value();
    m.new_value = now.value_or(0);
    m.waiting = m.foreseen ? "Not answered yet. To change the answer, break after the read."
                           : "A read has no value yet. Step, or break after it, to see the answer.";
  }
  // Before delivery the register still holds what it held; afterwards the snapshot has the new one.
  std::uint64_t then = m.new_value;
  if (!is_read(t.kind) && stop.phase == Phase::Before) {
    if (const auto now = ui::peek(snapshot, spot)) {
      m.has_old = true;
      m.old_value = *now;
      if (whole) {
        then = ui::after_write(snapshot, spot, *now, t.value);
        m.becomes = ui::becomes_text(snapshot, spot, t, *now);
      }
    }
  }
  if (const auto ignored = snapshot.names->ignored(t).value_or(Ignored::No);
      ignored != Ignored::No && m.becomes.empty())
    m.becomes = fmt::format("ignored: {}", in_words(ignored));
  m.becomes = as_sentence(std::move(m.becomes));
  m.old_text = m.has_old ? ui::hex(m.old_value, m.bytes) : std::string();
  m.new_text = m.has_value || m.foreseen ? ui::hex(m.new_value, m.bytes) : std::string();
  if (stop.edited)
    m.edited = fmt::format("{} {}, you changed it",
                           is_read(t.kind) ? "The device answered" : "The driver sent",
                           ui::hex(stop.original, m.bytes));

  if (!whole || !(m.has_value || m.foreseen)) return m;
  m.field_storage = spot.fields;
  for (const Field& f : m.field_storage) {
    StopField row;
    row.name = std::string(f.name);
    row.bits = bits_text(f);
    row.access = std::string(name_of(f.access));
    row.doc = std::string(f.doc);
    row.new_value = field_text(f, then);
    if (m.has_old) {
      row.old_value = field_text(f, m.old_value);
      row.changes = f.extract(m.old_value) != f.extract(then);
    }
    row.field = &f;
    m.fields.push_back(std::move(row));
  }
  return m;
}

std::string state_text(const Snapshot& snapshot) {
  switch (snapshot.state) {
    case RunState::Running: return "Running";
    case RunState::Paused: return "Paused";
    case RunState::Ended: return snapshot.gone ? "Gone" : "Ended";
    case RunState::Stopped: break;
  }
  if (!snapshot.stop || snapshot.stop->reason.empty()) return "Stopped";
  const std::string& reason = snapshot.stop->reason;
  if (reason == "step") return "Stopped after a step";
  if (reason == "the driver's first access") return "Stopped at the driver's first access";
  return (reason.starts_with("breakpoint") ? "Stopped at " : "Stopped: ") + reason;
}

std::string what_to_do(const Snapshot& snapshot) {
  switch (snapshot.state) {
    case RunState::Running:
      return "The driver is running. Pause it, or add a breakpoint such as  irq.";
    case RunState::Paused:
      return "Delivery is paused and nothing is held. Step to the next access, or run on.";
    case RunState::Ended:
      if (snapshot.gone) return snapshot.driver + ". The trace is what is left.";
      return is_recording(snapshot) ? "Restart goes back to its beginning."
                                    : "Registers can still be poked; Restart begins again.";
    case RunState::Stopped: break;
  }
  return {};
}

}  // namespace pcilens::gui
