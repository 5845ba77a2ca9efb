#include "inspector-ui/cli/window.hpp"

#include <cstdlib>

#ifdef PCILENS_GUI
#include "inspector-ui/gui/window.hpp"
#endif

namespace pcilens::cli {

#ifdef PCILENS_GUI

bool has_display() {
  const char* x = std::getenv("DISPLAY");
  const char* wayland = std::getenv("WAYLAND_DISPLAY");
  return (x != nullptr && *x != '\0') || (wayland != nullptr && *wayland != '\0');
}

Result<int> open_window(Target& target) {
  if (!has_display())
    return fail(
        "there is no display ($DISPLAY and $WAYLAND_DISPLAY are empty); use \"pcilens console\"");
  return gui::run_window(target, {});
}

#else

bool has_display() {
  return false;
}

Result<int> open_window(Target&) {
  return fail(
      "this pcilens was built without the window (PCILENS_GUI=OFF); use \"pcilens console\"");
}

#endif

}  // namespace pcilens::cli
