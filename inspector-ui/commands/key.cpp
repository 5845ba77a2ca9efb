#include "inspector-ui/commands/key.hpp"

#include <array>
#include <string_view>

namespace pcilens::ui {

std::string name_of(Key key) {
  if (!key) return {};
  std::string name;
  if (key.ctrl) name += "Ctrl+";
  if (key.alt) name += "Alt+";
  if (key.shift) name += "Shift+";
  const auto code = static_cast<unsigned>(key.code);
  const auto after = [code](KeyCode first) { return code - static_cast<unsigned>(first); };
  if (key.code <= KeyCode::F12) return name + "F" + std::to_string(after(KeyCode::F1) + 1);
  if (key.code <= KeyCode::Z) return name + static_cast<char>('A' + after(KeyCode::A));
  static constexpr std::array<std::string_view, 12> kNames = {"Enter", "Escape", "Space", "Delete",
                                                              "Up",    "Down",   "Left",  "Right",
                                                              "PgUp",  "PgDn",   "Home",  "End"};
  return name + std::string(kNames[after(KeyCode::Enter)]);
}

}  // namespace pcilens::ui
