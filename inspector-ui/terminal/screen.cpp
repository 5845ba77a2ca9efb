#include "inspector-ui/terminal/screen.hpp"

#include <sys/ioctl.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <string>

namespace pcilens::ui {

Screen::Screen(bool json) : json_(json), terminal_(isatty(STDOUT_FILENO) != 0) {
  // no-color.org: set to anything but the empty string.
  const char* no_color = std::getenv("NO_COLOR");
  const char* term = std::getenv("TERM");
  colour_ = terminal_ && (no_color == nullptr || *no_color == '\0') && term != nullptr &&
            std::string_view(term) != "dumb";
}

unsigned Screen::width() const {
  winsize size{};
  if (!terminal_ || ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0) return 0;
  return size.ws_col;
}

void Screen::print(const Output& output) const {
  if (output.blocks.empty() && output.json.empty()) return;
  const std::string text =
      json_ ? render_json(output) + "\n" : render(output, {.width = width(), .colour = colour_});
  std::fwrite(text.data(), 1, text.size(), stdout);
  std::fflush(stdout);
}

bool Screen::lost() const {
  return std::ferror(stdout) != 0;
}

void Screen::error(std::string_view where, std::string_view message) const {
  std::string text = where.empty() ? "" : std::string(where) + ": ";
  text += message;
  to_stderr(json_ ? "{\"error\":" + json_string(text) + "}" : text);
}

void Screen::remark(std::string_view who, std::string_view message) const {
  to_stderr(json_ ? "{" + json_string(who) + ":" + json_string(message) + "}"
                  : std::string(who) + ": " + std::string(message));
}

void Screen::to_stderr(std::string text) const {
  if (!json_ && colour_ && isatty(STDERR_FILENO) != 0) text = "\033[31m" + text + "\033[0m";
  std::fflush(stdout);
  std::fprintf(stderr, "%s\n", text.c_str());
}

}  // namespace pcilens::ui
