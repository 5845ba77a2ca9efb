// What a command answers: lines and tables with a meaning for each word, no escape codes. The
// console renders it to the terminal's width and colours, a window draws it, --json prints `json`.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace pcilens::ui {

// What a word is; each front end chooses the colour.
enum class Style : std::uint8_t { Plain, Dim, Strong, Name, Value, Changed, Good, Bad };

struct Span {
  std::string text;
  Style style = Style::Plain;
};

struct Line {
  std::vector<Span> spans;
  Line() = default;
  Line(std::string text, Style style = Style::Plain) : spans{{std::move(text), style}} {}
  Line(std::vector<Span> s) : spans(std::move(s)) {}
  Line& add(std::string text, Style style = Style::Plain) {
    spans.push_back({std::move(text), style});
    return *this;
  }
};

// One cell of a table. `json` is what a script gets in its place; empty: the text as a string.
struct Cell {
  std::string text;
  Style style = Style::Plain;
  std::string json = {};
};

struct Column {
  std::string title;  // as printed, "" for none; the JSON key is `key`
  std::string key;
  bool right = false;    // numbers stand at the right
  bool stretch = false;  // the one that is cut when the terminal is narrow
  bool json_only = false;
  bool keep_end = false;  // of a text that is cut its end is kept: a path's file and line
};

struct Table {
  std::vector<Column> columns;
  std::vector<std::vector<Cell>> rows;
  std::string empty;  // said instead of an empty table: what to type to fill it
};

struct Output {
  std::vector<std::variant<Line, Table>> blocks;
  std::string json;      // one value; empty: derived from the tables, or {"text": ...}
  bool differs = false;  // `expect` found otherwise: exit code 1 in a script

  Output() = default;
  Output(Line line) { blocks.emplace_back(std::move(line)); }
  Output(Table table) { blocks.emplace_back(std::move(table)); }
  Output& add(Line line) {
    blocks.emplace_back(std::move(line));
    return *this;
  }
  Output& add(Table table) {
    blocks.emplace_back(std::move(table));
    return *this;
  }
};

// The lines of a screen that is `width` columns wide (0: as wide as it wants): columns aligned, the
// stretching one cut with "…".
std::vector<Line> lay_out(const Output& output, unsigned width);

// One line as several that fit into `width` columns, broken between words; those that follow stand
// further in.
std::vector<Line> folded(const Line& line, unsigned width);

struct RenderOptions {
  unsigned width = 80;  // columns; 0: as wide as it wants
  bool colour = false;  // ANSI escapes
};
// The same as text, with a newline after each line.
std::string render(const Output& output, const RenderOptions& options);
// One JSON value without a newline at its end.
std::string render_json(const Output& output);

// "\"text\"" with JSON's escapes (RFC 8259, 7).
std::string json_string(std::string_view text);

}  // namespace pcilens::ui
