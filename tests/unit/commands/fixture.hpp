// A console's context on a pretended target: its write of CONTROL is held, see
// tests/gui/fake_target.cpp.
#pragma once

#include <string>

#include "inspector-ui/commands/command.hpp"
#include "tests/gui/fake_target.hpp"

namespace example {

using namespace pcilens;
using namespace pcilens::ui;

struct Desk {
  test::FakeTarget target;
  std::string selected;
  bool quit = false;

  Result<Output> type(std::string_view line) {
    Context context{
        .target = target, .table = CommandTable::standard(), .selected = selected, .quit = [this] {
          quit = true;
        }};
    return run_line(context, line);
  }
  // What was printed, or "error: ..." .
  std::string said(std::string_view line) {
    const auto output = type(line);
    if (!output) return "error: " + output.error().message;
    return render(*output, {.width = 0, .colour = false});
  }
  std::string json(std::string_view line) {
    const auto output = type(line);
    return output ? render_json(*output) : "error: " + output.error().message;
  }
  // The newest call that reached the target.
  std::string last_call() const {
    const auto calls = target.calls();
    return calls.empty() ? "" : calls.back();
  }
};

inline bool has(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

}  // namespace example
