// pcilens console: a prompt on a device and its driver, or a script.
#include "inspector-ui/terminal/console.hpp"

#include <unistd.h>

#include <CLI/CLI.hpp>

#include "inspector-ui/cli/console_arguments.hpp"
#include "inspector-ui/cli/session_arguments.hpp"
#include "inspector-ui/cli/subcommands.hpp"
#include "inspector-ui/terminal/full_screen/full_screen.hpp"

namespace pcilens::cli {

void add_console_options(CLI::App& app, ui::ConsoleOptions& o) {
  app.add_option("-x,--script", o.scripts,
                 "Run the commands of this file, then end; - is standard input")
      ->type_name("FILE");
  app.add_option("-e,--command", o.commands,
                 "Run this command after the scripts, then end; may be repeated")
      ->type_name("COMMAND");
  app.add_flag("-i,--interactive", o.stay, "Stay on the prompt after scripts and commands");
  app.add_flag("-f,--full-screen", o.full_screen,
               "Registers, transactions, breakpoints and code around the prompt")
      ->excludes("--script")
      ->excludes("--command");
  app.add_flag("--json", o.json, "Answer with one JSON value a command");
  app.add_flag("--echo", o.echo, "Show each line of a script before it runs");
}

int show_full_screen(Target& target, const ui::ConsoleOptions& o) {
  if (isatty(STDIN_FILENO) == 0 || isatty(STDOUT_FILENO) == 0)
    return cannot("--full-screen wants a terminal; leave it out for a script");
  auto ended = ui::run_full_screen(target, o.greeting);
  return ended ? *ended : cannot(ended.error().message);
}

const char* greeting() {
  return "pcilens " PCILENS_VERSION ": \"help\" lists the commands, TAB completes, Ctrl-D ends";
}

Run declare_console(CLI::App& app) {
  auto session = std::make_shared<SessionArguments>();
  auto console = std::make_shared<ui::ConsoleOptions>();
  add_recording_option(app, *session);
  add_session_options(app, *session);
  add_console_options(app, *console);
  return [session, console] {
    auto target = open(*session);
    if (!target) return cannot(target.error().message);
    console->greeting = greeting();
    console->await_stop = will_be_held(*session);
    const int code = console->full_screen ? show_full_screen(**target, *console)
                                          : ui::run_console(**target, *console);
    return end(std::move(*target), *session, code);
  };
}

}  // namespace pcilens::cli
