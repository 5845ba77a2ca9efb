#include "inspector-ui/models/history.hpp"

#include <utility>

namespace pcilens::gui {

void History::add(std::string line) {
  back_ = 0;
  if (line.empty() || (!lines_.empty() && lines_.back() == line)) return;
  lines_.push_back(std::move(line));
  if (lines_.size() > kMost) lines_.erase(lines_.begin());
}

const std::string& History::older(const std::string& current) {
  if (back_ == 0) typed_ = current;
  if (back_ < lines_.size()) ++back_;
  return back_ == 0 ? typed_ : lines_[lines_.size() - back_];
}

const std::string& History::newer(const std::string& current) {
  if (back_ == 0) typed_ = current;
  if (back_ > 0) --back_;
  return back_ == 0 ? typed_ : lines_[lines_.size() - back_];
}

}  // namespace pcilens::gui
