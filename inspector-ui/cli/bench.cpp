#include "inspector-ui/bench/bench.hpp"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <memory>
#include <nlohmann/json.hpp>

#include "inspector-ui/cli/ending.hpp"
#include "inspector-ui/cli/subcommands.hpp"

namespace pcilens::cli {
namespace {

void print_table(const std::vector<bench::Figure>& figures) {
  fmt::print("{}\n\n{:<36} {:>9} {:>17}  {}\n", bench::machine(), "", "median", "lowest..highest",
             "beside");
  for (const bench::Figure& f : figures) {
    const std::string range = fmt::format("{:.0f}..{:.0f}", f.lowest, f.highest);
    const std::string beside =
        f.against.empty() ? "" : fmt::format("{:.2f} x {}", f.ratio, f.against);
    const std::string goal =
        f.goal.empty() ? "" : fmt::format("   goal: {}, {}", f.goal, f.met ? "met" : "NOT met");
    fmt::print("{:<36} {:>6.0f} {:<2} {:>17}  {}{}\n", f.name, f.median, f.unit, range, beside,
               goal);
  }
}

void print_json(const std::vector<bench::Figure>& figures) {
  nlohmann::json list = nlohmann::json::array();
  for (const bench::Figure& f : figures)
    list.push_back({{"name", f.name},
                    {"median", f.median},
                    {"lowest", f.lowest},
                    {"highest", f.highest},
                    {"unit", f.unit},
                    {"ratio", f.ratio},
                    {"against", f.against},
                    {"goal", f.goal},
                    {"met", f.met}});
  fmt::print("{}\n", nlohmann::json{{"machine", bench::machine()}, {"figures", list}}.dump(2));
}

}  // namespace

Run declare_bench(CLI::App& app) {
  struct Chosen {
    bench::Settings settings;
    bool json = false;
  };
  auto chosen = std::make_shared<Chosen>();
  app.add_option("--runs", chosen->settings.runs, "runs to take the median of")
      ->check(CLI::Range(1, 1000))
      ->capture_default_str();
  app.add_option("--operations", chosen->settings.operations, "operations in each run")
      ->check(CLI::Range(10, 100'000'000))
      ->capture_default_str();
  app.add_flag("--json", chosen->json, "print JSON");
  return [chosen] {
    end_on_signals(true);
    auto figures = bench::measure_link(chosen->settings);
    const auto nvme = bench::measure_nvme(chosen->settings);
    if (!nvme) return cannot(nvme.error().message);
    figures.insert(figures.end(), nvme->begin(), nvme->end());
    if (chosen->json)
      print_json(figures);
    else
      print_table(figures);
    return kOk;
  };
}

}  // namespace pcilens::cli
