// What the full screen needs of ncurses: clipped, styled text at a place, and keys as events.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "core/result.hpp"
#include "inspector-ui/commands/output.hpp"
#include "inspector-ui/terminal/full_screen/input.hpp"

namespace pcilens::ui {

// In characters, from the upper left corner.
struct Area {
  int y = 0, x = 0, height = 0, width = 0;
  bool holds(int at_y, int at_x) const {
    return at_y >= y && at_y < y + height && at_x >= x && at_x < x + width;
  }
};

class Curses {
 public:
  // Takes the terminal; an Error where it cannot be driven (no TERM, no cursor).
  static Result<std::unique_ptr<Curses>> open();
  ~Curses();  // gives it back as it was
  Curses(const Curses&) = delete;
  Curses& operator=(const Curses&) = delete;

  Area whole() const;
  void clear();
  void show();  // what was written since clear(), with the cursor where it was put
  // Writes at most `width` columns and gives how many it took. `marked` rows stand out.
  int text(int y, int x, int width, std::string_view utf8, Style style, bool marked = false);
  int line(int y, int x, int width, const Line& line, bool marked = false);
  // A pane's head: its title on a rule, brighter where the keys go.
  void head(const Area& area, std::string_view title, bool focus);
  void cursor(int y, int x);

  // What was typed, without waiting.
  std::optional<Input> read();
  void resized();

 private:
  Curses() = default;
  int cursor_y_ = 0, cursor_x_ = 0;
};

}  // namespace pcilens::ui
