#include "core/target/source_text.hpp"

#include <filesystem>
#include <fstream>
#include <string>

namespace pcilens {
namespace {

constexpr std::uint32_t kLinesBefore = 4, kLinesAfter = 4;
constexpr std::uintmax_t kLargestSource = 4u << 20;  // bytes
constexpr std::size_t kLongestLine = 500;            // bytes

}  // namespace

void add_source(CodeView& view) {
  if (view.stack.empty()) return;
  const auto& [symbol, file, line] = view.stack.front();
  std::error_code error;
  if (file.empty() || line == 0 || !std::filesystem::is_regular_file(file, error) ||
      std::filesystem::file_size(file, error) > kLargestSource || error)
    return;
  std::ifstream in(file);
  std::string text;
  for (std::uint32_t n = 1; n <= line + kLinesAfter && std::getline(in, text); ++n)
    if (n + kLinesBefore >= line)
      view.source.push_back(
          {.line = n, .text = text.substr(0, kLongestLine), .accessing = n == line});
  if (!view.source.empty()) view.source_file = file;
}

}  // namespace pcilens
