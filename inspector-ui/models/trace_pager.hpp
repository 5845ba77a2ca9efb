// The rows of the trace that a list shows, paged in as it scrolls. The list never knows how many
// rows match: its place is a transaction's number, its scroll bar runs over all numbers, and rows
// are fetched around what is visible. Nothing here waits; no ImGui.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "core/target/target.hpp"

namespace pcilens::gui {

class TracePager {
 public:
  // Asks for a page; the answer comes back by answer() with the same ticket, on the window's
  // thread.
  using Ask = std::function<void(std::uint64_t ticket, TraceRequest)>;
  explicit TracePager(Ask ask) : ask_(std::move(ask)) {}

  // An empty filter shows everything. Keeps the place.
  void set_filter(std::string filter);
  const std::string& filter() const { return filter_; }
  // Why the filter is refused; empty if it is not.
  const std::string& error() const { return error_; }

  // Stay at the newest.
  void set_follow(bool follow);
  bool follow() const { return follow_; }
  // No row of the screen stays empty for it, and the newest one stays where it was followed.
  void set_visible(std::size_t rows) {
    visible_ = rows == 0 ? 1 : rows;
    top_ = follow_ ? last_top() : std::min(top_, last_top());
  }

  // Up is negative. Scrolling up ends following; reaching the end by hand resumes it.
  void scroll(std::int64_t rows);
  // Shows this transaction about a third from the top.
  void go_to(std::uint64_t seq);

  // Once a frame: asks for what is missing. `newest` and `version` are the snapshot's.
  void update(std::uint64_t newest, std::uint64_t version);
  void answer(std::uint64_t ticket, Result<TracePage> page);
  // In how many milliseconds it wants update() although nothing else happens, because the trace's
  // writer is behind; 0: not at all. Gives up after some tries, until the snapshot changes.
  unsigned impatient() const { return impatient_ ? 50u << tries_ : 0; }
  bool loading() const { return pending_ != 0; }
  // While a filter looks at a long trace: how far it is; nothing when there is nothing to tell.
  struct Progress {
    std::uint64_t looked_at = 0, of = 0;  // transactions
  };
  std::optional<Progress> progress() const;
  // Ends that search; error() says how to go on.
  void cancel();

  std::span<const TraceRow> visible() const;
  // For the scroll bar: the number at the top, and the last one of the trace.
  std::uint64_t top_seq() const;
  std::uint64_t last_seq() const { return last_seq_; }
  bool at_end() const;
  // Throws the rows away (another trace).
  void clear();

 private:
  enum class Want : std::uint8_t { Newest, Later, Earlier, Around };
  static constexpr std::uint32_t kPage = 256;
  static constexpr std::size_t kKeep = 4096;
  static constexpr std::uint64_t kBudget = 1u << 17;  // transactions a filter looks at in one go
  // Rows may be completed, or written late by another CPU: this far back they are read again.
  static constexpr std::uint64_t kLateRows = 64;

  void request(Want want, std::uint64_t from, TraceRequest::Direction direction,
               std::uint32_t limit);
  void merge(const std::vector<TraceRow>& rows);
  void trim();
  std::size_t index_of(std::uint64_t seq) const;  // of the first row not before it
  std::size_t last_top() const;

  Ask ask_;
  std::string filter_, error_;
  bool follow_ = true, impatient_ = false;
  std::size_t visible_ = 1;
  std::size_t top_ = 0;         // index into rows_
  std::vector<TraceRow> rows_;  // ascending; every match between the two bounds
  std::uint64_t covered_from_ = 0, covered_to_ = 0;  // 0, 0: nothing yet
  std::uint64_t last_seq_ = 0, newest_ = 0, version_ = 0, answered_for_ = 0;
  unsigned tries_ = 0;
  bool first_known_ = false;  // there is no match before rows_
  std::uint64_t pending_ = 0, next_ticket_ = 1;
  Want pending_want_ = Want::Newest;
  std::uint64_t pending_from_ = 0;
  TraceRequest pending_request_;
  std::optional<Progress> progress_;
  std::optional<std::uint64_t> goal_;  // go_to not yet done
};

}  // namespace pcilens::gui
