// pcilens commands: what the transactions of a trace mean to the device's protocol.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <map>

#include "core/target/device_loader.hpp"
#include "core/trace/reader.hpp"
#include "inspector-ui/cli/json_lines.hpp"
#include "inspector-ui/cli/subcommands.hpp"
#include "inspector-ui/cli/whole_number.hpp"
#include "inspector-ui/commands/protocol.hpp"
#include "inspector-ui/terminal/screen.hpp"

namespace pcilens::cli {
namespace {

constexpr std::size_t kMostNames = 8;  // in one message

struct CommandsArguments {
  std::string file, device;
  std::uint64_t since = 1, limit = 0, number = 0, at = 0;
  bool failed = false, json = false;
};

bool belongs(const ProtocolCommand& command, std::uint64_t seq) {
  return std::ranges::any_of(command.steps, [&](const ProtocolStep& s) { return s.seq == seq; });
}

int commands(const CommandsArguments& a) {
  const ui::Screen screen(a.json);
  auto trace = TraceReader::open(a.file);
  if (!trace) return cannot(trace.error().message);
  // The devices stay loaded as long as their decoders live.
  std::vector<std::shared_ptr<LoadedDevice>> loaded;
  std::map<std::uint8_t, std::unique_ptr<ProtocolDecoder>> decoders;
  std::string others;
  std::size_t unknown = 0;
  for (const TraceFunction& function : (*trace)->functions()) {
    const auto device =
        a.device.empty() ? LoadedDevice::recorded(function.device) : LoadedDevice::load(a.device);
    if (!device && !a.device.empty()) return cannot(device.error().message);
    if (!device || (*device)->device().decoder == nullptr) {
      if (++unknown <= kMostNames) others += (others.empty() ? "" : ", ") + function.instance;
      if (unknown == kMostNames + 1) others += ", ...";
      continue;
    }
    loaded.push_back(*device);
    decoders[function.id] = (*device)->device().decoder();
  }
  if (decoders.empty())
    return cannot(
        fmt::format("{}: no protocol decoder is known for {}; --device names a device "
                    "that has one",
                    a.file, others.empty() ? "it" : others));
  const auto read = (*trace)->for_each(1, ~0ull >> 1, [&](const Transaction& t) {
    if (const auto it = decoders.find(t.function); it != decoders.end()) it->second->look(t);
    return true;
  });
  if (!read) return cannot(read.error().message);

  const bool one = a.number != 0 || a.at != 0;
  std::vector<ProtocolCommand> found;
  for (const auto& [function, decoder] : decoders)
    for (std::uint64_t n = decoder->first_number(); n <= decoder->last_number(); ++n) {
      const ProtocolCommand& command = *decoder->command(n);
      if (a.at != 0 && !belongs(command, a.at)) continue;
      if (a.number != 0 && n != a.number) continue;
      if (n < a.since) continue;
      if (a.failed && command.state != ProtocolCommand::State::Failed) continue;
      if (a.limit != 0 && found.size() == a.limit) break;
      found.push_back(command);
    }
  if (one && found.empty())
    return cannot(a.at != 0 ? fmt::format("transaction #{} belongs to no command", a.at)
                            : fmt::format("there is no command {}", a.number));
  if (one) {
    for (const ProtocolCommand& command : found) screen.print(ui::command_detail(command));
    return kOk;
  }
  ui::Table table = ui::command_table(found);
  table.empty = "the trace has no such command";
  if (!a.json) {
    screen.print(ui::Output(std::move(table)));
    return kOk;
  }
  for (const auto& row : table.rows) print_json_line(table.columns, row);
  return kOk;
}

}  // namespace

Run declare_commands(CLI::App& app) {
  auto a = std::make_shared<CommandsArguments>();
  app.add_option("trace", a->file, "The trace")->type_name("TRACE")->required();
  app.add_option("-d,--device", a->device,
                 "The device whose decoder to use. Default: the one in the trace")
      ->type_name("NAME|FILE.so");
  app.add_option("--command", a->number, "Only this one, with its fields and transactions")
      ->type_name("NUMBER")
      ->check(whole_number(1));
  app.add_option("--at", a->at, "Only the one that this transaction belongs to")
      ->type_name("SEQ")
      ->check(whole_number(1));
  app.add_option("--since", a->since, "Begin at this number")
      ->type_name("NUMBER")
      ->check(whole_number(0));
  app.add_option("--limit", a->limit, "At most so many. Default, and 0: all")
      ->type_name("COUNT")
      ->check(whole_number(0));
  app.add_flag("--failed", a->failed, "Those that completed with an error");
  app.add_flag("--json", a->json, "A JSON object a line");
  return [a] { return commands(*a); };
}

}  // namespace pcilens::cli
