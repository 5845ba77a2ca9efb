// Commands: the device's protocol in place of transactions, one command a row, and the transactions
// that it is made of.
#include <fmt/format.h>
#include <imgui.h>

#include <algorithm>
#include <cmath>

#include "inspector-ui/commands/place.hpp"
#include "inspector-ui/gui/panels/panels.hpp"
#include "inspector-ui/gui/theme.hpp"
#include "inspector-ui/gui/widgets.hpp"

namespace pcilens::gui {
namespace {

using theme::colours;
using theme::unit;
using State = ProtocolCommand::State;

constexpr double kRefresh = 0.1;  // seconds, while the driver runs

ImU32 colour_of(State state) {
  switch (state) {
    case State::Outstanding: return colours().held;
    case State::Succeeded: return colours().dim;
    case State::Failed:
    case State::Lost: return colours().bad;
    case State::Unknown: return colours().faint;
  }
  return colours().dim;
}

std::string status_text(const ProtocolCommand& c) {
  if (!c.status.empty()) return c.status;
  switch (c.state) {
    case State::Outstanding: return "outstanding";
    case State::Succeeded: return "success";
    case State::Failed: return "failed";
    case State::Lost: return "lost in a reset";
    case State::Unknown: return "partly recorded";
  }
  return {};
}

class CommandsPanel final : public Panel {
 public:
  std::string_view id() const override { return "commands"; }
  std::string_view title() const override { return "Commands"; }
  std::string badge(const App&) const override {
    return page_.last == 0 ? std::string() : fmt::format("{}", page_.last);
  }
  void draw(App& app) override;

 private:
  void ask(App& app);
  void functions(App& app);
  void rows(App& app, Rect area);
  void draw_row(App& app, const ProtocolCommand& c);
  void chosen(App& app);

  CommandPage page_;
  std::string error_;
  bool asked_ = false, follow_ = true;
  bool reveal_ = false;  // keep the chosen one in sight although the list gets shorter
  int function_ = 0;
  std::uint64_t version_ = 0, top_ = 1, fits_ = 1, selected_ = 0, wanted_seq_ = 0;
  double when_ = 0;
  float wheel_ = 0;
};

void CommandsPanel::ask(App& app) {
  const double now = ImGui::GetTime();
  const bool behind = page_.looked_at < page_.of;
  const bool have = !page_.commands.empty() && page_.commands.front().number <= top_ &&
                    page_.commands.back().number + 1 >= std::min(top_ + fits_, page_.last + 1);
  if (asked_) return;
  if (have && !behind && wanted_seq_ == 0 && app.snapshot().version == version_) return;
  if (have && wanted_seq_ == 0 && now - when_ < kRefresh) {
    app.wake_in(kRefresh);
    return;
  }
  if (page_.of != 0 && page_.last == 0 && !behind && app.snapshot().version == version_) return;
  asked_ = true;
  when_ = now;
  version_ = app.snapshot().version;
  CommandRequest request;
  request.function = static_cast<std::uint8_t>(function_);
  request.limit = static_cast<std::uint32_t>(std::clamp<std::uint64_t>(3 * fits_, 60, 500));
  if (!follow_) request.from = top_ > fits_ ? top_ - fits_ : 1;
  request.seq = wanted_seq_;
  app.target().commands(
      request, later<CommandPage>(app.mailbox(), [this, &app](auto page) {
        asked_ = false;
        error_ = page ? std::string() : page.error().message;
        if (!page) return;
        page_ = std::move(*page);
        if (wanted_seq_ != 0 && page_.found != 0) {
          selected_ = page_.found;
          follow_ = false;
          top_ = page_.found > fits_ / 3 ? page_.found - fits_ / 3 : 1;
        } else if (wanted_seq_ != 0 && page_.looked_at >= page_.of) {
          app.say_error(fmt::format("transaction {} belongs to no command", wanted_seq_));
        }
        if (page_.found != 0 || page_.looked_at >= page_.of) wanted_seq_ = 0;
      }));
}

void CommandsPanel::functions(App& app) {
  if (app.snapshot().functions.size() < 2) return;
  for (std::size_t i = 0; i < app.snapshot().functions.size(); ++i) {
    if (i != 0) ImGui::SameLine(0, unit(3));
    const std::string& name = app.snapshot().functions[i].instance;
    const bool on = static_cast<int>(i) == function_;
    if (widgets::link("commands.function." + name, name, on ? colours().accent : colours().dim)) {
      function_ = static_cast<int>(i);
      page_ = {};
      selected_ = 0;
      follow_ = true;
    }
  }
}

void CommandsPanel::draw(App& app) {
  if (app.reveal_command != 0) {
    wanted_seq_ = app.reveal_command;
    app.reveal_command = 0;
  }
  if (app.snapshot().seq < page_.of) page_ = {};  // another trace
  ask(app);
  functions(app);
  if (!error_.empty()) {
    widgets::empty_state("No commands", error_);
    return;
  }
  if (page_.of != 0 && !page_.protocol) {
    widgets::empty_state("This device has no protocol to decode",
                         "A device may declare one beside its model; an NVMe controller does: "
                         "pcilens gui --device nvme.");
    return;
  }
  if (page_.last == 0) {
    if (page_.looked_at < page_.of)
      widgets::empty_state("Decoding…",
                           fmt::format("transaction {} of {}", page_.looked_at, page_.of));
    else
      widgets::empty_state("No commands yet",
                           "Run the driver (F5): each command that it submits becomes a row here.");
    return;
  }
  const ImVec2 from = ImGui::GetCursorScreenPos(), room = ImGui::GetContentRegionAvail();
  const float lower = selected_ == 0 ? 0.0f : std::floor(room.y * 0.45f);
  const float bar = unit(2.5f);
  const Rect area{from.x, from.y, room.x - bar - unit(1), room.y - lower};
  const float height = theme::fonts().text->FontSize + 2 * ImGui::GetStyle().CellPadding.y;
  fits_ = static_cast<std::uint64_t>(std::max(1.0f, std::floor((area.h - height) / height) - 1));
  if (ImGui::IsMouseHoveringRect({area.x, area.y}, {area.x + area.w, area.y + area.h}) &&
      ImGui::GetIO().MouseWheel != 0) {
    wheel_ -= ImGui::GetIO().MouseWheel * 3;
    const auto whole = static_cast<std::int64_t>(wheel_);
    wheel_ -= static_cast<float>(whole);
    top_ = static_cast<std::uint64_t>(
        std::max<std::int64_t>(1, static_cast<std::int64_t>(top_) + whole));
    follow_ = false;
  }
  const std::uint64_t end = page_.last >= fits_ ? page_.last - fits_ + 1 : 1;
  if (follow_ || top_ >= end) {
    top_ = end;
    follow_ = true;
  }
  if (reveal_ && selected_ >= top_ + fits_) {
    top_ = selected_ - fits_ + 1;
    follow_ = false;
  }
  reveal_ = false;
  top_ = std::max(top_, page_.first);
  rows(app, area);
  std::uint64_t at = top_ - page_.first;
  const Rect track{area.x + area.w + unit(1), area.y, bar, area.h};
  if (widgets::scroll_bar("commands.scroll", track, &at, page_.last - page_.first + 1, fits_)) {
    top_ = at + page_.first;
    follow_ = top_ >= end;
  }
  if (selected_ != 0) {
    ImGui::SetCursorScreenPos({from.x, from.y + area.h});
    chosen(app);
  }
}

void CommandsPanel::rows(App& app, Rect area) {
  const ImGuiTableFlags flags =
      ImGuiTableFlags_Resizable | ImGuiTableFlags_NoSavedSettings | ImGuiTableFlags_NoPadOuterX;
  if (!ImGui::BeginTable("commands", 7, flags, {area.w, 0})) return;
  const auto fixed = ImGuiTableColumnFlags_WidthFixed;
  ImGui::TableSetupColumn("#", fixed, unit(13));
  ImGui::TableSetupColumn("Time, s", fixed, unit(20));
  ImGui::TableSetupColumn("Queue", fixed, unit(14));
  ImGui::TableSetupColumn("Command", ImGuiTableColumnFlags_WidthStretch, 2);
  ImGui::TableSetupColumn("What", ImGuiTableColumnFlags_WidthStretch, 4);
  ImGui::TableSetupColumn("Status", ImGuiTableColumnFlags_WidthStretch, 2);
  ImGui::TableSetupColumn("Took", fixed, unit(20));
  ImGui::PushStyleColor(ImGuiCol_Text, colours().faint);
  ImGui::TableHeadersRow();
  ImGui::PopStyleColor();
  for (const ProtocolCommand& c : page_.commands) {
    if (c.number < top_ || c.number >= top_ + fits_) continue;
    ImGui::TableNextRow();
    ImGui::PushID(static_cast<int>(c.number));
    draw_row(app, c);
    ImGui::PopID();
  }
  ImGui::EndTable();
}

void CommandsPanel::draw_row(App& app, const ProtocolCommand& c) {
  ImGui::TableSetColumnIndex(0);
  const std::string status = status_text(c), number = fmt::format("{}", c.number);
  if (widgets::row("commands.row." + number, selected_ == c.number,
                   c.name + " " + c.summary + " " + status)) {
    selected_ = selected_ == c.number ? 0 : c.number;
    follow_ = false;
    reveal_ = selected_ != 0;
    if (selected_ != 0 && !c.steps.empty()) app.select(c.first_seq());
  }
  ImGui::SameLine(0, 0);
  widgets::clipped_right(number, colours().faint);
  ImGui::TableSetColumnIndex(1);
  widgets::clipped_right(
      fmt::format("{}.{:06}", c.submitted_ns / 1'000'000'000, c.submitted_ns / 1000 % 1'000'000),
      colours().faint);
  ImGui::TableSetColumnIndex(2);
  widgets::clipped(c.queue, colours().dim, true);
  ImGui::TableSetColumnIndex(3);
  widgets::clipped(c.name, colours().text, true);
  ImGui::TableSetColumnIndex(4);
  widgets::clipped(c.summary, colours().dim, true);
  ImGui::TableSetColumnIndex(5);
  widgets::clipped(status, colour_of(c.state), false);
  ImGui::TableSetColumnIndex(6);
  if (c.completed_ns > c.submitted_ns)
    widgets::clipped_right(ui::format_time(c.completed_ns - c.submitted_ns), colours().dim);
}

void CommandsPanel::chosen(App& app) {
  const ProtocolCommand* command = nullptr;
  for (const ProtocolCommand& c : page_.commands)
    if (c.number == selected_) command = &c;
  if (command == nullptr) return;
  const ImVec2 room = ImGui::GetContentRegionAvail();
  widgets::heading(fmt::format("Command {}: {}, transactions {} to {}", command->number,
                               command->name, command->first_seq(), command->last_seq()));
  const float half = std::floor(room.x / 2);
  if (widgets::begin_area("steps", {half, 0}, {0, 0}))
    for (std::size_t i = 0; i < command->steps.size(); ++i) {
      const ProtocolStep& step = command->steps[i];
      ImGui::PushID(static_cast<int>(i));
      widgets::mono(fmt::format("{:>8}", step.seq), colours().faint);
      ImGui::SameLine(0, unit(3));
      if (widgets::link(fmt::format("commands.step.{}", i), step.what,
                        app.selected_seq == step.seq ? colours().held : colours().text, false))
        app.select(step.seq);
      ImGui::PopID();
    }
  widgets::end_area();
  ImGui::SameLine();
  if (widgets::begin_area("command fields", {0, 0}, {0, 0}))
    for (const ProtocolField& f : command->fields) {
      widgets::mono(f.name, colours().dim);
      ImGui::SameLine(unit(24));
      widgets::clipped(f.value, colours().text, true);
    }
  widgets::end_area();
}

}  // namespace

std::unique_ptr<Panel> make_commands_panel() {
  return std::make_unique<CommandsPanel>();
}

}  // namespace pcilens::gui
