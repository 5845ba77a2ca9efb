// A line of words as typed: blanks separate, quotes group, # begins a comment.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.hpp"

namespace pcilens::ui {

struct Word {
  std::string text;        // without its quotes
  std::size_t begin, end;  // in the line, quotes included
  bool quoted = false;     // the whole word was in quotes
};

// An error names the column of a quote that is not closed.
Result<std::vector<Word>> split_words(std::string_view line);

// The nearest of `names` to a mistyped word, or empty: for "did you mean".
std::string nearest(std::string_view word, const std::vector<std::string>& names);

}  // namespace pcilens::ui
