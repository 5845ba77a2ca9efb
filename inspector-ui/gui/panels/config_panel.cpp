// Config space: the header and the chain of capabilities, decoded from the function's 4096 bytes.
#include <fmt/format.h>
#include <imgui.h>

#include "inspector-ui/gui/panels/panels.hpp"
#include "inspector-ui/gui/theme.hpp"
#include "inspector-ui/gui/widgets.hpp"
#include "inspector-ui/models/config.hpp"

namespace pcilens::gui {
namespace {

using theme::colours;
using theme::unit;

class ConfigPanel final : public Panel {
 public:
  std::string_view id() const override { return "config"; }
  std::string_view title() const override { return "Config space"; }
  void draw(App& app) override;

 private:
  void draw_row(App& app, const ConfigRow& row);

  std::size_t function_ = 0;
  std::set<std::string> open_, closed_;
  std::string selected_;
};

void ConfigPanel::draw(App& app) {
  const auto& functions = app.snapshot().functions;
  if (functions.empty()) {
    widgets::empty_state("No function", "No function is plugged in; Restart begins again.");
    return;
  }
  function_ = std::min(function_, functions.size() - 1);
  for (std::size_t i = 0; functions.size() > 1 && i < functions.size(); ++i) {
    if (i != 0) ImGui::SameLine();
    if (widgets::button("config.function." + functions[i].instance, widgets::Icon::None,
                        functions[i].instance, colours().text))
      function_ = i;
  }
  const FunctionState& f = functions[function_];
  if (!f.config) {
    widgets::empty_state("No config space", "The function has not shown its config space yet.");
    return;
  }
  widgets::mono(f.bdf, colours().text);
  ImGui::SameLine();
  widgets::text(f.plugged ? f.instance : f.instance + ", removed",
                f.plugged ? colours().dim : colours().bad);
  const ImGuiTableFlags flags = ImGuiTableFlags_Resizable | ImGuiTableFlags_ScrollY |
                                ImGuiTableFlags_NoSavedSettings | ImGuiTableFlags_NoPadOuterX;
  if (!ImGui::BeginTable("config", 4, flags)) return;
  ImGui::TableSetupScrollFreeze(0, 1);
  ImGui::TableSetupColumn("Name", ImGuiTableColumnFlags_WidthFixed, unit(44));
  ImGui::TableSetupColumn("Offset", ImGuiTableColumnFlags_WidthFixed, unit(12));
  ImGui::TableSetupColumn("Value", ImGuiTableColumnFlags_WidthFixed, unit(25));
  ImGui::TableSetupColumn("Meaning", ImGuiTableColumnFlags_WidthStretch);
  ImGui::PushStyleColor(ImGuiCol_Text, colours().faint);
  ImGui::TableHeadersRow();
  ImGui::PopStyleColor();
  for (const ConfigRow& row : config_rows(f, open_, closed_)) {
    ImGui::TableNextRow();
    ImGui::PushID(row.id.c_str());
    draw_row(app, row);
    ImGui::PopID();
  }
  ImGui::EndTable();
}

void ConfigPanel::draw_row(App& app, const ConfigRow& row) {
  ImGui::TableSetColumnIndex(0);
  const bool head = row.kind == ConfigRow::Kind::Capability;
  const float indent = unit(4) * static_cast<float>(row.depth);
  if (row.expandable) widgets::twisty("config.open." + row.id, row.expanded, indent);
  const bool wanted = app.reveal_config == row.id;
  if (wanted) {
    ImGui::SetScrollHereY(0.3f);
    selected_ = row.id;
    app.reveal_config.clear();
  }
  const bool clicked = widgets::row("config.row." + row.id, selected_ == row.id, row.value);
  if (clicked) selected_ = row.id;
  if (clicked && row.expandable) {
    auto& set = head ? closed_ : open_;
    const std::string key = head ? (row.name == "Header" ? "header" : row.name) : row.id;
    if (!set.erase(key)) set.insert(key);
  }
  if (!row.spec.empty() && ImGui::IsItemHovered()) ImGui::SetTooltip("%s", row.spec.c_str());
  ImGui::SameLine(0, 0);
  ImGui::SetCursorPosX(ImGui::GetCursorPosX() + indent + unit(4));
  if (head)
    widgets::strong(row.name, colours().text);
  else
    widgets::clipped(row.name, row.kind == ConfigRow::Kind::Field ? colours().dim : colours().text,
                     true);
  ImGui::TableSetColumnIndex(1);
  widgets::mono(row.where, colours().faint);
  ImGui::TableSetColumnIndex(2);
  widgets::clipped(row.value, colours().text, true);
  ImGui::TableSetColumnIndex(3);
  const bool decoded = row.kind == ConfigRow::Kind::Item && row.expandable;
  widgets::clipped(row.meaning, decoded ? colours().dim : colours().faint, decoded);
}

}  // namespace

std::unique_ptr<Panel> make_config_panel() {
  return std::make_unique<ConfigPanel>();
}

}  // namespace pcilens::gui
