// The numbers that options of sub-commands take.
#pragma once

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <charconv>
#include <cstdint>
#include <string>

namespace pcilens::cli {

// From `least` to 2^63-1, which is the last number that a transaction can have; decimal, or
// hexadecimal after 0x. The parser itself would take -1 for 2^64-1 and cut what is too large.
inline CLI::Validator whole_number(std::uint64_t least) {
  return CLI::Validator(
      [least](const std::string& text) -> std::string {
        constexpr std::uint64_t kMost = ~0ull >> 1;
        const bool hex = text.starts_with("0x");
        const char* const end = text.data() + text.size();
        std::uint64_t value = 0;
        const auto [stop, error] =
            std::from_chars(text.data() + (hex ? 2 : 0), end, value, hex ? 16 : 10);
        if (error == std::errc() && stop == end && value >= least && value <= kMost) return {};
        return fmt::format("{} is not a whole number from {} to {}", text, least, kMost);
      },
      "");
}

}  // namespace pcilens::cli
