// Breakpoints and fault rules: what stops the link, and what it does wrong on purpose.
#include <fmt/format.h>
#include <imgui.h>

#include "inspector-ui/gui/panels/panels.hpp"
#include "inspector-ui/gui/theme.hpp"
#include "inspector-ui/gui/widgets.hpp"
#include "inspector-ui/models/live_count.hpp"
#include "inspector-ui/models/rules.hpp"

namespace pcilens::gui {
namespace {

using theme::colours;
using theme::unit;

class BreakpointsPanel final : public Panel {
 public:
  explicit BreakpointsPanel(App& app)
      : counts_([this, &app](const std::string& expression) {
          app.target().count_matches(
              expression, later<MatchCount>(app.mailbox(), [this, expression](auto count) {
                counts_.answer(expression, std::move(count));
              }));
        }) {}
  std::string_view id() const override { return "breakpoints"; }
  std::string_view title() const override { return "Breakpoints and faults"; }
  void draw(App& app) override;

 private:
  void breakpoints(App& app);
  void faults(App& app);
  void list(App& app, const char* name, const std::vector<RuleRow>& rows, bool fault);
  void add_breakpoint(App& app);
  void preview(App& app, const std::string& expression, const std::string& name);
  void add_fault(App& app);

  std::string expression_, error_;
  int phase_ = 0;
  std::string fault_expression_, fault_action_, fault_error_;
  LiveCounts counts_;
  std::uint64_t newest_ = 0, counted_ = 0;
};

void BreakpointsPanel::draw(App& app) {
  if (app.snapshot().seq < newest_) counts_.clear();  // another trace
  newest_ = app.snapshot().seq;
  if (widgets::begin_area("rules", {0, 0}, {0, 0})) {
    breakpoints(app);
    ImGui::Dummy({0, unit(2)});
    faults(app);
  }
  widgets::end_area();
  counts_.end_frame();
  if (app.snapshot().seq != counted_) app.wake_in(0.5);  // counts may be behind
  counted_ = app.snapshot().seq;
}

// Under an expression while it is typed: what it would have matched.
void BreakpointsPanel::preview(App& app, const std::string& expression, const std::string& name) {
  if (expression.empty()) return;
  const LiveCounts::Count& count = counts_.of(expression, app.snapshot().seq, ImGui::GetTime());
  if (!count.text.empty()) {
    widgets::text(fmt::format("would have matched {}", count.text), colours().faint);
    widgets::name_item(name, count.text);
  }
}

void BreakpointsPanel::breakpoints(App& app) {
  static constexpr const char* kPhases[] = {"before", "after"};
  const float rest = unit(52);
  const bool entered =
      widgets::input("breakpoints.expression", &expression_, "Stop at: write NAME",
                     std::max(unit(20), ImGui::GetContentRegionAvail().x - rest), !error_.empty());
  ImGui::SameLine();
  widgets::segmented("breakpoints.phase", &phase_, kPhases, 2);
  if (ImGui::IsItemHovered())
    ImGui::SetTooltip("before: the device has not seen it\nafter: the device has answered");
  ImGui::SameLine();
  const bool add = widgets::button("breakpoints.add", widgets::Icon::Add, "", colours().accent,
                                   !expression_.empty());
  if ((entered || add) && !expression_.empty()) add_breakpoint(app);
  if (!error_.empty()) {
    widgets::wrapped(error_, colours().bad);
    widgets::name_item("breakpoints.error", error_);
  } else {
    preview(app, expression_, "breakpoints.preview");
  }
  const auto rows = breakpoint_rows(app.snapshot());
  if (rows.empty())
    widgets::wrapped(
        "No breakpoints. Type an expression above, or right-click a register or a transaction.",
        colours().faint);
  else
    list(app, "breakpoints", rows, false);
}

void BreakpointsPanel::faults(App& app) {
  const float rest = unit(12), room = ImGui::GetContentRegionAvail().x;
  const bool bad = !fault_error_.empty();
  bool entered = widgets::input("faults.expression", &fault_expression_, "Fault at: read STATUS",
                                std::max(unit(20), (room - rest) * 0.55f), bad);
  ImGui::SameLine();
  entered |= widgets::input("faults.action", &fault_action_, "delay 5ms, drop, flip 0x1…",
                            std::max(unit(16), (room - rest) * 0.45f), bad);
  if (ImGui::IsItemHovered() && !ImGui::IsItemActive())
    ImGui::SetTooltip(
        "delay 5ms   drop   all-ones   ur   ca   flip 0x1   replace 0x0/0xff\n"
        "repeat 1   cut 512   corrupt 0xff   remove");
  ImGui::SameLine();
  const bool ready = !fault_expression_.empty() && !fault_action_.empty();
  const bool add = widgets::button("faults.add", widgets::Icon::Add, "", colours().accent, ready);
  if ((entered || add) && ready) add_fault(app);
  if (bad) {
    widgets::wrapped(fault_error_, colours().bad);
    widgets::name_item("faults.error", fault_error_);
  } else {
    preview(app, fault_expression_, "faults.preview");
  }
  const auto rows = fault_rows(app.snapshot());
  if (rows.empty())
    widgets::wrapped("No faults. A rule answers late, wrongly or not at all where it matches.",
                     colours().faint);
  else
    list(app, "faults", rows, true);
}

void BreakpointsPanel::list(App& app, const char* name, const std::vector<RuleRow>& rows,
                            bool fault) {
  if (!ImGui::BeginTable(name, 6, ImGuiTableFlags_NoSavedSettings | ImGuiTableFlags_NoPadOuterX))
    return;
  const float line = ImGui::GetTextLineHeight();
  ImGui::TableSetupColumn("", ImGuiTableColumnFlags_WidthFixed, line);
  ImGui::TableSetupColumn("", ImGuiTableColumnFlags_WidthStretch, 3);
  ImGui::TableSetupColumn("", ImGuiTableColumnFlags_WidthStretch, 2);
  ImGui::TableSetupColumn("", ImGuiTableColumnFlags_WidthStretch, 2);
  ImGui::TableSetupColumn("", ImGuiTableColumnFlags_WidthFixed, unit(14));
  ImGui::TableSetupColumn("", ImGuiTableColumnFlags_WidthFixed, line);
  for (const RuleRow& row : rows) {
    ImGui::TableNextRow();
    ImGui::PushID(static_cast<int>(row.number));
    const std::string base = fmt::format("{}.row.{}", name, row.number);
    if (row.here) widgets::row_background(colours().held_ground);
    ImGui::TableSetColumnIndex(1);
    widgets::row(base, false, row.expression);
    const bool hovered = ImGui::IsItemHovered(ImGuiHoveredFlags_AllowWhenBlockedByActiveItem |
                                              ImGuiHoveredFlags_AllowWhenOverlapped);
    if (hovered)
      ImGui::SetTooltip("%s %u\n%s", fault ? "Fault rule" : "Breakpoint", row.number,
                        row.cost.c_str());
    ImGui::SameLine(0, 0);
    widgets::clipped(row.expression, row.enabled ? colours().text : colours().faint, true);
    ImGui::TableSetColumnIndex(0);
    bool enabled = row.enabled;
    if (widgets::checkbox(base + ".enabled", &enabled)) {
      if (fault)
        app.target().enable_fault(row.number, enabled, app.report());
      else
        app.target().enable_breakpoint(row.number, enabled, app.report());
    }
    ImGui::TableSetColumnIndex(2);
    widgets::clipped(row.what, colours().dim, true);
    ImGui::TableSetColumnIndex(3);
    // Hits count from when it was set, this from the trace's beginning: only more of it is news.
    const auto& in_trace = counts_.of(row.expression, app.snapshot().seq, ImGui::GetTime());
    const std::string so_far =
        in_trace.matches > row.times ? fmt::format("{} in the trace", in_trace.matches) : "";
    widgets::clipped_right(so_far, colours().faint);
    widgets::name_item(base + ".so_far", so_far);
    if (ImGui::IsItemHovered())
      ImGui::SetTooltip("What it matches in the whole trace: also before it was set.");
    ImGui::TableSetColumnIndex(4);
    widgets::clipped_right(row.count, row.here ? colours().held : colours().dim);
    widgets::name_item(base + ".count", row.count);
    if (ImGui::IsItemHovered())
      ImGui::SetTooltip(fault ? "Times it acted." : "Times it matched since it was set.");
    ImGui::TableSetColumnIndex(5);
    if (widgets::cross(base + ".delete", hovered)) {
      if (fault)
        app.target().remove_fault(row.number, app.report());
      else
        app.target().remove_breakpoint(row.number, app.report());
    }
    ImGui::PopID();
  }
  ImGui::EndTable();
}

void BreakpointsPanel::add_breakpoint(App& app) {
  Breakpoint b;
  b.expression = expression_;
  b.phase = phase_ == 0 ? Phase::Before : Phase::After;
  app.target().add_breakpoint(std::move(b), later<std::uint32_t>(app.mailbox(), [this](auto r) {
                                error_ = r ? std::string() : r.error().message;
                                if (r) expression_.clear();
                              }));
}

void BreakpointsPanel::add_fault(App& app) {
  Fault fault;
  fault.expression = fault_expression_;
  auto parsed = parse_fault_action(fault_action_, std::move(fault));
  if (!parsed) {
    fault_error_ = parsed.error().message;
    return;
  }
  app.target().add_fault(std::move(*parsed), later<std::uint32_t>(app.mailbox(), [this](auto r) {
                           fault_error_ = r ? std::string() : r.error().message;
                           if (!r) return;
                           fault_expression_.clear();
                           fault_action_.clear();
                         }));
}

}  // namespace

std::unique_ptr<Panel> make_breakpoints_panel(App& app) {
  return std::make_unique<BreakpointsPanel>(app);
}

}  // namespace pcilens::gui
