#include "core/registers/svd_values.hpp"

#include <algorithm>
#include <charconv>

namespace pcilens::svd {
namespace {

constexpr std::size_t kLongestLine = 300;

bool is_space(char c) {
  return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

// Bytes of the UTF-8 character at the start of `text`; 0 if there is none (Unicode, table 3-7).
std::size_t utf8_length(std::string_view text) {
  const auto at = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char first = at(0);
  if (first < 0x80) return 1;
  const std::size_t length = first >= 0xc2 && first < 0xe0   ? 2
                             : first >= 0xe0 && first < 0xf0 ? 3
                             : first >= 0xf0 && first < 0xf5 ? 4
                                                             : 0;
  if (length == 0 || text.size() < length) return 0;
  for (std::size_t i = 1; i < length; ++i)
    if ((at(i) & 0xc0) != 0x80) return 0;
  if ((first == 0xe0 && at(1) < 0xa0) || (first == 0xed && at(1) >= 0xa0) ||
      (first == 0xf0 && at(1) < 0x90) || (first == 0xf4 && at(1) >= 0x90))
    return 0;
  return length;
}

}  // namespace

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && is_space(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_space(text.back())) text.remove_suffix(1);
  return text;
}

std::optional<std::uint64_t> number(std::string_view text) {
  text = trimmed(text);
  if (text.starts_with('+')) text.remove_prefix(1);
  int base = 10;
  if (text.starts_with("0x") || text.starts_with("0X")) {
    base = 16;
    text.remove_prefix(2);
  } else if (text.starts_with("0b") || text.starts_with("0B")) {
    base = 2;
    text.remove_prefix(2);
  } else if (text.starts_with('#')) {
    base = 2;
    text.remove_prefix(1);
  }
  unsigned shift = 0;
  if (!text.empty()) {
    constexpr std::string_view kScales = "kmgt";
    const auto scale = kScales.find(static_cast<char>(text.back() | 0x20));
    if (scale != std::string_view::npos) {
      shift = static_cast<unsigned>(scale + 1) * 10;
      text.remove_suffix(1);
    }
  }
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, base);
  if (text.empty() || error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  if (shift != 0 && value >> (64 - shift) != 0) return std::nullopt;
  return value << shift;
}

std::optional<BitRange> bit_range(std::string_view text) {
  text = trimmed(text);
  const auto colon = text.find(':');
  if (!text.starts_with('[') || !text.ends_with(']') || colon == std::string_view::npos)
    return std::nullopt;
  const auto high = number(text.substr(1, colon - 1));
  const auto low = number(text.substr(colon + 1, text.size() - colon - 2));
  if (!high || !low) return std::nullopt;
  return BitRange{*high, *low};
}

std::vector<std::string> indices(std::string_view text, std::size_t limit) {
  text = trimmed(text);
  std::vector<std::string> found;
  const auto dash = text.find('-');
  if (dash != std::string_view::npos && text.find(',') == std::string_view::npos) {
    const std::string_view first = trimmed(text.substr(0, dash)),
                           last = trimmed(text.substr(dash + 1));
    const auto from = number(first), to = number(last);
    if (from && to) {
      if (*to < *from || *to - *from >= limit) return {};
      for (std::uint64_t i = *from; i <= *to; ++i) found.push_back(std::to_string(i));
    } else if (first.size() == 1 && last.size() == 1 && usable_name(first) && first <= last) {
      for (int c = first[0]; c <= last[0]; ++c) found.emplace_back(1, static_cast<char>(c));
    }
    return found.size() > limit ? std::vector<std::string>{} : found;
  }
  for (std::size_t at = 0; at <= text.size();) {
    const auto comma = std::min(text.find(',', at), text.size());
    const std::string_view one = trimmed(text.substr(at, comma - at));
    if (!usable_name(one) || found.size() >= limit) return {};
    found.emplace_back(one);
    at = comma + 1;
  }
  return found;
}

std::string one_line(std::string_view text) {
  text = trimmed(text);
  std::string line;
  while (!text.empty() && line.size() < kLongestLine) {
    if (is_space(text.front())) {
      if (line.back() != ' ') line += ' ';
      text.remove_prefix(1);
      continue;
    }
    const std::size_t length = utf8_length(text);
    if (length == 0) {
      line += '?';
      text.remove_prefix(1);
      continue;
    }
    if (line.size() + length > kLongestLine) break;
    if (length > 1 || (text.front() >= 0x20 && text.front() != 0x7f))
      line += text.substr(0, length);
    else
      line += '?';
    text.remove_prefix(length);
  }
  while (line.ends_with(' ')) line.pop_back();
  return line;
}

bool usable_name(std::string_view name) {
  return !name.empty() && name.size() <= 128 &&
         std::all_of(name.begin(), name.end(), [](char c) { return c > 0x20 && c < 0x7f; });
}

}  // namespace pcilens::svd
