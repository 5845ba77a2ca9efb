// Code: where the driver stands: its call stack, and the instructions around the access.
#include <fmt/format.h>
#include <imgui.h>

#include <algorithm>
#include <span>

#include "core/target/kernel_locks.hpp"
#include "inspector-ui/gui/panels/panels.hpp"
#include "inspector-ui/gui/theme.hpp"
#include "inspector-ui/gui/widgets.hpp"

namespace pcilens::gui {
namespace {

using theme::colours;
using theme::unit;

constexpr std::size_t kFewFrames = 5;

class CodePanel final : public Panel {
 public:
  std::string_view id() const override { return "code"; }
  std::string_view title() const override { return "Driver code"; }
  void draw(App& app) override;

 private:
  void ask(App& app, std::uint64_t seq);
  void source();
  void stack();
  void instructions();

  std::uint64_t asked_ = 0;  // the transaction whose code is here or on its way
  bool there_ = false;
  bool whole_stack_ = false;
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
  // What is selected, which a stop does too.
  const std::uint64_t seq = app.selected_seq;
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
    if (view_.of != 0 && view_.of != asked_) {
      const std::string text =
          fmt::format("#{} follows from #{}: there the driver stood.", asked_, view_.of);
      widgets::wrapped(text, colours().faint);
      widgets::name_item("code.follows", text);
    }
    source();
    stack();
    instructions();
  }
  widgets::end_area();
}

namespace {

std::string file_name(const std::string& path) {
  const auto slash = path.rfind('/');
  return slash == std::string::npos ? path : path.substr(slash + 1);
}

}  // namespace

void CodePanel::source() {
  if (view_.source.empty()) return;
  widgets::text(file_name(view_.source_file), colours().faint);
  if (ImGui::IsItemHovered()) ImGui::SetTooltip("%s", view_.source_file.c_str());
  // As deep as the shallowest line: what is left of it is blank in all of them.
  std::size_t blank = std::string::npos;
  for (const auto& l : view_.source)
    if (const auto at = l.text.find_first_not_of(" \t"); at != std::string::npos)
      blank = std::min(blank, at);
  if (!ImGui::BeginTable("source", 2,
                         ImGuiTableFlags_NoSavedSettings | ImGuiTableFlags_NoPadOuterX))
    return;
  ImGui::TableSetupColumn("", ImGuiTableColumnFlags_WidthFixed, unit(10));
  ImGui::TableSetupColumn("", ImGuiTableColumnFlags_WidthStretch);
  for (const CodeView::SourceLine& l : view_.source) {
    ImGui::TableNextRow();
    if (l.accessing) widgets::row_background(colours().held_ground);
    ImGui::TableSetColumnIndex(0);
    widgets::clipped_right(fmt::format("{}", l.line),
                           l.accessing ? colours().held : colours().faint);
    ImGui::TableSetColumnIndex(1);
    const std::string text =
        blank != std::string::npos && l.text.size() > blank ? l.text.substr(blank) : std::string();
    widgets::clipped(text, l.accessing ? colours().text : colours().dim, true);
    if (l.accessing) widgets::name_item("code.source", text);
  }
  ImGui::EndTable();
}

void CodePanel::stack() {
  if (view_.stack.empty()) return;
  widgets::heading("Stack");
  if (!ImGui::BeginTable("stack", 2, ImGuiTableFlags_NoSavedSettings | ImGuiTableFlags_NoPadOuterX))
    return;
  ImGui::TableSetupColumn("", ImGuiTableColumnFlags_WidthStretch, 3);
  ImGui::TableSetupColumn("", ImGuiTableColumnFlags_WidthStretch, 2);
  int depth = 0;
  // What a kernel did before it called the driver tells less than the instructions below.
  const std::size_t shown =
      whole_stack_ || view_.stack.size() <= kFewFrames + 1 ? view_.stack.size() : kFewFrames;
  for (const CodeView::Frame& f : std::span(view_.stack).first(shown)) {
    ImGui::TableNextRow();
    ImGui::TableSetColumnIndex(0);
    widgets::clipped(f.symbol, depth == 0 ? colours().text : colours().dim, true);
    widgets::name_item(fmt::format("code.frame.{}", depth), f.symbol);
    ImGui::TableSetColumnIndex(1);
    if (!f.file.empty()) {
      widgets::clipped_right(fmt::format("{}:{}", file_name(f.file), f.line), colours().faint);
      if (ImGui::IsItemHovered()) ImGui::SetTooltip("%s:%u", f.file.c_str(), f.line);
    }
    ++depth;
  }
  ImGui::EndTable();
  if (view_.stack.size() > kFewFrames + 1 &&
      widgets::link("code.more",
                    whole_stack_ ? "fewer" : fmt::format("… {} more", view_.stack.size() - shown),
                    colours().faint, false))
    whole_stack_ = !whole_stack_;
  for (const KernelLock& lock : kernel_locks(view_)) {
    widgets::wrapped(fmt::format("Holds {} ({}): {}.", lock.name, lock.taken_by, lock.meanwhile),
                     colours().held);
    widgets::name_item("code.lock", std::string(lock.name));
  }
}

// The symbol stands once above its instructions, which show only how far into it they are.
void CodePanel::instructions() {
  if (view_.instructions.empty()) return;
  const std::string& first = view_.instructions.back().address;
  widgets::heading("Instructions of " + first.substr(0, first.rfind('+')));
  const bool bytes = ImGui::GetContentRegionAvail().x > unit(110);
  if (!ImGui::BeginTable(
          "instructions", 3,
          ImGuiTableFlags_Hideable | ImGuiTableFlags_NoSavedSettings | ImGuiTableFlags_NoPadOuterX))
    return;
  ImGui::TableSetupColumn("", ImGuiTableColumnFlags_WidthFixed, unit(15));
  ImGui::TableSetupColumn("", ImGuiTableColumnFlags_WidthStretch, 2);
  ImGui::TableSetupColumn("", ImGuiTableColumnFlags_WidthStretch, 4);
  ImGui::TableSetColumnEnabled(1, bytes);
  for (const CodeView::Instruction& i : view_.instructions) {
    ImGui::TableNextRow();
    if (i.accessing) widgets::row_background(colours().held_ground);
    ImGui::TableSetColumnIndex(0);
    const auto plus = i.address.rfind('+');
    widgets::clipped(plus == std::string::npos ? "+0x0" : i.address.substr(plus),
                     i.accessing ? colours().held : colours().faint, true);
    ImGui::TableSetColumnIndex(1);
    widgets::clipped(i.bytes, colours().faint, true);
    ImGui::TableSetColumnIndex(2);
    widgets::clipped(i.text, i.accessing ? colours().text : colours().dim, true);
    if (i.accessing) widgets::name_item("code.accessing", i.text);
  }
  ImGui::EndTable();
}

}  // namespace

std::unique_ptr<Panel> make_code_panel() {
  return std::make_unique<CodePanel>();
}

}  // namespace pcilens::gui
