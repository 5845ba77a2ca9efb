// Go to (Ctrl+G): a register, a transaction by its number, an address.
#include "inspector-ui/models/go_to.hpp"

#include <imgui.h>

#include <algorithm>

#include "inspector-ui/gui/panels/panels.hpp"
#include "inspector-ui/gui/theme.hpp"
#include "inspector-ui/gui/widgets.hpp"

namespace pcilens::gui {
namespace {

using theme::colours;
using theme::unit;

void go(App& app, const GoToItem& item) {
  switch (item.kind) {
    case GoToItem::Kind::Register:
      app.selected_register = app.reveal_register = item.name;
      app.layout.bring_to_front("registers");
      break;
    case GoToItem::Kind::ConfigItem:
      app.reveal_config = item.name;
      app.layout.bring_to_front("config");
      break;
    case GoToItem::Kind::Transaction:
      app.select(item.number);
      app.layout.bring_to_front("transactions");
      break;
    case GoToItem::Kind::Memory:
      app.reveal_iova = item.number;
      app.memory_wanted = true;
      app.layout.bring_to_front("memory");
      break;
  }
}

}  // namespace

void draw_go_to(App& app) {
  static std::string text;
  static int chosen = 0;
  static bool focus = false;
  if (app.go_to_wanted && !ImGui::IsPopupOpen("go to", ImGuiPopupFlags_None)) {
    text.clear();
    chosen = 0;
    focus = true;
    ImGui::OpenPopup("go to");
  }
  app.go_to_wanted = false;
  const ImVec2 screen = ImGui::GetIO().DisplaySize;
  const float width = std::min(screen.x - unit(8), unit(110));
  ImGui::SetNextWindowPos({(screen.x - width) / 2, unit(18)});
  ImGui::SetNextWindowSize({width, 0});
  if (!ImGui::BeginPopup("go to", ImGuiWindowFlags_NoMove)) return;
  if (focus) widgets::focus_next();
  focus = false;
  const std::string before = text;
  const bool entered = widgets::input(
      "goto.input", &text, "A register, a transaction's number, or an address as 0x100000", 0);
  if (text != before) chosen = 0;
  const auto items = go_to_items(app.snapshot(), text);
  const int count = static_cast<int>(items.size());
  if (widgets::pressed_down()) chosen = std::min(chosen + 1, count - 1);
  if (widgets::pressed_up()) chosen = std::max(chosen - 1, 0);
  const GoToItem* taken =
      entered && chosen >= 0 && chosen < count ? &items[static_cast<std::size_t>(chosen)] : nullptr;
  for (int i = 0; i < count; ++i) {
    const GoToItem& item = items[static_cast<std::size_t>(i)];
    ImGui::PushID(i);
    const ImVec2 at = ImGui::GetCursorPos();
    if (ImGui::Selectable("##item", i == chosen, 0, {0, unit(6)})) taken = &item;
    widgets::name_item("goto.item." + item.title, item.detail);
    const ImVec2 next = ImGui::GetCursorPos();
    ImGui::SetCursorPos({at.x + unit(2), at.y + unit(0.5f)});
    widgets::mono(item.title, colours().text);
    ImGui::SetCursorPos({at.x + unit(45), at.y + unit(0.5f)});
    widgets::clipped(item.detail, colours().faint, false);
    ImGui::SetCursorPos(next);
    ImGui::PopID();
  }
  if (count == 0 && !text.empty())
    widgets::text("No register, transaction or address of that name.", colours().faint);
  if (taken != nullptr) {
    go(app, *taken);
    ImGui::CloseCurrentPopup();
  }
  widgets::close_on_escape();
  ImGui::EndPopup();
}

}  // namespace pcilens::gui
