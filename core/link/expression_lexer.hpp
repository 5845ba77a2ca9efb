// From the text of an expression to its tokens, and how an error in it is told.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <vector>

namespace pcilens::expression {

// What hostile text may cost: it comes from traces, scripts and sockets.
inline constexpr std::size_t kMaxText = 4096;      // bytes
inline constexpr int kMaxDepth = 64;               // parentheses and nots inside each other
inline constexpr std::size_t kMaxNodes = 512;      // conditions
inline constexpr std::size_t kMaxName = 128;       // bytes of one name
inline constexpr std::size_t kMaxTargets = 16384;  // registers, all conditions together

struct Token {
  enum class Type : std::uint8_t {
    End,
    Word,    // a name with its parts and index: SQ[3].TDBL, SQ*.TDBL, nvme_*
    Quoted,  // "..." or '...': a name, never a keyword
    Number,
    Symbol,  // ( ) { } , : + & && | || ! != = == < <= > >= -> ..
  } type = Type::End;
  std::string_view text;           // without the quotes
  std::size_t begin = 0, end = 0;  // bytes of the source
  std::uint64_t number = 0;
};

struct Problem {
  std::size_t begin = 0, end = 0;  // bytes of the source; end == begin: just there
  std::string what;
};

// The last token is End.
tl::expected<std::vector<Token>, Problem> tokenize(std::string_view text);
// Decimal, 0x, 0b, with _ between digits; a decimal may have a fraction and a unit: ns us ms s for
// times (in ns), k M G for sizes (powers of 1024). Nothing if it is no number; `why` says more.
std::optional<std::uint64_t> parse_number(std::string_view text, std::string* why = nullptr);

// "column 4: no register STATSU ...\n  STATSU 0->1\n  ^~~~~~"
std::string tell(std::string_view text, const Problem& problem);
// Its parts: the column of a byte, from 1, in characters; the text with the caret.
std::size_t column_of(std::string_view text, std::size_t byte);
std::string point_at(std::string_view text, const Problem& problem);
// For messages: no control characters, no more than a line's worth.
std::string printable(std::string_view text, std::size_t limit = 60);

}  // namespace pcilens::expression
