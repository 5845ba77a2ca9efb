#include "core/replay/event_window.hpp"

#include <algorithm>

namespace pcilens {
namespace {

constexpr std::uint32_t kRowsAtOnce = 4096;
constexpr std::size_t kKept = 4 * kRowsAtOnce;

}  // namespace

void EventWindow::read_to(std::uint64_t seq) {
  while (!ended_ && next_ <= seq) {
    auto page = trace_.window({.from = next_, .limit = kRowsAtOnce});
    if (!page) {
      error_ = page.error();
      ended_ = true;
      return;
    }
    ended_ = page->events.size() < kRowsAtOnce;
    if (page->events.empty()) return;
    next_ = page->events.back().t.seq + 1;
    for (TraceEvent& event : page->events) events_.push_back(std::move(event));
    while (events_.size() > kKept) {
      forgotten_ = events_.front().t.seq;
      events_.pop_front();
    }
  }
}

const TraceEvent* EventWindow::read_again(std::uint64_t seq) {
  if (again_.empty() || seq < again_.front().t.seq || seq > again_.back().t.seq) {
    auto page = trace_.window({.from = seq, .limit = kRowsAtOnce});
    if (!page) {
      error_ = page.error();
      return nullptr;
    }
    again_ = std::move(page->events);
  }
  const auto it =
      std::ranges::lower_bound(again_, seq, {}, [](const TraceEvent& e) { return e.t.seq; });
  return it != again_.end() ? &*it : nullptr;
}

const TraceEvent* EventWindow::at(std::uint64_t seq) {
  read_to(seq);
  if (seq <= forgotten_) {
    const TraceEvent* const event = read_again(seq);
    return event != nullptr && event->t.seq == seq ? event : nullptr;
  }
  const auto it =
      std::ranges::lower_bound(events_, seq, {}, [](const TraceEvent& e) { return e.t.seq; });
  return it != events_.end() && it->t.seq == seq ? &*it : nullptr;
}

const TraceEvent* EventWindow::after(std::uint64_t seq) {
  read_to(seq + 1);
  if (seq < forgotten_) return read_again(seq + 1);
  for (;;) {
    const auto it =
        std::ranges::upper_bound(events_, seq, {}, [](const TraceEvent& e) { return e.t.seq; });
    if (it != events_.end()) return &*it;
    if (ended_) return nullptr;
    read_to(next_);
  }
}

}  // namespace pcilens
