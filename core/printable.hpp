// Text out of a file that may be anybody's, made fit for a terminal and for one line of it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace pcilens {
namespace printable_detail {

// Controls (C0, DEL, C1), line separators and what turns the direction of writing around: all can
// make a terminal show something else than what is there.
constexpr bool harmless(std::uint32_t c) {
  return c >= 0x20 && !(c >= 0x7f && c < 0xa0) && c != 0x061c && !(c >= 0x200e && c <= 0x200f) &&
         !(c >= 0x2028 && c <= 0x202e) && !(c >= 0x2066 && c <= 0x2069) && c != 0xfeff;
}

// The bytes of the character that `text` begins with if it is harmless; 0 if not, or if it is none
// (Unicode 15, table 3-7).
constexpr std::size_t harmless_bytes(std::string_view text) {
  const auto byte = [&](std::size_t i) -> std::uint32_t {
    return i < text.size() ? static_cast<unsigned char>(text[i]) : 0u;
  };
  const auto first = byte(0);
  if (first < 0x80) return harmless(first) ? 1 : 0;
  const std::size_t size = first >= 0xc2 && first < 0xe0   ? 2
                           : first >= 0xe0 && first < 0xf0 ? 3
                           : first >= 0xf0 && first < 0xf5 ? 4
                                                           : 0;
  if (size == 0) return 0;
  std::uint32_t c = first & (0x7fu >> size);
  for (std::size_t i = 1; i < size; ++i) {
    if ((byte(i) & 0xc0u) != 0x80u) return 0;
    c = c << 6 | (byte(i) & 0x3fu);
  }
  constexpr std::uint32_t kLeast[] = {0, 0, 0x80, 0x800, 0x10000};
  if (c < kLeast[size] || c > 0x10ffff || (c >= 0xd800 && c < 0xe000) || !harmless(c)) return 0;
  return size;
}

}  // namespace printable_detail

// `text` with a '?' for each byte that begins no harmless character of UTF-8, and a blank for a tab
// or the end of a line. What is longer than `most` bytes is cut, and ends in "...".
inline std::string printable(std::string_view text, std::size_t most = ~std::size_t{0}) {
  std::string out;
  while (!text.empty()) {
    const auto size = printable_detail::harmless_bytes(text);
    if (out.size() + (size == 0 ? 1 : size) > most) return out + "...";
    const char c = text.front();
    if (size != 0)
      out += text.substr(0, size);
    else
      out += c == '\n' || c == '\t' || c == '\r' ? ' ' : '?';
    text.remove_prefix(size == 0 ? 1 : size);
  }
  return out;
}

// How long a name out of a file is at most: what a message repeats stays one line.
inline constexpr std::size_t kLongestName = 80;

}  // namespace pcilens
