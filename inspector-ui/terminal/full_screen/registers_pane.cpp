#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "inspector-ui/terminal/full_screen/panes.hpp"

namespace pcilens::ui {
namespace {

using gui::RegisterRow;

class RegistersPane final : public Pane {
 public:
  std::string title(const Desk&) const override { return "Registers"; }

  void draw(Curses& curses, Desk& desk, const Area& area, bool focus) override {
    rows_ = gui::register_rows(
        *desk.snapshot, {.search = {}, .open = &open_, .changed_since = desk.changes.since()});
    const int count = static_cast<int>(rows_.size());
    if (count == 0) {
      curses.text(area.y, area.x, area.width, "no registers are known for these BARs", Style::Dim);
      return;
    }
    list_.fit(count, area.height);
    select(desk);
    int name = 8, value = 10;
    for (const RegisterRow& r : rows_) {
      name = std::max(name, static_cast<int>(r.name.size()) + 2 * r.depth + 2);
      value = std::max(value, static_cast<int>(r.value.size()));
    }
    name = std::min(name, area.width / 2);
    value = std::min(value, std::max(0, area.width - name - 2));
    for (int i = 0; i < area.height && list_.top + i < count; ++i) {
      const RegisterRow& r = rows_[static_cast<std::size_t>(list_.top + i)];
      const std::string mark = r.expandable ? (r.expanded ? "▾ " : "▸ ") : "  ";
      const std::string label =
          std::string(static_cast<std::size_t>(2 * r.depth), ' ') + mark + r.name;
      Line line;
      line.add(fitted(label, name),
               r.kind == RegisterRow::Kind::Field ? Style::Plain : Style::Name);
      line.add("  ").add(fitted(r.value, value), r.assumed == "reset" ? Style::Dim
                                                 : r.changed          ? Style::Changed
                                                                      : Style::Value);
      line.add("  ");
      if (!r.assumed.empty()) line.add(std::string(r.assumed) + "  ", Style::Dim);
      line.add(r.meaning, Style::Dim);
      curses.line(area.y + i, area.x, area.width, line, focus && list_.top + i == list_.selected);
    }
  }

  bool handle(Desk& desk, const Input& input) override {
    const int count = static_cast<int>(rows_.size());
    if (list_.handle(input, count)) {
      select(desk);
      return true;
    }
    if (count == 0) return false;
    const RegisterRow& r = rows_[static_cast<std::size_t>(list_.selected)];
    if (input.type == Input::Type::Key && input.key == plain(KeyCode::Enter) && r.expandable) {
      if (!open_.erase(r.id)) open_.insert(r.id);
    } else if (input.type == Input::Type::Text && input.text == "w") {
      desk.type("write " + r.id + " ");
    } else if (input.type == Input::Type::Text && input.text == "b") {
      desk.type("break write " + r.id);
    } else {
      return false;
    }
    return true;
  }

 private:
  // Cut or filled up to as many columns; register names are ASCII but for the marks before them.
  static std::string fitted(const std::string& text, int width) {
    int columns = 0;
    std::size_t last = 0;  // where the last character that fits begins
    std::string out;
    for (const char c : text) {
      const bool begins = (static_cast<unsigned char>(c) & 0xc0) != 0x80;
      if (begins && columns == width) {
        if (width > 0) out.replace(last, std::string::npos, "…");
        break;
      }
      if (begins) last = out.size();
      columns += begins ? 1 : 0;
      out += c;
    }
    return out + std::string(static_cast<std::size_t>(std::max(0, width - columns)), ' ');
  }

  void select(Desk& desk) const {
    if (!rows_.empty()) desk.selected_register = rows_[static_cast<std::size_t>(list_.selected)].id;
  }

  std::set<std::string> open_;
  std::vector<RegisterRow> rows_;
  ListView list_;
};

}  // namespace

std::unique_ptr<Pane> make_registers_pane() {
  return std::make_unique<RegistersPane>();
}

}  // namespace pcilens::ui
