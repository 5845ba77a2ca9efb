#include "inspector-ui/commands/describe.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "core/target/kernel_locks.hpp"

namespace pcilens::ui {
namespace {

std::string bits_of(const Field& f) {
  return f.high == f.low ? fmt::format("{}", f.low) : fmt::format("{}:{}", f.high, f.low);
}

std::string value_text(const Transaction& t) {
  switch (t.kind) {
    case Kind::CfgRead:
    case Kind::CfgWrite:
    case Kind::MemRead:
    case Kind::MemWrite:
    case Kind::State:
    case Kind::Force: return hex(t.value, t.size);
    case Kind::DmaRead:
    case Kind::DmaWrite: return fmt::format("{} bytes", t.size);
    case Kind::DmaMap: return fmt::format("{} bytes", t.value > 2 ? t.value : t.size);
    case Kind::Reset: return t.value == 1 ? "FLR" : t.value == 2 ? "hot-plug" : "conventional";
    default: return {};
  }
}

std::string_view ignored_note(const Snapshot& snapshot, const Transaction& t) {
  return in_words(snapshot.names->ignored(t).value_or(Ignored::No));
}

bool has_value(const Transaction& t) {
  if (t.kind == Kind::State || t.kind == Kind::Force) return true;
  return (is_config(t.kind) || is_memory(t.kind)) &&
         (!is_read(t.kind) || t.status != Status::Pending);
}

// What the link did with what it held; other controls have a sentence of their own.
std::string control_text(const Transaction& t, const std::string& text) {
  if (t.offset == static_cast<std::uint64_t>(Control::Stop))
    return fmt::format("#{} held: {}", t.value, text);
  if (t.offset == static_cast<std::uint64_t>(Control::Release))
    return text == "before" || text == "after" ? fmt::format("#{} released", t.value)
                                               : fmt::format("#{} released {}", t.value, text);
  return text;
}

}  // namespace

std::string field_value(const Field& field, std::uint64_t value) {
  const std::uint64_t v = field.extract(value);
  for (const EnumValue& e : field.values)
    if (e.value == v) return fmt::format("{} ({})", e.name, v);
  return v < 10 ? fmt::format("{}", v) : fmt::format("{:#x}", v);
}

std::string decode(std::span<const Field> fields, std::uint64_t value) {
  std::string out;
  for (const Field& f : fields) {
    if (f.access == Access::Reserved) continue;
    const std::uint64_t v = f.extract(value);
    const auto named = std::find_if(f.values.begin(), f.values.end(),
                                    [&](const EnumValue& e) { return e.value == v; });
    out += fmt::format("{}{}=", out.empty() ? "" : " ", f.name);
    out += named != f.values.end() ? std::string(named->name)
           : v < 10                ? fmt::format("{}", v)
                                   : fmt::format("{:#x}", v);
  }
  return out;
}

Table field_table(std::span<const Field> fields, std::uint64_t value,
                  std::optional<std::uint64_t> before) {
  Table table;
  table.columns = {{"field", "field"},
                   {"bits", "bits", true},
                   {"value", "value"},
                   {"access", "access"},
                   {"", "doc", false, true}};
  for (const Field& f : fields) {
    const bool changed = before && f.extract(*before) != f.extract(value);
    std::string shown = field_value(f, value);
    if (changed) shown = field_value(f, *before) + " → " + shown;
    table.rows.push_back(
        {{std::string(f.name), Style::Name},
         {bits_of(f), Style::Dim},
         {shown, changed ? Style::Changed : Style::Value, fmt::format("{}", f.extract(value))},
         {std::string(name_of(f.access)), Style::Dim},
         {std::string(f.doc), Style::Dim}});
  }
  return table;
}

std::string status_text(Status status) {
  switch (status) {
    case Status::SC: return "successful (SC)";
    case Status::UR: return "unsupported request (UR)";
    case Status::CA: return "completer abort (CA)";
    case Status::Timeout: return "no completion came (timeout)";
    case Status::Pending: return "pending";
  }
  return {};
}

std::string refusal_text(const Transaction& t, std::string_view known) {
  if (t.status == Status::SC || t.status == Status::Pending) return {};
  if (!known.empty()) return std::string(known);
  return t.answered_by == AnsweredBy::Rule ? "a fault rule" : "";
}

std::string thread_text(std::string_view name, std::uint32_t number) {
  if (number == 0) return std::string(name);
  return name.empty() ? fmt::format("{}", number) : fmt::format("{} ({})", name, number);
}

TraceRow as_held(const Snapshot& s, TraceRow row) {
  if (!s.stop || is_recording(s) || s.stop->transaction.seq != row.transaction.seq) return row;
  const Stop& stop = *s.stop;
  row.transaction = stop.transaction;
  if (row.finding.empty()) row.finding = stop.refusal;
  if (!stop.edited) return row;
  Edit edit = row.edit.value_or(Edit{});
  edit.rule = 0;
  if (stop.phase == Phase::Before) {
    edit.sent = stop.original;
    edit.delivered = stop.transaction.value;
  } else {
    edit.answered = stop.original;
    edit.returned = stop.transaction.value;
  }
  row.edit = edit;
  return row;
}

std::uint64_t held_ns(const Transaction& t, std::span<const TraceRow> later) {
  std::uint64_t held = 0, since = 0;
  for (const TraceRow& row : later) {
    const Transaction& control = row.transaction;
    if (control.kind != Kind::Control || control.value != t.seq || control.t_ns > t.done_ns)
      continue;
    if (control.offset == static_cast<std::uint64_t>(Control::Stop)) since = control.t_ns;
    if (control.offset == static_cast<std::uint64_t>(Control::Release) && since != 0)
      held += control.t_ns - std::exchange(since, 0);
  }
  return held;
}

std::string becomes_text(const Snapshot& s, const Spot& spot, const Transaction& t,
                         std::uint64_t before) {
  const std::uint64_t after = after_write(s, spot, before, t.value);
  if (after == t.value) return {};
  const std::string_view ignored = ignored_note(s, t);
  const std::string why = ignored.empty() ? "by its access rules" : std::string(ignored);
  return after == before ? fmt::format("stays {} ({})", hex(before, t.size), why)
                         : fmt::format("becomes {} ({})", hex(after, t.size), why);
}

std::string follows_text(const Snapshot& s, const Transaction& t, const Transaction& from) {
  const auto one = [&](const Transaction& of) {
    const std::string place = place_text(s, of);
    return fmt::format("#{} {}{}{}", of.seq, in_words(of.kind), place.empty() ? "" : " ", place);
  };
  return fmt::format("{} follows from {}: there the driver stood", one(t), one(from));
}

std::string place_text(const Snapshot& snapshot, const Transaction& t) {
  if (t.kind == Kind::Control || t.kind == Kind::Gap) return {};
  // Config space by its own bytes: they have the capabilities where the driver finds them.
  if (t.bar == kBarConfig) {
    const Spot spot = spot_of(snapshot, t);
    if (spot.item && spot.place.offset <= t.offset &&
        t.offset + t.size <= spot.place.offset + spot.place.size)
      return t.offset == spot.place.offset
                 ? spot.name
                 : fmt::format("{}+{}", spot.name, t.offset - spot.place.offset);
  }
  return snapshot.names->place(t);
}

Output describe_code(const CodeView& view) {
  Output out;
  Table stack;
  stack.columns = {{"", "depth", true}, {"function", "symbol"}, {"line", "line", false, true}};
  stack.columns.back().keep_end = true;
  for (std::size_t i = 0; i < view.stack.size(); ++i) {
    const CodeView::Frame& f = view.stack[i];
    stack.rows.push_back(
        {{fmt::format("{}", i), Style::Dim, fmt::format("{}", i)},
         {f.symbol, Style::Name},
         {f.file.empty() ? "" : fmt::format("{}:{}", f.file, f.line), Style::Dim}});
  }
  out.add(std::move(stack));
  for (const KernelLock& lock : kernel_locks(view)) {
    Line line;
    line.add("it holds ", Style::Dim).add(std::string(lock.name), Style::Bad);
    line.add(fmt::format(" ({}): {}", lock.taken_by, lock.meanwhile), Style::Dim);
    out.add(std::move(line));
  }
  if (!view.instructions.empty()) {
    Table code;
    code.columns = {
        {"", "accessing"}, {"", "address"}, {"", "bytes"}, {"", "instruction", false, true}};
    for (const CodeView::Instruction& i : view.instructions)
      code.rows.push_back({{i.accessing ? "→" : "", Style::Bad, i.accessing ? "true" : "false"},
                           {i.address, Style::Dim},
                           {i.bytes, Style::Dim},
                           {i.text, i.accessing ? Style::Strong : Style::Plain}});
    out.add(Line());
    out.add(std::move(code));
  }
  return out;
}

std::vector<Column> transaction_columns() {
  const auto json_only = [](std::string key) {
    return Column{.title = {}, .key = std::move(key), .json_only = true};
  };
  return {{"#", "seq", true},        {"time", "t_ns", true}, {"origin", "origin"},
          {"what", "kind"},          {"where", "place"},     {"value", "value", true},
          {"", "note", false, true}, json_only("status"),    json_only("answered_by"),
          json_only("bar"),          json_only("offset"),    json_only("size"),
          json_only("cause")};
}

std::vector<Cell> transaction_row(const Snapshot& snapshot, const TraceRow& row) {
  const Transaction& t = row.transaction;
  const Spot spot = spot_of(snapshot, t);
  std::string note = t.kind == Kind::Control ? control_text(t, row.text) : row.text;
  if (const std::string_view ignored = ignored_note(snapshot, t); !ignored.empty())
    note = fmt::format("ignored: {}", ignored);
  else if (has_value(t) && note.empty())
    note = spot.place.offset == t.offset && spot.place.size == t.size ? decode(spot.fields, t.value)
                                                                      : snapshot.names->decode(t);
  Style style = Style::Dim;
  const bool held =
      snapshot.stop && !is_recording(snapshot) && snapshot.stop->transaction.seq == t.seq;
  if (held || (t.status == Status::Pending && t.kind <= Kind::Irq)) {
    const std::string state = held ? "held" : "pending";
    note = note.empty() ? state : state + "  " + note;
    style = Style::Changed;
  }
  if (t.status != Status::SC && t.status != Status::Pending) {
    note = fmt::format("{}{}{}", name_of(t.status), note.empty() ? "" : "  ", note);
    style = Style::Bad;
  }
  if (row.edit) note += note.empty() ? "edited" : "  edited";
  if (t.answered_by != AnsweredBy::Function && t.answered_by != AnsweredBy::User)
    note += fmt::format("{}by {}", note.empty() ? "" : "  ", name_of(t.answered_by));
  const std::string place = place_text(snapshot, t);
  return {{fmt::format("{}", t.seq), Style::Dim, fmt::format("{}", t.seq)},
          {format_time(t.t_ns), Style::Dim, fmt::format("{}", t.t_ns)},
          {t.kind == Kind::Control ? "link" : std::string(name_of(t.origin)),
           t.origin == Origin::Poke ? Style::Changed : Style::Dim, json_string(name_of(t.origin))},
          {std::string(in_words(t.kind)), Style::Plain, json_string(name_of(t.kind))},
          {place, Style::Name},
          {has_value(t) || !is_read(t.kind) ? value_text(t) : "", Style::Value,
           fmt::format("{}", t.value)},
          {std::move(note), style},
          {.text = {}, .json = json_string(name_of(t.status))},
          {.text = {}, .json = json_string(name_of(t.answered_by))},
          {.text = {}, .json = fmt::format("{}", t.bar)},
          {.text = {}, .json = fmt::format("{}", t.offset)},
          {.text = {}, .json = fmt::format("{}", t.size)},
          {.text = {}, .json = fmt::format("{}", t.cause)}};
}

std::string cost_of(const Snapshot& s, std::string_view synchronous) {
  if (is_recording(s)) return "It costs nothing in a recording.";
  if (synchronous.empty()) return "The driver waits nowhere because of it.";
  return fmt::format(
      "The driver waits for the device at {}, so that it can be held there; elsewhere its writes "
      "go on without waiting (posted).",
      synchronous);
}

std::string describe_state(const Snapshot& s) {
  switch (s.state) {
    case RunState::Running: return fmt::format("running, #{} so far", s.seq);
    case RunState::Paused: return fmt::format("paused after #{}", s.seq);
    case RunState::Stopped:
      if (s.stop)
        return fmt::format("stopped at #{}, {} of {}", s.stop->transaction.seq,
                           in_words(s.stop->transaction.kind), place_text(s, s.stop->transaction));
      return "stopped";
    case RunState::Ended: return s.driver.empty() ? "no driver runs" : "ended: " + s.driver;
  }
  return {};
}

}  // namespace pcilens::ui
