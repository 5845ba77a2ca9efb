// Console: the command table as a line to type into, and what commands answered. The same commands,
// names and completion as `pcilens console`.
#include <imgui.h>

#include <algorithm>

#include "inspector-ui/gui/panels/panels.hpp"
#include "inspector-ui/gui/theme.hpp"
#include "inspector-ui/gui/widgets.hpp"
#include "inspector-ui/models/history.hpp"

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

// The first words of an answer.
std::string headline(const ui::Output& output) {
  std::string text;
  if (output.blocks.empty()) return text;
  if (const auto* line = std::get_if<ui::Line>(&output.blocks.front())) {
    for (const auto& span : line->spans) text += span.text;
  } else if (const auto& rows = std::get<ui::Table>(output.blocks.front()).rows; !rows.empty()) {
    for (const auto& cell : rows.front()) text += cell.text + " ";
  }
  return text;
}

class ConsolePanel final : public Panel {
 public:
  std::string_view id() const override { return "console"; }
  std::string_view title() const override { return "Console"; }
  void draw(App& app) override;

 private:
  static void line(const ui::Line& line);
  static void table(const ui::Table& table, int id);
  void answers(App& app);
  void prompt(App& app);
  std::string complete(App& app, const std::string& line);

  std::size_t seen_ = 0;
  bool focus_ = false;
  std::string line_, offers_;
  History history_;
};

void ConsolePanel::draw(App& app) {
  const float below = ImGui::GetFrameHeight() + unit(3);
  const ImVec2 room = ImGui::GetContentRegionAvail();
  if (app.messages().empty()) {
    if (widgets::begin_area("console empty", {0, room.y - below}, {0, 0}))
      widgets::empty_state("Nothing was asked yet",
                           "Type a command below, such as  regs,  show 42  or  help.  Tab "
                           "completes, Up brings back the last ones.");
    widgets::end_area();
  } else {
    answers(app);
  }
  prompt(app);
}

// As far as all that may follow agrees; what there is to choose from shows above the line.
std::string ConsolePanel::complete(App& app, const std::string& line) {
  const ui::Completions found = ui::complete_line(app.table(), app.snapshot(), line);
  offers_.clear();
  if (found.items.empty()) return line;
  std::string common = found.items.front().text;
  for (const ui::Completion& c : found.items) {
    std::size_t same = 0;
    while (same < common.size() && same < c.text.size() && common[same] == c.text[same]) ++same;
    common.resize(same);
  }
  if (found.items.size() == 1)
    return line.substr(0, found.begin) + common + (found.items[0].open ? "" : " ");
  constexpr std::size_t kMostOffers = 12;
  for (std::size_t i = 0; i < found.items.size() && i < kMostOffers; ++i)
    offers_ += found.items[i].text + "   ";
  if (found.items.size() > kMostOffers) offers_ += "…";
  const std::string typed = line.substr(found.begin);
  return common.size() > typed.size() ? line.substr(0, found.begin) + common : line;
}

void ConsolePanel::prompt(App& app) {
  ImGui::AlignTextToFramePadding();
  widgets::mono(">", colours().accent);
  ImGui::SameLine(0, unit(2));
  if (app.entered_panel == id()) {
    focus_ = true;
    app.entered_panel.clear();
  }
  if (focus_) widgets::focus_next();
  focus_ = false;
  const widgets::LineKeys keys{
      .older = [this](const std::string& now) { return history_.older(now); },
      .newer = [this](const std::string& now) { return history_.newer(now); },
      .complete = [this, &app](const std::string& now) { return complete(app, now); }};
  const ImVec2 from = ImGui::GetCursorScreenPos();
  if (widgets::command_line("console.input", &line_, "a command, such as  regs  or  help", 0,
                            keys)) {
    if (!line_.empty()) app.run(line_);
    history_.add(line_);
    line_.clear();
    offers_.clear();
    focus_ = true;  // Enter leaves an input
  }
  const bool active = ImGui::IsItemActive();
  widgets::name_item("console.keyboard", active ? "here" : "");
  if (!active && line_.empty()) offers_.clear();
  if (!offers_.empty() && active) {
    const float height = ImGui::GetTextLineHeight() + unit(2);
    ImDrawList* draw = ImGui::GetWindowDrawList();
    const float width = ImGui::GetContentRegionAvail().x;
    const ImVec2 a{from.x, from.y - height}, b{from.x + std::max(width, unit(60)), from.y};
    draw->AddRectFilled(a, b, colours().popup, unit(1));
    draw->AddText(theme::fonts().mono, theme::fonts().mono->FontSize,
                  {a.x + unit(2), a.y + unit(1)}, colours().dim, offers_.c_str());
    widgets::name_area("console.offers", {a.x, a.y, b.x - a.x, height}, offers_);
  }
}

void ConsolePanel::answers(App& app) {
  const float below = ImGui::GetFrameHeight() + unit(3);
  if (widgets::begin_area("console body", {0, ImGui::GetContentRegionAvail().y - below}, {0, 0})) {
    int id = 0;
    for (const App::Message& m : app.messages()) {
      if (!m.line.empty()) widgets::mono("> " + m.line, colours().faint);
      if (m.bad) widgets::wrapped(m.error, colours().bad);
      const bool last = &m == &app.messages().back();
      if (last) widgets::name_item("console.answer", m.bad ? m.error : headline(m.output));
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

void ConsolePanel::line(const ui::Line& line) {
  if (line.spans.empty()) ImGui::NewLine();
  for (std::size_t i = 0; i < line.spans.size(); ++i) {
    if (i != 0) ImGui::SameLine(0, 0);
    widgets::mono(line.spans[i].text, colour_of(line.spans[i].style));
  }
}

void ConsolePanel::table(const ui::Table& t, int id) {
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

std::unique_ptr<Panel> make_console_panel() {
  return std::make_unique<ConsolePanel>();
}

}  // namespace pcilens::gui
