// The line being typed on the full screen: a cursor, a history. No terminal, so that tests drive
// it.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "inspector-ui/terminal/full_screen/input.hpp"

namespace pcilens::ui {

class LineEdit {
 public:
  const std::string& text() const { return text_; }
  // Columns before the cursor.
  int column() const;
  void set(std::string text);
  void insert(std::string_view utf8);
  // Puts `with` where the text from byte `begin` to the cursor is.
  void replace(std::size_t begin, std::string_view with);
  std::string_view before_cursor() const { return std::string_view(text_).substr(0, cursor_); }
  // Takes the line, for the history too, and begins an empty one.
  std::string take();
  // An editing key or character; false: it is none of this line's.
  bool handle(const Input& input);

 private:
  std::size_t left_of(std::size_t at) const;
  std::size_t right_of(std::size_t at) const;
  void recall(std::ptrdiff_t by);

  std::string text_;
  std::size_t cursor_ = 0;  // bytes, between characters
  std::vector<std::string> history_;
  std::size_t place_ = 0;  // in the history; its size: the line that is typed
  std::string typed_;
};

}  // namespace pcilens::ui
