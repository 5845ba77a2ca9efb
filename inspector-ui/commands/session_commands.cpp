// info, expect, source, help, quit: the session itself.
#include <fmt/format.h>

#include <algorithm>

#include "inspector-ui/commands/describe.hpp"
#include "inspector-ui/commands/groups.hpp"
#include "inspector-ui/commands/wait.hpp"

namespace pcilens::ui {
namespace {

// When the last transaction of a recording was over.
std::uint64_t length_of(Context& c) {
  auto page = ask<TracePage>([&](auto done) {
    c.target.trace_page({.limit = 1, .direction = TraceRequest::Direction::Backward}, done);
  });
  if (!page || page->rows.empty()) return 0;
  const Transaction& last = page->rows.back().transaction;
  return std::max(last.t_ns, last.done_ns);
}

std::string json_list(const std::vector<std::string>& texts) {
  std::string list;
  for (const std::string& text : texts) list += (list.empty() ? "" : ",") + json_string(text);
  return list;
}

Result<Output> info(Context& c, const Arguments&) {
  const auto s = c.target.snapshot();
  const bool recording = is_recording(*s);
  const std::uint64_t position = s->stop ? s->stop->transaction.seq : s->seq;
  const std::uint64_t length = recording ? length_of(c) : s->now_ns;
  Table table;
  table.columns = {{"", "name"}, {"", "value", false, true}};
  const auto fact = [&](std::string name, std::string value) {
    if (!value.empty()) table.rows.push_back({{std::move(name), Style::Dim}, {std::move(value)}});
  };
  std::string functions;
  for (const FunctionState& f : s->functions)
    functions += (functions.empty() ? "" : ", ") + fmt::format("{} at {}", f.instance, f.bdf);
  fact("state", describe_state(*s));
  fact("functions", functions);
  fact("host", s->host);
  if (recording)
    fact("stands at", fmt::format("#{}, {} after its beginning", position, format_time(s->now_ns)));
  fact(recording ? "all of it" : "transactions",
       fmt::format("{} in {}", recording ? count_of(s->seq, "transaction") : std::to_string(s->seq),
                   format_time(length)));
  if (s->in_flight != 0) fact("in flight", fmt::format("{}", s->in_flight));
  fact("breakpoints",
       fmt::format("{}, {}", s->breakpoints.size(), count_of(s->faults.size(), "fault rule")));
  fact("driver",
       s->binding == Binding::Probing ? "is being loaded, or its probe runs" : s->binding_text);
  fact("driver says", s->driver);
  if (!s->complaints.empty())
    fact("kernel complains",
         fmt::format("{}{}; \"log\" shows what it said", s->complaints.back(),
                     s->complaints.size() == 1
                         ? ""
                         : fmt::format(" (the last of {})", s->complaints.size())));
  fact("trace", s->trace);
  Output out(std::move(table));
  out.json = fmt::format(
      "{{\"state\":{},\"seq\":{},\"now_ns\":{},\"host\":{},\"trace\":{},\"driver\":{},\"in_"
      "flight\":{},\"binding\":{},\"binding_text\":{},\"complaints\":[{}]{}}}",
      json_string(name_of(s->state)), s->seq, s->now_ns, json_string(s->host),
      json_string(s->trace), json_string(s->driver), s->in_flight, json_string(name_of(s->binding)),
      json_string(s->binding_text), json_list(s->complaints),
      recording ? fmt::format(",\"position\":{},\"length_ns\":{}", position, length) : "");
  return out;
}

constexpr Argument kLogArguments[] = {
    {.name = "last",
     .type = ArgumentType::Number,
     .doc = "how many of the newest lines, 40 unless given",
     .optional = true,
     .keyword = "last"},
};

Result<Output> log(Context& c, const Arguments& a) {
  const auto last = a.number("last", 40);
  if (!last) return tl::unexpected(last.error());
  if (*last == 0 || *last > 20'000) return fail("log: last takes 1 to 20000");
  auto lines = ask<std::vector<std::string>>(
      [&](auto done) { c.target.kernel_log(static_cast<std::uint32_t>(*last), done); });
  if (!lines) return tl::unexpected(lines.error());
  Output out;
  for (const std::string& line : *lines) out.add(Line(line));
  if (lines->empty()) out.add(Line("the kernel has said nothing yet", Style::Dim));
  out.json = "[" + json_list(*lines) + "]";
  return out;
}

constexpr Action kLogActions[] = {{"Kernel's log", ""}};

constexpr Argument kExpectArguments[] = {
    {.name = "what",
     .type = ArgumentType::Assignment,
     .doc = "running, paused, stopped, ended, finished (the driver did not give up), or "
            "NAME=VALUE of a register or field"}};

Output differs(std::string text) {
  Output out(Line(std::move(text), Style::Bad));
  out.differs = true;
  return out;
}

Result<Output> expect(Context& c, const Arguments& a) {
  const auto s = c.target.snapshot();
  const std::string& what = a.text("what");
  const std::size_t equals = what.find('=');
  if (what == "finished") {
    if (s->state == RunState::Ended && s->driver == "the driver has finished") return Output{};
    return differs(fmt::format("expected finished, but it is {}", describe_state(*s)));
  }
  if (equals == std::string::npos) {
    for (const RunState state :
         {RunState::Running, RunState::Paused, RunState::Stopped, RunState::Ended}) {
      if (what != name_of(state)) continue;
      if (s->state == state) return Output{};
      return differs(fmt::format("expected {}, but it is {}", what, describe_state(*s)));
    }
    return fail(fmt::format(
        "expect: \"{}\" is neither a state (running, paused, stopped, ended, finished) nor "
        "NAME=VALUE",
        what));
  }
  const auto trim = [](std::string_view text) {
    while (text.starts_with(' ') || text.starts_with('=')) text.remove_prefix(1);
    while (text.ends_with(' ')) text.remove_suffix(1);
    return text;
  };
  auto spot = find_place(*s, trim(std::string_view(what).substr(0, equals)));
  if (!spot) return tl::unexpected(spot.error());
  auto wanted = parse_value(trim(std::string_view(what).substr(equals)), spot->field);
  if (!wanted) return tl::unexpected(wanted.error());
  const auto now = peek(*s, *spot);
  if (!now)
    return fail(fmt::format("expect: {} is no register of a known map; use \"read\"", spot->name));
  if (const RegisterState* state = register_state(*s, *spot);
      state != nullptr &&
      !assumed(*state, spot->field != nullptr ? spot->field->mask() : spot->ref.reg->mask())
           .empty())
    return differs(fmt::format(
        "{} is not in the recording so far; what is shown is its value after reset", spot->name));
  const std::uint64_t value = spot->field != nullptr ? spot->field->extract(*now) : *now;
  if (value == *wanted) return Output{};
  return differs(spot->field != nullptr
                     ? fmt::format("{} is {}, expected {}", spot->name,
                                   field_value(*spot->field, *now),
                                   trim(std::string_view(what).substr(equals)))
                     : fmt::format("{} is {}, expected {}", spot->name,
                                   hex(value, spot->place.size), hex(*wanted, spot->place.size)));
}

constexpr Argument kSourceArguments[] = {
    {.name = "file",
     .type = ArgumentType::File,
     .doc = "a file of commands, one a line; # begins a comment"}};

Result<Output> source(Context& c, const Arguments& a) {
  if (!c.source)
    return fail("source: scripts run on the console only; start \"pcilens console -x FILE\"");
  return c.source(a.text("file"));
}

constexpr Argument kHelpArguments[] = {{.name = "command",
                                        .type = ArgumentType::CommandName,
                                        .doc = "the command to explain; all unless given",
                                        .optional = true}};

std::string keys_of(const Command& command) {
  std::string keys;
  for (const Action& a : command.actions)
    if (a.key) keys += (keys.empty() ? "" : " ") + name_of(a.key);
  return keys;
}

Output help_for(const Command& command) {
  Output out;
  out.add(Line().add(usage(command), Style::Strong));
  out.add(Line("  " + std::string(command.summary)));
  Table arguments;
  arguments.columns = {{"", "name"}, {"", "doc", false, true}};
  for (const Argument& a : command.arguments)
    arguments.rows.push_back(
        {{"  " + std::string(a.keyword.empty() ? a.name : a.keyword), Style::Name},
         {std::string(a.doc), Style::Dim}});
  if (!arguments.rows.empty()) out.add(Line()).add(std::move(arguments));
  if (!command.help.empty()) out.add(Line());
  for (std::string_view rest = command.help; !rest.empty();) {
    const std::size_t end = std::min(rest.find('\n'), rest.size());
    const std::string_view line = rest.substr(0, end);
    out.add(Line("  " + std::string(line), line.starts_with("  ") ? Style::Name : Style::Plain));
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  if (!command.aliases.empty())
    out.add(Line("  also: " + std::string(command.aliases), Style::Dim));
  for (const Action& a : command.actions)
    if (a.key)
      out.add(Line(fmt::format("  {} in the window: {}", name_of(a.key), a.label), Style::Dim));
  return out;
}

Result<Output> help(Context& c, const Arguments& a) {
  if (a.has("command")) {
    auto command = c.table.find(a.text("command"));
    if (!command) return tl::unexpected(command.error());
    return help_for(**command);
  }
  Output out;
  std::vector<std::string_view> groups;
  for (const Command& command : c.table.commands())
    if ((command.where & kConsole) != 0 &&
        std::find(groups.begin(), groups.end(), command.group) == groups.end())
      groups.push_back(command.group);
  std::size_t widest = 0;
  for (const Command& command : c.table.commands()) widest = std::max(widest, command.id.size());
  for (const std::string_view group : groups) {
    Table table;
    table.columns = {{std::string(group), "command"}, {"", "summary", false, true}, {"", "keys"}};
    for (const Command& command : c.table.commands()) {
      if (command.group != group || (command.where & kConsole) == 0) continue;
      table.rows.push_back({{fmt::format("  {:{}}", command.id, widest), Style::Name},
                            {std::string(command.summary)},
                            {keys_of(command), Style::Dim}});
    }
    out.add(std::move(table));
  }
  out.add(
      Line("\"help COMMAND\" has examples; TAB completes; commands may be shortened; keys are the "
           "window's.",
           Style::Dim));
  return out;
}

constexpr Action kQuitActions[] = {{"Quit", "", Key{KeyCode::Q, true, false, false}}};

Result<Output> quit(Context& c, const Arguments&) {
  if (c.quit) c.quit();
  return Output{};
}

}  // namespace

void add_session_commands(CommandTable& table) {
  table.add({.id = "info",
             .aliases = "i",
             .group = "Session",
             .summary = "say what runs here, in which state, and where its trace is",
             .help = "  info\n",
             .run = info,
             .where = kConsole});
  table.add({.id = "log",
             .aliases = "dmesg",
             .group = "Session",
             .summary = "show what the kernel that runs the driver has said, of a \"pcilens vm\"",
             .help = "From the start of the guest's init on, before which only errors are kept. A\n"
                     "kernel that complains (BUG, WARNING, oops, stall ...) is told of at once.\n"
                     "  log\n  log last 200\n",
             .arguments = kLogArguments,
             .actions = kLogActions,
             .run = log});
  table.add(
      {.id = "expect",
       .group = "Session",
       .summary = "check a state or a register; a script ends with exit code 1 when it is not so",
       .help = "  expect stopped\n  expect finished\n  expect STATUS=0x81\n  expect CSTS.RDY=1\n",
       .arguments = kExpectArguments,
       .run = expect,
       .where = kConsole});
  table.add(
      {.id = "source",
       .group = "Session",
       .summary = "run the commands of a file",
       .help = "Stops at the first error and says file and line.\n  source bring-up.pcilens\n",
       .arguments = kSourceArguments,
       .run = source,
       .where = kConsole});
  table.add({.id = "help",
             .aliases = "h ?",
             .group = "Session",
             .summary = "list the commands, or explain one",
             .help = "  help\n  help break\n",
             .arguments = kHelpArguments,
             .run = help,
             .where = kConsole});
  table.add({.id = "quit",
             .aliases = "q exit",
             .group = "Session",
             .summary = "end pcilens; of traces, one that --trace names is kept",
             .help = "Without --trace FILE the trace is a temporary one and goes with pcilens.\n"
                     "After \"pcilens attach\" the target runs on, and is recorded on.\n"
                     "  quit\n",
             .actions = kQuitActions,
             .run = quit});
}

}  // namespace pcilens::ui
