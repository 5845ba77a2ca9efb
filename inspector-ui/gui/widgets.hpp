// What the panels are drawn with: everything that newer Dear ImGui has and 1.86 lacks, the few
// shapes of this window, and a name for each thing that a test may click.
#pragma once

#include <imgui.h>

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "inspector-ui/commands/key.hpp"
#include "inspector-ui/models/split_tree.hpp"

namespace pcilens::gui::widgets {

// Names the item drawn last, or an area, for tests; `text` is what it shows.
void name_item(std::string_view name, std::string_view text = {});
void name_area(std::string_view name, Rect area, std::string_view text = {});

// Text in a colour of the theme. `mono` is for what lines up: values, places, expressions.
void text(std::string_view text, ImU32 colour);
void mono(std::string_view text, ImU32 colour);
void strong(std::string_view text, ImU32 colour);
void wrapped(std::string_view text, ImU32 colour);
// Text cut with "…" where the column ends; hovering shows it whole.
void clipped(std::string_view text, ImU32 colour, bool monospaced);
void clipped_right(std::string_view text, ImU32 colour);  // monospaced, at the right of its column

// Text that leads somewhere. True when clicked.
bool link(std::string_view name, std::string_view text, ImU32 colour, bool monospaced = true);
// A heading inside a panel, with a little room above it.
void heading(std::string_view text);
// "Where   BAR0+0x98": label and value in two columns.
void fact(std::string_view label, std::string_view text, bool monospaced = false);
// A bar from 0 to 1 with a text beside it and a button that ends the work. True when cancelled.
bool progress(std::string_view name, float part, std::string_view text);

// Of one digit of a value, in pixels.
float digit_width();

// In the middle of a panel that has nothing to show: what is missing, and what to do about it.
void empty_state(std::string_view what, std::string_view todo);

enum class Icon : std::uint8_t { None, Run, Pause, Step, StepChange, Restart, Close, Add };
// A button with a shape, a label or both. False while disabled.
bool button(std::string_view name, Icon icon, std::string_view label, ImU32 icon_colour,
            bool enabled = true);
// A frameless cross for the end of a row, seen when its row is hovered.
bool cross(std::string_view name, bool visible);
bool checkbox(std::string_view name, bool* value);
// "before | after": one of a few words.
bool segmented(std::string_view name, int* chosen, const char* const* words, int count);

// True when Enter was pressed. `width` 0: the rest of the line.
bool input(std::string_view name, std::string* text, const char* hint, float width,
           bool bad = false, bool monospaced = true);
void focus_next();
// A line with history and completion: `older`, `newer` and `complete` give what stands there next.
struct LineKeys {
  std::function<std::string(const std::string& now)> older, newer, complete;
};
bool command_line(std::string_view name, std::string* text, const char* hint, float width,
                  const LineKeys& keys);

// A small label such as "RO" or "edited".
void tag(std::string_view text, ImU32 colour);

// A triangle that says whether a row is open, without a frame of its own. True while the mouse is
// on it; the row's own click does the rest.
bool twisty(std::string_view name, bool open, float x);
// A row of a table under everything else; `name` is for tests. True when clicked.
bool row(std::string_view name, bool selected, std::string_view text = {}, float height = 0);
void row_background(ImU32 colour);

// A scroll bar over integers, for lists that ImGui's float positions cannot address. `value` of
// `total`, `page` of which show. True when dragged.
bool scroll_bar(std::string_view name, Rect area, std::uint64_t* value, std::uint64_t total,
                std::uint64_t page);

// Children without the API that changed between 1.86 and 1.90.
bool begin_area(const char* name, ImVec2 size, ImVec2 padding, bool scrolls = true);
void end_area();

// Key presses of the command table, by GLFW's numbers in 1.86 and ImGui's own from 1.87 on.
bool pressed(ui::Key key);
// Closes the popup that is being drawn when Escape is pressed.
void close_on_escape();
bool pressed_enter();
bool pressed_escape();
bool pressed_up();
bool pressed_down();

inline ImVec2 at(float x, float y) {
  return {x, y};
}

}  // namespace pcilens::gui::widgets
