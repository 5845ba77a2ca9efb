// Code: where the driver stands: its call stack, and the instructions around the access.
#include <imgui.h>

#include <fmt/format.h>

#include "inspector-ui/gui/panels/panels.hpp"
#include "inspector-ui/gui/theme.hpp"
#include "inspector-ui/gui/widgets.hpp"

namespace pcilens::gui {
namespace {

using theme::colours;
using theme::unit;

class CodePanel final : public Panel {
 public:
  std::string_view id() const override { return "code"; }
  std::string_view title() const override { return "Driver code"; }
  void draw(App& app) override;

 private:
  void ask(App& app, std::uint64_t seq);
  void stack();
  void instructions();

  std::uint64_t asked_ = 0;  // the transaction whose code is here or on its way
  bool there_ = false;
  CodeView view_;
  std::string error_;
};

void CodePanel::ask(App& app, std::uint64_t seq) {
  if (seq == asked_) return;
  asked_ = seq;
  there_ = false;
  app.target().code_at(seq, later<CodeView>(app.mailbox(), [this, seq](auto view) {
                         if (seq != asked_) return;
                         there_ = true;
                         error_ = view ? std::string() : view.error().message;
                         view_ = view ? std::move(*view) : CodeView{};
                       }));
}

void CodePanel::draw(App& app) {
  const Snapshot& s = app.snapshot();
  // What is held, else what is selected in the list.
  const std::uint64_t seq = s.stop ? s.stop->transaction.seq : app.selected_seq;
  if (seq == 0) {
    widgets::empty_state("No driver code yet",
                         "At a stop, the driver's call stack and the accessing instruction show "
                         "here; or select a transaction.");
    return;
  }
  ask(app, seq);
  if (!there_ && view_.stack.empty()) return;
  if (view_.stack.empty() && view_.instructions.empty()) {
    widgets::empty_state("No code recorded",
                         error_.empty() ? "This transaction does not come from the driver's code, "
                                          "or its place was not recorded."
                                        : error_);
    return;
  }
  if (widgets::begin_area("code body", {0, 0}, {0, 0})) {
    stack();
    if (!view_.instructions.empty()) {
      ImGui::Dummy({0, unit(1)});
      instructions();
    }
  }
  widgets::end_area();
}

void CodePanel::stack() {
  int depth = 0;
  for (const CodeView::Frame& f : view_.stack) {
    widgets::mono(fmt::format("{}", depth), colours().faint);
    ImGui::SameLine(unit(6));
    widgets::clipped(f.symbol, depth == 0 ? colours().text : colours().dim, true);
    widgets::name_item(fmt::format("code.frame.{}", depth), f.symbol);
    if (!f.file.empty()) {
      const auto slash = f.file.rfind('/');
      const std::string short_file =
          slash == std::string::npos ? f.file : f.file.substr(slash + 1);
      ImGui::SetCursorPosX(ImGui::GetCursorPosX() + unit(6) - unit(0));
      widgets::clipped(fmt::format("{}:{}", short_file, f.line), colours().faint, false);
      if (ImGui::IsItemHovered()) ImGui::SetTooltip("%s:%u", f.file.c_str(), f.line);
    }
    ++depth;
  }
}

void CodePanel::instructions() {
  if (!ImGui::BeginTable("instructions", 3,
                         ImGuiTableFlags_NoSavedSettings | ImGuiTableFlags_NoPadOuterX |
                             ImGuiTableFlags_Resizable))
    return;
  ImGui::TableSetupColumn("", ImGuiTableColumnFlags_WidthStretch, 3);
  ImGui::TableSetupColumn("", ImGuiTableColumnFlags_WidthStretch, 2);
  ImGui::TableSetupColumn("", ImGuiTableColumnFlags_WidthStretch, 5);
  for (const CodeView::Instruction& i : view_.instructions) {
    ImGui::TableNextRow();
    if (i.accessing) widgets::row_background(colours().held_ground);
    ImGui::TableSetColumnIndex(0);
    widgets::clipped(i.address, i.accessing ? colours().held : colours().faint, true);
    ImGui::TableSetColumnIndex(1);
    widgets::clipped(i.bytes, colours().faint, true);
    ImGui::TableSetColumnIndex(2);
    widgets::clipped(i.text, i.accessing ? colours().text : colours().dim, true);
    if (i.accessing) widgets::name_item("code.accessing", i.text);
  }
  ImGui::EndTable();
}

}  // namespace

std::unique_ptr<Panel> make_code_panel() { return std::make_unique<CodePanel>(); }

}  // namespace pcilens::gui
