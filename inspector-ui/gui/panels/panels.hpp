// The panels there are. Each is a file here.
#pragma once

#include <memory>

#include "inspector-ui/gui/app.hpp"

namespace pcilens::gui {

std::unique_ptr<Panel> make_registers_panel();
std::unique_ptr<Panel> make_config_panel();
std::unique_ptr<Panel> make_transactions_panel(App& app);
std::unique_ptr<Panel> make_breakpoints_panel();
std::unique_ptr<Panel> make_stop_panel();
std::unique_ptr<Panel> make_code_panel();
std::unique_ptr<Panel> make_output_panel();

// Not panels: the rows above and below them, and what opens over them.
void draw_menus(App& app);
void draw_toolbar(App& app);
void draw_status_bar(App& app);
void draw_palette(App& app);
void handle_shortcuts(App& app);

// The split tree with its tabs and dividers, in the rest of the window.
void draw_dock(App& app, Rect area);

}  // namespace pcilens::gui
