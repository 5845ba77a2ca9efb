// pcilens gui, and pcilens alone: the window where it can open, else the console.
#include <CLI/CLI.hpp>
#include <cstdlib>

#include "inspector-ui/cli/console_arguments.hpp"
#include "inspector-ui/cli/session_arguments.hpp"
#include "inspector-ui/cli/subcommands.hpp"

#if defined(PCILENS_GUI) && __has_include("inspector-ui/gui/window.hpp")
#include "inspector-ui/gui/window.hpp"
#define PCILENS_HAS_WINDOW 1
#endif

namespace pcilens::cli {
namespace {

#ifdef PCILENS_HAS_WINDOW
bool has_display() {
  const char* x = std::getenv("DISPLAY");
  const char* wayland = std::getenv("WAYLAND_DISPLAY");
  return (x != nullptr && *x != '\0') || (wayland != nullptr && *wayland != '\0');
}
#endif

}  // namespace

Run declare_gui(CLI::App& app) {
  auto session = std::make_shared<SessionArguments>();
  add_session_options(app, *session);
  return [session] {
#ifdef PCILENS_HAS_WINDOW
    if (!has_display())
      return cannot(
          "there is no display ($DISPLAY and $WAYLAND_DISPLAY are empty); use \"pcilens console\"");
    auto target = open(*session);
    if (!target) return cannot(target.error().message);
    auto ended = gui::run_window(**target, {});
    return ended ? *ended : cannot(ended.error().message);
#else
    return cannot("this pcilens was built without the window; use \"pcilens console\"");
#endif
  };
}

int run_default() {
  auto target = open({});
  if (!target) return cannot(target.error().message);
#ifdef PCILENS_HAS_WINDOW
  // A window that cannot open (no OpenGL, a display that refuses) is no reason to show nothing.
  if (has_display() && gui::run_window(**target, {})) return kOk;
#endif
  ui::ConsoleOptions options;
  options.greeting = greeting();
  return ui::run_console(**target, options);
}

}  // namespace pcilens::cli
