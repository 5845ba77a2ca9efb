#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "inspector-ui/commands/describe.hpp"
#include "inspector-ui/models/stop.hpp"
#include "inspector-ui/terminal/full_screen/panes.hpp"

namespace pcilens::ui {
namespace {

class StopPane final : public Pane {
 public:
  std::string title(const Desk& desk) const override {
    return desk.snapshot->stop ? "Stop" : "State";
  }

  void draw(Curses& curses, Desk& desk, const Area& area, bool) override {
    const auto lines = lines_of(desk, area.width);
    const int count = static_cast<int>(lines.size());
    const std::uint64_t seq = desk.snapshot->stop ? desk.snapshot->stop->transaction.seq : 0;
    if (std::exchange(seq_, seq) != seq) top_ = 0;
    // Where not all of it fits, the last line says how much there is below.
    const int room = count > area.height ? area.height - 1 : area.height;
    top_ = std::clamp(top_, 0, std::max(0, count - room));
    for (int i = 0; i < room && top_ + i < count; ++i)
      curses.line(area.y + i, area.x, area.width, lines[static_cast<std::size_t>(top_ + i)]);
    if (const int below = count - room - top_; below > 0)
      curses.text(area.y + room, area.x, area.width,
                  fmt::format("… {} more: a click here, then ↓", below), Style::Dim);
  }

  int wants(const Desk& desk, int width) override {
    return static_cast<int>(lines_of(desk, width).size());
  }

  bool handle(Desk& desk, const Input& input) override {
    if (input.type == Input::Type::Wheel) {
      top_ += input.lines;
      return true;
    }
    if (input.type == Input::Type::Key && input.key == plain(KeyCode::Down)) return ++top_ != 0;
    if (input.type == Input::Type::Key && input.key == plain(KeyCode::Up)) return --top_, true;
    if (input.type != Input::Type::Text || input.text != "e" || !desk.snapshot->stop) return false;
    desk.type("edit ");
    return true;
  }

 private:
  // What is held and why is folded, the rest cut: this is the narrow column of the screen.
  static std::vector<Line> lines_of(const Desk& desk, int width) {
    const Snapshot& s = *desk.snapshot;
    Output out = s.stop ? describe_stop(s, false) : Output(Line(gui::state_text(s), Style::Strong));
    if (!s.stop) {
      out.add(Line());
      out.add(Line(gui::what_to_do(s), Style::Dim));
    }
    std::vector<Line> lines;
    for (auto& block : out.blocks) {
      const auto columns = static_cast<unsigned>(width);
      auto* line = std::get_if<Line>(&block);
      auto rows = line != nullptr ? (lines.empty() || !s.stop ? folded(*line, columns)
                                                              : lay_out(Output(*line), columns))
                                  : lay_out(Output(std::move(std::get<Table>(block))), columns);
      for (Line& row : rows) lines.push_back(std::move(row));
    }
    return lines;
  }

  std::uint64_t seq_ = 0;  // of the stop that is shown
  int top_ = 0;
};

}  // namespace

std::unique_ptr<Pane> make_stop_pane() {
  return std::make_unique<StopPane>();
}

}  // namespace pcilens::ui
