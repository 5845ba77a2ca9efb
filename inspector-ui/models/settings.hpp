// What the window keeps from one time to the next: theme and layout, in a text file of its own.
#pragma once

#include <string>
#include <string_view>

#include "core/result.hpp"

namespace pcilens::gui {

struct Settings {
  bool light = false;
  std::string layout;         // as SplitTree::to_text() writes it; empty: the default
  int width = 0, height = 0;  // of the window, pixels at scale 1; 0: not known

  std::string to_text() const;
  // Lines that are not known or wrong are ignored: an older or newer pcilens may have written them.
  static Settings from_text(std::string_view text);

  // $XDG_CONFIG_HOME/pcilens/window, or ~/.config/pcilens/window; empty where there is no home.
  static std::string path();
  static Settings load(const std::string& path);  // defaults where there is none
  Result<void> save(const std::string& path) const;
};

}  // namespace pcilens::gui
