// What a stop shows: a newcomer shall see at once what is held, by whom, why, and what to type.
#include <fmt/format.h>

#include <chrono>

#include "inspector-ui/commands/describe.hpp"

namespace pcilens::ui {
namespace {

std::string phase_text(const Transaction& t, Phase phase) {
  if (t.kind == Kind::State) return "after the device changed it";
  const bool by_function = t.origin == Origin::Function;
  if (phase == Phase::Before)
    return by_function ? "before it reaches the host" : "before the device sees it";
  if (is_read(t.kind) && !by_function) return "before the driver gets the answer";
  const bool by_rule = t.answered_by == AnsweredBy::Rule;
  switch (t.status) {
    case Status::UR:
    case Status::CA:
      if (by_rule) return "after a fault rule refused it";
      return by_function ? "after the host refused it" : "after the device refused it";
    case Status::Timeout: return "after it was lost on its way";
    default: break;
  }
  if (by_function) return is_read(t.kind) ? "after the host answered" : "after it reached the host";
  return "after the device handled it";
}

std::string who(const Stop& stop) {
  const Transaction& t = stop.transaction;
  std::string text = t.origin == Origin::Driver     ? "the driver"
                     : t.origin == Origin::Function ? "the device"
                                                    : std::string(name_of(t.origin));
  if (!stop.thread_name.empty())
    text += fmt::format(" (thread {}, {})", stop.thread_name, t.thread);
  if (t.cpu != 0) text += fmt::format(" on CPU {}", t.cpu);
  return text;
}

// "BAR0+0x8, 4 bytes": where a named place lies.
std::string raw_place(const Transaction& t) {
  if (t.bar >= 0) return fmt::format("BAR{}+{:#x}, {} bytes", t.bar, t.offset, t.size);
  if (t.bar == kBarConfig) return fmt::format("config+{:#x}, {} bytes", t.offset, t.size);
  if (t.bar == kBarDma) return fmt::format("{} bytes", t.size);
  return {};
}

}  // namespace

std::string held_text(const Snapshot& s) {
  if (!s.stop || is_recording(s)) return {};
  const auto lasted = std::chrono::duration_cast<std::chrono::seconds>(
      std::chrono::steady_clock::now() - s.stop->since);
  if (lasted.count() < 1) return {};
  return fmt::format("held for {} s{}", lasted.count(),
                     time_goes_on(s) ? "; the kernel's and the driver's timeouts run on" : "");
}

Output describe_stop(const Snapshot& s, bool hints) {
  Output out;
  if (!s.stop) return out;
  const Stop& stop = *s.stop;
  const Transaction& t = stop.transaction;
  const Spot spot = spot_of(s, t);

  Line head;
  head.add("■ ", Style::Bad).add(fmt::format("#{} ", t.seq), Style::Strong);
  head.add(std::string(in_words(t.kind)), Style::Strong)
      .add(is_config(t.kind) || is_memory(t.kind) || t.kind == Kind::State ? " of " : " ");
  head.add(place_text(s, t), Style::Name);
  head.add(is_recording(s) ? " as recorded" : fmt::format(" held {}", phase_text(t, stop.phase)));
  head.add("  " + stop.reason, Style::Dim);
  out.add(std::move(head));

  Line detail;
  detail.add(fmt::format("  by {}", who(stop)));
  if (const std::string where = raw_place(t); !where.empty()) detail.add("  " + where, Style::Dim);
  detail.add(fmt::format("  at {}", format_time(t.t_ns)), Style::Dim);
  out.add(std::move(detail));
  if (const std::string held = held_text(s); !held.empty())
    out.add(Line("  " + held, time_goes_on(s) ? Style::Bad : Style::Dim));

  if (stop.phase == Phase::After && t.status != Status::SC && t.status != Status::Pending) {
    const std::string why = refusal_text(t, stop.refusal);
    Line refused;
    refused.add(why.empty() ? "  status " : fmt::format("  refused: {}  status ", why), Style::Bad);
    out.add(std::move(refused.add(status_text(t.status), Style::Bad)));
  }
  const bool whole =
      (spot.ref || spot.item) && spot.place.offset == t.offset && spot.place.size == t.size;
  const auto ignored = s.names->ignored(t).value_or(Ignored::No);
  const bool write = t.kind == Kind::MemWrite || t.kind == Kind::CfgWrite || t.kind == Kind::State;
  const bool answered = is_read(t.kind) && stop.phase == Phase::After && !is_dma(t.kind);
  std::optional<std::uint64_t> before;
  if (write && stop.phase == Phase::Before && whole) before = peek(s, spot);
  const std::string becomes = before ? becomes_text(s, spot, t, *before) : "";
  if (write || answered) {
    Line value;
    value.add("  ");
    if (stop.edited)
      value.add(hex(stop.original, t.size), Style::Dim).add(" edited to ", Style::Dim);
    else if (before && becomes.empty())
      value.add(hex(*before, t.size), Style::Dim).add(" → ", Style::Dim);
    value.add(hex(t.value, t.size), Style::Changed);
    if (!becomes.empty())
      value.add(" written: ", Style::Dim).add(becomes, Style::Changed);
    else if (ignored != Ignored::No)
      value.add(fmt::format("  ignored: {}", in_words(ignored)), Style::Changed);
    out.add(std::move(value));
    if (whole && !spot.fields.empty()) {
      Table fields = field_table(spot.fields,
                                 before ? after_write(s, spot, *before, t.value) : t.value, before);
      for (auto& row : fields.rows) row.front().text.insert(0, "  ");
      for (auto& column : fields.columns) column.title.clear();
      std::erase_if(fields.rows, [&](const auto& row) {
        return row[3].text == "Reserved" || row[3].text == "reserved";
      });
      out.add(std::move(fields));
    }
  } else if (is_read(t.kind) && ignored != Ignored::No) {
    out.add(Line(fmt::format("  the answer would be 0  ignored: {}", in_words(ignored)),
                 Style::Changed));
  } else if (is_read(t.kind) && whole) {
    if (const auto now = peek(s, spot)) {
      Line value;
      value.add("  the answer would be ", Style::Dim).add(hex(*now, t.size), Style::Value);
      value.add("  " + decode(spot.fields, *now), Style::Dim);
      out.add(std::move(value));
    }
  }
  if (s.in_flight > 0)
    out.add(Line(fmt::format("  {} more sent by the host and not yet delivered", s.in_flight),
                 Style::Dim));
  if (hints) {
    const bool editable = (write && t.kind != Kind::State) || answered;
    out.add(
        Line(fmt::format("  next: run, step{}, where, registers, transactions; \"help\" for all",
                         editable ? ", edit VALUE" : ""),
             Style::Dim));
  }
  out.json = stop_json(s);
  return out;
}

std::string stop_json(const Snapshot& s) {
  if (!s.stop) return fmt::format("{{\"state\":{}}}", json_string(name_of(s.state)));
  const Stop& stop = *s.stop;
  const Transaction& t = stop.transaction;
  std::string numbers;
  for (const auto n : stop.breakpoints)
    numbers += fmt::format("{}{}", numbers.empty() ? "" : ",", n);
  return fmt::format(
      "{{\"state\":{},\"seq\":{},\"t_ns\":{},\"kind\":{},\"place\":{},\"bar\":{},\"offset\":{},"
      "\"size\":{},\"value\":{},\"phase\":{},\"origin\":{},\"reason\":{},\"breakpoints\":[{}],"
      "\"edited\":{},\"original\":{},\"status\":{},\"refusal\":{}}}",
      json_string(name_of(s.state)), t.seq, t.t_ns, json_string(name_of(t.kind)),
      json_string(place_text(s, t)), t.bar, t.offset, t.size, t.value,
      stop.phase == Phase::Before ? "\"before\"" : "\"after\"", json_string(name_of(t.origin)),
      json_string(stop.reason), numbers, stop.edited, stop.original,
      json_string(name_of(stop.phase == Phase::Before ? Status::Pending : t.status)),
      json_string(stop.refusal));
}

}  // namespace pcilens::ui
