// The window, where this build and this machine have one.
#pragma once

#include "core/result.hpp"
#include "core/target/target.hpp"

namespace pcilens::cli {

bool has_display();  // $DISPLAY or $WAYLAND_DISPLAY is set, and the window is compiled in
// Until it is closed; the exit code. An error says why there is no window.
Result<int> open_window(Target& target);

}  // namespace pcilens::cli
