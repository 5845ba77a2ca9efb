#include "inspector-ui/cli/json_lines.hpp"

#include <cstdio>

namespace pcilens::cli {

void print_json_line(const std::vector<ui::Column>& columns, const std::vector<ui::Cell>& row) {
  std::string text = "{";
  for (std::size_t i = 0; i < columns.size() && i < row.size(); ++i) {
    if (columns[i].key.empty()) continue;
    if (text.size() > 1) text += ',';
    text += ui::json_string(columns[i].key) + ":" +
            (row[i].json.empty() ? ui::json_string(row[i].text) : row[i].json);
  }
  text += "}\n";
  std::fwrite(text.data(), 1, text.size(), stdout);
}

}  // namespace pcilens::cli
