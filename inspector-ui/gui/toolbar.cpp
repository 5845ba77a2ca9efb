// The tool bar with what one presses all the time and the state of the run, and the status bar.
#include <fmt/format.h>
#include <imgui.h>

#include "inspector-ui/commands/place.hpp"
#include "inspector-ui/gui/panels/panels.hpp"
#include "inspector-ui/gui/theme.hpp"
#include "inspector-ui/gui/widgets.hpp"
#include "inspector-ui/models/stop.hpp"

namespace pcilens::gui {
namespace {

using theme::colours;
using theme::unit;
using widgets::Icon;

// A button for an action of the table: its key and help come from there.
void action_button(App& app, std::string_view name, std::string_view id, std::string_view arguments,
                   Icon icon, std::string_view label, ImU32 colour) {
  for (const ui::Command& c : app.table().commands()) {
    if (c.id != id) continue;
    for (const ui::Action& a : c.actions) {
      if (a.arguments != arguments) continue;
      const std::string_view why_not =
          c.disabled != nullptr ? c.disabled(app.snapshot()) : std::string_view();
      if (widgets::button(name, icon, label, colour, why_not.empty())) app.run(c, a);
      if (ImGui::IsItemHovered(ImGuiHoveredFlags_AllowWhenDisabled)) {
        const std::string key = ui::name_of(a.key);
        ImGui::SetTooltip("%s%s%s\n%s", std::string(a.label).c_str(), key.empty() ? "" : "   ",
                          key.c_str(), std::string(why_not.empty() ? c.summary : why_not).c_str());
      }
      ImGui::SameLine(0, unit(1));
      return;
    }
  }
}

ImU32 colour_of(RunState state) {
  switch (state) {
    case RunState::Running: return colours().good;
    case RunState::Paused:
    case RunState::Stopped: return colours().held;
    case RunState::Ended: return colours().dim;
  }
  return colours().dim;
}

}  // namespace

void draw_toolbar(App& app) {
  const Snapshot& s = app.snapshot();
  if (s.state == RunState::Running)
    action_button(app, "toolbar.pause", "pause", "", Icon::Pause, "Pause", colours().held);
  else
    action_button(app, "toolbar.run", "run", "", Icon::Run, "Run", colours().good);
  action_button(app, "toolbar.step", "step", "access", Icon::Step, "Step", colours().text);
  action_button(app, "toolbar.step_change", "step", "change", Icon::StepChange, "Step to change",
                colours().text);
  action_button(app, "toolbar.restart", "restart", "", Icon::Restart, "Restart", colours().text);

  ImGui::SameLine(0, unit(5));
  const float h = ImGui::GetFrameHeight();
  const ImVec2 from = ImGui::GetCursorScreenPos();
  ImGui::GetWindowDrawList()->AddCircleFilled({from.x + unit(1.5f), from.y + h / 2}, unit(1.1f),
                                              colour_of(s.state), 20);
  ImGui::SetCursorPosX(ImGui::GetCursorPosX() + unit(4.5f));
  ImGui::AlignTextToFramePadding();
  const std::string state = state_text(s);
  widgets::strong(state, colours().text);
  widgets::name_item("toolbar.state", state);

  std::string right;
  for (const FunctionState& f : s.functions)
    right += fmt::format("{}{} at {}", right.empty() ? "" : ", ", f.instance, f.bdf);
  right += fmt::format("   {} host", s.host);
  const float width = ImGui::CalcTextSize(right.c_str()).x;
  ImGui::SameLine();
  if (ImGui::GetContentRegionAvail().x > width + unit(6)) {
    ImGui::SetCursorPosX(ImGui::GetWindowWidth() - width - unit(3));
    ImGui::AlignTextToFramePadding();
    widgets::text(right, colours().dim);
  } else {
    ImGui::NewLine();
  }
}

void draw_status_bar(App& app) {
  const Snapshot& s = app.snapshot();
  std::string right = fmt::format("transaction {}   {}", s.seq, ui::format_time(s.now_ns));
  if (s.in_flight != 0) right += fmt::format("   {} in flight", s.in_flight);
  const float width = ImGui::CalcTextSize(right.c_str()).x;
  const float room = ImGui::GetContentRegionAvail().x - width - unit(6);
  const float x = ImGui::GetCursorPosX(), y = ImGui::GetCursorPosY();
  if (const std::string busy = app.long_command(); !busy.empty()) {
    ImGui::SetCursorPosY(ImGui::GetCursorPosY() - unit(1.25f));  // it is higher than a line of text
    if (widgets::progress("status.busy", 0, busy)) app.cancel_command();
    return;
  }
  const bool notice = !app.notice().empty();
  const std::string left = notice                  ? app.notice()
                           : !s.complaints.empty() ? "Kernel: " + s.complaints.back()
                           : no_driver(s.binding)  ? "Driver: " + s.binding_text
                           : !s.driver.empty()     ? "Driver: " + s.driver
                                                   : "Trace: " + s.trace;
  std::string first = left.substr(0, left.find('\n'));
  ImGui::PushClipRect(
      ImGui::GetCursorScreenPos(),
      {ImGui::GetCursorScreenPos().x + room, ImGui::GetCursorScreenPos().y + unit(8)}, true);
  const bool bad = notice ? app.notice_is_bad() : !s.complaints.empty() || no_driver(s.binding);
  widgets::text(first, bad ? colours().bad : colours().dim);
  widgets::name_item("status.left", left);
  ImGui::PopClipRect();
  if (ImGui::IsItemHovered()) {
    const std::string tip = notice ? left : "Trace: " + s.trace;
    ImGui::SetTooltip("%s", tip.c_str());
  }
  ImGui::SetCursorPos({x + room + unit(6), y});
  widgets::text(right, colours().faint);
  widgets::name_item("status.right", right);
}

}  // namespace pcilens::gui
