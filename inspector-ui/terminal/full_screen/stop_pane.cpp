#include "inspector-ui/commands/describe.hpp"
#include "inspector-ui/gui/models/stop.hpp"
#include "inspector-ui/terminal/full_screen/panes.hpp"

namespace pcilens::ui {
namespace {

class StopPane final : public Pane {
 public:
  std::string title(const Desk& desk) const override {
    return desk.snapshot->stop ? "Stop" : "State";
  }

  void draw(Curses& curses, Desk& desk, const Area& area, bool) override {
    const Snapshot& s = *desk.snapshot;
    Output out = s.stop ? describe_stop(s, false) : Output(Line(gui::state_text(s), Style::Strong));
    if (!s.stop) {
      out.add(Line());
      out.add(Line(gui::what_to_do(s), Style::Dim));
    }
    int y = 0;
    for (const Line& line : lay_out(out, static_cast<unsigned>(area.width)))
      if (y < area.height) curses.line(area.y + y++, area.x, area.width, line);
  }

  bool handle(Desk& desk, const Input& input) override {
    if (input.type != Input::Type::Text || input.text != "e" || !desk.snapshot->stop) return false;
    desk.type("edit ");
    return true;
  }
};

}  // namespace

std::unique_ptr<Pane> make_stop_pane() {
  return std::make_unique<StopPane>();
}

}  // namespace pcilens::ui
