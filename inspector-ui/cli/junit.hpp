// JUnit's XML, as CI systems read it: https://github.com/testmoapp/junitxml describes what they
// agree on.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

namespace pcilens::cli {

struct JunitCase {
  std::string name, file;
  unsigned line = 0;
  std::string failure;  // one sentence; empty: it passed
  std::string details;  // lines below the sentence, or what a passed one has to say
};

struct JunitSuite {
  std::string name;
  std::vector<JunitCase> cases;
};

// When all of them were looked at, and how long it took: each case has its share.
struct JunitRun {
  std::chrono::system_clock::time_point began;
  std::chrono::nanoseconds took{};
};

// A whole document. Characters that XML cannot hold become '?'.
std::string junit(const std::vector<JunitSuite>& suites, const JunitRun& run);

}  // namespace pcilens::cli
