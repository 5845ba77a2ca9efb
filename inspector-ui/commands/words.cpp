#include "inspector-ui/commands/words.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <numeric>

namespace pcilens::ui {
namespace {

bool blank(char c) {
  return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

std::size_t distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), 0u);
  for (std::size_t i = 0; i < a.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i + 1;
    for (std::size_t j = 0; j < b.size(); ++j) {
      const bool same = std::tolower(static_cast<unsigned char>(a[i])) ==
                        std::tolower(static_cast<unsigned char>(b[j]));
      const std::size_t replaced = diagonal + (same ? 0 : 1);
      diagonal = row[j + 1];
      row[j + 1] = std::min({row[j] + 1, row[j + 1] + 1, replaced});
    }
  }
  return row.back();
}

}  // namespace

Result<std::vector<Word>> split_words(std::string_view line) {
  std::vector<Word> words;
  for (std::size_t i = 0; i < line.size();) {
    if (blank(line[i])) {
      ++i;
      continue;
    }
    // "#42" is how screens write the number of a transaction; any other # begins a comment.
    if (line[i] == '#' && (i + 1 == line.size() || line[i + 1] < '0' || line[i + 1] > '9')) break;
    Word word{.text = {}, .begin = i, .end = i};
    if (line[i] == '"' || line[i] == '\'') {
      const char quote = line[i];
      const std::size_t close = line.find(quote, i + 1);
      if (close == std::string_view::npos)
        return fail(fmt::format("column {}: this {} is never closed; close it or leave it out",
                                i + 1, quote));
      if (close + 1 == line.size() || blank(line[close + 1])) {
        word.text = line.substr(i + 1, close - i - 1);
        word.quoted = true;
        i = close + 1;
      }
    }
    // Quotes inside a word belong to the word: an expression has strings of its own.
    char inside = 0;
    for (; !word.quoted && i < line.size() && (inside != 0 || !blank(line[i])); ++i) {
      if (inside == line[i])
        inside = 0;
      else if (inside == 0 && line[i] == '"')
        inside = '"';
      word.text += line[i];
    }
    word.end = i;
    words.push_back(std::move(word));
  }
  return words;
}

std::string nearest(std::string_view word, const std::vector<std::string>& names) {
  std::string best;
  std::size_t least = std::max<std::size_t>(1, word.size() / 3) + 1;
  for (const std::string& name : names) {
    const std::size_t d = distance(word, name);
    if (d < least) {
      least = d;
      best = name;
    }
  }
  return best;
}

}  // namespace pcilens::ui
