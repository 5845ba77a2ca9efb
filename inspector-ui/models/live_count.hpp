// How often an expression would have matched so far, asked for a stretch at a time while somebody
// looks: what stands beside a breakpoint or under the expression that is being typed.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>

#include "core/target/target.hpp"

namespace pcilens::gui {

class LiveCounts {
 public:
  // Asks for a count; the answer comes back by answer() on the window's thread.
  using Ask = std::function<void(const std::string& expression)>;
  explicit LiveCounts(Ask ask) : ask_(std::move(ask)) {}

  struct Count {
    std::uint64_t matches = 0;
    std::string text;  // "12 so far", "3 in the first 40%…", "…"; empty while nothing is known
    bool complete = false;
    std::string error;  // why the expression is refused
  };
  // What is known now; asks on where the trace is longer than what was looked at. Once a frame for
  // each expression on screen; `newest` is the trace's last transaction, `now` any clock in
  // seconds. One question at a time, and a count that was complete rests before the next.
  const Count& of(const std::string& expression, std::uint64_t newest, double now);
  void answer(const std::string& expression, Result<MatchCount> count);
  // Forgets those that were not looked at since the last call.
  void end_frame();
  // Another trace.
  void clear();
  bool busy() const { return asked_; }

 private:
  struct Entry {
    Count count;
    std::uint64_t looked_at = 0;
    double completed = -1e9;
    bool seen = true;
  };
  static constexpr double kRest = 0.5;  // seconds
  Ask ask_;
  std::map<std::string, Entry, std::less<>> entries_;
  bool asked_ = false;
  double now_ = 0;
};

}  // namespace pcilens::gui
