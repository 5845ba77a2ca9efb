// commands, command: what the transactions mean to the device's protocol.
#include <fmt/format.h>

#include "inspector-ui/commands/describe.hpp"
#include "inspector-ui/commands/groups.hpp"
#include "inspector-ui/commands/protocol.hpp"
#include "inspector-ui/commands/wait.hpp"

namespace pcilens::ui {
namespace {

// Asks until the decoder has seen the whole trace.
Result<CommandPage> page_of(Context& c, const CommandRequest& request) {
  for (;;) {
    auto page = ask<CommandPage>([&](auto done) { c.target.commands(request, done); });
    if (!page || !page->protocol || page->looked_at >= page->of || c.cancelled.stop_requested())
      return page;
  }
}

Result<std::uint8_t> function_of(const Snapshot& s, const std::string& instance) {
  if (instance.empty()) return std::uint8_t{0};
  for (std::size_t i = 0; i < s.functions.size(); ++i)
    if (s.functions[i].instance == instance) return static_cast<std::uint8_t>(i);
  return fail(fmt::format("there is no function {}; \"functions\" lists them", instance));
}

std::string no_protocol(const Snapshot& s, std::uint8_t function) {
  return fmt::format("{} has no protocol decoder; \"transactions\" lists what crossed the link",
                     function < s.functions.size() ? s.functions[function].instance : "it");
}

constexpr Argument kCommandsArguments[] = {
    {.name = "last",
     .type = ArgumentType::Number,
     .doc = "how many of the newest, 20 unless given",
     .optional = true,
     .keyword = "last"},
    {.name = "since",
     .type = ArgumentType::Number,
     .doc = "begin at this number and go on from there",
     .optional = true,
     .keyword = "since"},
    {.name = "of",
     .type = ArgumentType::Text,
     .doc = "the function; the first one unless given",
     .optional = true,
     .keyword = "of"},
};

Result<Output> commands(Context& c, const Arguments& a) {
  auto last = a.number("last", 20), since = a.number("since");
  if (!last) return tl::unexpected(last.error());
  if (!since) return tl::unexpected(since.error());
  if (*last == 0 || *last > 1000) return fail("commands: last takes 1 to 1000");
  const auto s = c.target.snapshot();
  const auto function = function_of(*s, a.text("of"));
  if (!function) return tl::unexpected(function.error());
  auto page = page_of(
      c, {.function = *function, .from = *since, .limit = static_cast<std::uint32_t>(*last)});
  if (!page) return tl::unexpected(page.error());
  if (!page->protocol) return fail(no_protocol(*s, *function));
  Output out;
  if (!page->commands.empty() && page->commands.front().number > page->first && !a.has("since"))
    out.add(Line(fmt::format("  … earlier ones; \"commands since {}\" begins there", page->first),
                 Style::Dim));
  out.add(command_table(page->commands));
  if (!page->commands.empty() && page->commands.back().number < page->last)
    out.add(Line(fmt::format("  … further ones; \"commands since {}\" goes on",
                             page->commands.back().number + 1),
                 Style::Dim));
  return out;
}

constexpr Argument kCommandArguments[] = {
    {.name = "number",
     .type = ArgumentType::Number,
     .doc = "the number of a command; the newest unless given",
     .optional = true},
    {.name = "at",
     .type = ArgumentType::Number,
     .doc = "the command that this transaction belongs to",
     .optional = true,
     .keyword = "at"},
    {.name = "of",
     .type = ArgumentType::Text,
     .doc = "the function; the first one unless given",
     .optional = true,
     .keyword = "of"},
};

Result<Output> command(Context& c, const Arguments& a) {
  auto number = a.number("number"), at = a.number("at");
  if (!number) return tl::unexpected(number.error());
  if (!at) return tl::unexpected(at.error());
  const auto s = c.target.snapshot();
  const auto function = function_of(*s, a.text("of"));
  if (!function) return tl::unexpected(function.error());
  auto page = page_of(c, {.function = *function, .from = *number, .limit = 1, .seq = *at});
  if (!page) return tl::unexpected(page.error());
  if (!page->protocol) return fail(no_protocol(*s, *function));
  if (*at != 0 && page->found == 0)
    return fail(fmt::format("transaction #{} belongs to no command", *at));
  const std::uint64_t wanted = *at != 0 ? page->found : *number != 0 ? *number : page->last;
  for (const ProtocolCommand& command : page->commands)
    if (command.number == wanted) return command_detail(command);
  return fail(page->last == 0 ? "no commands yet; \"run\" lets the driver go on"
                              : fmt::format("there is no command {}; there are {} to {}", wanted,
                                            page->first, page->last));
}

}  // namespace

void add_protocol_commands(CommandTable& table) {
  table.add({.id = "commands",
             .group = "Trace",
             .summary = "list the commands of the device's protocol, newest last",
             .help = "  commands\n  commands last 100\n  commands since 1\n",
             .arguments = kCommandsArguments,
             .run = commands,
             .where = kConsole});
  table.add({.id = "command",
             .group = "Trace",
             .summary = "show one command with its fields and transactions",
             .help = "  command 12\n  command at 345\n  command\n",
             .arguments = kCommandArguments,
             .run = command,
             .where = kConsole});
}

}  // namespace pcilens::ui
