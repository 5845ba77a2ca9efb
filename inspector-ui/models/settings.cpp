#include "inspector-ui/models/settings.hpp"

#include <fmt/format.h>

#include <charconv>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

namespace pcilens::gui {
namespace {

constexpr int kSmallest = 400, kLargest = 20'000;

int number(std::string_view text) {
  int value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value < kSmallest || value > kLargest ? 0 : value;
}

}  // namespace

std::string Settings::to_text() const {
  std::string text = fmt::format("theme {}\n", light ? "light" : "dark");
  if (width != 0 && height != 0) text += fmt::format("size {} {}\n", width, height);
  if (!layout.empty()) text += fmt::format("layout {}\n", layout);
  return text;
}

Settings Settings::from_text(std::string_view text) {
  Settings s;
  while (!text.empty()) {
    const std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(text.size(), line.size() + 1));
    const auto blank = line.find(' ');
    if (blank == std::string_view::npos) continue;
    const std::string_view name = line.substr(0, blank), value = line.substr(blank + 1);
    if (name == "theme") s.light = value == "light";
    if (name == "layout") s.layout = std::string(value);
    if (name == "size") {
      const auto middle = value.find(' ');
      if (middle == std::string_view::npos) continue;
      s.width = number(value.substr(0, middle));
      s.height = number(value.substr(middle + 1));
    }
  }
  return s;
}

std::string Settings::path() {
  const char* config = std::getenv("XDG_CONFIG_HOME");
  if (config != nullptr && config[0] == '/') return std::string(config) + "/pcilens/window";
  const char* home = std::getenv("HOME");
  return home != nullptr && home[0] == '/' ? std::string(home) + "/.config/pcilens/window"
                                           : std::string();
}

Settings Settings::load(const std::string& path) {
  std::ifstream file(path);
  std::stringstream text;
  text << file.rdbuf();
  return from_text(text.str());
}

Result<void> Settings::save(const std::string& path) const {
  if (path.empty()) return {};
  std::error_code error;
  std::filesystem::create_directories(std::filesystem::path(path).parent_path(), error);
  const std::string fresh = path + ".new";
  {
    std::ofstream file(fresh, std::ios::trunc);
    file << to_text();
    if (!file.flush())
      return fail(fmt::format("{}: cannot be written; the layout is not kept", fresh));
  }
  std::filesystem::rename(fresh, path, error);
  if (error) return fail(fmt::format("{}: {}; the layout is not kept", path, error.message()));
  return {};
}

}  // namespace pcilens::gui
