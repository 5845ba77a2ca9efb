// The one place for colours, spacing and fonts. Nothing else in the window names a colour or a
// number of pixels; lengths elsewhere are multiples of unit().
#pragma once

#include <imgui.h>

#include "inspector-ui/models/transactions.hpp"

namespace pcilens::gui::theme {

struct Colours {
  ImU32 window;   // behind the panels
  ImU32 panel;    // a panel's ground
  ImU32 raised;   // inputs, buttons, table heads
  ImU32 hovered;  // a row or button under the mouse
  ImU32 pressed;
  ImU32 selected;
  ImU32 line;  // hairlines
  ImU32 text;
  ImU32 dim;    // labels and units
  ImU32 faint;  // hints, what is off
  ImU32 accent;
  ImU32 held;  // what is stopped, and what changed since the last stop
  ImU32 held_ground;
  ImU32 good;                                 // running
  ImU32 bad;                                  // errors and failures
  ImU32 config, read, write, dma, interrupt;  // kinds of transactions
  ImU32 popup, border;                        // menus and tooltips
  ImU32 grab, grab_hovered, grab_active;      // scroll bars
  ImU32 tint, tint_strong;                    // over a row under the mouse, and pressed
  ImU32 veil;                                 // over everything behind a dialogue
};
const Colours& colours();
// Takes effect with the next apply_style().
void set_light(bool light);
bool light();
ImU32 colour_of(KindGroup group);

// Text sizes in pixels at scale 1.
inline constexpr float kTextSize = 15.0f, kMonoSize = 15.0f, kHeadSize = 19.0f;

struct Fonts {
  ImFont* text = nullptr;
  ImFont* strong = nullptr;
  ImFont* mono = nullptr;       // values, places, expressions
  ImFont* mono_head = nullptr;  // the value at a stop
};
const Fonts& fonts();

// Builds the atlas at the display's scale (glfwGetWindowContentScale), never scaled afterwards.
// Falls back to what is installed, at last to the font inside Dear ImGui.
void load_fonts(float scale);
void apply_style(float scale);

// `n` quarter-units of the grid: 4 pixels at scale 1.
float unit(float n = 1.0f);

}  // namespace pcilens::gui::theme
