// pcilens replay: the requests of a trace to a fresh device, its answers compared.
#include "core/replay/replay.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <filesystem>
#include <map>

#include "core/host/kmod/kmod_bus.hpp"
#include "core/target/device_loader.hpp"
#include "core/target/session.hpp"
#include "inspector-ui/cli/replay_in_vm.hpp"
#include "inspector-ui/cli/session_arguments.hpp"
#include "inspector-ui/cli/subcommands.hpp"
#include "inspector-ui/commands/wait.hpp"
#include "inspector-ui/terminal/screen.hpp"

namespace pcilens::cli {
namespace {

using ui::json_string;
using ui::Style;

struct ReplayArguments {
  std::string file, device, through, kernel;
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

ui::Line on_bus(const ReplayResult& result) {
  return ui::Line(fmt::format("{} of them made on the PCI bus; {} config accesses of the "
                              "enumeration and of resets compared at the link",
                              result.on_bus, result.at_link),
                  Style::Dim);
}

// By way of the kernel that has the module, which is this one only if somebody has loaded it.
bool needs_vm(const ReplayArguments& a) {
  return !a.through.empty() && (!a.kernel.empty() || ::access("/dev/pcilens", F_OK) != 0);
}

int replay_in_guest(const ReplayArguments& a, TraceReader& trace) {
  GuestReplay guest{.trace = a.file, .kernel = a.kernel, .plug_ins = {}, .options = {}};
  const auto add_plug_in = [&](const std::string& device) {
    const std::string name = device.substr(0, device.find(','));
    const std::string file = std::filesystem::absolute(name).string();
    if (name.ends_with(".so")) guest.plug_ins.push_back(file);
    return name.ends_with(".so") ? file + device.substr(name.size()) : device;
  };
  if (!a.device.empty())
    guest.options = {"--device", add_plug_in(a.device)};
  else
    for (const TraceFunction& function : trace.functions()) add_plug_in(function.device);
  guest.options.insert(guest.options.end(), {"--times", fmt::format("{}", a.times), "--list",
                                             fmt::format("{}", a.list)});
  if (a.json) guest.options.emplace_back("--json");
  const auto code = replay_in_vm(guest);
  if (!code) return cannot(code.error().message);
  return *code == kOk || *code == kDiffers ? *code : kCannot;
}

int replay(const ReplayArguments& a) {
  const ui::Screen screen(a.json);
  if (!a.kernel.empty() && a.through.empty())
    return cannot("--kernel goes with --through kmod; without it no kernel is needed");
  auto trace = TraceReader::open(a.file);
  if (!trace) return cannot(trace.error().message);
  if (needs_vm(a)) return replay_in_guest(a, **trace);
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
    ReplayOptions options{.list = a.list};
    if (!a.through.empty()) options.bus = kmod::KmodBus::open;
    auto result = replay_to_functions(**trace, make, options);
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
    if (!a.through.empty()) out.add(on_bus(last));
    std::string listed;
    for (const Divergence& d : last.listed) {
      show(out, d);
      listed += (listed.empty() ? "" : ",") + divergence_json(d);
    }
    out.json = fmt::format(
        "{{\"divergences\":{},\"run\":{},\"stimuli\":{},\"compared\":{},\"on_bus\":{},\"at_link\":{"
        "},"
        "\"listed\":[{}]}}",
        last.divergences, i, last.stimuli, last.compared, last.on_bus, last.at_link, listed);
    screen.print(out);
    return kDiffers;
  }
  ui::Output out(
      ui::Line()
          .add("0 divergences", Style::Good)
          .add(a.times > 1 ? fmt::format(" in {} runs", a.times) : "")
          .add(fmt::format(": {} requests and timers sent, {} answers, DMA and interrupts compared",
                           last.stimuli, last.compared)));
  if (!a.through.empty()) out.add(on_bus(last));
  out.json = fmt::format(
      "{{\"divergences\":0,\"runs\":{},\"stimuli\":{},\"compared\":{},\"on_bus\":{},\"at_link\":{},"
      "\"listed\":[]}}",
      a.times, last.stimuli, last.compared, last.on_bus, last.at_link);
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
  app.add_option(
         "--through", a->through,
         "Make the accesses on a kernel's PCI bus, through the module: on this one where it "
         "is\nloaded, else in a virtual machine")
      ->type_name("kmod")
      ->check(CLI::IsMember({"kmod"}).description(""));
  app.add_option("-k,--kernel", a->kernel,
                 "With --through: in a virtual machine with this Debian kernel, by its series")
      ->type_name("6.1|6.12");
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
