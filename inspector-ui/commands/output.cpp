#include "inspector-ui/commands/output.hpp"

#include <algorithm>
#include <cstdio>

namespace pcilens::ui {
namespace {

// Columns that UTF-8 text takes: one for each code point, which holds for all that we print.
unsigned columns_of(std::string_view text) {
  unsigned n = 0;
  for (const char c : text) n += (static_cast<unsigned char>(c) & 0xc0) != 0x80;
  return n;
}

std::string cut(std::string_view text, unsigned width) {
  if (columns_of(text) <= width) return std::string(text);
  if (width == 0) return {};
  std::string out;
  unsigned n = 0;
  for (const char c : text) {
    const bool starts = (static_cast<unsigned char>(c) & 0xc0) != 0x80;
    if (starts && ++n == width) break;
    out += c;
  }
  return out + "…";
}

std::string cut_in_front(std::string_view text, unsigned width) {
  const unsigned all = columns_of(text);
  if (all <= width || width == 0) return cut(text, width);
  unsigned skip = all - width + 1;
  const auto continues = [&] { return (static_cast<unsigned char>(text.front()) & 0xc0) == 0x80; };
  while (!text.empty() && (skip > 0 || continues())) {
    if (!continues()) --skip;
    text.remove_prefix(1);
  }
  return "…" + std::string(text);
}

const char* escape_of(Style style) {
  switch (style) {
    case Style::Plain: return "";
    case Style::Dim: return "\033[2m";
    case Style::Strong: return "\033[1m";
    case Style::Name: return "\033[36m";
    case Style::Value: return "";
    case Style::Changed: return "\033[33m";
    case Style::Good: return "\033[32m";
    case Style::Bad: return "\033[31m";
  }
  return "";
}

void put(std::string& out, std::string_view text, Style style, bool colour) {
  const std::string_view escape = colour ? escape_of(style) : "";
  out += escape;
  out += text;
  if (!escape.empty()) out += "\033[0m";
}

Line fitted(const Line& line, unsigned width) {
  unsigned room = width == 0 ? ~0u : width;
  Line out;
  for (const Span& s : line.spans) {
    std::string shown = cut(s.text, room);
    const bool whole = shown == s.text;
    room -= columns_of(shown);
    out.add(std::move(shown), s.style);
    if (!whole) break;
  }
  return out;
}

void lay_out(std::vector<Line>& out, const Table& table, unsigned width) {
  if (table.rows.empty()) {
    if (!table.empty.empty()) out.push_back(fitted(Line(table.empty, Style::Dim), width));
    return;
  }
  const std::size_t n = table.columns.size();
  std::vector<unsigned> widths(n);
  bool titled = false;
  unsigned shown_columns = 0;
  for (std::size_t i = 0; i < n; ++i) {
    if (table.columns[i].json_only) continue;
    ++shown_columns;
    widths[i] = columns_of(table.columns[i].title);
    titled |= widths[i] != 0;
    for (const auto& row : table.rows)
      if (i < row.size()) widths[i] = std::max(widths[i], columns_of(row[i].text));
  }
  constexpr unsigned kGap = 2;
  unsigned total = kGap * (shown_columns - 1);
  for (const unsigned w : widths) total += w;
  // The stretching columns give way from the last, but keep something to read.
  for (std::size_t i = n; width != 0 && total > width && i-- > 0;) {
    if (!table.columns[i].stretch) continue;
    const unsigned least = std::min(widths[i], 8u);
    const unsigned give = std::min(total - width, widths[i] - least);
    widths[i] -= give;
    total -= give;
  }
  const auto row_out = [&](auto&& text_of, auto&& style_of) {
    Line line;
    unsigned at = 0;   // columns written
    unsigned pad = 0;  // spaces owed: written only when something follows them
    for (std::size_t i = 0; i < n; ++i) {
      if (table.columns[i].json_only) continue;
      const bool keep_end = table.columns[i].keep_end;
      std::string shown =
          keep_end ? cut_in_front(text_of(i), widths[i]) : cut(text_of(i), widths[i]);
      const unsigned gap = widths[i] - columns_of(shown);
      if (table.columns[i].right) pad += gap;
      if (!shown.empty()) {
        if (width != 0 && at + pad >= width) break;
        if (width != 0)
          shown = keep_end ? cut_in_front(shown, width - at - pad) : cut(shown, width - at - pad);
        at += pad + columns_of(shown);
        if (pad != 0) line.add(std::string(pad, ' '));
        line.add(std::move(shown), style_of(i));
        pad = 0;
      }
      if (!table.columns[i].right) pad += gap;
      pad += kGap;
    }
    out.push_back(std::move(line));
  };
  if (titled)
    row_out([&](std::size_t i) { return table.columns[i].title; },
            [](std::size_t) { return Style::Dim; });
  for (const auto& row : table.rows)
    row_out([&](std::size_t i) { return i < row.size() ? row[i].text : std::string(); },
            [&](std::size_t i) { return i < row.size() ? row[i].style : Style::Plain; });
}

std::string table_json(const Table& table) {
  std::string out = "[";
  for (const auto& row : table.rows) {
    out += out.size() > 1 ? ",{" : "{";
    for (std::size_t i = 0; i < row.size() && i < table.columns.size(); ++i) {
      if (table.columns[i].key.empty()) continue;
      if (out.back() != '{') out += ',';
      out += json_string(table.columns[i].key) + ":" +
             (row[i].json.empty() ? json_string(row[i].text) : row[i].json);
    }
    out += '}';
  }
  return out + "]";
}

std::string text_of(const Line& line) {
  std::string text;
  for (const Span& s : line.spans) text += s.text;
  return text;
}

}  // namespace

std::vector<Line> lay_out(const Output& output, unsigned width) {
  std::vector<Line> lines;
  for (const auto& block : output.blocks) {
    if (const auto* line = std::get_if<Line>(&block))
      lines.push_back(fitted(*line, width));
    else
      lay_out(lines, std::get<Table>(block), width);
  }
  return lines;
}

std::vector<Line> folded(const Line& line, unsigned width) {
  constexpr unsigned kFurtherIn = 2;
  std::vector<Line> lines(1);
  unsigned at = 0, indent = 0;
  bool beginning = true;  // only blanks so far
  for (const Span& span : line.spans) {
    std::string_view rest = span.text;
    while (!rest.empty()) {
      // Blanks and the word after them.
      const std::size_t word = std::min(rest.find_first_not_of(' '), rest.size());
      const std::size_t end = std::min(rest.find(' ', word), rest.size());
      std::string_view piece = rest.substr(0, end);
      rest.remove_prefix(end);
      if (beginning) indent += static_cast<unsigned>(word);
      beginning &= word == end;
      if (at + columns_of(piece) > width && at > indent) {
        piece.remove_prefix(std::min(word, piece.size()));
        indent = std::min(indent + (lines.size() == 1 ? kFurtherIn : 0), width / 2);
        lines.emplace_back(std::string(indent, ' '));
        at = indent;
      }
      at += columns_of(piece);
      lines.back().add(std::string(piece), span.style);
    }
  }
  for (Line& one : lines) one = fitted(one, width);
  return lines;
}

std::string render(const Output& output, const RenderOptions& options) {
  std::string out;
  for (const Line& line : lay_out(output, options.width)) {
    std::string text;
    for (const Span& s : line.spans) put(text, s.text, s.style, options.colour);
    while (!text.empty() && text.back() == ' ') text.pop_back();
    out += text + "\n";
  }
  return out;
}

std::string render_json(const Output& output) {
  if (!output.json.empty()) return output.json;
  for (const auto& block : output.blocks)
    if (const auto* table = std::get_if<Table>(&block)) return table_json(*table);
  std::string text;
  for (const auto& block : output.blocks)
    text += (text.empty() ? "" : "\n") + text_of(std::get<Line>(block));
  return "{\"text\":" + json_string(text) + "}";
}

std::string json_string(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    switch (c) {
      case '"': out += "\\\""; break;
      case '\\': out += "\\\\"; break;
      case '\n': out += "\\n"; break;
      case '\t': out += "\\t"; break;
      case '\r': out += "\\r"; break;
      default:
        if (static_cast<unsigned char>(c) < 0x20) {
          char buffer[8];
          std::snprintf(buffer, sizeof buffer, "\\u%04x", static_cast<unsigned>(c));
          out += buffer;
        } else {
          out += c;
        }
    }
  }
  return out + "\"";
}

}  // namespace pcilens::ui
