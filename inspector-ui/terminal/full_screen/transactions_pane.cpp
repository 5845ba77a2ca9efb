#include <fmt/format.h>

#include <algorithm>

#include "inspector-ui/models/trace_pager.hpp"
#include "inspector-ui/models/transactions.hpp"
#include "inspector-ui/terminal/full_screen/panes.hpp"

namespace pcilens::ui {
namespace {

class TransactionsPane final : public Pane {
 public:
  std::string title(const Desk& desk) const override {
    std::string text = "Transactions";
    if (!desk.filter.empty()) text += ": " + desk.filter;
    if (pager_ && !pager_->error().empty()) text += "  (no such filter)";
    return text;
  }

  void draw(Curses& curses, Desk& desk, const Area& area, bool focus) override {
    if (!pager_) start(desk);
    if (pager_->filter() != desk.filter) pager_->set_filter(desk.filter);
    pager_->set_visible(static_cast<std::size_t>(std::max(1, area.height)));
    pager_->update(desk.snapshot->seq, desk.snapshot->version);
    const auto rows = pager_->visible();
    if (!pager_->error().empty()) {
      curses.text(area.y, area.x, area.width, pager_->error(), Style::Bad);
      return;
    }
    if (rows.empty()) {
      curses.text(area.y, area.x, area.width,
                  pager_->loading() ? "…" : "none yet; F5 lets the driver go on", Style::Dim);
      return;
    }
    selected_ = std::clamp(selected_, 0, static_cast<int>(rows.size()) - 1);
    if (pager_->follow()) selected_ = static_cast<int>(rows.size()) - 1;
    const auto& stop = desk.snapshot->stop;
    Table table;
    table.columns = {{"", "", true}, {"", ""}, {"", ""}, {"", ""}, {"", "", false, true}};
    for (const TraceRow& row : rows) {
      const auto t = gui::text_of(*desk.snapshot, row);
      const bool held = stop && stop->transaction.seq == row.transaction.seq;
      std::string note = t.flag.empty() ? t.meaning : t.flag + "  " + t.meaning;
      if (held && !is_recording(*desk.snapshot)) note = "held";
      table.rows.push_back({{t.seq, held ? Style::Changed : Style::Dim},
                            {t.kind, style_of(gui::group_of(row.transaction.kind))},
                            {t.place, Style::Name},
                            {t.value, Style::Value},
                            {note, t.bad  ? Style::Bad
                                   : held ? Style::Changed
                                          : Style::Dim}});
    }
    const auto lines = lay_out(Output(std::move(table)), static_cast<unsigned>(area.width));
    for (int i = 0; i < area.height && i < static_cast<int>(lines.size()); ++i)
      curses.line(area.y + i, area.x, area.width, lines[static_cast<std::size_t>(i)],
                  focus && i == selected_);
  }

  bool handle(Desk& desk, const Input& input) override {
    if (!pager_) return false;
    const auto rows = pager_->visible();
    if (input.type == Input::Type::Key && input.key == plain(KeyCode::End)) {
      pager_->set_follow(true);
      return true;
    }
    if (input.type == Input::Type::Key && input.key == plain(KeyCode::Home)) {
      pager_->go_to(1);
      selected_ = 0;
      return true;
    }
    if (input.type == Input::Type::Wheel) {
      pager_->scroll(input.lines);
      return true;
    }
    const int page = std::max(1, static_cast<int>(rows.size()) - 1);
    if (input.type == Input::Type::Key && input.key == plain(KeyCode::PageUp)) {
      pager_->scroll(-page);
      return true;
    }
    if (input.type == Input::Type::Key && input.key == plain(KeyCode::PageDown)) {
      pager_->scroll(page);
      return true;
    }
    if (input.type == Input::Type::Key && input.key == plain(KeyCode::Up)) {
      pager_->set_follow(false);
      if (selected_ == 0)
        pager_->scroll(-1);
      else
        --selected_;
      return true;
    }
    if (input.type == Input::Type::Key && input.key == plain(KeyCode::Down)) {
      if (selected_ + 1 >= static_cast<int>(rows.size()))
        pager_->scroll(1);
      else
        ++selected_;
      return true;
    }
    if (rows.empty()) return false;
    const TraceRow& row =
        rows[static_cast<std::size_t>(std::clamp(selected_, 0, static_cast<int>(rows.size()) - 1))];
    if (input.type == Input::Type::Key && input.key == plain(KeyCode::Enter))
      desk.run(fmt::format("show {}", row.transaction.seq));
    else if (input.type == Input::Type::Text && input.text == "b")
      desk.type("break " + gui::expression_for_kind_and_place(*desk.snapshot, row.transaction));
    else if (input.type == Input::Type::Text && input.text == "f")
      desk.type("filter " + gui::expression_for_place(*desk.snapshot, row.transaction));
    else if (input.type == Input::Type::Text && input.text == "g" && is_recording(*desk.snapshot))
      desk.run(fmt::format("seek {}", row.transaction.seq));
    else
      return false;
    return true;
  }

 private:
  void start(Desk& desk) {
    auto& target = desk.target;
    auto mailbox = desk.mailbox;
    pager_ = std::make_shared<gui::TracePager>(nullptr);
    // The pager may be gone when an answer comes.
    std::weak_ptr<gui::TracePager> there = pager_;
    *pager_ =
        gui::TracePager([&target, mailbox, there](std::uint64_t ticket, TraceRequest request) {
          target.trace_page(std::move(request),
                            gui::later<TracePage>(mailbox, [there, ticket](Result<TracePage> page) {
                              if (const auto pager = there.lock())
                                pager->answer(ticket, std::move(page));
                            }));
        });
  }

  static Style style_of(gui::KindGroup group) {
    switch (group) {
      case gui::KindGroup::Write: return Style::Strong;
      case gui::KindGroup::Dma:
      case gui::KindGroup::Interrupt: return Style::Good;
      case gui::KindGroup::Config:
      case gui::KindGroup::Note: return Style::Dim;
      case gui::KindGroup::Read: return Style::Plain;
    }
    return Style::Plain;
  }

  std::shared_ptr<gui::TracePager> pager_;
  int selected_ = 0;
};

}  // namespace

std::unique_ptr<Pane> make_transactions_pane() {
  return std::make_unique<TransactionsPane>();
}

}  // namespace pcilens::ui
