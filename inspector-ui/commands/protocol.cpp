#include "inspector-ui/commands/protocol.hpp"

#include <fmt/format.h>

#include "inspector-ui/commands/place.hpp"

namespace pcilens::ui {

using State = ProtocolCommand::State;

Table command_table(std::span<const ProtocolCommand> commands) {
  Table table;
  table.columns = {{"#", "number", true},           {"queue", "queue"},   {"command", "name"},
                   {"", "summary", false, true},    {"status", "status"}, {"took", "took_ns", true},
                   {"transactions", "transactions"}};
  table.empty = "no commands yet; \"run\" or \"step\" lets the driver go on";
  for (const ProtocolCommand& command : commands) {
    const bool done = command.completed_ns != 0;
    const std::uint64_t took = done ? command.completed_ns - command.submitted_ns : 0;
    const Style style = command.state == State::Succeeded     ? Style::Good
                        : command.state == State::Failed      ? Style::Bad
                        : command.state == State::Outstanding ? Style::Changed
                                                              : Style::Dim;
    table.rows.push_back(
        {{std::to_string(command.number), Style::Strong, std::to_string(command.number)},
         {command.queue, Style::Dim},
         {command.name, Style::Name},
         {command.summary},
         {command.status.empty() ? "outstanding" : command.status, style},
         {done ? format_time(took) : "", Style::Dim, done ? std::to_string(took) : "null"},
         {fmt::format("#{}..#{}", command.first_seq(), command.last_seq()), Style::Dim}});
  }
  return table;
}

Output command_detail(const ProtocolCommand& command) {
  Output out;
  out.add(Line()
              .add(fmt::format("{} ", command.number), Style::Strong)
              .add(command.name + " ", Style::Name)
              .add(fmt::format("{} in {}: ", command.summary, command.queue))
              .add(command.status.empty() ? "outstanding" : command.status,
                   command.state == State::Failed ? Style::Bad : Style::Good));
  Table fields;
  fields.columns = {{"", "name"}, {"", "value"}};
  for (const ProtocolField& f : command.fields)
    fields.rows.push_back({{"  " + f.name, Style::Dim}, {f.value, Style::Value}});
  if (!fields.rows.empty()) out.add(std::move(fields));
  Table steps;
  steps.columns = {{"", "seq", true}, {"", "what"}};
  for (const ProtocolStep& step : command.steps)
    steps.rows.push_back(
        {{fmt::format("  #{}", step.seq), Style::Dim, std::to_string(step.seq)}, {step.what}});
  out.add(Line("  its transactions:", Style::Dim));
  out.add(std::move(steps));
  const ProtocolCommand one[] = {command};
  out.json = render_json(Output(command_table(one)));
  return out;
}

}  // namespace pcilens::ui
