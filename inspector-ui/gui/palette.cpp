// The palette (Ctrl+P): every action by a few letters of its label, and every command as on the
// console, with completion.
#include "inspector-ui/models/palette.hpp"

#include <imgui.h>

#include <algorithm>

#include "inspector-ui/gui/panels/panels.hpp"
#include "inspector-ui/gui/theme.hpp"
#include "inspector-ui/gui/widgets.hpp"

namespace pcilens::gui {
namespace {

using theme::colours;
using theme::unit;

constexpr int kShown = 12;

struct State {
  std::string text, last;
  int chosen = 0;
  bool focus = false;
  int cursor_to_end = 0;
};

void accept(App& app, State& state, const PaletteItem& item) {
  if (!item.why_not.empty()) {
    app.say_error(item.why_not);
    ImGui::CloseCurrentPopup();
  } else if (item.action != nullptr) {
    ImGui::CloseCurrentPopup();
    app.run(*item.command, *item.action);
    if (app.palette_wanted) {  // it asks for arguments: stay, with its beginning typed
      app.palette_wanted = false;
      ImGui::CloseCurrentPopup();
      app.palette_wanted = true;
    }
  } else if (item.runs) {
    ImGui::CloseCurrentPopup();
    app.run(item.line);
  } else {
    state.text = item.line;
    state.focus = true;
  }
}

}  // namespace

void draw_palette(App& app) {
  static State state;
  if (app.palette_wanted && !ImGui::IsPopupOpen("palette", ImGuiPopupFlags_None)) {
    app.palette_wanted = false;
    state = {};
    state.text = app.palette_request;
    state.focus = true;
    app.palette_request.clear();
    ImGui::OpenPopup("palette");
  }
  const ImVec2 screen = ImGui::GetIO().DisplaySize;
  const float width = std::min(screen.x - unit(8), unit(160));
  ImGui::SetNextWindowPos({(screen.x - width) / 2, unit(18)});
  ImGui::SetNextWindowSize({width, 0});
  if (!ImGui::BeginPopup("palette", ImGuiWindowFlags_NoMove)) return;
  if (state.focus) {
    widgets::focus_next();
    state.focus = false;
  }
  const auto items = palette_items(app.table(), app.snapshot(), state.text);
  const int count = std::min(static_cast<int>(items.size()), kShown);
  if (state.text != state.last) {
    state.last = state.text;
    state.chosen = 0;
  }
  if (widgets::pressed_down()) state.chosen = std::min(state.chosen + 1, count - 1);
  if (widgets::pressed_up()) state.chosen = std::max(state.chosen - 1, 0);
  const bool entered = widgets::input("palette.input", &state.text,
                                      "An action, or a command such as  break CC.EN 0->1", 0);
  for (int i = 0; i < count; ++i) {
    const PaletteItem& item = items[static_cast<std::size_t>(i)];
    ImGui::PushID(i);
    const bool chosen = i == state.chosen;
    const ImVec2 from = ImGui::GetCursorPos();
    if (ImGui::Selectable("##item", chosen, 0, {0, unit(6)})) accept(app, state, item);
    widgets::name_item("palette.item." + item.title, item.detail);
    const ImVec2 next = ImGui::GetCursorPos();
    ImGui::SetCursorPos({from.x + unit(2), from.y + unit(0.5f)});
    const bool is_line = item.action == nullptr;
    const ImU32 colour = item.why_not.empty() ? colours().text : colours().faint;
    if (is_line)
      widgets::mono(item.title, colour);
    else
      widgets::text(item.title, colour);
    const float detail = ImGui::CalcTextSize(item.detail.c_str()).x;
    ImGui::SetCursorPos({std::max(from.x + unit(40), ImGui::GetWindowWidth() - detail - unit(5)),
                         from.y + unit(0.5f)});
    widgets::clipped(item.detail, colours().faint, false);
    ImGui::SetCursorPos(next);
    ImGui::PopID();
  }
  if (items.empty()) widgets::text("Enter runs it as a command.", colours().faint);
  if (entered) {
    if (state.chosen < count)
      accept(app, state, items[static_cast<std::size_t>(state.chosen)]);
    else if (!state.text.empty()) {
      ImGui::CloseCurrentPopup();
      app.run(state.text);
    }
  }
  widgets::close_on_escape();
  ImGui::EndPopup();
}

}  // namespace pcilens::gui
