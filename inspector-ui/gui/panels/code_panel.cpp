// Code: where the driver stands: its call stack, and the instructions around the access.
#include <fmt/format.h>
#include <imgui.h>

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
  if (app.snapshot().seq < asked_) asked_ = 0;  // restarted
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
  if (!ImGui::BeginTable("stack", 3, ImGuiTableFlags_NoSavedSettings | ImGuiTableFlags_NoPadOuterX))
    return;
  ImGui::TableSetupColumn("", ImGuiTableColumnFlags_WidthFixed, unit(4));
  ImGui::TableSetupColumn("", ImGuiTableColumnFlags_WidthStretch, 3);
  ImGui::TableSetupColumn("", ImGuiTableColumnFlags_WidthStretch, 2);
  int depth = 0;
  for (const CodeView::Frame& f : view_.stack) {
    ImGui::TableNextRow();
    ImGui::TableSetColumnIndex(0);
    widgets::mono(fmt::format("{}", depth), colours().faint);
    ImGui::TableSetColumnIndex(1);
    widgets::clipped(f.symbol, depth == 0 ? colours().text : colours().dim, true);
    widgets::name_item(fmt::format("code.frame.{}", depth), f.symbol);
    ImGui::TableSetColumnIndex(2);
    if (!f.file.empty()) {
      const auto slash = f.file.rfind('/');
      const std::string short_file = slash == std::string::npos ? f.file : f.file.substr(slash + 1);
      widgets::clipped_right(fmt::format("{}:{}", short_file, f.line), colours().faint);
      if (ImGui::IsItemHovered()) ImGui::SetTooltip("%s:%u", f.file.c_str(), f.line);
    }
    ++depth;
  }
  ImGui::EndTable();
}

// The symbol stands once above its instructions, which show only how far into it they are.
void CodePanel::instructions() {
  std::string symbol;
  for (const CodeView::Instruction& i : view_.instructions) {
    const auto plus = i.address.rfind('+');
    const std::string base = i.address.substr(0, plus);
    if (base != symbol) {
      symbol = base;
      widgets::clipped(symbol, colours().faint, true);
    }
    if (!ImGui::BeginTable("instruction", 3,
                           ImGuiTableFlags_NoSavedSettings | ImGuiTableFlags_NoPadOuterX))
      continue;
    ImGui::TableSetupColumn("", ImGuiTableColumnFlags_WidthFixed, unit(15));
    ImGui::TableSetupColumn("", ImGuiTableColumnFlags_WidthStretch, 2);
    ImGui::TableSetupColumn("", ImGuiTableColumnFlags_WidthStretch, 3);
    ImGui::TableNextRow();
    if (i.accessing) widgets::row_background(colours().held_ground);
    ImGui::TableSetColumnIndex(0);
    widgets::clipped(plus == std::string::npos ? std::string() : i.address.substr(plus),
                     i.accessing ? colours().held : colours().faint, true);
    ImGui::TableSetColumnIndex(1);
    widgets::clipped(i.bytes, colours().faint, true);
    ImGui::TableSetColumnIndex(2);
    widgets::clipped(i.text, i.accessing ? colours().text : colours().dim, true);
    if (i.accessing) widgets::name_item("code.accessing", i.text);
    ImGui::EndTable();
  }
}

}  // namespace

std::unique_ptr<Panel> make_code_panel() {
  return std::make_unique<CodePanel>();
}

}  // namespace pcilens::gui
