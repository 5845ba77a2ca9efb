// The window: Dear ImGui on GLFW and OpenGL 3, or 2 where there is no 3.
#pragma once

#include <memory>
#include <string>

#include "core/result.hpp"
#include "core/target/target.hpp"

namespace pcilens::gui {

struct WindowOptions {
  int width = 1600, height = 900;  // pixels at scale 1; less where the screen is smaller
  std::string title = "pcilens";
};

// Shows the target until the window is closed; the exit code. An error if no window opens: no
// display, or no OpenGL; nothing was done then. Call it on the main thread, once at a time.
Result<int> run_window(Target& target, const WindowOptions& options);

}  // namespace pcilens::gui
