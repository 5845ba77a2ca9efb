// The lines that were typed into the console panel: Up and Down walk through them.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace pcilens::gui {

class History {
 public:
  // A line that was run. One that equals the last is kept once; empty ones are not kept.
  void add(std::string line);
  // The line before or after the one shown; `current` is what stands in the input now and is kept
  // while one walks.
  const std::string& older(const std::string& current);
  const std::string& newer(const std::string& current);

 private:
  static constexpr std::size_t kMost = 500;
  std::vector<std::string> lines_;
  std::string typed_;     // what stood there when the walk began
  std::size_t back_ = 0;  // how far from the end; 0: not walking
};

}  // namespace pcilens::gui
