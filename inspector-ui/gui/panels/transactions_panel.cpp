// Transactions: the live trace, paged around what is visible.
#include <fmt/format.h>
#include <imgui.h>

#include <algorithm>
#include <cmath>

#include "inspector-ui/gui/panels/panels.hpp"
#include "inspector-ui/gui/theme.hpp"
#include "inspector-ui/gui/widgets.hpp"
#include "inspector-ui/models/trace_pager.hpp"
#include "inspector-ui/models/transactions.hpp"

namespace pcilens::gui {
namespace {

using theme::colours;
using theme::unit;

float digits(std::uint64_t number) {
  float count = 4;
  for (std::uint64_t n = number / 10'000; n != 0; n /= 10) ++count;
  return count;
}

bool wide_values(std::span<const TraceRow> rows) {
  return std::ranges::any_of(rows, [](const TraceRow& r) {
    return r.transaction.size > 4 &&
           (is_memory(r.transaction.kind) || r.transaction.kind == Kind::State ||
            r.transaction.kind == Kind::Force);
  });
}

class TransactionsPanel final : public Panel {
 public:
  explicit TransactionsPanel(App& app)
      : pager_([this, &app](std::uint64_t ticket, TraceRequest request) {
          app.target().trace_page(std::move(request),
                                  later<TracePage>(app.mailbox(), [this, ticket](auto page) {
                                    pager_.answer(ticket, std::move(page));
                                  }));
        }) {}
  std::string_view id() const override { return "transactions"; }
  std::string_view title() const override { return "Transactions"; }
  std::string badge(const App& app) const override {
    return app.snapshot().seq == 0 ? std::string() : fmt::format("{}", app.snapshot().seq);
  }
  void draw(App& app) override;

 private:
  void head(App& app);
  void rows(App& app, Rect area);
  void draw_row(App& app, const TraceRow& row);
  void menu(App& app, const TraceRow& row);
  void set_filter(std::string text) {
    filter_ = text;
    pager_.set_filter(std::move(text));
  }

  TracePager pager_;
  std::string filter_;
  float wheel_ = 0;
};

void TransactionsPanel::draw(App& app) {
  if (app.filter_wanted) {
    app.filter_wanted = false;
    set_filter(app.filter_request);
  }
  if (app.reveal_seq != 0) {
    pager_.go_to(app.reveal_seq);
    app.reveal_seq = 0;
  }
  head(app);

  const ImVec2 from = ImGui::GetCursorScreenPos(), room = ImGui::GetContentRegionAvail();
  const float row_height = theme::fonts().text->FontSize + 2 * ImGui::GetStyle().CellPadding.y;
  const float bar = unit(2.5f);
  const Rect area{from.x, from.y, room.x - bar - unit(1), room.y};
  const float header = row_height + 1;
  const auto fits =
      static_cast<std::size_t>(std::max(1.0f, std::floor((area.h - header) / row_height)));
  pager_.set_visible(fits);

  const ImGuiIO& io = ImGui::GetIO();
  if (ImGui::IsWindowHovered(ImGuiHoveredFlags_ChildWindows) && io.MouseWheel != 0) {
    wheel_ -= io.MouseWheel * 3;
    const auto whole = static_cast<std::int64_t>(wheel_);
    wheel_ -= static_cast<float>(whole);
    pager_.scroll(whole);
  }
  pager_.update(app.snapshot().seq, app.snapshot().version);
  if (const unsigned ms = pager_.impatient(); ms != 0) app.wake_in(ms / 1000.0);

  if (const auto progress = pager_.progress()) {
    const auto part =
        static_cast<float>(static_cast<double>(progress->looked_at) /
                           static_cast<double>(std::max<std::uint64_t>(progress->of, 1)));
    if (widgets::progress(
            "transactions.progress", part,
            fmt::format("Looking at transaction {} of {}", progress->looked_at, progress->of)))
      pager_.cancel();
  }
  if (pager_.visible().empty()) {
    if (pager_.progress() || !pager_.error().empty()) return;
    if (pager_.loading()) {
      widgets::empty_state("Looking…", "");
    } else if (!filter_.empty()) {
      widgets::empty_state(
          "Nothing matches",
          "No transaction so far matches the filter. Clear it to see all of them.");
    } else {
      widgets::empty_state("No transactions yet",
                           "Run the driver (F5): every config, BAR, DMA access and interrupt "
                           "appears here as it crosses the link.");
    }
    return;
  }
  rows(app, area);

  std::uint64_t top = pager_.top_seq();
  const std::uint64_t before = top;
  const auto shown = static_cast<std::uint64_t>(pager_.visible().size());
  if (pager_.at_end() && pager_.last_seq() > shown) top = pager_.last_seq() - shown;
  const Rect track{area.x + area.w + unit(1), area.y, bar, area.h};
  if (widgets::scroll_bar("transactions.scroll", track, &top, pager_.last_seq(), shown) &&
      top != before)
    pager_.go_to(top + shown / 3);
}

void TransactionsPanel::head(App& app) {
  if (app.find_wanted) {
    app.find_wanted = false;
    app.layout.bring_to_front("transactions");
    widgets::focus_next();
  }
  const float follow = unit(19), clear = filter_.empty() ? 0.0f : unit(9);
  const bool bad = !pager_.error().empty();
  const float width =
      std::max(unit(20), ImGui::GetContentRegionAvail().x - follow - clear - unit(4));
  if (widgets::input("transactions.filter", &filter_, "Filter: write NAME, irq, read CSTS…, Enter",
                     width, bad))
    pager_.set_filter(filter_);
  if (!filter_.empty()) {
    ImGui::SameLine();
    if (widgets::button("transactions.clear", widgets::Icon::Close, "", colours().dim))
      set_filter({});
  }
  ImGui::SameLine(ImGui::GetWindowWidth() - follow - unit(1));
  const bool on = pager_.follow();
  if (widgets::button("transactions.follow", widgets::Icon::None, "Follow",
                      on ? colours().accent : colours().dim))
    pager_.set_follow(!on);
  if (on) {
    const ImVec2 a = ImGui::GetItemRectMin(), b = ImGui::GetItemRectMax();
    ImGui::GetWindowDrawList()->AddRect(a, b, colours().accent, unit(1));
  }
  if (ImGui::IsItemHovered()) ImGui::SetTooltip("Keep the newest transaction in sight.");
  if (!bad) return;
  widgets::wrapped(pager_.error(), colours().bad);
  widgets::name_item("transactions.error", pager_.error());
}

void TransactionsPanel::rows(App& app, Rect area) {
  const ImGuiTableFlags flags = ImGuiTableFlags_Resizable | ImGuiTableFlags_Hideable |
                                ImGuiTableFlags_NoSavedSettings | ImGuiTableFlags_NoPadOuterX;
  // Dear ImGui takes the width of a column when it first sees the table: another width is another.
  const bool wide = wide_values(pager_.visible());
  const float number = digits(app.snapshot().seq);
  const std::string name = fmt::format("transactions {} {}", wide, static_cast<int>(number));
  if (!ImGui::BeginTable(name.c_str(), 7, flags, {area.w, 0})) return;
  const auto fixed = ImGuiTableColumnFlags_WidthFixed;
  // What matters least goes first where there is little room: a value is never cut for it.
  const bool by = area.w > unit(185), time = area.w > unit(150), meaning = area.w > unit(120);
  const float digit = widgets::digit_width();
  ImGui::TableSetupColumn("#", fixed, number * digit + unit(2));
  ImGui::TableSetupColumn("Time, s", fixed, 11 * digit);
  ImGui::TableSetupColumn("Kind", fixed, 12 * digit);
  ImGui::TableSetupColumn("Place", meaning ? fixed : ImGuiTableColumnFlags_WidthStretch,
                          14 * digit);
  ImGui::TableSetupColumn("Value", fixed, (wide ? 18 : 10) * digit);
  ImGui::TableSetupColumn("Meaning", ImGuiTableColumnFlags_WidthStretch);
  ImGui::TableSetupColumn("By", fixed, 8 * digit);
  ImGui::TableSetColumnEnabled(1, time);
  ImGui::TableSetColumnEnabled(5, meaning);
  ImGui::TableSetColumnEnabled(6, by);
  ImGui::PushStyleColor(ImGuiCol_Text, colours().faint);
  ImGui::TableHeadersRow();
  ImGui::PopStyleColor();
  for (const TraceRow& row : pager_.visible()) {
    ImGui::TableNextRow();
    ImGui::PushID(reinterpret_cast<const void*>(static_cast<std::uintptr_t>(row.transaction.seq)));
    draw_row(app, row);
    ImGui::PopID();
  }
  ImGui::EndTable();
}

void TransactionsPanel::draw_row(App& app, const TraceRow& row) {
  const Transaction& t = row.transaction;
  const TransactionText text = text_of(app.snapshot(), row);
  const bool held = app.snapshot().stop && app.snapshot().stop->transaction.seq == t.seq;
  const bool note = group_of(t.kind) == KindGroup::Note;
  ImGui::TableSetColumnIndex(0);
  if (held) widgets::row_background(colours().held_ground);
  if (widgets::row("transactions.row." + text.seq, app.selected_seq == t.seq,
                   text.kind + " " + text.place + " " + text.value)) {
    app.selected_seq = t.seq;
    if (const std::string reg = register_row_id(app.snapshot(), t); !reg.empty())
      app.selected_register = reg;
  }
  menu(app, row);
  ImGui::SameLine(0, 0);
  widgets::clipped_right(text.seq, held ? colours().held : colours().faint);
  ImGui::TableSetColumnIndex(1);
  widgets::clipped_right(text.time, colours().faint);
  ImGui::TableSetColumnIndex(2);
  widgets::clipped(text.kind, theme::colour_of(group_of(t.kind)), true);
  ImGui::TableSetColumnIndex(3);
  widgets::clipped(text.place, colours().text, true);
  ImGui::TableSetColumnIndex(4);
  widgets::clipped(text.value, colours().text, true);
  ImGui::TableSetColumnIndex(5);
  const std::string flag = held ? std::string("held") : text.flag;
  if (!flag.empty()) {
    widgets::tag(flag, text.bad ? colours().bad : colours().held);
    ImGui::SameLine(0, unit(1.5f));
  }
  widgets::clipped(text.meaning, note ? colours().faint : colours().dim, !note);
  ImGui::TableSetColumnIndex(6);
  widgets::clipped(text.who, t.origin == Origin::Poke ? colours().held : colours().faint, true);
}

void TransactionsPanel::menu(App& app, const TraceRow& row) {
  if (!ImGui::BeginPopupContextItem("menu")) return;
  widgets::close_on_escape();
  const Transaction& t = row.transaction;
  app.selected_seq = t.seq;
  const std::string exact = expression_for_kind_and_place(app.snapshot(), t);
  const std::string place = expression_for_place(app.snapshot(), t);
  const std::string reg = register_row_id(app.snapshot(), t);
  if (!exact.empty()) {
    if (ImGui::MenuItem(("Break on  " + exact).c_str())) app.run("break " + exact);
    widgets::name_item("menu.break", exact);
    if (ImGui::MenuItem(("Show only  " + exact).c_str())) set_filter(exact);
    widgets::name_item("menu.filter", exact);
  }
  if (!place.empty() && place != exact) {
    if (ImGui::MenuItem(("Show only  " + place).c_str())) set_filter(place);
    widgets::name_item("menu.filter_place", place);
  }
  if (!filter_.empty() && ImGui::MenuItem("Show all")) set_filter({});
  if (!reg.empty()) {
    ImGui::Separator();
    if (ImGui::MenuItem("Go to register")) {
      app.selected_register = app.reveal_register = reg;
      app.layout.bring_to_front("registers");
    }
    widgets::name_item("menu.go_to_register", reg);
  }
  if (is_dma(t.kind) || t.kind == Kind::DmaMap) {
    if (ImGui::MenuItem("Show the memory")) {
      app.reveal_iova = t.offset;
      app.reveal_function = t.function;
      app.memory_wanted = true;
      app.layout.bring_to_front("memory");
    }
    widgets::name_item("menu.memory");
  }
  if (ImGui::MenuItem("Show the command")) {
    app.reveal_command = t.seq;
    app.layout.bring_to_front("commands");
  }
  widgets::name_item("menu.command");
  if (ImGui::MenuItem("Show the code")) app.layout.bring_to_front("code");
  ImGui::EndPopup();
}

}  // namespace

std::unique_ptr<Panel> make_transactions_panel(App& app) {
  return std::make_unique<TransactionsPanel>(app);
}

}  // namespace pcilens::gui
