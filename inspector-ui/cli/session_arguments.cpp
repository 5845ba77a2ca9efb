#include "inspector-ui/cli/session_arguments.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <filesystem>

#include "core/host/kmod/privileges.hpp"
#include "core/target/recording.hpp"
#include "core/target/trace_target.hpp"
#include "inspector-ui/cli/ending.hpp"
#include "inspector-ui/cli/not_empty.hpp"
#include "inspector-ui/cli/register_files.hpp"
#include "inspector-ui/cli/subcommands.hpp"
#include "inspector-ui/terminal/console.hpp"

namespace pcilens::cli {

void add_session_options(CLI::App& app, SessionArguments& a) {
  app.add_option(
         "-d,--device", a.devices,
         "A device's name (see \"pcilens devices\") or a plug-in's path, with its options:\n"
         "edu or ./mycard.so,seed=1. Several give several functions. Default: nvme")
      ->type_name("NAME|FILE.so[,OPTION=VALUE]");
  app.add_option(
         "--disk", a.disk,
         "The file that holds the first device's blocks, a whole number of them: the same as\n"
         "its option disk=FILE. Default: memory, which is gone at the end")
      ->type_name("FILE")
      ->check(not_empty());
  app.add_option("--host", a.host,
                 "Who plays the driver: sim (the device's example driver, in this process) or\n"
                 "kmod (this kernel's own drivers, through the module)")
      ->type_name("sim|kmod")
      ->check(CLI::IsMember({"sim", "kmod"}).description(""));
  app.add_option("--user", a.user,
                 "With --host kmod and started as root: whom to become. Default: who called sudo")
      ->type_name("NAME");
  app.add_flag(
      "--stacks", a.stacks,
      "With --host kmod: keep the driver's call stack with every access, which makes each\n"
      "slower. Without: with DMA mappings, and with what a breakpoint may hold");
  app.add_option("-t,--trace", a.trace,
                 "Keep every transaction in this file. Default: a temporary one")
      ->type_name("FILE")
      ->check(not_empty());
  add_overwrite_option(app, a.overwrite);
  app.add_flag("--watch", a.watch, "Load a plug-in again whenever its file changes");
  app.add_flag("--no-hold", a.no_hold, "Let the driver run from its start");
  app.add_flag("--no-driver", a.no_driver,
               "Run no example driver: you are the driver, with read and write");
}

void add_overwrite_option(CLI::App& app, bool& overwrite) {
  app.add_flag("--overwrite", overwrite, "Replace an earlier trace of that name")->needs("--trace");
}

void add_recording_option(CLI::App& app, SessionArguments& a) {
  app.add_option("recording", a.recording,
                 "A trace to look at instead: run, step and breakpoints walk through it")
      ->type_name("TRACE")
      ->check(not_empty());
  add_registers_option(app, a.registers);
}

Result<DeviceChoice> parse_device(const std::string& text) {
  DeviceChoice choice;
  std::size_t at = std::min(text.find(','), text.size());
  choice.name = text.substr(0, at);
  if (choice.name.empty())
    return fail(
        fmt::format("--device {}: the name is missing; \"pcilens devices\" lists them", text));
  while (at < text.size()) {
    const std::size_t end = std::min(text.find(',', at + 1), text.size());
    const std::string option = text.substr(at + 1, end - at - 1);
    const std::size_t equals = option.find('=');
    if (equals == 0 || equals == std::string::npos)
      return fail(fmt::format("--device {}: \"{}\" is not OPTION=VALUE", text, option));
    choice.options.push_back({option.substr(0, equals), option.substr(equals + 1)});
    at = end;
  }
  return choice;
}

namespace {

// The file that holds its blocks, where it may write to it; empty: none.
std::string disk_of(const DeviceChoice& choice) {
  std::string file;
  for (const DeviceOption& o : choice.options) {
    if (o.name == "disk") file = o.value;
    if (o.name == "snapshot" && o.value == "on") return {};
  }
  std::error_code none;
  const auto mode = std::filesystem::status(file, none).permissions();
  constexpr auto kWrite = std::filesystem::perms::owner_write |
                          std::filesystem::perms::group_write |
                          std::filesystem::perms::others_write;
  return none || (mode & kWrite) == std::filesystem::perms::none ? std::string() : file;
}

// Two functions that write the same blocks would destroy them, as two programs would.
Result<void> one_disk_each(const std::vector<DeviceChoice>& devices) {
  for (std::size_t i = 0; i < devices.size(); ++i)
    for (std::size_t j = 0; j < i; ++j) {
      const std::string file = disk_of(devices[i]), other = disk_of(devices[j]);
      std::error_code none;
      if (!file.empty() && !other.empty() && std::filesystem::equivalent(file, other, none))
        return fail(fmt::format(
            "--device {} and --device {} would both write to the disk {}; give each its own, or "
            "look at it with snapshot=on",
            devices[j].name, devices[i].name, file));
    }
  return {};
}

}  // namespace

Result<SessionOptions> session_options(const SessionArguments& a) {
  if (a.host == "kmod") {
    const auto user = kmod::serve_as_user(a.user);
    if (!user) return tl::unexpected(user.error());
    if (!user->empty()) fmt::print(stderr, "pcilens: {}\n", *user);
  }
  SessionOptions options;
  for (const std::string& text : a.devices) {
    auto choice = parse_device(text);
    if (!choice) return tl::unexpected(choice.error());
    options.devices.push_back(std::move(*choice));
  }
  if (options.devices.empty()) options.devices.push_back({.name = kDefaultDevice, .options = {}});
  if (!a.disk.empty()) options.devices.front().options.push_back({"disk", a.disk});
  if (auto apart = one_disk_each(options.devices); !apart) return tl::unexpected(apart.error());
  options.host = a.host;
  options.trace = a.trace;
  options.overwrite = a.overwrite;
  options.stacks = a.stacks;
  options.watch = a.watch;
  options.hold_at_first_access = !a.no_hold;
  options.drive = !a.no_driver;
  options.stuck = [](const std::string& why) {
    Recording::close_all();
    ::_exit(cannot(why));
  };
  options.not_written = [where = a.not_written](std::string why) { *where = std::move(why); };
  return options;
}

// With kmod the driver may be bound in an hour.
bool will_be_held(const SessionArguments& a) {
  return a.recording.empty() && a.host == "sim" && !a.no_hold && !a.no_driver;
}

Result<std::unique_ptr<Target>> open(const SessionArguments& a) {
  auto options = session_options(a);
  if (!options) return tl::unexpected(options.error());
  ui::block_interrupts();
  end_on_signals();
  if (!a.recording.empty()) {
    if (!a.devices.empty() || !a.disk.empty() || !a.trace.empty() || a.host != "sim" || a.watch)
      return fail(
          fmt::format("{}: a recording is looked at without --device, --disk, --host, --trace and "
                      "--watch; "
                      "\"pcilens replay\" sends it to a device",
                      a.recording));
    auto files = read_register_files(a.registers);
    if (!files) return tl::unexpected(files.error());
    return TraceTarget::open(a.recording,
                             [&](TraceReader& trace) { put_registers(trace, *files); });
  }
  if (!a.registers.empty())
    return fail("--registers names those of a recording; give the trace as well");
  return open_session(*options);
}

int end(std::unique_ptr<Target> target, const SessionArguments& a, int code) {
  target.reset();
  return a.not_written->empty() ? code : cannot(*a.not_written);
}

}  // namespace pcilens::cli
