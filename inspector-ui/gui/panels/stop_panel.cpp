// Stop: the transaction that is held, what it changes, and the value that will be delivered.
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

class StopPanel final : public Panel {
 public:
  std::string_view id() const override { return "stop"; }
  std::string_view title() const override { return "Stop"; }
  void draw(App& app) override;

 private:
  void value(App& app, const StopModel& m);
  void fields(App& app, const StopModel& m);
  void deliver(App& app, std::uint64_t value);

  std::string value_, error_, field_value_;
  std::uint64_t shown_seq_ = 0, shown_value_ = 0;
  std::string edited_field_;
  bool focus_ = false;
};

void StopPanel::draw(App& app) {
  const Snapshot& s = app.snapshot();
  if (!s.stop) {
    shown_seq_ = 0;
    widgets::empty_state(s.gone                         ? "The link is no more"
                         : s.state == RunState::Ended   ? "The driver has finished"
                         : s.state == RunState::Running ? "Running"
                                                        : "Nothing is held",
                         what_to_do(s));
    return;
  }
  const StopModel m = stop_model(s);
  if (shown_seq_ != s.stop->transaction.seq || shown_value_ != m.new_value) {
    shown_seq_ = s.stop->transaction.seq;
    shown_value_ = m.new_value;
    value_ = m.new_text;
    error_.clear();
    edited_field_.clear();
  }
  if (!widgets::begin_area("stop body", {0, 0}, {0, 0})) {
    widgets::end_area();
    return;
  }
  ImGui::PushFont(theme::fonts().mono_head);
  ImGui::PushStyleColor(ImGuiCol_Text, colours().held);
  ImGui::TextUnformatted(m.headline.c_str());
  ImGui::PopStyleColor();
  ImGui::PopFont();
  widgets::name_item("stop.headline", m.headline);
  widgets::wrapped(m.phase + ".", colours().text);
  widgets::name_item("stop.phase", m.phase);
  if (!m.refused.empty()) {
    widgets::wrapped(m.refused, colours().bad);
    widgets::name_item("stop.refused", m.refused);
  }
  ImGui::Dummy({0, unit(0.5f)});
  value(app, m);
  fields(app, m);
  ImGui::Dummy({0, unit(0.5f)});
  const auto fact = [](const char* label, const std::string& text) {
    widgets::text(label, colours().faint);
    ImGui::SameLine(unit(18));
    widgets::clipped(text, colours().dim, false);
  };
  fact("Why", m.reason);
  fact("Where", m.where);
  fact("Who", m.who);
  fact("When", m.when);
  if (!m.held.empty()) {
    widgets::wrapped(m.held, time_goes_on(s) ? colours().held : colours().dim);
    widgets::name_item("stop.held", m.held);
  }
  if (!is_recording(s)) app.wake_in(1);
  widgets::end_area();
}

void StopPanel::value(App& app, const StopModel& m) {
  if (!m.waiting.empty()) widgets::wrapped(m.waiting, colours().dim);
  const float label = unit(18);
  if (m.foreseen) {
    widgets::text("Would be", colours().faint);
    ImGui::SameLine(label);
    widgets::mono(m.new_text, colours().text);
    widgets::name_item("stop.foreseen", m.new_text);
  }
  if (!m.has_value) return;
  if (m.has_old) {
    ImGui::AlignTextToFramePadding();
    widgets::text("Now", colours().faint);
    ImGui::SameLine(label);
    ImGui::AlignTextToFramePadding();
    widgets::mono(m.old_text, colours().dim);
    widgets::name_item("stop.old", m.old_text);
  }
  ImGui::AlignTextToFramePadding();
  widgets::text(!m.has_old ? "Value" : m.becomes.empty() ? "Becomes" : "Written", colours().faint);
  ImGui::SameLine(label);
  const float digits = ImGui::CalcTextSize("0").x * (2 * static_cast<float>(m.bytes) + 6);
  const bool entered =
      widgets::input("stop.value", &value_, "value", std::max(unit(28), digits), !error_.empty());
  ImGui::SameLine();
  const bool differs = value_ != m.new_text;
  if (widgets::button("stop.apply", widgets::Icon::None, "Change", colours().text, differs) ||
      (entered && differs)) {
    if (const auto parsed = ui::parse_value(value_); !parsed)
      error_ = parsed.error().message;
    else if (m.bytes < 8 && *parsed >> (8 * m.bytes) != 0)
      error_ = fmt::format("{} does not fit in {} bytes", value_, m.bytes);
    else
      deliver(app, *parsed);
  }
  if (ImGui::IsItemHovered())
    ImGui::SetTooltip("Changes the value in flight: what the other side will see.");
  if (!error_.empty()) widgets::wrapped(error_, colours().bad);
  if (!m.becomes.empty()) {
    ImGui::Dummy({0, 0});
    ImGui::SameLine(label);
    ImGui::AlignTextToFramePadding();
    widgets::text(m.becomes, colours().held);
    widgets::name_item("stop.becomes", m.becomes);
  }
  if (m.edited.empty()) return;
  ImGui::Dummy({0, 0});
  ImGui::SameLine(label);
  ImGui::AlignTextToFramePadding();
  widgets::text(m.edited, colours().held);
  widgets::name_item("stop.edited", m.edited);
  ImGui::SameLine();
  if (widgets::button("stop.undo", widgets::Icon::None, "Undo", colours().text))
    deliver(app, app.snapshot().stop->original);
}

void StopPanel::fields(App& app, const StopModel& m) {
  if (m.fields.empty()) return;
  ImGui::Dummy({0, unit(0.5f)});
  const int columns = m.has_old ? 4 : 3;
  if (!ImGui::BeginTable("fields", columns,
                         ImGuiTableFlags_NoSavedSettings | ImGuiTableFlags_NoPadOuterX))
    return;
  ImGui::TableSetupColumn("Field", ImGuiTableColumnFlags_WidthStretch, 3);
  ImGui::TableSetupColumn("Bits", ImGuiTableColumnFlags_WidthFixed, unit(12));
  if (m.has_old) ImGui::TableSetupColumn("Now", ImGuiTableColumnFlags_WidthStretch, 2.5f);
  ImGui::TableSetupColumn(m.foreseen  ? "Would be"
                          : m.has_old ? "Becomes"
                                      : "Value",
                          ImGuiTableColumnFlags_WidthStretch, 3);
  ImGui::PushStyleColor(ImGuiCol_Text, colours().faint);
  ImGui::TableHeadersRow();
  ImGui::PopStyleColor();
  for (const StopField& f : m.fields) {
    if (f.field->access == Access::Reserved && !f.changes) continue;
    ImGui::TableNextRow();
    ImGui::PushID(f.name.c_str());
    ImGui::TableSetColumnIndex(0);
    if (widgets::row("stop.field." + f.name, false, f.new_value) && m.has_value &&
        ImGui::IsMouseDoubleClicked(0)) {
      edited_field_ = f.name;
      field_value_ = fmt::format("0x{:x}", f.field->extract(m.new_value));
      focus_ = true;
    }
    if (ImGui::IsItemHovered() && edited_field_.empty())
      ImGui::SetTooltip("%s%s%s%s", f.doc.c_str(), f.doc.empty() ? "" : "\n", f.access.c_str(),
                        m.has_value ? "\nDouble-click to change this field in flight." : "");
    ImGui::SameLine(0, 0);
    widgets::clipped(f.name, f.changes ? colours().text : colours().dim, true);
    ImGui::TableSetColumnIndex(1);
    widgets::mono(f.bits, colours().faint);
    if (m.has_old) {
      ImGui::TableSetColumnIndex(2);
      widgets::clipped(f.old_value, colours().dim, true);
    }
    ImGui::TableSetColumnIndex(columns - 1);
    if (edited_field_ == f.name) {
      if (focus_) widgets::focus_next();
      focus_ = false;
      if (widgets::input("stop.field_value", &field_value_, "value", 0)) {
        const auto parsed = ui::parse_value(field_value_, f.field);
        if (!parsed)
          error_ = parsed.error().message;
        else if (*parsed > f.field->mask() >> f.field->low)
          error_ = fmt::format("{}: {} does not fit in bits {}", f.name, field_value_, f.bits);
        else
          deliver(app, f.field->insert(m.new_value, *parsed));
        edited_field_.clear();
      }
      if (ImGui::IsItemDeactivated() || widgets::pressed_escape()) edited_field_.clear();
    } else {
      widgets::clipped(f.new_value, f.changes ? colours().held : colours().text, true);
    }
    ImGui::PopID();
  }
  ImGui::EndTable();
}

void StopPanel::deliver(App& app, std::uint64_t value) {
  error_.clear();
  app.target().edit(value, later<void>(app.mailbox(), [this](Result<void> r) {
                      error_ = r ? std::string() : r.error().message;
                    }));
}

}  // namespace

std::unique_ptr<Panel> make_stop_panel() {
  return std::make_unique<StopPanel>();
}

}  // namespace pcilens::gui
