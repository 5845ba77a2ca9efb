// The events of a trace by their number, read ahead in pages, so that a replay can look at what was
// recorded around the one it is at, however long the trace is.
#pragma once

#include <cstdint>
#include <deque>

#include "core/trace/reader.hpp"

namespace pcilens {

class EventWindow {
 public:
  explicit EventWindow(TraceReader& trace) : trace_(trace) {}

  // Null where the trace has no event of that number. What lies far behind the last one asked for
  // is forgotten. The pointer is good until the next call.
  const TraceEvent* at(std::uint64_t seq);
  // The first event after `seq`; null at the end.
  const TraceEvent* after(std::uint64_t seq);
  // What the database said when it could not go on.
  const std::optional<Error>& error() const { return error_; }

 private:
  void read_to(std::uint64_t seq);

  TraceReader& trace_;
  std::deque<TraceEvent> events_;  // ascending
  std::uint64_t next_ = 1;         // where the next page begins
  bool ended_ = false;
  std::optional<Error> error_;
};

}  // namespace pcilens
