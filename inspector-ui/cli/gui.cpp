// pcilens gui, and pcilens alone: the window where it can open, else the console.
#include <fmt/format.h>

#include <CLI/CLI.hpp>

#include "inspector-ui/cli/console_arguments.hpp"
#include "inspector-ui/cli/session_arguments.hpp"
#include "inspector-ui/cli/subcommands.hpp"
#include "inspector-ui/cli/window.hpp"

namespace pcilens::cli {

Run declare_gui(CLI::App& app) {
  auto session = std::make_shared<SessionArguments>();
  add_recording_option(app, *session);
  add_session_options(app, *session);
  return [session] {
    auto target = open(*session);
    if (!target) return cannot(target.error().message);
    auto ended = open_window(**target);
    const int code = ended ? *ended : cannot(ended.error().message);
    return end(std::move(*target), *session, code);
  };
}

Run declare_default(CLI::App& app) {
  auto session = std::make_shared<SessionArguments>();
  add_session_options(app, *session);
  return [session] {
    auto target = open(*session);
    if (!target) return cannot(target.error().message);
    std::string why;
    if (has_display()) {
      auto ended = open_window(**target);
      if (ended) return end(std::move(*target), *session, *ended);
      why = fmt::format("no window: {}\n", ended.error().message);
    }
    ui::ConsoleOptions options;
    options.greeting = why + greeting();
    options.await_stop = will_be_held(*session);
    const int code = ui::run_console(**target, options);
    return end(std::move(*target), *session, code);
  };
}

}  // namespace pcilens::cli
