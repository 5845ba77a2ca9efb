// Measuring: each figure is the median of several runs, and stands beside a floor or a peer that
// was measured in the same run, since a ratio means the same on every machine and a time does not.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "core/result.hpp"

namespace pcilens::bench {

struct Figure {
  std::string name;   // "read of a register, trace on"
  double median = 0;  // in `unit`
  double lowest = 0, highest = 0;
  std::string unit;  // "ns"
  double ratio = 0;  // to the figure called `against`; 0: it is a floor itself
  std::string against;
  std::string goal;  // "at most 200 ns"; empty: none is set
  bool met = true;
};

struct Settings {
  unsigned runs = 7;              // medians of this many
  unsigned operations = 200'000;  // in each run
};

struct Measured {
  std::string name;
  std::function<void(unsigned operations)> run;
};

// ns an operation, in each of settings.runs runs. The runs take turns, so that what else the
// machine does in that time meets all of them alike.
std::vector<Figure> measure(const std::vector<Measured>& what, const Settings& settings);
void compare(Figure& figure, const Figure& floor);

// What a transaction costs on the thread that makes it.
std::vector<Figure> measure_link(const Settings& settings);

// Commands a second of the NVMe controller on the sim host, with the trace in a temporary file.
Result<std::vector<Figure>> measure_nvme(const Settings& settings);

// "AMD EPYC 7B13, 2 CPUs, Linux 6.1.0".
std::string machine();

}  // namespace pcilens::bench
