// Commands that only a window has: palette, go to, find, layouts, themes. Menus, palette and keys
// take them from the table like all others.
#pragma once

#include "inspector-ui/commands/command.hpp"

namespace pcilens::gui {

class App;
void add_window_commands(ui::CommandTable& table, App& app);

}  // namespace pcilens::gui
