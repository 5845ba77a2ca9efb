// The panes of the full screen. One file each; what they show comes from the same view-models as
// the window's panels.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "core/target/target.hpp"
#include "inspector-ui/models/mailbox.hpp"
#include "inspector-ui/models/registers.hpp"
#include "inspector-ui/terminal/full_screen/curses.hpp"

namespace pcilens::ui {

// What the panes share.
struct Desk {
  Target& target;
  std::shared_ptr<gui::Mailbox> mailbox;
  std::shared_ptr<const Snapshot> snapshot = {};
  gui::ChangeMark changes = {};
  std::string selected_register = {};          // a row id: what F9 means
  std::string filter = {};                     // of the transactions
  std::function<void(std::string)> run = {};   // a line of the command table
  std::function<void(std::string)> type = {};  // puts the beginning of a line on the prompt
};

class Pane {
 public:
  virtual ~Pane() = default;
  virtual std::string title(const Desk& desk) const = 0;
  // `area` is what is below the title.
  virtual void draw(Curses& curses, Desk& desk, const Area& area, bool focus) = 0;
  // The lines below the title that it would fill, where that matters.
  virtual int wants(const Desk&, int) { return 0; }
  // A key while it has the focus; false: not one of its own.
  virtual bool handle(Desk& desk, const Input& input) = 0;
};

std::unique_ptr<Pane> make_registers_pane();
std::unique_ptr<Pane> make_transactions_pane();
std::unique_ptr<Pane> make_rules_pane();
std::unique_ptr<Pane> make_stop_pane();
std::unique_ptr<Pane> make_code_pane();

// A list with a selected row that stays in view.
struct ListView {
  int selected = 0, top = 0, height = 1;
  // Moves by an arrow, page, Home or End key or the wheel; false for other keys.
  bool handle(const Input& input, int rows);
  void fit(int rows, int visible);
};

}  // namespace pcilens::ui
