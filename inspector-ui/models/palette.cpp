#include "inspector-ui/models/palette.hpp"

#include <algorithm>
#include <cctype>
#include <utility>

namespace pcilens::gui {
namespace {

// Whether the letters of `wanted` come in this order: "sna" finds "Step to Next Access".
bool letters_in_order(std::string_view text, std::string_view wanted) {
  std::size_t at = 0;
  for (char c : text)
    if (at < wanted.size() && std::tolower(static_cast<unsigned char>(c)) ==
                                  std::tolower(static_cast<unsigned char>(wanted[at])))
      ++at;
  return at == wanted.size();
}

bool contains(std::string_view text, std::string_view wanted) {
  return std::search(text.begin(), text.end(), wanted.begin(), wanted.end(), [](char a, char b) {
           return std::tolower(static_cast<unsigned char>(a)) ==
                  std::tolower(static_cast<unsigned char>(b));
         }) != text.end();
}

}  // namespace

std::vector<PaletteItem> palette_items(const ui::CommandTable& table, const Snapshot& snapshot,
                                       std::string_view text) {
  std::vector<PaletteItem> exact, near, lines;
  for (const ui::Command& command : table.commands()) {
    if ((command.where & ui::kWindow) == 0) continue;
    for (const ui::Action& action : command.actions) {
      PaletteItem item;
      item.title = std::string(action.label);
      item.detail = ui::name_of(action.key);
      item.command = &command;
      item.action = &action;
      if (command.disabled != nullptr) item.why_not = std::string(command.disabled(snapshot));
      if (text.empty() || contains(action.label, text))
        exact.push_back(std::move(item));
      else if (letters_in_order(action.label, text))
        near.push_back(std::move(item));
    }
  }
  if (!text.empty()) {
    const auto space = text.find(' ');
    const auto command = table.find(text.substr(0, space));
    if (command && space != std::string_view::npos) {
      const ui::Completions found = ui::complete_line(table, snapshot, text);
      for (const ui::Completion& c : found.items) {
        if (lines.size() >= 10) break;
        PaletteItem item;
        item.title = c.text;
        item.detail = c.doc;
        item.line = std::string(text.substr(0, found.begin)) + c.text + " ";
        lines.push_back(std::move(item));
      }
      const auto arguments = ui::parse(**command, text.substr(space + 1));
      PaletteItem run;
      run.title = std::string(text);
      run.detail =
          arguments && ui::complete(**command, *arguments) ? "Enter runs it" : ui::usage(**command);
      run.line = std::string(text);
      run.runs = true;
      lines.insert(lines.begin(), std::move(run));
    } else if (command) {
      PaletteItem item;
      item.title = ui::usage(**command);
      item.detail = std::string((*command)->summary);
      item.line = std::string((*command)->id) + " ";
      item.runs = (*command)->arguments.empty();
      lines.push_back(std::move(item));
    }
  }
  std::vector<PaletteItem> all;
  // A line with arguments is meant as one; a bare word is rather part of a label.
  const bool line_first = text.find(' ') != std::string_view::npos && !lines.empty();
  std::vector<PaletteItem>* order[] = {&exact, &lines, &near};
  if (line_first) std::swap(order[0], order[1]);
  for (auto* part : order)
    for (PaletteItem& item : *part) all.push_back(std::move(item));
  return all;
}

}  // namespace pcilens::gui
