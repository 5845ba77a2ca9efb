// The one table of commands: menus, palette, shortcuts, console, completion and help derive from
// it. A command is data (id, actions with label and key, arguments, help, enabled-if) and one
// function. docs/console.md has a section for each; a test checks that.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.hpp"
#include "core/target/target.hpp"
#include "inspector-ui/commands/key.hpp"
#include "inspector-ui/commands/output.hpp"

namespace pcilens::ui {

// What an argument is: how the console completes it and which input a window's prompt shows.
enum class ArgumentType : std::uint8_t {
  Place,        // "CMD", "STATUS.IRQ", "BAR0+0x98", "config+0x4", "COMMAND", "edu1:CMD"
  Register,     // a register or config item by name
  Value,        // 10, 0x10, 0b101, or the name of an enum value where a field is meant
  Number,       // a count or the number of a breakpoint, rule or transaction
  Size,         // 1, 2, 4, 8 (bytes)
  Duration,     // 500ms, 2s
  Expression,   // docs/expressions.md; takes everything up to the next keyword
  FaultAction,  // "delay 5ms", "all-ones", "flip 0x1": takes everything up to the next keyword
  Assignment,   // "0x10" or "FIELD=VALUE ..."; takes the rest
  Choice,       // one of `choices`
  Flag,         // the keyword alone: there or not
  File,
  CommandName,
  Text,  // the rest of the line
};

// Arguments are given by position, except those with a keyword, which stand at the end of the line
// in any order: `break write CMD ignore 3 once`.
struct Argument {
  std::string_view name;  // key in Arguments, and what help and prompts show
  ArgumentType type = ArgumentType::Text;
  std::string_view doc = {};  // one line, with unit and range
  bool optional = false;
  std::string_view keyword = {};  // "last", "ignore", "=>"; empty: by position
  std::span<const std::string_view> choices = {};
};

// Texts by argument name. A window fills it from its prompt, the console by parse().
class Arguments {
 public:
  bool has(std::string_view name) const { return values_.contains(name); }
  // Empty if not given.
  const std::string& text(std::string_view name) const;
  void set(std::string name, std::string text) { values_[std::move(name)] = std::move(text); }
  // An error says which argument and what was expected. Not given: `otherwise`.
  Result<std::uint64_t> number(std::string_view name, std::uint64_t otherwise = 0) const;

 private:
  std::map<std::string, std::string, std::less<>> values_;
};

// What a command works with. It runs on a thread that may wait for the target, never on a window's
// own (CommandRunner in runner.hpp).
class CommandTable;
struct Context {
  Target& target;
  const CommandTable& table;
  std::stop_token cancelled = {};  // commands that wait look at it
  // How long a command that lets the driver run waits for its next stop, so that answers come in
  // order. A window waits not at all.
  std::chrono::milliseconds settle{0};
  bool script = false;        // `step` waits for its stop, and no stop is an error
  std::string selected = {};  // the register selected on screen: what F9 means by default
  unsigned width = 0;         // of the screen in characters; 0: unknown
  // Runs the lines of a file, for `source`; null where there is no console.
  std::function<Result<Output>(const std::string& file)> source = {};
  // Ends the console or the window, for `quit`.
  std::function<void()> quit = {};
};

// One entry of a menu or the palette and perhaps a key: a command with arguments filled in.
struct Action {
  std::string_view label;  // "Step to next access"; one that asks for arguments ends in "…"
  std::string_view arguments = {};  // as typed after the id: "change"
  Key key = {};
};

enum Where : std::uint8_t { kConsole = 1, kWindow = 2, kEverywhere = 3 };

struct Command {
  std::string_view id;            // one lower-case word, as typed
  std::string_view aliases = {};  // "b br": separated by spaces
  std::string_view
      group;  // the menu: "Run" "Breakpoints" "Faults" "Registers" "Trace" "Function" "Session"
  std::string_view summary;  // one line, starts with a verb
  std::string_view help =
      {};  // paragraphs and examples; each example is a line that begins with two spaces
  std::span<const Argument> arguments = {};
  std::span<const Action> actions = {};  // menu entries; none: console only
  // Why it cannot be run now, as a sentence; empty: it can. Null: always.
  std::string_view (*disabled)(const Snapshot&) = nullptr;
  std::function<Result<Output>(Context&, const Arguments&)> run;
  Where where = kEverywhere;
};

class CommandTable {
 public:
  // Those of every front end.
  static const CommandTable& standard();

  CommandTable() = default;
  // A window adds its own (palette, layouts) to a copy of the standard ones.
  void add(Command command) { commands_.push_back(std::move(command)); }
  std::span<const Command> commands() const { return commands_; }
  // By id, alias or unique beginning. An error names what comes near.
  Result<const Command*> find(std::string_view word) const;
  struct Bound {
    const Command* command;
    const Action* action;
  };
  // The action of a key, if any.
  std::optional<Bound> bound_to(Key key) const;

 private:
  std::vector<Command> commands_;
};

// "write PLACE VALUE [SIZE]".
std::string usage(const Command& command);
// The arguments of `command` from what was typed after its id. An error says what was expected and
// shows the usage.
Result<Arguments> parse(const Command& command, std::string_view text);
// Whether every argument that is not optional is there: else a window asks for them.
bool complete(const Command& command, const Arguments& arguments);

// Parses and runs one line: what the console does with a line, a window with an action
// ("step change"). An empty line and a comment (#) do nothing.
Result<Output> run_line(Context& context, std::string_view line);
// With arguments already taken apart. An error if the command is disabled now.
Result<Output> run_command(Context& context, const Command& command, const Arguments& arguments);

// What may be typed at the end of `line`; each is the whole last word. For TAB and the palette.
struct Completion {
  std::string text;   // replaces the word that begins at `Completions::begin`
  std::string doc;    // one line, may be empty
  bool open = false;  // may go on (a register that has fields): no blank after it
};
struct Completions {
  std::size_t begin = 0;  // where in the line the replaced word begins
  std::vector<Completion> items;
};
Completions complete_line(const CommandTable& table, const Snapshot& snapshot,
                          std::string_view line);

}  // namespace pcilens::ui
