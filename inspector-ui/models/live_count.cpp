#include "inspector-ui/models/live_count.hpp"

#include <fmt/format.h>

namespace pcilens::gui {

const LiveCounts::Count& LiveCounts::of(const std::string& expression, std::uint64_t newest,
                                        double now) {
  now_ = now;
  Entry& entry = entries_[expression];
  entry.seen = true;
  if (!asked_ && entry.count.error.empty() && entry.looked_at < newest &&
      now - entry.completed >= kRest) {
    asked_ = true;
    ask_(expression);
  }
  return entry.count;
}

void LiveCounts::answer(const std::string& expression, Result<MatchCount> count) {
  asked_ = false;
  const auto found = entries_.find(expression);
  if (found == entries_.end()) return;
  Entry& entry = found->second;
  if (!count) {
    entry.count = {.text = {}, .complete = true, .error = count.error().message};
    return;
  }
  entry.looked_at = count->looked_at;
  entry.count.complete = count->looked_at >= count->of;
  if (entry.count.complete) entry.completed = now_;
  entry.count.matches = count->matches;
  entry.count.text = entry.count.complete ? fmt::format("{} so far", count->matches)
                                          : fmt::format("{} in the first {}%…", count->matches,
                                                        count->looked_at * 100 / count->of);
}

void LiveCounts::end_frame() {
  for (auto it = entries_.begin(); it != entries_.end();)
    if (it->second.seen) {
      it->second.seen = false;
      ++it;
    } else {
      it = entries_.erase(it);
    }
}

void LiveCounts::clear() {
  entries_.clear();
}

}  // namespace pcilens::gui
