// run, pause, step, wait, seek, restart, reset: what lets the driver go on and holds it.
#include <fmt/format.h>

#include "inspector-ui/commands/describe.hpp"
#include "inspector-ui/commands/groups.hpp"
#include "inspector-ui/commands/wait.hpp"

namespace pcilens::ui {
namespace {

using namespace std::chrono_literals;

constexpr std::string_view kGone = "the link is no more; \"info\" says why";

std::string_view not_held(const Snapshot& s) {
  if (s.gone) return kGone;
  if (s.state == RunState::Running) return "the driver is running already; \"pause\" holds it";
  if (s.state == RunState::Ended)
    return is_recording(s) ? "the recording ends here; \"restart\" goes back to its beginning"
                           : "the driver has ended; \"restart\" begins again";
  return {};
}

std::string_view not_running(const Snapshot& s) {
  if (s.gone) return kGone;
  if (s.state == RunState::Ended) return "the driver has ended; \"restart\" begins again";
  if (s.state != RunState::Running) return "it is held already; \"run\" lets it go on";
  return {};
}

Result<Output> run(Context& c, const Arguments&) {
  const auto before = c.target.snapshot();
  if (auto r = ask<void>([&](auto done) { c.target.resume(done); }); !r)
    return tl::unexpected(r.error());
  if (c.script) {
    // The script's next line shall see the driver running, or its next stop.
    wait_until(c, 200ms, [&](const Snapshot& s) { return moved(s, *before); });
    if (auto r = not_gone(c, "run"); !r) return tl::unexpected(r.error());
    return Output{};
  }
  if (auto r = settle(c, *before, "run"); !r) return tl::unexpected(r.error());
  return Output{};
}

Result<Output> pause(Context& c, const Arguments&) {
  const auto before = c.target.snapshot();
  if (auto r = ask<void>([&](auto done) { c.target.pause(done); }); !r)
    return tl::unexpected(r.error());
  wait_until(c, std::max(c.settle, 200ms),
             [&](const Snapshot& s) { return s.state != RunState::Running && moved(s, *before); });
  return Output{};
}

constexpr std::string_view kStepChoices[] = {"access", "change", "irq", "any"};
constexpr Argument kStepArguments[] = {
    {.name = "how",
     .type = ArgumentType::Choice,
     .doc = "how far: the next access (default), the next that changes a register, the next "
            "interrupt, any transaction",
     .optional = true,
     .choices = kStepChoices},
    {.name = "expression",
     .type = ArgumentType::Expression,
     .doc = "an expression (docs/expressions.md)",
     .optional = true,
     .keyword = "until"},
};
constexpr Action kStepActions[] = {
    {"Step to next access", "access", plain(KeyCode::F10)},
    {"Step to next register change", "change", plain(KeyCode::F11)},
    {"Step to next interrupt", "irq", shift(KeyCode::F11)},
    {"Step until…", "until"},
};

Result<Output> step(Context& c, const Arguments& a) {
  Step step;
  const std::string& how = a.text("how");
  if (a.has("expression")) {
    if (!how.empty())
      return fail(fmt::format("step: \"{}\" and \"until\" exclude each other; leave one out", how));
    step.until = Step::Until::Expression;
    step.expression = a.text("expression");
  } else if (how == "change") {
    step.until = Step::Until::RegisterChange;
  } else if (how == "irq") {
    step.until = Step::Until::Interrupt;
  } else if (how == "any") {
    step.until = Step::Until::Any;
  }
  const auto before = c.target.snapshot();
  if (auto r = ask<void>([&](auto done) { c.target.step(step, done); }); !r)
    return tl::unexpected(r.error());
  if (auto r = settle(c, *before, "step"); !r) return tl::unexpected(r.error());
  return Output{};
}

constexpr std::string_view kWaitChoices[] = {"stop", "end", "bound"};
constexpr Argument kWaitArguments[] = {
    {.name = "what",
     .type = ArgumentType::Choice,
     .doc = "until it is held, until the driver has ended, whichever comes first (default), or "
            "until the driver of a guest is bound",
     .optional = true,
     .choices = kWaitChoices},
    {.name = "timeout",
     .type = ArgumentType::Duration,
     .doc = "how long at most, 10s unless given",
     .optional = true},
};

std::string because_no_driver(const Snapshot& s) {
  return no_driver(s.binding) ? "; " + s.binding_text : std::string();
}

// Whether the driver that the guest was to load has bound. One that is held in its probe cannot.
Result<Output> wait_bound(Context& c, std::uint64_t timeout) {
  if (c.target.snapshot()->binding == Binding::NotKnown)
    return fail("wait: nobody knows here when a driver is bound; \"pcilens vm\" does");
  const Waited waited = wait_until(c, std::chrono::nanoseconds(timeout), [&](const Snapshot& s) {
    return s.binding != Binding::Probing || s.state != RunState::Running;
  });
  const auto s = c.target.snapshot();
  if (waited == Waited::Cancelled) return fail("wait: cancelled");
  if (s->binding == Binding::Bound) return Output{Line("bound: " + s->binding_text)};
  if (auto r = not_gone(c, "wait"); !r) return tl::unexpected(r.error());
  if (no_driver(s->binding)) return fail("wait: " + s->binding_text);
  if (waited == Waited::TimedOut)
    return fail(
        fmt::format("wait: the driver has not bound after {} (at #{}); \"wait bound 60s\" "
                    "waits longer",
                    format_time(timeout), s->seq));
  return fail(
      fmt::format("wait: {} before the driver has bound; \"run\" goes on", describe_state(*s)));
}

Result<Output> wait(Context& c, const Arguments& a) {
  std::uint64_t timeout = 10'000'000'000;
  if (a.has("timeout")) {
    auto parsed = parse_duration(a.text("timeout"));
    if (!parsed) return tl::unexpected(parsed.error());
    timeout = *parsed;
  }
  const std::string& what = a.text("what");
  if (what == "bound") return wait_bound(c, timeout);
  const Waited waited = wait_until(c, std::chrono::nanoseconds(timeout), [&](const Snapshot& s) {
    return s.state != RunState::Running || s.binding == Binding::NotLoaded;
  });
  const auto s = c.target.snapshot();
  if (waited == Waited::Cancelled) return fail("wait: cancelled");
  if (auto r = not_gone(c, "wait"); !r) return tl::unexpected(r.error());
  if (s->state == RunState::Running && s->binding == Binding::NotLoaded)
    return fail("wait: nothing is going to come: " + s->binding_text);
  if (waited == Waited::TimedOut)
    return fail(fmt::format(
        "wait: still running after {} (at #{}); \"pause\" holds it, \"wait {}60s\" waits longer{}",
        format_time(timeout), s->seq, what.empty() ? "" : what + " ", because_no_driver(*s)));
  if (what == "stop" && s->state == RunState::Ended)
    return fail(fmt::format("wait: the driver ended without a stop ({}); look at \"breakpoints\"",
                            describe_state(*s)));
  if (what == "end" && s->state != RunState::Ended)
    return fail(fmt::format("wait: {} before the end; \"run\" goes on", describe_state(*s)));
  return Output{};
}

// After a recording has answered that it stands elsewhere: until the snapshot says so too, or soon
// where it stands as before.
void arrive(Context& c, const Snapshot& before) {
  wait_until(c, 200ms, [&](const Snapshot& s) { return moved(s, before); });
}

Result<Output> restart(Context& c, const Arguments&) {
  const auto before = c.target.snapshot();
  if (auto r = ask<void>([&](auto done) { c.target.restart(done); }); !r)
    return tl::unexpected(r.error());
  if (is_recording(*before))
    arrive(c, *before);
  else if (auto r = settle(c, *before, "restart"); !r)
    return tl::unexpected(r.error());
  return Output{Line(is_recording(*before) ? "back at the recording's beginning"
                                           : "begun again: a fresh device, and the driver from its "
                                             "first line; breakpoints and fault rules stayed")};
}

constexpr std::string_view kResetChoices[] = {"flr", "conventional", "hotplug"};
constexpr Argument kResetArguments[] = {
    {.name = "kind",
     .type = ArgumentType::Choice,
     .doc = "function level reset (default), conventional reset, or unplugged and plugged again",
     .optional = true,
     .choices = kResetChoices},
    {.name = "function",
     .type = ArgumentType::Text,
     .doc = "which function, nvme1; the first unless given",
     .optional = true},
};
constexpr Action kResetActions[] = {{"Function level reset", "flr"},
                                    {"Conventional reset", "conventional"}};

Result<Output> reset(Context& c, const Arguments& a) {
  const auto s = c.target.snapshot();
  std::size_t function = 0;
  if (const std::string& name = a.text("function"); !name.empty()) {
    while (function < s->functions.size() && s->functions[function].instance != name) ++function;
    if (function == s->functions.size())
      return fail(
          fmt::format("reset: there is no function \"{}\"; \"functions\" lists them", name));
  }
  const std::string& kind = a.text("kind");
  const ResetKind how = kind == "conventional" ? ResetKind::Conventional
                        : kind == "hotplug"    ? ResetKind::HotPlug
                                               : ResetKind::Flr;
  if (auto r = ask<void>([&](auto done) {
        c.target.reset_function(static_cast<std::uint8_t>(function), how, done);
      });
      !r)
    return tl::unexpected(r.error());
  const std::string name =
      function < s->functions.size() ? s->functions[function].instance : "function";
  return Output{Line(fmt::format("{} was reset ({})", name, kind.empty() ? "flr" : kind))};
}

constexpr Argument kGotoArguments[] = {
    {.name = "seq", .type = ArgumentType::Number, .doc = "the number of a transaction"}};

Result<Output> go_to(Context& c, const Arguments& a) {
  auto seq = a.number("seq");
  if (!seq) return tl::unexpected(seq.error());
  const auto before = c.target.snapshot();
  if (auto r = ask<void>([&](auto done) { c.target.go_to(*seq, done); }); !r)
    return tl::unexpected(r.error());
  if (!before->stop || before->stop->transaction.seq != *seq) arrive(c, *before);
  if (const std::uint64_t last = c.target.snapshot()->seq; *seq > last)
    return Output{Line(fmt::format(
        "there is no transaction #{}: the last one is #{}, and the recording stands at its end",
        *seq, last))};
  return Output{};
}

std::string_view not_recorded(const Snapshot& s) {
  return is_recording(s) ? std::string_view() : "only a recording can be moved to another moment";
}

constexpr Action kRunActions[] = {{"Run", "", plain(KeyCode::F5)}};
constexpr Action kPauseActions[] = {{"Pause", "", plain(KeyCode::F6)}};
constexpr Action kRestartActions[] = {{"Restart", "", Key{KeyCode::F5, true, true, false}}};

}  // namespace

void add_run_commands(CommandTable& table) {
  table.add({.id = "run",
             .aliases = "r c continue go",
             .group = "Run",
             .summary = "let the driver go on, up to the next breakpoint",
             .help = "Delivers what is held and everything after it. The prompt stays usable while "
                     "the driver\n"
                     "runs; a stop is shown when it comes. In a script, \"wait\" waits for it.\n"
                     "  run\n",
             .actions = kRunActions,
             .disabled = not_held,
             .run = run});
  table.add({.id = "pause",
             .aliases = "p",
             .group = "Run",
             .summary = "hold the driver at its next transaction",
             .help = "Nothing is delivered from now on. Ctrl-C on an empty line does the same.\n"
                     "  pause\n",
             .actions = kPauseActions,
             .disabled = not_running,
             .run = pause});
  table.add({.id = "step",
             .aliases = "s",
             .group = "Run",
             .summary = "deliver what is held and stop soon after",
             .help = "Without a word it stops at the driver's next config or memory access. "
                     "\"change\" passes\n"
                     "those that leave the register as it was (polling), \"irq\" stops at the next "
                     "interrupt,\n"
                     "\"any\" at whatever comes, DMA and interrupts included.\n"
                     "  step\n"
                     "  step change\n"
                     "  step until write STATUS\n",
             .arguments = kStepArguments,
             .actions = kStepActions,
             .disabled = not_held,
             .run = step});
  table.add(
      {.id = "wait",
       .group = "Run",
       .summary = "wait for a stop or the driver's end",
       .help =
           "For scripts. Running out of time, or an end where a stop was awaited, is an error.\n"
           "\"bound\" is for a guest: its driver has been loaded, and has a function.\n"
           "  wait stop\n"
           "  wait bound 60s\n"
           "  wait end 30s\n",
       .arguments = kWaitArguments,
       .run = wait,
       .where = kConsole});
  table.add({.id = "seek",
             .group = "Run",
             .summary = "move a recording to the moment of a transaction",
             .help =
                 "Registers are shown as they were just after it; run and step go on from there.\n"
                 "  seek 42\n",
             .arguments = kGotoArguments,
             .disabled = not_recorded,
             .run = go_to});
  table.add({.id = "restart",
             .group = "Run",
             .summary = "begin again: a fresh device, the driver from its first line",
             .help = "Breakpoints and fault rules stay. The driver is held at its first access.\n"
                     "  restart\n",
             .actions = kRestartActions,
             .run = restart});
  table.add({.id = "reset",
             .group = "Function",
             .summary = "reset the function, as the host would",
             .help = "  reset\n"
                     "  reset conventional\n"
                     "  reset flr nvme0\n",
             .arguments = kResetArguments,
             .actions = kResetActions,
             .run = reset});
}

}  // namespace pcilens::ui
