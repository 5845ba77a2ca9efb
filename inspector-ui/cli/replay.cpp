// pcilens replay: the requests of a trace to a fresh device, its answers compared.
#include "core/replay/replay.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <filesystem>
#include <optional>

#include "core/host/kmod/kmod_bus.hpp"
#include "inspector-ui/cli/replay_in_vm.hpp"
#include "inspector-ui/cli/session_arguments.hpp"
#include "inspector-ui/cli/subcommands.hpp"
#include "inspector-ui/commands/replay_result.hpp"
#include "inspector-ui/terminal/screen.hpp"

namespace pcilens::cli {
namespace {

struct ReplayArguments {
  std::string file, device, through, kernel;
  unsigned times = 1, list = 1;
  bool json = false;
};

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
  std::optional<DeviceChoice> instead;
  if (!a.device.empty()) {
    auto given = parse_device(a.device);
    if (!given) return cannot(given.error().message);
    instead = std::move(*given);
  }
  const MakeFunction make = ui::fresh_functions(std::move(instead));
  ReplayOptions options{.list = a.list};
  if (!a.through.empty()) options.bus = kmod::KmodBus::open;
  ReplayResult last;
  unsigned run = 0;
  while (run < a.times && last.divergences == 0) {
    auto result = replay_to_functions(**trace, make, options);
    if (!result) return cannot(result.error().message);
    if (const auto nothing = ui::nothing_replayed(*result, a.file)) return cannot(nothing->message);
    last = std::move(*result);
    ++run;
  }
  screen.print(ui::replay_output(last, run, a.times));
  return last.divergences == 0 ? kOk : kDiffers;
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
