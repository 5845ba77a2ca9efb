#include <fmt/format.h>

#include "inspector-ui/commands/describe.hpp"
#include "inspector-ui/terminal/full_screen/panes.hpp"

namespace pcilens::ui {
namespace {

class CodePane final : public Pane {
 public:
  std::string title(const Desk&) const override { return "Driver code"; }

  void draw(Curses& curses, Desk& desk, const Area& area, bool) override {
    const auto& stop = desk.snapshot->stop;
    if (!stop) {
      curses.text(area.y, area.x, area.width, "shown at a stop", Style::Dim);
      return;
    }
    ask(desk, stop->transaction.seq);
    if (!found_->there) return;
    const CodeView& view = found_->view;
    if (view.stack.empty() && view.instructions.empty()) {
      curses.text(area.y, area.x, area.width,
                  found_->error.empty() ? "nobody told where the driver stood" : found_->error,
                  Style::Dim);
      return;
    }
    Output out;
    if (view.of != 0 && view.of != found_->seq)
      out.add(Line(fmt::format("#{} follows from #{}: there it stood", found_->seq, view.of),
                   Style::Dim));
    Output code = describe_code(view);
    for (auto& block : code.blocks) out.blocks.push_back(std::move(block));
    const auto lines = lay_out(out, static_cast<unsigned>(area.width));
    list_.fit(static_cast<int>(lines.size()), area.height);
    for (int i = 0; i < area.height && list_.top + i < static_cast<int>(lines.size()); ++i)
      curses.line(area.y + i, area.x, area.width, lines[static_cast<std::size_t>(list_.top + i)]);
    lines_ = static_cast<int>(lines.size());
  }

  bool handle(Desk&, const Input& input) override { return list_.handle(input, lines_); }

 private:
  struct Found {
    std::uint64_t seq = 0;
    bool there = false;
    CodeView view;
    std::string error;
  };

  void ask(Desk& desk, std::uint64_t seq) {
    if (found_->seq == seq) return;
    found_ = std::make_shared<Found>();
    found_->seq = seq;
    desk.target.code_at(seq, gui::later<CodeView>(desk.mailbox, [found = found_](auto view) {
                          found->there = true;
                          if (view)
                            found->view = std::move(*view);
                          else
                            found->error = view.error().message;
                        }));
  }

  std::shared_ptr<Found> found_ = std::make_shared<Found>();
  ListView list_;
  int lines_ = 0;
};

}  // namespace

std::unique_ptr<Pane> make_code_pane() {
  return std::make_unique<CodePane>();
}

}  // namespace pcilens::ui
