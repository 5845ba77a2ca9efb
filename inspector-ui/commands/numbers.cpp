// Numbers as people type and read them.
#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "inspector-ui/commands/place.hpp"
#include "inspector-ui/commands/words.hpp"

namespace pcilens::ui {
namespace {

bool same_name(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](char x, char y) {
    return std::tolower(static_cast<unsigned char>(x)) ==
           std::tolower(static_cast<unsigned char>(y));
  });
}

}  // namespace

Result<std::uint64_t> parse_value(std::string_view text, const Field* field) {
  if (field != nullptr) {
    for (const EnumValue& v : field->values)
      if (same_name(v.name, text)) return v.value;
  }
  std::string digits;
  std::string_view rest = text;
  if (rest.starts_with('#')) rest.remove_prefix(1);
  int base = 10;
  if (rest.starts_with("0x") || rest.starts_with("0X")) {
    base = 16;
    rest.remove_prefix(2);
  } else if (rest.starts_with("0b") || rest.starts_with("0B")) {
    base = 2;
    rest.remove_prefix(2);
  }
  for (const char c : rest)
    if (c != '_') digits += c;
  std::uint64_t value = 0;
  const auto [end, error] =
      std::from_chars(digits.data(), digits.data() + digits.size(), value, base);
  if (error == std::errc::result_out_of_range)
    return fail(fmt::format("{} needs more than 64 bits; give 8 bytes at most", text));
  if (error == std::errc() && end == digits.data() + digits.size()) return value;
  if (field != nullptr && !field->values.empty()) {
    std::string names;
    for (const EnumValue& v : field->values)
      names += (names.empty() ? "" : ", ") + std::string(v.name);
    return fail(fmt::format("\"{}\" is no value of {}; it takes a number or one of {}", text,
                            field->name, names));
  }
  return fail(fmt::format("\"{}\" is not a number; write 16, 0x10 or 0b10000", text));
}

Result<std::uint64_t> parse_duration(std::string_view text) {
  struct Unit {
    std::string_view name;
    double ns;
  };
  static constexpr Unit kUnits[] = {{"ns", 1},     {"us", 1e3}, {"µs", 1e3}, {"ms", 1e6},
                                    {"min", 6e10}, {"s", 1e9},  {"", 1e9}};
  for (const Unit& unit : kUnits) {
    if (!text.ends_with(unit.name)) continue;
    const std::string_view number = text.substr(0, text.size() - unit.name.size());
    double value = 0;
    const auto [end, error] = std::from_chars(number.data(), number.data() + number.size(), value);
    if (error != std::errc() || end != number.data() + number.size() || value < 0 ||
        value * unit.ns > 1e18)
      break;
    return static_cast<std::uint64_t>(value * unit.ns);
  }
  return fail(fmt::format("\"{}\" is not a duration; write 500ms, 2s or 1min", text));
}

std::string hex(std::uint64_t value, unsigned bytes) {
  return fmt::format("0x{:0{}x}", value, std::max(1u, bytes * 2));
}

std::string format_time(std::uint64_t ns) {
  if (ns < 1000) return fmt::format("{} ns", ns);
  const double t = static_cast<double>(ns);
  if (ns < 1000'000) return fmt::format("{:.3f} µs", t / 1e3);
  if (ns < 1000'000'000) return fmt::format("{:.3f} ms", t / 1e6);
  return fmt::format("{:.6f} s", t / 1e9);
}

}  // namespace pcilens::ui
