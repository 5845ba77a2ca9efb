// Registers: a tree of what peek() shows. Nothing here reads the device.
#include <fmt/format.h>
#include <imgui.h>

#include <algorithm>

#include "inspector-ui/commands/place.hpp"
#include "inspector-ui/gui/panels/panels.hpp"
#include "inspector-ui/gui/theme.hpp"
#include "inspector-ui/gui/widgets.hpp"

namespace pcilens::gui {
namespace {

using theme::colours;
using theme::unit;

// "write CMD"; with several functions "edu1:write CMD": the prefix stands before the condition.
std::string access_of(const char* direction, const std::string& id) {
  const auto colon = id.find(':');
  const std::size_t name = colon == std::string::npos ? 0 : colon + 1;
  return fmt::format("{}{} {}", id.substr(0, name), direction, id.substr(name));
}

// Who made the value what it is, as far as that is known.
std::string last_told(const RegisterRow& row, bool recording) {
  if (row.changed_seq == 0) return recording ? "not in the recording so far" : "not written yet";
  if (row.changed_by == Origin::Function)
    return fmt::format("changed by the device in transaction {}", row.changed_seq);
  return fmt::format("{} by the {} in transaction {}", recording ? "written or read" : "written",
                     name_of(row.changed_by), row.changed_seq);
}

class RegistersPanel final : public Panel {
 public:
  std::string_view id() const override { return "registers"; }
  std::string_view title() const override { return "Registers"; }
  void draw(App& app) override;

 private:
  void draw_row(App& app, const RegisterRow& row);
  void tooltip(const RegisterRow& row, bool recording);
  void menu(App& app, const RegisterRow& row);
  void open_editor(const RegisterRow& row);
  void editor(App& app);
  void toggle(const std::string& id, bool open) {
    if (open)
      open_.erase(id);
    else
      open_.insert(id);
  }

  std::string search_;
  std::set<std::string> open_;
  std::vector<RegisterRow> rows_;
  // The editor's own copy: rows are made anew each frame.
  RegisterRow edited_;
  std::string value_, error_;
  bool open_editor_ = false, focus_ = false;
};

void RegistersPanel::draw(App& app) {
  if (app.find_wanted && app.active_panel == "registers") {
    app.find_wanted = false;
    widgets::focus_next();
  }
  widgets::input("registers.search", &search_, "Search a name, field or offset", 0, false, false);
  if (!app.reveal_register.empty()) search_.clear();
  rows_ = register_rows(app.snapshot(), {search_, &open_, app.changes().since()});
  if (rows_.empty()) {
    if (search_.empty())
      widgets::empty_state("No register map",
                           "This device declares no registers. Its accesses still show as BAR and "
                           "offset under Transactions.");
    else
      widgets::empty_state("Nothing found", "No register, field or offset matches the search.");
    return;
  }
  const ImGuiTableFlags flags = ImGuiTableFlags_Resizable | ImGuiTableFlags_Hideable |
                                ImGuiTableFlags_ScrollY | ImGuiTableFlags_NoSavedSettings |
                                ImGuiTableFlags_NoPadOuterX;
  // A value is never cut; what it means goes first where there is little room.
  const bool wide = std::ranges::any_of(
      rows_, [](const RegisterRow& r) { return r.ref && r.ref.reg->width > 4; });
  const float digit = widgets::digit_width();
  const bool marks =
      std::ranges::any_of(rows_, [](const RegisterRow& r) { return !r.assumed.empty(); });
  const float values = static_cast<float>((wide ? 20 : 15) + (marks ? 4 : 0)) * digit;
  const float fixed = unit(31) + unit(18) + values;
  const bool meaning = ImGui::GetContentRegionAvail().x > fixed + unit(24);
  const char* name = wide ? (marks ? "registers wide marked" : "registers wide")
                          : (marks ? "registers marked" : "registers");
  if (ImGui::BeginTable(name, 4, flags)) {
    ImGui::TableSetupScrollFreeze(0, 1);
    ImGui::TableSetupColumn("Register", ImGuiTableColumnFlags_WidthFixed, unit(31));
    ImGui::TableSetupColumn("Offset", ImGuiTableColumnFlags_WidthFixed, unit(18));
    ImGui::TableSetupColumn(
        "Value", meaning ? ImGuiTableColumnFlags_WidthFixed : ImGuiTableColumnFlags_WidthStretch,
        meaning ? values : 1.0f);
    ImGui::TableSetupColumn("Meaning", ImGuiTableColumnFlags_WidthStretch);
    ImGui::TableSetColumnEnabled(3, meaning);
    ImGui::PushStyleColor(ImGuiCol_Text, colours().faint);
    ImGui::TableHeadersRow();
    ImGui::PopStyleColor();
    for (const RegisterRow& row : rows_) {
      ImGui::TableNextRow();
      ImGui::PushID(row.id.c_str());
      draw_row(app, row);
      ImGui::PopID();
    }
    ImGui::EndTable();
  }
  editor(app);
}

void RegistersPanel::draw_row(App& app, const RegisterRow& row) {
  ImGui::TableSetColumnIndex(0);
  const bool is_field = row.kind == RegisterRow::Kind::Field;
  const float indent = unit(4) * static_cast<float>(row.depth);
  const bool on_twisty =
      row.expandable && widgets::twisty("registers.open." + row.id, row.expanded, indent);
  const bool selected = app.selected_register == row.id;
  const std::string shown =
      row.assumed.empty() ? row.value : fmt::format("{} {}", row.value, row.assumed);
  if (widgets::row("registers.row." + row.id, selected, shown)) {
    const bool twice = ImGui::IsMouseDoubleClicked(0);
    const bool on_value = ImGui::GetIO().MousePos.x > ImGui::GetItemRectMin().x + unit(50);
    if (row.expandable && (on_twisty || (twice && !on_value)))
      toggle(row.kind == RegisterRow::Kind::Function ? "-" + row.id : row.id,
             row.kind == RegisterRow::Kind::Function ? !row.expanded : row.expanded);
    else if (twice && row.ref)
      open_editor(row);
    app.selected_register = row.id;
  }
  if (app.reveal_register == row.id) {
    ImGui::SetScrollHereY(0.3f);
    app.reveal_register.clear();
  }
  if (ImGui::IsItemHovered() && !ImGui::IsMouseDown(0)) tooltip(row, is_recording(app.snapshot()));
  menu(app, row);

  ImGui::SameLine(0, 0);
  ImGui::SetCursorPosX(ImGui::GetCursorPosX() + indent + unit(4));
  widgets::clipped(row.name, is_field ? colours().dim : colours().text, true);
  ImGui::TableSetColumnIndex(1);
  widgets::mono(row.where, colours().faint);
  if (is_field && !row.access.empty()) {
    ImGui::SameLine(0, 0);
    ImGui::SetCursorPosX(ImGui::GetCursorPosX() +
                         std::max(unit(1), unit(11) - ImGui::GetItemRectSize().x));
    widgets::mono(row.access, colours().faint);
  }
  ImGui::TableSetColumnIndex(2);
  const bool told = row.assumed != "reset";
  widgets::clipped(row.value,
                   !told                      ? colours().faint
                   : row.changed && !is_field ? colours().held
                                              : colours().text,
                   true);
  if (!row.assumed.empty()) {
    ImGui::SameLine(0, widgets::digit_width());
    widgets::clipped(row.assumed, colours().faint, false);
  }
  ImGui::TableSetColumnIndex(3);
  const bool decoded = !is_field && row.ref && !row.ref.reg->fields.empty();
  widgets::clipped(row.meaning, decoded && told ? colours().dim : colours().faint, decoded);
}

void RegistersPanel::tooltip(const RegisterRow& row, bool recording) {
  if (!row.ref) return;
  const Register& r = *row.ref.reg;
  ImGui::BeginTooltip();
  ImGui::PushTextWrapPos(unit(100));
  if (row.field != nullptr) {
    const Field& f = *row.field;
    widgets::mono(fmt::format("{}  bits {}", row.id, row.where), colours().text);
    widgets::text(fmt::format("{}, {}", f.access == Access::Reserved ? "RSVD" : name_of(f.access),
                              in_words(f.access)),
                  colours().dim);
    if (!f.doc.empty()) widgets::text(f.doc, colours().text);
    for (const EnumValue& v : f.values)
      widgets::mono(
          fmt::format("  {:>3}  {}{}{}", v.value, v.name, v.doc.empty() ? "" : "  ", v.doc),
          colours().dim);
    const std::string_view spec = f.spec.empty() ? r.spec : f.spec;
    if (!spec.empty()) widgets::text(spec, colours().faint);
  } else {
    widgets::mono(fmt::format("{}  BAR{}+{}, {} bytes", row.id, row.bar, row.where, r.width),
                  colours().text);
    if (r.fields.empty()) widgets::text(in_words(r.access), colours().dim);
    if (!r.doc.empty()) widgets::text(r.doc, colours().text);
    widgets::text(last_told(row, recording), row.changed ? colours().held : colours().dim);
    if (!r.spec.empty()) widgets::text(r.spec, colours().faint);
  }
  if (!row.assumed.empty())
    widgets::text(
        row.assumed == "reset"
            ? "The recording has not told of it so far: this is its value after reset, as "
              "the register map declares it."
            : "The recording has told of some of these bits so far: the others are as the "
              "register map declares them after reset.",
        colours().dim);
  ImGui::PopTextWrapPos();
  ImGui::EndTooltip();
}

void RegistersPanel::menu(App& app, const RegisterRow& row) {
  if (!row.ref || !ImGui::BeginPopupContextItem("menu")) return;
  widgets::close_on_escape();
  app.selected_register = row.id;
  if (ImGui::MenuItem("Edit…")) open_editor(row);
  widgets::name_item("menu.edit");
  ImGui::Separator();
  if (ImGui::MenuItem("Break on write")) app.run("break " + access_of("write", row.id));
  widgets::name_item("menu.break_on_write");
  if (ImGui::MenuItem("Break on read")) app.run("break " + access_of("read", row.id));
  widgets::name_item("menu.break_on_read");
  if (ImGui::MenuItem("Show its transactions")) {
    app.filter_request = row.id;
    app.filter_wanted = true;
    app.layout.bring_to_front("transactions");
  }
  widgets::name_item("menu.filter");
  if (row.changed_seq != 0 && ImGui::MenuItem("Go to its last transaction")) {
    app.reveal_seq = app.selected_seq = row.changed_seq;
    app.layout.bring_to_front("transactions");
  }
  ImGui::EndPopup();
}

void RegistersPanel::open_editor(const RegisterRow& row) {
  edited_ = row;
  error_.clear();
  const Register& r = *row.ref.reg;
  value_ = row.field != nullptr
               ? (row.field->bits() <= 3 ? fmt::format("{}", row.field->extract(row.raw))
                                         : fmt::format("0x{:x}", row.field->extract(row.raw)))
               : ui::hex(row.raw, r.width);
  open_editor_ = focus_ = true;
}

// A poke goes the driver's way, through the access rules; a force sets what is stored.
void RegistersPanel::editor(App& app) {
  if (open_editor_) {
    ImGui::OpenPopup("edit register");
    open_editor_ = false;
  }
  if (!ImGui::BeginPopup("edit register")) return;
  widgets::close_on_escape();
  const Register& r = *edited_.ref.reg;
  const Field* f = edited_.field;
  const Access access = f != nullptr ? f->access : r.access;
  widgets::mono(edited_.id, colours().text);
  ImGui::SameLine();
  if (f != nullptr || r.fields.empty())
    widgets::text(in_words(access), colours().faint);
  else
    widgets::text(fmt::format("{} bytes", r.width), colours().faint);
  if (focus_) widgets::focus_next();
  focus_ = false;
  const bool entered = widgets::input("edit.value", &value_, "value", unit(60), !error_.empty());
  const bool poke = widgets::button("edit.poke", widgets::Icon::None, "Poke", colours().text);
  if (ImGui::IsItemHovered())
    ImGui::SetTooltip("Writes as the driver would: access rules and side effects apply.");
  ImGui::SameLine();
  const bool force = widgets::button("edit.force", widgets::Icon::None, "Force", colours().text);
  if (ImGui::IsItemHovered())
    ImGui::SetTooltip("Sets the stored bits past the access rules, without side effects.");
  if (access == Access::RO) {
    ImGui::SameLine();
    widgets::text("a poke of read-only bits is ignored", colours().faint);
  }
  if (!error_.empty()) widgets::wrapped(error_, colours().bad);
  if (entered || poke || force) {
    const auto value = ui::parse_value(value_, f);
    const std::uint64_t most = f != nullptr ? f->mask() >> f->low : r.mask();
    if (!value) {
      error_ = value.error().message;
    } else if (*value > most) {
      error_ = fmt::format("{}: {} does not fit; at most 0x{:x}", edited_.id, value_, most);
    } else {
      const Place place{edited_.function, edited_.bar, edited_.ref.offset(), r.width};
      std::uint64_t whole = *value;
      if (f != nullptr)
        whole = force ? f->insert(edited_.raw, *value) : value_for_poke(r, edited_.raw, *f, *value);
      if (force)
        app.target().force(place, whole, app.report());
      else
        app.target().poke_write(place, whole, app.report());
      ImGui::CloseCurrentPopup();
    }
  }
  ImGui::EndPopup();
}

}  // namespace

std::unique_ptr<Panel> make_registers_panel() {
  return std::make_unique<RegistersPanel>();
}

}  // namespace pcilens::gui
