// fault, faults: what the link does wrong on purpose.
#include <fmt/format.h>

#include "inspector-ui/commands/describe.hpp"
#include "inspector-ui/commands/groups.hpp"
#include "inspector-ui/commands/wait.hpp"

namespace pcilens::ui {
namespace {

constexpr Argument kFaultArguments[] = {
    {.name = "expression", .type = ArgumentType::Expression, .doc = "where it acts: read STATUS"},
    {.name = "action",
     .type = ArgumentType::FaultAction,
     .doc = "what goes wrong: delay 5ms, drop, all-ones, ur, ca, flip 0x1, replace 0x0/0xff, "
            "repeat 1, cut 512, corrupt 0x1, remove, replug",
     .keyword = "=>"},
    {.name = "skip",
     .type = ArgumentType::Number,
     .doc = "how many matches to let pass first",
     .optional = true,
     .keyword = "skip"},
    {.name = "times",
     .type = ArgumentType::Number,
     .doc = "how often it acts, without end unless given",
     .optional = true,
     .keyword = "times"},
};
constexpr Action kFaultActions[] = {{"Add fault rule…", ""}};

std::string rule_text(const Fault& f) {
  std::string text = describe(f);
  if (f.skip != 0) text += fmt::format(" skip {}", f.skip);
  if (f.times != ~0ull) text += fmt::format(" times {}", f.times);
  return text;
}

Result<Output> add(Context& c, const Arguments& a) {
  Fault fault;
  fault.expression = a.text("expression");
  auto skip = a.number("skip"), times = a.number("times", ~0ull);
  if (!skip) return tl::unexpected(skip.error());
  if (!times) return tl::unexpected(times.error());
  fault.skip = *skip;
  fault.times = *times;
  auto parsed = parse_fault_action(a.text("action"), fault);
  if (!parsed) return tl::unexpected(parsed.error());
  auto number = ask<std::uint32_t>([&](auto done) { c.target.add_fault(*parsed, done); });
  if (!number) return tl::unexpected(number.error());
  Line line;
  line.add(fmt::format("fault rule {}: ", *number)).add(rule_text(*parsed), Style::Name);
  Output out(std::move(line));
  out.json = fmt::format("{{\"number\":{}}}", *number);
  return out;
}

Result<Output> list(Context& c, const Arguments&) {
  Table table;
  table.columns = {{"", "number", true},
                   {"rule", "rule", false, true},
                   {"", "state"},
                   {"acted", "acted", true},
                   {"makes the driver wait at", "synchronous", false, true}};
  table.empty = "no fault rules; \"fault read NAME => all-ones\" sets one";
  const auto s = c.target.snapshot();
  for (const FaultState& f : s->faults)
    table.rows.push_back(
        {{fmt::format("{}", f.number), Style::Strong, fmt::format("{}", f.number)},
         {rule_text(f.fault), f.enabled ? Style::Name : Style::Dim},
         {f.enabled ? "" : "disabled", Style::Dim, f.enabled ? "\"enabled\"" : "\"disabled\""},
         {fmt::format("{}", f.acted), Style::Value, fmt::format("{}", f.acted)},
         {f.synchronous, Style::Dim}});
  Output out(std::move(table));
  if (!s->faults.empty()) out.add(Line(kWaits, Style::Dim));
  return out;
}

}  // namespace

void add_fault_commands(CommandTable& table) {
  table.add(
      {.id = "fault",
       .aliases = "f",
       .group = "Faults",
       .summary = "make the link answer late, wrong or not at all where an expression matches",
       .help = "Actions: delay 5ms, drop (a write is lost, a read times out), all-ones, ur "
               "(unsupported\n"
               "request), ca (completer abort), flip BITS, replace BITS/MASK, repeat N "
               "(interrupts), cut BYTES\n"
               "and corrupt BITS (DMA), remove (the device is gone), replug (gone, and a fresh one "
               "in its\n"
               "place, not set up).\n"
               "  fault read STATUS => flip 0x1 times 3\n"
               "  fault irq => drop times 1\n"
               "  fault read BAR0+0x0 => all-ones skip 1\n",
       .arguments = kFaultArguments,
       .actions = kFaultActions,
       .run = add});
  table.add({.id = "faults",
             .group = "Faults",
             .summary = "list the fault rules and how often each acted",
             .help = "  faults\n",
             .run = list,
             .where = kConsole});
}

}  // namespace pcilens::ui
