// What is typed and clicked on the full screen, apart from the library that reads it.
#pragma once

#include <cstdint>
#include <string>

#include "inspector-ui/commands/key.hpp"

namespace pcilens::ui {

struct Input {
  enum class Type : std::uint8_t { Key, Text, Backspace, Tab, BackTab, Click, Wheel, Resize };
  Type type = Type::Key;
  Key key = {};      // of Key
  std::string text;  // of Text: one character in UTF-8
  int y = 0, x = 0;  // of Click and Wheel
  int lines = 0;     // of Wheel: up is negative
};

}  // namespace pcilens::ui
