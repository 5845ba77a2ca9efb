#include <algorithm>

#include "inspector-ui/terminal/full_screen/panes.hpp"

namespace pcilens::ui {

bool ListView::handle(const Input& input, int rows) {
  int by = 0;
  if (input.type == Input::Type::Wheel) {
    by = input.lines;
  } else if (input.type != Input::Type::Key) {
    return false;
  } else if (input.key == plain(KeyCode::Up)) {
    by = -1;
  } else if (input.key == plain(KeyCode::Down)) {
    by = 1;
  } else if (input.key == plain(KeyCode::PageUp)) {
    by = -std::max(1, height - 1);
  } else if (input.key == plain(KeyCode::PageDown)) {
    by = std::max(1, height - 1);
  } else if (input.key == plain(KeyCode::Home)) {
    by = -rows;
  } else if (input.key == plain(KeyCode::End)) {
    by = rows;
  } else {
    return false;
  }
  selected = std::clamp(selected + by, 0, std::max(0, rows - 1));
  return true;
}

void ListView::fit(int rows, int visible) {
  height = std::max(1, visible);
  selected = std::clamp(selected, 0, std::max(0, rows - 1));
  top = std::clamp(top, std::max(0, selected - height + 1), selected);
  top = std::min(top, std::max(0, rows - height));
}

}  // namespace pcilens::ui
