// Output: what commands answered, as the console prints it.
#include <imgui.h>

#include "inspector-ui/gui/panels/panels.hpp"
#include "inspector-ui/gui/theme.hpp"
#include "inspector-ui/gui/widgets.hpp"

namespace pcilens::gui {
namespace {

using theme::colours;
using theme::unit;

ImU32 colour_of(ui::Style style) {
  switch (style) {
    case ui::Style::Plain: return colours().text;
    case ui::Style::Dim: return colours().faint;
    case ui::Style::Strong: return colours().text;
    case ui::Style::Name: return colours().accent;
    case ui::Style::Value: return colours().text;
    case ui::Style::Changed: return colours().held;
    case ui::Style::Good: return colours().good;
    case ui::Style::Bad: return colours().bad;
  }
  return colours().text;
}

class OutputPanel final : public Panel {
 public:
  std::string_view id() const override { return "output"; }
  std::string_view title() const override { return "Output"; }
  void draw(App& app) override;

 private:
  static void line(const ui::Line& line);
  static void table(const ui::Table& table, int id);
  std::size_t seen_ = 0;
};

void OutputPanel::draw(App& app) {
  if (app.messages().empty()) {
    widgets::empty_state("No output yet",
                         "Press Ctrl+P and type a command, such as  regs  or  help.");
    return;
  }
  if (widgets::begin_area("output body", {0, 0}, {0, 0})) {
    int id = 0;
    for (const App::Message& m : app.messages()) {
      widgets::mono("> " + m.line, colours().faint);
      if (m.bad) widgets::wrapped(m.error, colours().bad);
      for (const auto& block : m.output.blocks) {
        if (const auto* l = std::get_if<ui::Line>(&block))
          line(*l);
        else
          table(std::get<ui::Table>(block), ++id);
      }
      ImGui::Dummy({0, unit(1)});
    }
    if (seen_ != app.messages().size()) ImGui::SetScrollHereY(1);
    seen_ = app.messages().size();
  }
  widgets::end_area();
}

void OutputPanel::line(const ui::Line& line) {
  if (line.spans.empty()) ImGui::NewLine();
  for (std::size_t i = 0; i < line.spans.size(); ++i) {
    if (i != 0) ImGui::SameLine(0, 0);
    widgets::mono(line.spans[i].text, colour_of(line.spans[i].style));
  }
}

void OutputPanel::table(const ui::Table& t, int id) {
  if (t.rows.empty()) {
    widgets::wrapped(t.empty, colours().faint);
    return;
  }
  ImGui::PushID(id);
  if (ImGui::BeginTable("table", static_cast<int>(t.columns.size()),
                        ImGuiTableFlags_NoSavedSettings | ImGuiTableFlags_NoPadOuterX |
                            ImGuiTableFlags_SizingFixedFit)) {
    for (const auto& row : t.rows) {
      ImGui::TableNextRow();
      for (std::size_t c = 0; c < row.size() && c < t.columns.size(); ++c) {
        ImGui::TableSetColumnIndex(static_cast<int>(c));
        widgets::mono(row[c].text, colour_of(row[c].style));
      }
    }
    ImGui::EndTable();
  }
  ImGui::PopID();
}

}  // namespace

std::unique_ptr<Panel> make_output_panel() {
  return std::make_unique<OutputPanel>();
}

}  // namespace pcilens::gui
