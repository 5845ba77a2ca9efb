// Menus and shortcuts, both from the command table.
#include <imgui.h>

#include <algorithm>
#include <string>
#include <vector>

#include "inspector-ui/gui/panels/panels.hpp"
#include "inspector-ui/gui/theme.hpp"
#include "inspector-ui/gui/widgets.hpp"

namespace pcilens::gui {
namespace {

using theme::colours;

void draw_command(App& app, const ui::Command& command) {
  const std::string_view why_not =
      command.disabled != nullptr ? command.disabled(app.snapshot()) : std::string_view();
  for (const ui::Action& action : command.actions) {
    const std::string label(action.label), key = ui::name_of(action.key);
    const bool chosen = app.is_chosen(command, action);
    if (ImGui::MenuItem(label.c_str(), key.empty() ? nullptr : key.c_str(), chosen,
                        why_not.empty()))
      app.run(command, action);
    widgets::name_item("menu.item." + label, chosen ? "on" : "");
    if (ImGui::IsItemHovered(ImGuiHoveredFlags_AllowWhenDisabled)) {
      const std::string tip(why_not.empty() ? command.summary : why_not);
      ImGui::SetTooltip("%s", tip.c_str());
    }
  }
}

constexpr std::string_view kView = "View";  // comes last, with the panels

bool in_window(const ui::Command& c) {
  return (c.where & ui::kWindow) != 0 && !c.actions.empty();
}

}  // namespace

void draw_menus(App& app) {
  std::vector<std::string_view> groups;
  for (const ui::Command& c : app.table().commands())
    if (in_window(c) && c.group != kView && std::ranges::find(groups, c.group) == groups.end())
      groups.push_back(c.group);
  for (const std::string_view group : groups) {
    const std::string name(group);
    const bool open = ImGui::BeginMenu(name.c_str());
    widgets::name_item("menu." + name, name);
    if (!open) continue;
    widgets::close_on_escape();
    for (const ui::Command& c : app.table().commands())
      if (in_window(c) && c.group == group) draw_command(app, c);
    ImGui::EndMenu();
  }
  const bool open = ImGui::BeginMenu("View");
  widgets::name_item("menu.View", "View");
  if (open) {
    widgets::close_on_escape();
    for (const auto& panel : app.panels) {
      const std::string title(panel->title());
      if (ImGui::MenuItem(title.c_str(), nullptr, app.layout.in_front(panel->id())))
        app.open_panel(panel->id());
      widgets::name_item("menu.item." + title);
    }
    ImGui::Separator();
    for (const ui::Command& c : app.table().commands())
      if (in_window(c) && c.group == kView) draw_command(app, c);
    ImGui::EndMenu();
  }
}

void handle_shortcuts(App& app) {
  if (ImGui::IsPopupOpen("", ImGuiPopupFlags_AnyPopupId | ImGuiPopupFlags_AnyPopupLevel)) return;
  const bool typing = ImGui::GetIO().WantTextInput;
  for (const ui::Command& c : app.table().commands()) {
    if ((c.where & ui::kWindow) == 0) continue;
    for (const ui::Action& action : c.actions) {
      const bool function_key =
          action.key.code >= ui::KeyCode::F1 && action.key.code <= ui::KeyCode::F12;
      // Letters belong to whoever types, except those with Ctrl that no input takes.
      const bool reserved = function_key || action.key.ctrl;
      if (!action.key || (typing && !reserved) || !widgets::pressed(action.key)) continue;
      if (c.disabled != nullptr) {
        if (const auto why_not = c.disabled(app.snapshot()); !why_not.empty()) {
          app.say_error(std::string(why_not));
          return;
        }
      }
      app.run(c, action);
      return;
    }
  }
}

}  // namespace pcilens::gui
