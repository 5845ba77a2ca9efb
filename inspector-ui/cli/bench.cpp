// pcilens bench: medians of several runs, ratios, and the machine they were taken on.
#include <fmt/format.h>
#include <sys/utsname.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <fstream>
#include <map>
#include <thread>

#include "inspector-ui/cli/benchmarks.hpp"
#include "inspector-ui/cli/subcommands.hpp"
#include "inspector-ui/terminal/screen.hpp"

namespace pcilens::cli {
namespace {

using ui::json_string;
using ui::Style;

std::vector<Benchmark>& registry() {
  static std::vector<Benchmark> all;
  return all;
}

std::string cpu_model() {
  std::ifstream info("/proc/cpuinfo");
  for (std::string line; std::getline(info, line);)
    if (line.starts_with("model name"))
      return line.substr(std::min(line.find(':') + 2, line.size()));
  return "unknown CPU";
}

// "2 x Intel(R) ..., Linux 6.1.0-18-amd64, g++ 12.2.0, optimized"
std::string machine() {
  utsname name{};
  uname(&name);
#if defined(__clang__)
  const std::string compiler = "clang " __clang_version__;
#else
  const std::string compiler = "g++ " __VERSION__;
#endif
#ifdef __OPTIMIZE__
  constexpr std::string_view kBuild = "optimized";
#else
  constexpr std::string_view kBuild = "NOT optimized: the numbers mean little";
#endif
  return fmt::format("{} x {}, {} {}, {}, {}", std::thread::hardware_concurrency(), cpu_model(),
                     name.sysname, name.release, compiler, kBuild);
}

std::string time_text(double ns) {
  if (ns < 1000) return fmt::format("{:.1f} ns", ns);
  if (ns < 1e6) return fmt::format("{:.2f} µs", ns / 1e3);
  return fmt::format("{:.2f} ms", ns / 1e6);
}

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  const std::size_t n = values.size();
  return n % 2 == 1 ? values[n / 2] : (values[n / 2 - 1] + values[n / 2]) / 2;
}

struct BenchArguments {
  std::string only;
  unsigned runs = 7;
  bool json = false;
};

int bench(const BenchArguments& a) {
  const ui::Screen screen(a.json);
  ui::Table table;
  table.columns = {{"benchmark", "name"},           {"median", "median_ns", true},
                   {"fastest", "fastest_ns", true}, {"slowest", "slowest_ns", true},
                   {"ratio", "ratio", true},        {"goal", "goal", true},
                   {"", "summary", false, true}};
  std::map<std::string_view, double> medians;
  for (const Benchmark& b : benchmarks()) {
    if (b.name.find(a.only) == std::string_view::npos) continue;
    std::vector<double> runs;
    for (unsigned i = 0; i < a.runs + 1; ++i) {
      auto ns = b.run();
      if (!ns) return cannot(fmt::format("{}: {}", b.name, ns.error().message));
      if (i != 0) runs.push_back(*ns);  // the first warms caches and page tables up
    }
    const double middle = median(runs);
    medians[b.name] = middle;
    const auto [fastest, slowest] = std::minmax_element(runs.begin(), runs.end());
    const auto base = medians.find(b.baseline);
    const double ratio = base == medians.end() ? 0 : middle / base->second;
    const bool missed =
        (b.goal_ns != 0 && middle > b.goal_ns) || (b.goal_ratio != 0 && ratio > b.goal_ratio);
    const std::string goal = b.goal_ns != 0      ? time_text(b.goal_ns)
                             : b.goal_ratio != 0 ? fmt::format("{:.2f} x", b.goal_ratio)
                                                 : "";
    table.rows.push_back({{std::string(b.name), Style::Name},
                          {time_text(middle), Style::Strong, fmt::format("{:.2f}", middle)},
                          {time_text(*fastest), Style::Dim, fmt::format("{:.2f}", *fastest)},
                          {time_text(*slowest), Style::Dim, fmt::format("{:.2f}", *slowest)},
                          {ratio == 0 ? "" : fmt::format("{:.2f} x", ratio), Style::Plain,
                           ratio == 0 ? "null" : fmt::format("{:.3f}", ratio)},
                          {goal, missed ? Style::Bad : Style::Good},
                          {std::string(b.summary), Style::Dim}});
  }
  if (table.rows.empty())
    return cannot(a.only.empty() ? "no benchmark is built in"
                                 : fmt::format("no benchmark's name has \"{}\" in it", a.only));
  ui::Output out(ui::Line(machine(), Style::Dim));
  out.json = fmt::format("{{\"machine\":{},\"runs\":{},\"benchmarks\":{}}}", json_string(machine()),
                         a.runs, ui::render_json(ui::Output(table)));
  out.add(std::move(table));
  out.add(ui::Line(fmt::format("medians of {} runs, after one to warm up", a.runs), Style::Dim));
  screen.print(out);
  return kOk;
}

}  // namespace

void add_benchmark(Benchmark benchmark) {
  registry().push_back(std::move(benchmark));
}

const std::vector<Benchmark>& benchmarks() {
  // Files register in the order of the linker: by name, and a baseline before those that need it.
  static const bool sorted = [] {
    std::stable_sort(
        registry().begin(), registry().end(), [](const Benchmark& x, const Benchmark& y) {
          return x.baseline.empty() != y.baseline.empty() ? x.baseline.empty() : x.name < y.name;
        });
    return true;
  }();
  static_cast<void>(sorted);
  return registry();
}

Run declare_bench(CLI::App& app) {
  auto a = std::make_shared<BenchArguments>();
  app.add_option("name", a->only, "Only those whose name has this in it")->type_name("NAME");
  app.add_option("--runs", a->runs, "How many runs to take the median of")
      ->type_name("N")
      ->check(CLI::Range(1u, 1000u).description(""));
  app.add_flag("--json", a->json, "A JSON object");
  return [a] { return bench(*a); };
}

}  // namespace pcilens::cli
