// What `pcilens bench` measures: each benchmark registers itself from its own file.
//
//   const Benchmark kRead{"link/read", "a register read with the trace on", &measure_read};
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.hpp"

namespace pcilens::cli {

struct Benchmark {
  std::string_view name;     // "link/register-read": table and JSON key
  std::string_view summary;  // one line: what one operation is
  // One run: nanoseconds per operation. Called several times; an error ends the benchmark.
  std::function<Result<double>()> run;
  // The benchmark it is compared with: the table shows the ratio of the medians. Empty: none.
  std::string_view baseline = {};
  double goal_ns = 0;     // 0: none
  double goal_ratio = 0;  // to the baseline; 0: none
};

void add_benchmark(Benchmark benchmark);
const std::vector<Benchmark>& benchmarks();

// As a file-scope object: registers before main() runs.
struct RegisterBenchmark {
  explicit RegisterBenchmark(Benchmark benchmark) { add_benchmark(std::move(benchmark)); }
};

}  // namespace pcilens::cli
