// pcilens attach: a console or window on a target that another process serves.
#include <fmt/format.h>

#include <CLI/CLI.hpp>

#include "core/target/remote.hpp"
#include "inspector-ui/cli/console_arguments.hpp"
#include "inspector-ui/cli/not_empty.hpp"
#include "inspector-ui/cli/subcommands.hpp"
#include "inspector-ui/cli/window.hpp"

namespace pcilens::cli {
namespace {

// The socket that is meant: the named one, or the only one there is.
Result<std::string> choose(const std::string& named) {
  if (!named.empty()) return socket_path(named, FolderOfSocket::LookedAt);
  auto served = served_sockets();
  if (!served) return tl::unexpected(served.error());
  if (served->size() == 1) return served->front();
  if (served->empty())
    return fail("nobody serves a target now; start \"pcilens serve\", or give the socket's path");
  std::string names;
  for (const std::string& path : *served) names += "\n  " + path;
  return fail("several are served; name one of:" + names);
}

}  // namespace

Run declare_attach(CLI::App& app) {
  struct Arguments {
    std::string socket;
    bool control = false, gui = false;
    ui::ConsoleOptions console;
  };
  auto a = std::make_shared<Arguments>();
  app.add_option("socket", a->socket,
                 "A name, or the path of a socket. Default: the only one there is")
      ->type_name("NAME|PATH")
      ->check(not_empty());
  app.add_flag("--control", a->control,
               "Take control from whoever has it; without it a second one only watches");
  app.add_flag("--gui", a->gui, "Open a window instead of the console");
  add_console_options(app, a->console);
  return [a] {
    auto path = choose(a->socket);
    if (!path) return cannot(path.error().message);
    ui::block_interrupts();
    auto target = connect_target(*path, {.control = a->control});
    if (!target) return cannot(target.error().message);
    if (a->gui) {
      auto ended = open_window(**target);
      return ended ? *ended : cannot(ended.error().message);
    }
    a->console.greeting =
        fmt::format("attached to {}; \"help\" lists the commands, Ctrl-D leaves it running", *path);
    if (a->console.full_screen) return show_full_screen(**target, a->console);
    return ui::run_console(**target, a->console);
  };
}

}  // namespace pcilens::cli
