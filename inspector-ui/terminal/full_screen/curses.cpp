#include "inspector-ui/terminal/full_screen/curses.hpp"

#define NCURSES_NOMACROS 1
#include <langinfo.h>
#include <ncursesw/curses.h>

#include <algorithm>
#include <array>
#include <clocale>
#include <cstdlib>
#include <cstring>
#include <cwchar>

namespace pcilens::ui {
namespace {

enum Pair : short { kDefault = 0, kName = 1, kChanged, kGood, kBad, kDim, kHead };

attr_t attribute_of(Style style) {
  switch (style) {
    case Style::Plain:
    case Style::Value: return A_NORMAL;
    case Style::Dim: return static_cast<attr_t>(COLOR_PAIR(kDim)) | (COLORS < 16 ? A_DIM : 0u);
    case Style::Strong: return A_BOLD;
    case Style::Name: return static_cast<attr_t>(COLOR_PAIR(kName));
    case Style::Changed: return static_cast<attr_t>(COLOR_PAIR(kChanged)) | A_BOLD;
    case Style::Good: return static_cast<attr_t>(COLOR_PAIR(kGood));
    case Style::Bad: return static_cast<attr_t>(COLOR_PAIR(kBad)) | A_BOLD;
  }
  return A_NORMAL;
}

// The next character of UTF-8; a byte that is none becomes U+FFFD.
wchar_t take(std::string_view& utf8) {
  std::mbstate_t state{};
  wchar_t wide = 0;
  const std::size_t n = std::mbrtowc(&wide, utf8.data(), utf8.size(), &state);
  if (n == 0 || n > utf8.size()) {
    utf8.remove_prefix(1);
    return 0xfffd;
  }
  utf8.remove_prefix(n);
  return wide;
}

std::string utf8_of(wint_t character) {
  std::array<char, MB_LEN_MAX> bytes{};
  std::mbstate_t state{};
  const std::size_t n = std::wcrtomb(bytes.data(), static_cast<wchar_t>(character), &state);
  return n > bytes.size() ? std::string() : std::string(bytes.data(), n);
}

Key key_of(int code) {
  switch (code) {
    case KEY_UP: return plain(KeyCode::Up);
    case KEY_DOWN: return plain(KeyCode::Down);
    case KEY_LEFT: return plain(KeyCode::Left);
    case KEY_RIGHT: return plain(KeyCode::Right);
    case KEY_PPAGE: return plain(KeyCode::PageUp);
    case KEY_NPAGE: return plain(KeyCode::PageDown);
    case KEY_HOME: return plain(KeyCode::Home);
    case KEY_END: return plain(KeyCode::End);
    case KEY_DC: return plain(KeyCode::Delete);
    case KEY_ENTER: return plain(KeyCode::Enter);
    default: break;
  }
  // terminfo(5): F13 to F24 are the first twelve with Shift, F25 to F36 with Ctrl.
  for (int f = 1; f <= 36; ++f) {
    if (code != KEY_F(f)) continue;
    const auto base = static_cast<KeyCode>(static_cast<int>(KeyCode::F1) + (f - 1) % 12);
    return {base, f > 24, f > 12 && f <= 24, false};
  }
  return {};
}

}  // namespace

Result<std::unique_ptr<Curses>> Curses::open() {
  std::setlocale(LC_ALL, "");
  // Names and arrows are UTF-8; a C locale would show them as question marks.
  if (std::strcmp(nl_langinfo(CODESET), "UTF-8") != 0) std::setlocale(LC_CTYPE, "C.UTF-8");
  const char* term = std::getenv("TERM");
  SCREEN* screen = newterm(nullptr, stdout, stdin);
  if (screen == nullptr)
    return fail(std::string("the terminal \"") + (term == nullptr ? "" : term) +
                "\" cannot show a full screen; set TERM, or leave --full-screen out");
  set_term(screen);
  std::unique_ptr<Curses> made(new Curses);
  raw();  // Ctrl-C, Ctrl-Q and Ctrl-S are keys here
  noecho();
  nonl();
  keypad(stdscr, true);
  nodelay(stdscr, true);
  set_escdelay(25);
  mousemask(BUTTON1_PRESSED | BUTTON4_PRESSED | BUTTON5_PRESSED, nullptr);
  mouseinterval(0);
  const char* no_color = std::getenv("NO_COLOR");
  if (has_colors() && (no_color == nullptr || *no_color == '\0')) {
    start_color();
    use_default_colors();
    init_pair(kName, COLOR_CYAN, -1);
    init_pair(kChanged, COLOR_YELLOW, -1);
    init_pair(kGood, COLOR_GREEN, -1);
    init_pair(kBad, COLOR_RED, -1);
    init_pair(kDim, static_cast<short>(COLORS >= 16 ? 8 : -1), -1);
    init_pair(kHead, COLOR_BLUE, -1);
  }
  return made;
}

Curses::~Curses() {
  endwin();
}

Area Curses::whole() const {
  return {0, 0, getmaxy(stdscr), getmaxx(stdscr)};
}

void Curses::clear() {
  werase(stdscr);
}

void Curses::show() {
  wmove(stdscr, cursor_y_, cursor_x_);
  wrefresh(stdscr);
}

int Curses::text(int y, int x, int width, std::string_view utf8, Style style, bool marked) {
  std::wstring wide;
  int columns = 0;
  while (!utf8.empty()) {
    wchar_t c = take(utf8);
    int n = wcwidth(c);
    if (n < 0) {  // a control character
      c = 0xfffd;
      n = 1;
    }
    if (columns + n > width) {
      while (!wide.empty() && columns + 1 > width) {
        columns -= wcwidth(wide.back());
        wide.pop_back();
      }
      if (columns < width) wide += L'…';
      columns = std::min(columns + 1, width);
      break;
    }
    wide += c;
    columns += n;
  }
  if (wide.empty()) return 0;
  wattrset(stdscr, static_cast<int>(attribute_of(style) | (marked ? A_REVERSE : 0u)));
  mvwaddnwstr(stdscr, y, x, wide.c_str(), static_cast<int>(wide.size()));
  wattrset(stdscr, A_NORMAL);
  return columns;
}

int Curses::line(int y, int x, int width, const Line& line, bool marked) {
  int used = 0;
  for (const Span& span : line.spans)
    used += text(y, x + used, width - used, span.text, span.style, marked);
  if (marked)
    text(y, x + used, width - used,
         std::string(static_cast<std::size_t>(std::max(0, width - used)), ' '), Style::Plain, true);
  return used;
}

void Curses::head(const Area& area, std::string_view title, bool focus) {
  std::string rule;
  for (int i = 0; i < area.width; ++i) rule += "─";
  text(area.y, area.x, area.width, rule, focus ? Style::Name : Style::Dim);
  if (area.width > 4)
    text(area.y, area.x + 1, area.width - 2, " " + std::string(title) + " ",
         focus ? Style::Name : Style::Strong);
}

void Curses::cursor(int y, int x) {
  cursor_y_ = y;
  cursor_x_ = x;
}

void Curses::resized() {
  // newterm() read the size once; this reads it again.
  endwin();
  wrefresh(stdscr);
}

std::optional<Input> Curses::read() {
  wint_t code = 0;
  const int kind = wget_wch(stdscr, &code);
  if (kind == ERR) return std::nullopt;
  Input input;
  if (kind == KEY_CODE_YES) {
    switch (code) {
      case KEY_RESIZE: input.type = Input::Type::Resize; return input;
      case KEY_BACKSPACE: input.type = Input::Type::Backspace; return input;
      case KEY_BTAB: input.type = Input::Type::BackTab; return input;
      case KEY_MOUSE: {
        MEVENT mouse{};
        if (getmouse(&mouse) != OK) return read();
        input.y = mouse.y;
        input.x = mouse.x;
        input.type =
            (mouse.bstate & BUTTON1_PRESSED) != 0 ? Input::Type::Click : Input::Type::Wheel;
        input.lines = (mouse.bstate & BUTTON4_PRESSED) != 0 ? -3 : 3;
        return input;
      }
      default: input.key = key_of(static_cast<int>(code)); return input;
    }
  }
  switch (code) {
    case '\r':
    case '\n': input.key = plain(KeyCode::Enter); return input;
    case '\t': input.type = Input::Type::Tab; return input;
    case 0x7f:
    case '\b': input.type = Input::Type::Backspace; return input;
    case 0x1b: input.key = plain(KeyCode::Escape); return input;
    default: break;
  }
  if (code >= 1 && code <= 26) {
    input.key =
        ctrl(static_cast<KeyCode>(static_cast<int>(KeyCode::A) + static_cast<int>(code) - 1));
    return input;
  }
  input.type = Input::Type::Text;
  input.text = utf8_of(code);
  return input;
}

}  // namespace pcilens::ui
