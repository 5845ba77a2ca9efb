// The panels there are. Each is a file here.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>

#include "inspector-ui/gui/app.hpp"

namespace pcilens::gui {

std::unique_ptr<Panel> make_registers_panel();
std::unique_ptr<Panel> make_config_panel();
std::unique_ptr<Panel> make_transactions_panel(App& app);
std::unique_ptr<Panel> make_breakpoints_panel(App& app);
std::unique_ptr<Panel> make_stop_panel();
std::unique_ptr<Panel> make_code_panel();
std::unique_ptr<Panel> make_console_panel();
std::unique_ptr<Panel> make_detail_panel();
std::unique_ptr<Panel> make_memory_panel();
std::unique_ptr<Panel> make_commands_panel();

// A structure in memory, a member a row, each named `names` + the member for tests.
void draw_members(const Structure& structure, std::span<const std::byte> bytes,
                  const std::string& names);

// Not panels: the rows above and below them, and what opens over them.
void draw_menus(App& app);
void draw_toolbar(App& app);
void draw_status_bar(App& app);
void draw_palette(App& app);
void draw_go_to(App& app);
void handle_shortcuts(App& app);

// The split tree with its tabs and dividers, in the rest of the window.
void draw_dock(App& app, Rect area);

}  // namespace pcilens::gui
