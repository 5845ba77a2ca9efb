// What the palette offers for what was typed: actions of the command table by label, and the
// completion of a command line.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "inspector-ui/commands/command.hpp"

namespace pcilens::gui {

struct PaletteItem {
  std::string title;
  std::string detail;                    // the key of an action, what a completion means
  std::string why_not;                   // why it cannot be run now; empty: it can
  const ui::Command* command = nullptr;  // an action to run
  const ui::Action* action = nullptr;
  std::string line;   // else the line that this leaves in the input
  bool runs = false;  // the line is run, not only filled in
};

std::vector<PaletteItem> palette_items(const ui::CommandTable& table, const Snapshot& snapshot,
                                       std::string_view text);

}  // namespace pcilens::gui
