// What a kernel says on its console, and what of that a healthy one never says.
#pragma once

#include <cstddef>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <regex>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.hpp"

namespace pcilens {

class KernelLog {
 public:
  // A report of the kernel's about itself or a driver, as one sentence:
  // "BUG: kernel NULL pointer dereference, address: 0000000000000000 in mine_probe+0xa8 [mine]".
  struct Complaint {
    std::string text;
    bool panic = false;
  };

  // `complaints`: extended regular expressions, one a line (vm/complaints).
  static Result<std::unique_ptr<KernelLog>> create(const std::string& complaints);

  // The console's next line, without its end.
  void add(std::string line);
  // Complaints that are new. Where nothing more comes at the moment (`quiet`), also one of which
  // the place is not known yet.
  std::vector<Complaint> take_complaints(bool quiet);

  // Both from any thread: the newest lines, and the newest message that holds all of these words,
  // without its time; empty: none.
  std::vector<std::string> last(std::size_t count) const;
  std::string newest_with(const std::vector<std::string>& words) const;

 private:
  explicit KernelLog(std::regex complaints) : complaints_(std::move(complaints)) {}
  void look(std::string_view message);
  void begin(std::string_view message);

  const std::regex complaints_;
  // The report that is being read: its sentence until it is told, and how many of its lines were.
  std::optional<Complaint> open_;
  int lines_ = kMostLines;
  // What WARN() says stands between "cut here" and the report's first line.
  bool cut_ = false;
  std::string before_;
  std::vector<Complaint> told_;

  mutable std::mutex mutex_;
  std::deque<std::string> log_;

  static constexpr int kMostLines = 80;  // of one report; a call trace is long
};

}  // namespace pcilens
