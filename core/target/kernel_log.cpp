#include "core/target/kernel_log.hpp"

#include <algorithm>
#include <utility>

#include "core/printable.hpp"

namespace pcilens {
namespace {

constexpr std::size_t kKept = 20'000;       // lines
constexpr std::size_t kLongestLine = 1000;  // bytes; the kernel's own limit
constexpr std::size_t kLongestText = 300;
constexpr int kPlaceWithin = 24;  // lines, from a report's first to the one that says where

// "[    5.123456] text", with the number of a thread or CPU behind the time on some kernels.
std::string_view message_of(std::string_view line) {
  while (line.starts_with('[')) {
    const auto end = line.find("] ");
    if (end == std::string_view::npos) break;
    line.remove_prefix(end + 2);
  }
  return line;
}

// "mine_probe+0xa8 [mine]" of "RIP: 0010:mine_probe+0xa8/0x1b0 [mine]".
std::string place_in(std::string_view message) {
  constexpr std::string_view kRip = "RIP: 0010:";
  const auto at = message.find(kRip);
  if (at == std::string_view::npos) return {};
  message.remove_prefix(at + kRip.size());
  const auto slash = message.find('/');
  if (slash == std::string_view::npos || message.find("+0x") > slash) return {};
  const auto module = message.find(' ', slash);
  std::string place(message.substr(0, slash));
  if (module != std::string_view::npos && message.substr(module + 1).starts_with('['))
    place += message.substr(module);
  return place;
}

// Lines of a report that tells of itself a second time.
bool goes_on(std::string_view message) {
  return message.starts_with("Oops") || message.find("Call Trace:") != std::string_view::npos;
}

}  // namespace

Result<std::unique_ptr<KernelLog>> KernelLog::create(const std::string& complaints) {
  try {
    std::string lines = complaints;
    while (lines.ends_with('\n')) lines.pop_back();  // an empty one would match everything
    return std::unique_ptr<KernelLog>(
        new KernelLog(std::regex(lines, std::regex::egrep | std::regex::optimize)));
  } catch (const std::regex_error& error) {
    return fail(std::string("what a healthy kernel never says: ") + error.what());
  }
}

void KernelLog::add(std::string line) {
  line = printable(line, kLongestLine);
  look(message_of(line));
  const std::lock_guard lock(mutex_);
  log_.push_back(std::move(line));
  if (log_.size() > kKept) log_.pop_front();
}

void KernelLog::look(std::string_view message) {
  const bool inside = lines_ < kMostLines;
  if (inside) ++lines_;
  const std::string text(message);
  if (std::regex_search(text, complaints_) && !(inside && goes_on(message))) {
    begin(message);
  } else if (open_) {
    if (const std::string place = place_in(message); !place.empty()) open_->text += " in " + place;
    if (open_->text.find("+0x") != std::string::npos || lines_ > kPlaceWithin) {
      told_.push_back(*std::move(open_));
      open_.reset();
    }
  }
  before_ = cut_ ? text : "";
  cut_ = text.find("[ cut here ]") != std::string::npos;
  if (message.starts_with("---[ end trace")) lines_ = kMostLines;
}

void KernelLog::begin(std::string_view message) {
  if (open_) told_.push_back(*std::move(open_));
  open_.reset();
  lines_ = 0;
  Complaint complaint{.text = std::string(message), .panic = message.starts_with("Kernel panic")};
  if (!before_.empty()) complaint.text += ": " + before_;
  if (complaint.text.size() > kLongestText)
    complaint.text = complaint.text.substr(0, kLongestText) + "...";
  if (complaint.panic || complaint.text.find("+0x") != std::string::npos)
    told_.push_back(std::move(complaint));
  else
    open_ = std::move(complaint);
}

std::vector<KernelLog::Complaint> KernelLog::take_complaints(bool quiet) {
  if (quiet && open_) {
    told_.push_back(*std::move(open_));
    open_.reset();
  }
  return std::exchange(told_, {});
}

std::vector<std::string> KernelLog::last(std::size_t count) const {
  const std::lock_guard lock(mutex_);
  const auto from = log_.end() - static_cast<std::ptrdiff_t>(std::min(count, log_.size()));
  return {from, log_.end()};
}

std::string KernelLog::newest_with(const std::vector<std::string>& words) const {
  const std::lock_guard lock(mutex_);
  const auto has = [&](const std::string& line) {
    return std::ranges::all_of(
        words, [&](const std::string& word) { return line.find(word) != std::string::npos; });
  };
  const auto found = std::find_if(log_.rbegin(), log_.rend(), has);
  return found == log_.rend() ? std::string() : std::string(message_of(*found));
}

}  // namespace pcilens
