#include "inspector-ui/gui/frame_times.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <fstream>
#include <sstream>

namespace pcilens::gui {
namespace {

double seconds(clockid_t clock) {
  timespec t{};
  ::clock_gettime(clock, &t);
  return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_nsec) * 1e-9;
}

// proc(5): field 22, in clock ticks since boot.
double age_of_process() {
  std::ifstream file("/proc/self/stat");
  std::string text;
  std::getline(file, text);
  std::istringstream rest(text.substr(text.rfind(')') + 2));
  std::string word;
  for (int field = 3; field <= 22; ++field) rest >> word;
  const double begun =
      std::strtod(word.c_str(), nullptr) / static_cast<double>(::sysconf(_SC_CLK_TCK));
  return seconds(CLOCK_BOOTTIME) - begun;
}

}  // namespace

FrameTimes::FrameTimes() {
  if (const char* file = std::getenv("PCILENS_UI_TIMES")) file_ = file;
}

void FrameTimes::begin() {
  if (!file_.empty()) begun_ = seconds(CLOCK_THREAD_CPUTIME_ID);
}

void FrameTimes::built() {
  if (!file_.empty()) build_s_ += seconds(CLOCK_THREAD_CPUTIME_ID) - begun_;
}

void FrameTimes::end() {
  if (file_.empty()) return;
  if (frames_++ == 0) {
    first_ms_ = 1e3 * age_of_process();
    first_cpu_ms_ = 1e3 * seconds(CLOCK_PROCESS_CPUTIME_ID);
  }
  const double now = seconds(CLOCK_MONOTONIC);
  if (frames_ != 1 && now - written_ < 0.5) return;
  written_ = now;
  write();
}

void FrameTimes::write() {
  const std::string fresh = file_ + ".new";
  {
    std::ofstream out(fresh, std::ios::trunc);
    out << fmt::format(
        "{{\"first_frame_ms\":{:.0f},\"first_frame_cpu_ms\":{:.0f},\"frames\":{},"
        "\"build_ms\":{:.3f}}}\n",
        first_ms_, first_cpu_ms_, frames_, 1e3 * build_s_ / static_cast<double>(frames_));
    if (!out) return;
  }
  static_cast<void>(std::rename(fresh.c_str(), file_.c_str()));
}

}  // namespace pcilens::gui
