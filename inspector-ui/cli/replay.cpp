// pcilens replay: the requests of a trace to a fresh device, its answers compared.
#include "core/replay/replay.hpp"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <map>

#include "core/target/device_loader.hpp"
#include "core/target/session.hpp"
#include "inspector-ui/cli/session_arguments.hpp"
#include "inspector-ui/cli/subcommands.hpp"
#include "inspector-ui/commands/wait.hpp"
#include "inspector-ui/terminal/screen.hpp"

namespace pcilens::cli {
namespace {

using ui::json_string;
using ui::Style;

struct ReplayArguments {
  std::string file, device;
  unsigned times = 1, list = 1;
  bool json = false;
};

std::string divergence_json(const Divergence& d) {
  std::string before;
  for (const std::string& line : d.before)
    before += (before.empty() ? "" : ",") + json_string(line);
  return fmt::format(
      "{{\"seq\":{},\"place\":{},\"expected\":{},\"got\":{},\"reason\":{},\"before\":[{}]}}", d.seq,
      json_string(d.place), json_string(d.expected), json_string(d.got),
      json_string(name_of(d.reason)), before);
}

void show(ui::Output& out, const Divergence& d) {
  if (!d.before.empty()) {
    out.add(ui::Line("  before it:", Style::Dim));
    for (const std::string& line : d.before) out.add(ui::Line("    " + line, Style::Dim));
  }
  out.add(ui::Line()
              .add(fmt::format("  #{} ", d.seq), Style::Strong)
              .add(d.place, Style::Name)
              .add(d.reason == Reason::Model ? "" : fmt::format("  {}", name_of(d.reason)),
                   Style::Dim));
  out.add(ui::Line().add("    the trace has  ", Style::Dim).add(d.expected));
  out.add(ui::Line().add("    the device did ", Style::Dim).add(d.got, Style::Bad));
}

int replay(const ReplayArguments& a) {
  const ui::Screen screen(a.json);
  auto trace = TraceReader::open(a.file);
  if (!trace) return cannot(trace.error().message);
  std::map<std::string, std::shared_ptr<LoadedDevice>> loaded;
  const MakeFunction make =
      [&](const TraceFunction& recorded) -> Result<std::unique_ptr<Function>> {
    DeviceChoice choice{.name = recorded.device, .options = {}};
    for (const auto& [name, value] : recorded.options) choice.options.push_back({name, value});
    if (!a.device.empty()) {
      auto given = parse_device(a.device);
      if (!given) return tl::unexpected(given.error());
      choice.name = given->name;
      if (!given->options.empty()) choice.options = given->options;
    }
    auto& device = loaded[choice.name];
    if (!device) {
      auto opened = LoadedDevice::load(choice.name);
      if (!opened)
        return fail(fmt::format("{}: {}; --device says which to replay to", recorded.instance,
                                opened.error().message));
      device = *opened;
    }
    for (const Device::Setting& set : device->device().on_replay) {
      std::erase_if(choice.options, [&](const DeviceOption& o) { return o.name == set.name; });
      choice.options.push_back({std::string(set.name), std::string(set.value)});
    }
    return make_function(device->device(), choice.options);
  };
  ReplayResult last;
  for (unsigned i = 1; i <= a.times; ++i) {
    auto result = replay_to_functions(**trace, make, {.list = a.list});
    if (!result) return cannot(result.error().message);
    last = std::move(*result);
    if (last.divergences == 0) continue;
    ui::Output out;
    out.add(ui::Line()
                .add(ui::count_of(last.divergences, "divergence"), Style::Bad)
                .add(a.times > 1 ? fmt::format(" in run {} of {}", i, a.times) : "")
                .add(fmt::format(", {} compared; {}", last.compared,
                                 last.listed.size() > 1 ? "the first ones:" : "the first:")));
    // A trace of another tool differs for reasons that are no fault of the model.
    if (last.by_reason[0] != last.divergences)
      for (unsigned r = 0; r < kReasons; ++r)
        if (last.by_reason[r] != 0)
          out.add(ui::Line(
              fmt::format("  {:>6}  {}", last.by_reason[r], name_of(static_cast<Reason>(r))),
              r == 0 ? Style::Bad : Style::Dim));
    std::string listed;
    for (const Divergence& d : last.listed) {
      show(out, d);
      listed += (listed.empty() ? "" : ",") + divergence_json(d);
    }
    out.json = fmt::format(
        "{{\"divergences\":{},\"run\":{},\"stimuli\":{},\"compared\":{},\"listed\":[{}]}}",
        last.divergences, i, last.stimuli, last.compared, listed);
    screen.print(out);
    return kDiffers;
  }
  ui::Output out(
      ui::Line()
          .add("0 divergences", Style::Good)
          .add(a.times > 1 ? fmt::format(" in {} runs", a.times) : "")
          .add(fmt::format(": {} requests and timers sent, {} answers, DMA and interrupts compared",
                           last.stimuli, last.compared)));
  out.json =
      fmt::format("{{\"divergences\":0,\"runs\":{},\"stimuli\":{},\"compared\":{},\"listed\":[]}}",
                  a.times, last.stimuli, last.compared);
  screen.print(out);
  return kOk;
}

}  // namespace

Run declare_replay(CLI::App& app) {
  auto a = std::make_shared<ReplayArguments>();
  app.add_option("trace", a->file, "The trace")->type_name("TRACE")->required();
  app.add_option("-d,--device", a->device,
                 "The device to send it to, as for \"console\". Default: the one in the trace, "
                 "with its options")
      ->type_name("NAME|FILE.so[,OPTION=VALUE]");
  app.add_option("--times", a->times, "How often, each time to a fresh device")
      ->type_name("N")
      ->check(CLI::Range(1u, 1000000u).description(""));
  app.add_option("--list", a->list, "How many divergences to describe")
      ->type_name("N")
      ->check(CLI::Range(1u, 10000u).description(""));
  app.add_flag("--json", a->json, "A JSON object");
  return [a] { return replay(*a); };
}

}  // namespace pcilens::cli
