// How soon the first picture showed and how many there were, for tests/bench/window.py: kept only
// when PCILENS_UI_TIMES names a file, which is replaced as a whole twice a second:
//   {"first_frame_ms":240,"first_frame_cpu_ms":180,"frames":118,"build_ms":1.32}
#pragma once

#include <cstdint>
#include <string>

namespace pcilens::gui {

class FrameTimes {
 public:
  FrameTimes();
  // Around what makes one picture, without the wait for the display.
  void begin();
  void built();  // Dear ImGui is done, rendering begins
  void end();

 private:
  void write();
  std::string file_;
  std::uint64_t frames_ = 0;
  double first_ms_ = 0, first_cpu_ms_ = 0;  // since the process began; of all its threads
  double build_s_ = 0;  // this thread's processor time for building pictures, all together
  double begun_ = 0, written_ = 0;
};

}  // namespace pcilens::gui
