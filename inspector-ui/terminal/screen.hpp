// Where answers go: the terminal's width and colours, or JSON.
#pragma once

#include <string_view>

#include "core/result.hpp"
#include "inspector-ui/commands/output.hpp"

namespace pcilens::ui {

class Screen {
 public:
  explicit Screen(bool json);
  bool json() const { return json_; }
  bool is_terminal() const { return terminal_; }
  bool colour() const { return colour_; }
  unsigned width() const;  // columns now; 0: not a terminal
  void print(const Output& output) const;
  // What was printed could not be written: its reader has gone, or a disk is full.
  bool lost() const;
  // To standard error: "script:3: message".
  void error(std::string_view where, std::string_view message) const;
  // To standard error too, and no error of what was asked: "kernel: BUG: ...".
  void remark(std::string_view who, std::string_view message) const;

 private:
  void to_stderr(std::string text) const;

  bool json_, terminal_, colour_;
};

}  // namespace pcilens::ui
