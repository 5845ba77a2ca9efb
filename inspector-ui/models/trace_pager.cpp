#include "inspector-ui/models/trace_pager.hpp"

#include <algorithm>

namespace pcilens::gui {

void TracePager::clear() {
  rows_.clear();
  top_ = 0;
  covered_from_ = covered_to_ = answered_for_ = 0;
  first_known_ = false;
  progress_.reset();
  pending_ = 0;  // an answer on its way is to a question nobody asks any more
}

void TracePager::set_filter(std::string filter) {
  if (filter == filter_ && error_.empty()) return;
  const std::uint64_t at = top_seq();
  filter_ = std::move(filter);
  error_.clear();
  clear();
  if (!follow_ && at != 0) goal_ = at;
}

std::optional<TracePager::Progress> TracePager::progress() const {
  return pending_ != 0 ? progress_ : std::nullopt;
}

void TracePager::cancel() {
  if (!progress_) return;
  const std::uint64_t at = progress_->looked_at;
  pending_ = 0;
  progress_.reset();
  error_ = "Stopped looking at transaction " + std::to_string(at) + ". Press Enter to go on.";
}

void TracePager::set_follow(bool follow) {
  follow_ = follow;
  if (!follow_) return;
  goal_.reset();
  top_ = last_top();
}

void TracePager::go_to(std::uint64_t seq) {
  follow_ = false;
  goal_ = std::max<std::uint64_t>(seq, 2);  // row 1 comes with what lies before
}

std::size_t TracePager::last_top() const {
  return rows_.size() > visible_ ? rows_.size() - visible_ : 0;
}

std::size_t TracePager::index_of(std::uint64_t seq) const {
  const auto at =
      std::ranges::lower_bound(rows_, seq, {}, [](const TraceRow& r) { return r.transaction.seq; });
  return static_cast<std::size_t>(at - rows_.begin());
}

void TracePager::scroll(std::int64_t rows) {
  const auto top = static_cast<std::int64_t>(top_) + rows;
  top_ = static_cast<std::size_t>(
      std::clamp<std::int64_t>(top, 0, static_cast<std::int64_t>(last_top())));
  if (rows < 0 && top_ < last_top()) follow_ = false;
  if (rows > 0 && at_end()) follow_ = true;
}

bool TracePager::at_end() const {
  return top_ >= last_top() && covered_to_ >= last_seq_;
}

std::span<const TraceRow> TracePager::visible() const {
  const std::size_t begin = std::min(top_, rows_.size());
  return {rows_.data() + begin, std::min(visible_, rows_.size() - begin)};
}

std::uint64_t TracePager::top_seq() const {
  return top_ < rows_.size() ? rows_[top_].transaction.seq : 0;
}

void TracePager::request(Want want, std::uint64_t from, TraceRequest::Direction direction,
                         std::uint32_t limit) {
  pending_ = next_ticket_++;
  pending_want_ = want;
  pending_from_ = from;
  TraceRequest r;
  r.from = from;
  r.limit = limit;
  r.direction = direction;
  r.filter = filter_;
  if (!filter_.empty()) r.budget = kBudget;
  pending_request_ = r;
  ask_(pending_, std::move(r));
}

void TracePager::update(std::uint64_t newest, std::uint64_t version) {
  using enum TraceRequest::Direction;
  if (newest < newest_) clear();  // restarted
  newest_ = newest;
  if (version != version_) {
    version_ = version;
    tries_ = 0;
    answered_for_ = 0;  // a row may have been completed
  }
  impatient_ = false;
  if (pending_ != 0 || !error_.empty()) return;
  if (goal_) {
    const bool inside = covered_to_ != 0 && *goal_ >= covered_from_ && *goal_ <= covered_to_;
    if (!inside) {
      clear();
      request(Want::Around, *goal_, Backward, kPage);
      return;
    }
    const std::size_t at = index_of(*goal_);
    top_ = std::min(at > visible_ / 3 ? at - visible_ / 3 : 0, last_top());
    goal_.reset();
  }
  if (covered_to_ == 0) {
    if (newest != 0) request(Want::Newest, 0, Backward, kPage);
    return;
  }
  const bool pending_rows = std::ranges::any_of(
      visible(), [](const TraceRow& r) { return r.transaction.status == Status::Pending; });
  const bool near_end = top_ + 2 * visible_ >= rows_.size();
  if ((follow_ || near_end || pending_rows) && newest != answered_for_ &&
      (newest > covered_to_ || pending_rows)) {
    // Far behind, and only the newest matter: start again from there.
    if (follow_ && newest - covered_to_ > 4 * kPage) {
      answered_for_ = newest;
      request(Want::Newest, 0, Backward, kPage);
      return;
    }
    answered_for_ = newest;
    std::uint64_t from = covered_to_ > kLateRows ? covered_to_ - kLateRows : 1;
    for (const TraceRow& r : visible())
      if (r.transaction.status == Status::Pending) from = std::min(from, r.transaction.seq);
    request(Want::Later, std::max(from, covered_from_), Forward, kPage);
    return;
  }
  if (near_end && covered_to_ < last_seq_ && newest == answered_for_) {
    request(Want::Later, covered_to_ + 1, Forward, kPage);
    return;
  }
  if (!first_known_ && top_ < visible_) {
    request(Want::Earlier, covered_from_, Backward, kPage);
    return;
  }
  // The trace's writer is a moment behind the snapshot.
  impatient_ = tries_ < 6 && (pending_rows || (covered_to_ < newest && (follow_ || near_end)));
  if (impatient_) {
    ++tries_;
    answered_for_ = 0;
  }
}

void TracePager::merge(const std::vector<TraceRow>& rows) {
  for (const TraceRow& row : rows) {
    const std::size_t at = index_of(row.transaction.seq);
    if (at < rows_.size() && rows_[at].transaction.seq == row.transaction.seq) {
      rows_[at] = row;
      continue;
    }
    rows_.insert(rows_.begin() + static_cast<std::ptrdiff_t>(at), row);
    if (at < top_ || (at == top_ && at + 1 < rows_.size() && pending_want_ == Want::Earlier))
      ++top_;
  }
}

void TracePager::trim() {
  if (rows_.size() <= kKeep) return;
  const std::size_t excess = rows_.size() - kKeep;
  if (top_ > rows_.size() / 2) {
    rows_.erase(rows_.begin(), rows_.begin() + static_cast<std::ptrdiff_t>(excess));
    top_ -= excess;
    covered_from_ = rows_.front().transaction.seq;
    first_known_ = false;
  } else {
    rows_.resize(kKeep);
    covered_to_ = rows_.back().transaction.seq;
  }
}

void TracePager::answer(std::uint64_t ticket, Result<TracePage> page) {
  if (ticket != pending_ || ticket == 0) return;
  if (page && page->partial) {
    progress_ = Progress{page->looked_at, std::max(page->last_seq, page->looked_at)};
    pending_ = next_ticket_++;
    ask_(pending_, pending_request_);
    return;
  }
  pending_ = 0;
  progress_.reset();
  if (!page) {
    error_ = page.error().message;
    return;
  }
  error_.clear();
  last_seq_ = page->last_seq;
  const auto& rows = page->rows;
  switch (pending_want_) {
    case Want::Newest:
      rows_ = rows;
      top_ = last_top();
      first_known_ = !page->more;
      covered_from_ = page->more && !rows.empty() ? rows.front().transaction.seq : 1;
      covered_to_ = std::max(page->last_seq, covered_from_);
      break;
    case Want::Around:
      // The rows before the goal are here; those after it come by Later.
      rows_ = rows;
      top_ = last_top();
      first_known_ = !page->more;
      covered_from_ = page->more && !rows.empty() ? rows.front().transaction.seq : 1;
      covered_to_ = std::max(std::min(pending_from_ - 1, page->last_seq), covered_from_);
      answered_for_ = newest_;
      if (goal_ && covered_to_ < *goal_) {
        request(Want::Later, covered_to_ + 1, TraceRequest::Direction::Forward, kPage);
        return;
      }
      break;
    case Want::Later:
      merge(rows);
      covered_to_ = page->more && !rows.empty() ? std::max(covered_to_, rows.back().transaction.seq)
                                                : std::max(covered_to_, page->last_seq);
      if (goal_ && covered_to_ < *goal_) goal_ = covered_to_;  // past the end of the trace
      break;
    case Want::Earlier:
      merge(rows);
      first_known_ = !page->more;
      if (!rows.empty()) covered_from_ = rows.front().transaction.seq;
      if (!page->more) covered_from_ = 1;
      break;
  }
  trim();
  if (follow_) top_ = last_top();
  top_ = std::min(top_, last_top());
}

}  // namespace pcilens::gui
