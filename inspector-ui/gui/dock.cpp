// Draws the split tree: dividers that can be dragged, and leaves with a row of tabs over a panel.
#include <imgui_internal.h>

#include <algorithm>

#include "inspector-ui/gui/panels/panels.hpp"
#include "inspector-ui/gui/theme.hpp"
#include "inspector-ui/gui/widgets.hpp"

namespace pcilens::gui {
namespace {

using theme::colours;
using theme::unit;

float tab_height() {
  return unit(7.5f);
}

void draw_tabs(App& app, SplitNode& leaf, Rect area) {
  ImDrawList* draw = ImGui::GetWindowDrawList();
  float x = area.x + unit(1);
  const float height = tab_height();
  for (std::size_t i = 0; i < leaf.tabs.size(); ++i) {
    Panel* panel = app.panel(leaf.tabs[i]);
    if (panel == nullptr) continue;
    const bool front = i == leaf.front;
    const std::string title(panel->title());
    const std::string badge = panel->badge(app);
    ImGui::PushFont(theme::fonts().strong);
    const float width = ImGui::CalcTextSize(title.c_str()).x;
    ImGui::PopFont();
    const float badge_width =
        badge.empty() ? 0.0f : ImGui::CalcTextSize(badge.c_str()).x + unit(1.5f);
    const float whole = width + badge_width + unit(4);
    ImGui::SetCursorScreenPos({x, area.y});
    // The panel comes with the press, the keyboard with the release: until then it is the tab's.
    if (ImGui::InvisibleButton(("tab." + leaf.tabs[i]).c_str(), {whole, height}))
      app.entered_panel = leaf.tabs[i];
    if (ImGui::IsItemActivated()) leaf.front = i;
    widgets::name_item("tab." + leaf.tabs[i], title);
    const ImU32 colour =
        front ? colours().text : (ImGui::IsItemHovered() ? colours().dim : colours().faint);
    const float text_y = area.y + (height - ImGui::GetFontSize()) / 2;
    draw->AddText(theme::fonts().strong, theme::fonts().strong->FontSize, {x + unit(2), text_y},
                  colour, title.c_str());
    if (!badge.empty())
      draw->AddText({x + unit(2) + width + unit(1.5f), text_y}, colours().faint, badge.c_str());
    if (front && leaf.tabs.size() > 1)
      draw->AddRectFilled({x + unit(2), area.y + height - 2},
                          {x + whole - unit(2), area.y + height}, colours().accent);
    x += whole;
  }
  draw->AddLine({area.x, area.y + height}, {area.x + area.w, area.y + height}, colours().line);
}

void draw_leaf(App& app, SplitNode& leaf, Rect area) {
  ImDrawList* draw = ImGui::GetWindowDrawList();
  draw->AddRectFilled({area.x, area.y}, {area.x + area.w, area.y + area.h}, colours().panel,
                      unit(1.5f));
  ImGui::PushClipRect({area.x, area.y}, {area.x + area.w, area.y + area.h}, true);
  draw_tabs(app, leaf, area);
  ImGui::PopClipRect();
  if (leaf.tabs.empty()) return;
  leaf.front = std::min(leaf.front, leaf.tabs.size() - 1);
  Panel* panel = app.panel(leaf.tabs[leaf.front]);
  if (panel == nullptr) return;
  const float top = tab_height() + 1;
  const Rect inside{area.x, area.y + top, area.w, std::max(area.h - top, 1.0f)};
  widgets::name_area("panel." + leaf.tabs[leaf.front], inside);
  ImGui::SetCursorScreenPos({inside.x, inside.y});
  if (widgets::begin_area(leaf.tabs[leaf.front].c_str(), {inside.w, inside.h}, {unit(3), unit(2)},
                          false)) {
    if (ImGui::IsMouseClicked(0) &&
        ImGui::IsMouseHoveringRect({area.x, area.y}, {area.x + area.w, area.y + area.h}))
      app.active_panel = leaf.tabs[leaf.front];
    panel->draw(app);
  }
  widgets::end_area();
}

}  // namespace

void draw_dock(App& app, Rect area) {
  const float gap = unit(1.5f), least = unit(40);
  app.layout.lay_out(area, gap, least,
                     {.leaf = [&](SplitNode& leaf, Rect r) { draw_leaf(app, leaf, r); },
                      .divider =
                          [&](SplitNode& node, Rect whole, Rect bar) {
                            const bool columns = node.axis == Axis::Columns;
                            float first = columns ? bar.x - whole.x : bar.y - whole.y;
                            float second = (columns ? whole.w : whole.h) - gap - first;
                            const float room = first + second;
                            ImGui::PushID(&node);
                            ImGui::PushStyleColor(ImGuiCol_Separator, IM_COL32_BLACK_TRANS);
                            const bool moved = ImGui::SplitterBehavior(
                                ImRect({bar.x, bar.y}, {bar.x + bar.w, bar.y + bar.h}),
                                ImGui::GetID("divider"), columns ? ImGuiAxis_X : ImGuiAxis_Y,
                                &first, &second, std::min(least, room / 2),
                                std::min(least, room / 2));
                            ImGui::PopStyleColor();
                            ImGui::PopID();
                            if (moved && room > 0) node.share = first / room;
                          }});
}

}  // namespace pcilens::gui
