#include "inspector-ui/terminal/full_screen/line_edit.hpp"

#include "catch.hpp"

using namespace pcilens::ui;

namespace {

void press(LineEdit& edit, Key key) {
  REQUIRE(edit.handle({.type = Input::Type::Key, .key = key}));
}
void type(LineEdit& edit, const std::string& text) {
  for (const char c : text) REQUIRE(edit.handle({.type = Input::Type::Text, .text = {c}}));
}

}  // namespace

TEST_CASE("characters go in where the cursor is") {
  LineEdit edit;
  type(edit, "brk");
  press(edit, plain(KeyCode::Left));
  type(edit, "ea");
  CHECK(edit.text() == "break");
  CHECK(edit.column() == 4);
}

TEST_CASE("a character of several bytes is one step and one backspace") {
  LineEdit edit;
  edit.set("a→b");
  press(edit, plain(KeyCode::Left));
  CHECK(edit.column() == 2);
  REQUIRE(edit.handle({.type = Input::Type::Backspace}));
  CHECK(edit.text() == "ab");
  press(edit, plain(KeyCode::Delete));
  CHECK(edit.text() == "a");
}

TEST_CASE("Ctrl-W takes the word before the cursor, Ctrl-U everything before it") {
  LineEdit edit;
  edit.set("break write CMD");
  press(edit, ctrl(KeyCode::W));
  CHECK(edit.text() == "break write ");
  press(edit, ctrl(KeyCode::U));
  CHECK(edit.text().empty());
}

TEST_CASE("earlier lines come back, and the one being typed after them") {
  LineEdit edit;
  for (const char* line : {"run", "step", "step"}) {
    edit.set(line);
    CHECK(edit.take() == line);
  }
  type(edit, "reg");
  press(edit, plain(KeyCode::Up));
  CHECK(edit.text() == "step");
  press(edit, plain(KeyCode::Up));
  CHECK(edit.text() == "run");
  press(edit, plain(KeyCode::Up));
  CHECK(edit.text() == "run");
  press(edit, plain(KeyCode::Down));
  press(edit, plain(KeyCode::Down));
  CHECK(edit.text() == "reg");
}

TEST_CASE("a completion replaces the word before the cursor and keeps what follows") {
  LineEdit edit;
  edit.set("break wr CMD");
  for (int i = 0; i < 4; ++i) press(edit, plain(KeyCode::Left));
  edit.replace(6, "write");
  CHECK(edit.text() == "break write CMD");
  CHECK(edit.before_cursor() == "break write");
}

TEST_CASE("a key that is none of the line's is left to others") {
  LineEdit edit;
  CHECK_FALSE(edit.handle({.type = Input::Type::Key, .key = plain(KeyCode::F5)}));
  CHECK_FALSE(edit.handle({.type = Input::Type::Tab}));
}
