// break, toggle, breakpoints, enable, disable, delete.
#include <fmt/format.h>

#include "inspector-ui/commands/describe.hpp"
#include "inspector-ui/commands/groups.hpp"
#include "inspector-ui/commands/wait.hpp"

namespace pcilens::ui {
namespace {

constexpr Argument kBreakArguments[] = {
    {.name = "expression",
     .type = ArgumentType::Expression,
     .doc = "what to stop at, as docs/expressions.md describes: write CC"},
    {.name = "after",
     .type = ArgumentType::Flag,
     .doc = "hold after the device answered, not before it sees the request",
     .optional = true,
     .keyword = "after"},
    {.name = "ignore",
     .type = ArgumentType::Number,
     .doc = "how many matches to let pass first",
     .optional = true,
     .keyword = "ignore"},
    {.name = "once",
     .type = ArgumentType::Flag,
     .doc = "gone after its first stop",
     .optional = true,
     .keyword = "once"},
    {.name = "log",
     .type = ArgumentType::Flag,
     .doc = "count and note each match, never stop",
     .optional = true,
     .keyword = "log"},
    {.name = "posted",
     .type = ArgumentType::Flag,
     .doc = "a real driver goes on after its memory write, which is held on its way: where the "
            "driver must not wait, as under a spinlock",
     .optional = true,
     .keyword = "posted"},
};
constexpr Action kBreakActions[] = {{"Add breakpoint…", "", Key{KeyCode::B, true, false, false}}};

std::string describe(const Breakpoint& b) {
  std::string text = b.expression;
  if (b.phase == Phase::After) text += " after";
  if (b.ignore != 0) text += fmt::format(" ignore {}", b.ignore);
  if (b.once) text += " once";
  if (b.log_only) text += " log";
  if (b.posted) text += " posted";
  return text;
}

// Whether it holds the memory writes of a driver of the kernel's, which cannot wait everywhere.
bool may_pass(const Snapshot& s, const Breakpoint& b) {
  if (!time_goes_on(s) || b.posted || b.log_only || b.phase == Phase::After) return false;
  const auto expression = Expression::compile(b.expression, s.names);
  constexpr std::uint32_t kWrites = 1u << static_cast<unsigned>(Kind::MemWrite);
  return expression && (expression->reach().kinds & kWrites) != 0;
}

Result<Output> add(Context& c, Breakpoint b) {
  auto number = ask<std::uint32_t>([&](auto done) { c.target.add_breakpoint(b, done); });
  if (!number) return tl::unexpected(number.error());
  Line line;
  line.add(fmt::format("breakpoint {}: ", *number)).add(describe(b), Style::Name);
  const auto s = c.target.snapshot();
  for (const BreakpointState& state : s->breakpoints)
    if (state.number == *number && !state.synchronous.empty() && !is_recording(*s))
      line.add(fmt::format("  makes the driver wait at {}", state.synchronous), Style::Dim);
  Output out(std::move(line));
  if (may_pass(*s, b))
    out.add(
        Line("  where the driver must not wait, as under a spinlock, a write passes the stop "
             "in less than a second; \"posted\" holds it while the driver goes on",
             Style::Dim));
  out.json = fmt::format("{{\"number\":{}}}", *number);
  return out;
}

Result<Output> break_at(Context& c, const Arguments& a) {
  auto ignore = a.number("ignore");
  if (!ignore) return tl::unexpected(ignore.error());
  return add(c, {.expression = a.text("expression"),
                 .phase = a.has("after") ? Phase::After : Phase::Before,
                 .ignore = *ignore,
                 .once = a.has("once"),
                 .log_only = a.has("log"),
                 .posted = a.has("posted")});
}

constexpr Argument kToggleArguments[] = {
    {.name = "place",
     .type = ArgumentType::Place,
     .doc = "a register; the selected one, or the one at the stop, unless given",
     .optional = true}};
constexpr Action kToggleActions[] = {{"Toggle breakpoint", "", plain(KeyCode::F9)}};

Result<Output> toggle(Context& c, const Arguments& a) {
  const auto s = c.target.snapshot();
  std::string text = a.has("place") ? a.text("place") : c.selected;
  if (text.empty() && s->stop) text = spot_of(*s, s->stop->transaction).name;
  if (text.empty()) return fail("toggle: no register is selected; write \"toggle NAME\"");
  auto spot = find_place(*s, text);
  if (!spot) return tl::unexpected(spot.error());
  for (const BreakpointState& b : s->breakpoints) {
    if (b.breakpoint.expression != spot->name) continue;
    if (auto r = ask<void>([&](auto done) { c.target.remove_breakpoint(b.number, done); }); !r)
      return tl::unexpected(r.error());
    return Output{Line(fmt::format("breakpoint {} on {} is gone", b.number, spot->name))};
  }
  return add(c, {.expression = spot->name});
}

Result<Output> list(Context& c, const Arguments&) {
  Table table;
  table.columns = {{"", "number", true},
                   {"breakpoint", "expression", false, true},
                   {"", "state"},
                   {"hits", "hits", true},
                   {"makes the driver wait at", "synchronous", false, true}};
  table.empty = "no breakpoints; \"break write NAME\" sets one";
  const auto s = c.target.snapshot();
  for (const BreakpointState& b : s->breakpoints)
    table.rows.push_back(
        {{fmt::format("{}", b.number), Style::Strong, fmt::format("{}", b.number)},
         {describe(b.breakpoint), b.enabled ? Style::Name : Style::Dim},
         {b.enabled ? "" : "disabled", Style::Dim, b.enabled ? "\"enabled\"" : "\"disabled\""},
         {fmt::format("{}", b.hits), Style::Value, fmt::format("{}", b.hits)},
         {is_recording(*s) ? "" : b.synchronous, Style::Dim, json_string(b.synchronous)}});
  Output out(std::move(table));
  if (!s->breakpoints.empty() && !is_recording(*s)) out.add(Line(kWaits, Style::Dim));
  return out;
}

constexpr Argument kNumberArguments[] = {
    {.name = "number",
     .type = ArgumentType::Text,
     .doc = "a number from \"breakpoints\", \"fault N\" for one from \"faults\", or \"all\""}};

enum class What { Enable, Disable, Remove };

Result<void> change(Context& c, What what, bool fault, std::uint32_t n) {
  return ask<void>([&](auto done) {
    Target& t = c.target;
    if (what == What::Remove)
      fault ? t.remove_fault(n, done) : t.remove_breakpoint(n, done);
    else
      fault ? t.enable_fault(n, what == What::Enable, done)
            : t.enable_breakpoint(n, what == What::Enable, done);
  });
}

template <What kWhat>
Result<Output> change_named(Context& c, const Arguments& a) {
  constexpr std::string_view kDone = kWhat == What::Enable    ? "enabled"
                                     : kWhat == What::Disable ? "disabled"
                                                              : "deleted";
  std::string_view text = a.text("number");
  const auto s = c.target.snapshot();
  if (text == "all") {
    for (const auto& b : s->breakpoints)
      if (auto r = change(c, kWhat, false, b.number); !r) return tl::unexpected(r.error());
    for (const auto& f : s->faults)
      if (auto r = change(c, kWhat, true, f.number); !r) return tl::unexpected(r.error());
    return Output{Line(fmt::format("{} and {} {}", count_of(s->breakpoints.size(), "breakpoint"),
                                   count_of(s->faults.size(), "fault rule"), kDone))};
  }
  const bool fault = text.starts_with("fault ");
  if (fault) text.remove_prefix(6);
  auto n = parse_value(text);
  if (!n) return tl::unexpected(n.error());
  const auto has = [&](const auto& items) {
    for (const auto& item : items)
      if (item.number == *n) return true;
    return false;
  };
  if (fault ? !has(s->faults) : !has(s->breakpoints)) {
    const std::string_view list = fault ? "faults" : "breakpoints";
    return fail(fmt::format(
        "there is no {} {}; \"{}\" lists them{}", fault ? "fault rule" : "breakpoint", *n, list,
        !fault && has(s->faults) ? fmt::format(", \"fault {}\" means the rule", *n) : ""));
  }
  if (auto r = change(c, kWhat, fault, static_cast<std::uint32_t>(*n)); !r)
    return tl::unexpected(r.error());
  return Output{Line(fmt::format("{} {} {}", fault ? "fault rule" : "breakpoint", *n, kDone))};
}

}  // namespace

void add_breakpoint_commands(CommandTable& table) {
  table.add({.id = "break",
             .aliases = "b br",
             .group = "Breakpoints",
             .summary = "stop at what an expression matches",
             .help = "Holds the transaction before the device sees it, or with \"after\" before "
                     "the driver gets the\n"
                     "answer. Words of the expression and the words after it are kept apart from "
                     "the end of the\n"
                     "line; quotes around the expression make it sure.\n"
                     "  break write CC\n"
                     "  break CSTS.RDY 0->1 after\n"
                     "  break irq once\n"
                     "  break write SQ[1].TDBL posted\n"
                     "  break write BAR0+0x98 ignore 3\n",
             .arguments = kBreakArguments,
             .actions = kBreakActions,
             .run = break_at});
  table.add({.id = "toggle",
             .group = "Breakpoints",
             .summary = "set or remove the breakpoint on a register",
             .help = "  toggle STATUS\n",
             .arguments = kToggleArguments,
             .actions = kToggleActions,
             .run = toggle});
  table.add({.id = "breakpoints",
             .aliases = "breaks bl",
             .group = "Breakpoints",
             .summary = "list the breakpoints, their hits and where they make the driver wait",
             .help = "A driver's writes are posted: it does not wait until the device has them. "
                     "Where a\n"
                     "breakpoint can match it waits, or it could not be held there; everything "
                     "else is as\n"
                     "fast as before. docs/expressions.md has more under \"What it costs\".\n"
                     "  breakpoints\n",
             .run = list,
             .where = kConsole});
  table.add({.id = "enable",
             .group = "Breakpoints",
             .summary = "switch a breakpoint or a fault rule on",
             .help = "  enable 1\n  enable fault 2\n  enable all\n",
             .arguments = kNumberArguments,
             .run = change_named<What::Enable>,
             .where = kConsole});
  table.add({.id = "disable",
             .group = "Breakpoints",
             .summary = "switch a breakpoint or a fault rule off, and keep it",
             .help = "  disable 1\n  disable fault 2\n  disable all\n",
             .arguments = kNumberArguments,
             .run = change_named<What::Disable>,
             .where = kConsole});
  table.add({.id = "delete",
             .aliases = "d del",
             .group = "Breakpoints",
             .summary = "remove a breakpoint or a fault rule",
             .help = "  delete 1\n  delete fault 2\n  delete all\n",
             .arguments = kNumberArguments,
             .run = change_named<What::Remove>,
             .where = kConsole});
}

}  // namespace pcilens::ui
