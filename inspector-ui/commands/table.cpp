#include <fmt/format.h>

#include <algorithm>

#include "inspector-ui/commands/command.hpp"
#include "inspector-ui/commands/groups.hpp"
#include "inspector-ui/commands/words.hpp"

namespace pcilens::ui {
namespace {

bool has_alias(const Command& command, std::string_view word) {
  for (std::string_view rest = command.aliases; !rest.empty();) {
    const std::size_t end = std::min(rest.find(' '), rest.size());
    if (rest.substr(0, end) == word) return true;
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  return false;
}

}  // namespace

const CommandTable& CommandTable::standard() {
  static const CommandTable table = [] {
    CommandTable t;
    add_run_commands(t);
    add_breakpoint_commands(t);
    add_fault_commands(t);
    add_register_commands(t);
    add_poke_commands(t);
    add_config_commands(t);
    add_memory_commands(t);
    add_trace_commands(t);
    add_protocol_commands(t);
    add_replay_commands(t);
    add_session_commands(t);
    return t;
  }();
  return table;
}

Result<const Command*> CommandTable::find(std::string_view word) const {
  std::vector<const Command*> beginning;
  std::vector<std::string> ids;
  for (const Command& c : commands_) {
    if (c.id == word || has_alias(c, word)) return &c;
    if (!word.empty() && c.id.starts_with(word)) beginning.push_back(&c);
    ids.emplace_back(c.id);
  }
  if (beginning.size() == 1) return beginning.front();
  if (!beginning.empty()) {
    std::string names;
    for (const Command* c : beginning) names += (names.empty() ? "" : ", ") + std::string(c->id);
    return fail(fmt::format("\"{}\" may be {}; type one more letter", word, names));
  }
  const std::string near = nearest(word, ids);
  return fail(near.empty()
                  ? fmt::format("there is no command \"{}\"; \"help\" lists them", word)
                  : fmt::format("there is no command \"{}\"; did you mean \"{}\"?", word, near));
}

std::optional<CommandTable::Bound> CommandTable::bound_to(Key key) const {
  if (!key) return std::nullopt;
  for (const Command& c : commands_)
    for (const Action& a : c.actions)
      if (a.key == key) return Bound{&c, &a};
  return std::nullopt;
}

Result<Output> run_line(Context& context, std::string_view line) {
  auto words = split_words(line);
  if (!words) return tl::unexpected(words.error());
  if (words->empty()) return Output{};
  auto command = context.table.find(words->front().text);
  if (!command) return tl::unexpected(command.error());
  auto arguments = parse(**command, line.substr(words->front().end));
  if (!arguments) return tl::unexpected(arguments.error());
  return run_command(context, **command, *arguments);
}

Result<Output> run_command(Context& context, const Command& command, const Arguments& arguments) {
  if (command.disabled != nullptr) {
    const std::string_view why = command.disabled(*context.target.snapshot());
    if (!why.empty()) return fail(fmt::format("{}: {}", command.id, why));
  }
  return command.run(context, arguments);
}

}  // namespace pcilens::ui
