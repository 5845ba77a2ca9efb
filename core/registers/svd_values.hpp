// The notations of values in CMSIS-SVD: numbers, bit ranges, lists of indices, texts.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace pcilens::svd {

std::string_view trimmed(std::string_view text);

// scaledNonNegativeInteger: 12, 0x1F, #101 or 0b101 (binary), with a suffix k, m, g or t. Nothing
// if it is none of these or does not fit into 64 bits.
std::optional<std::uint64_t> number(std::string_view text);

struct BitRange {
  std::uint64_t high, low;
};
// "[7:4]"
std::optional<BitRange> bit_range(std::string_view text);

// dimIndex: "0-3", "A-D" or "A,B,C"; empty if it is none of these or has over `limit` entries.
std::vector<std::string> indices(std::string_view text, std::size_t limit);

// One line of valid UTF-8, 300 bytes at most: white space folded, control characters dropped.
std::string one_line(std::string_view text);

// Whether a name can be typed and shown: printable ASCII without spaces, 1 to 128 of them.
bool usable_name(std::string_view name);

}  // namespace pcilens::svd
