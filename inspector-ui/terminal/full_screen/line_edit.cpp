#include "inspector-ui/terminal/full_screen/line_edit.hpp"

#include <utility>

namespace pcilens::ui {
namespace {

bool begins_character(char c) {
  return (static_cast<unsigned char>(c) & 0xc0) != 0x80;
}

}  // namespace

int LineEdit::column() const {
  int n = 0;
  for (const char c : before_cursor()) n += begins_character(c) ? 1 : 0;
  return n;
}

std::size_t LineEdit::left_of(std::size_t at) const {
  if (at == 0) return 0;
  do --at;
  while (at > 0 && !begins_character(text_[at]));
  return at;
}

std::size_t LineEdit::right_of(std::size_t at) const {
  if (at >= text_.size()) return text_.size();
  do ++at;
  while (at < text_.size() && !begins_character(text_[at]));
  return at;
}

void LineEdit::set(std::string text) {
  text_ = std::move(text);
  cursor_ = text_.size();
}

void LineEdit::insert(std::string_view utf8) {
  text_.insert(cursor_, utf8);
  cursor_ += utf8.size();
}

void LineEdit::replace(std::size_t begin, std::string_view with) {
  text_.replace(begin, cursor_ - begin, with);
  cursor_ = begin + with.size();
}

std::string LineEdit::take() {
  if (!text_.empty() && (history_.empty() || history_.back() != text_)) history_.push_back(text_);
  place_ = history_.size();
  cursor_ = 0;
  return std::exchange(text_, {});
}

void LineEdit::recall(std::ptrdiff_t by) {
  const auto goal = static_cast<std::ptrdiff_t>(place_) + by;
  if (goal < 0 || goal > static_cast<std::ptrdiff_t>(history_.size())) return;
  if (place_ == history_.size()) typed_ = text_;
  place_ = static_cast<std::size_t>(goal);
  set(place_ == history_.size() ? typed_ : history_[place_]);
}

bool LineEdit::handle(const Input& input) {
  if (input.type == Input::Type::Text) {
    insert(input.text);
    return true;
  }
  if (input.type == Input::Type::Backspace) {
    const std::size_t from = left_of(cursor_);
    text_.erase(from, cursor_ - from);
    cursor_ = from;
    return true;
  }
  if (input.type != Input::Type::Key) return false;
  const Key key = input.key;
  if (key == plain(KeyCode::Left) || key == ctrl(KeyCode::B)) {
    cursor_ = left_of(cursor_);
  } else if (key == plain(KeyCode::Right) || key == ctrl(KeyCode::F)) {
    cursor_ = right_of(cursor_);
  } else if (key == plain(KeyCode::Home) || key == ctrl(KeyCode::A)) {
    cursor_ = 0;
  } else if (key == plain(KeyCode::End) || key == ctrl(KeyCode::E)) {
    cursor_ = text_.size();
  } else if (key == plain(KeyCode::Delete)) {
    text_.erase(cursor_, right_of(cursor_) - cursor_);
  } else if (key == ctrl(KeyCode::U)) {
    text_.erase(0, std::exchange(cursor_, 0));
  } else if (key == ctrl(KeyCode::K)) {
    text_.erase(cursor_);
  } else if (key == ctrl(KeyCode::W)) {
    std::size_t from = cursor_;
    while (from > 0 && text_[from - 1] == ' ') --from;
    while (from > 0 && text_[from - 1] != ' ') --from;
    text_.erase(from, cursor_ - from);
    cursor_ = from;
  } else if (key == plain(KeyCode::Up)) {
    recall(-1);
  } else if (key == plain(KeyCode::Down)) {
    recall(1);
  } else {
    return false;
  }
  return true;
}

}  // namespace pcilens::ui
