#include "inspector-ui/commands/replay_result.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <vector>

#include "core/target/device_loader.hpp"
#include "inspector-ui/commands/wait.hpp"

namespace pcilens::ui {
namespace {

std::string json_of(const Divergence& d) {
  std::string before;
  for (const std::string& line : d.before)
    before += (before.empty() ? "" : ",") + json_string(line);
  return fmt::format(
      "{{\"seq\":{},\"place\":{},\"expected\":{},\"got\":{},\"reason\":{},\"before\":[{}]}}", d.seq,
      json_string(d.place), json_string(d.expected), json_string(d.got),
      json_string(name_of(d.reason)), before);
}

void show(Output& out, const Divergence& d) {
  out.add(Line()
              .add(fmt::format("  #{} ", d.seq), Style::Strong)
              .add(d.place, Style::Name)
              .add(d.reason == Reason::Model ? "" : fmt::format("  {}", name_of(d.reason)),
                   Style::Dim));
  out.add(Line().add("    the trace has  ", Style::Dim).add(d.expected));
  out.add(Line().add("    the device did ", Style::Dim).add(d.got, Style::Bad));
  if (d.before.empty()) return;
  out.add(Line("    before it:", Style::Dim));
  for (const std::string& line : d.before) out.add(Line("    " + line, Style::Dim));
}

Line on_bus(const ReplayResult& r) {
  return Line(fmt::format("{} of them made on the PCI bus; {} config accesses of the enumeration "
                          "and of resets compared at the link",
                          r.on_bus, r.at_link),
              Style::Dim);
}

Output differing(const ReplayResult& r, unsigned run, unsigned runs) {
  Output out(Line()
                 .add(count_of(r.divergences, "divergence"), Style::Bad)
                 .add(runs > 1 ? fmt::format(" in run {} of {}", run, runs) : "")
                 .add(fmt::format(", {} compared", r.compared)));
  // A trace of another tool differs for reasons that are no fault of the model.
  if (r.by_reason[0] != r.divergences)
    for (unsigned i = 0; i < kReasons; ++i)
      if (r.by_reason[i] != 0)
        out.add(Line(fmt::format("  {:>6}  {}", r.by_reason[i], name_of(static_cast<Reason>(i))),
                     i == 0 ? Style::Bad : Style::Dim));
  if (r.on_bus != 0) out.add(on_bus(r));
  out.add(Line(r.listed.size() == r.divergences ? "each of them:"
               : r.listed.size() > 1            ? fmt::format("the first {}:", r.listed.size())
                                                : "the first one (list 10 describes ten):",
               Style::Dim));
  // They are found when the replay comes to know, which for what is missing is later.
  std::vector<Divergence> in_order = r.listed;
  std::ranges::stable_sort(in_order, {}, &Divergence::seq);
  std::string listed;
  for (const Divergence& d : in_order) {
    show(out, d);
    listed += (listed.empty() ? "" : ",") + json_of(d);
  }
  out.json = fmt::format(
      "{{\"divergences\":{},\"run\":{},\"stimuli\":{},\"compared\":{},\"on_bus\":{},\"at_link\":{},"
      "\"listed\":[{}]}}",
      r.divergences, run, r.stimuli, r.compared, r.on_bus, r.at_link, listed);
  out.differs = true;
  return out;
}

}  // namespace

MakeFunction fresh_functions(std::optional<DeviceChoice> instead) {
  using Loaded = std::map<std::string, std::shared_ptr<LoadedDevice>>;
  return [instead = std::move(instead), loaded = std::make_shared<Loaded>()](
             const TraceFunction& recorded) -> Result<std::unique_ptr<Function>> {
    DeviceChoice choice{.name = recorded.device, .options = {}};
    for (const auto& [name, value] : recorded.options) choice.options.push_back({name, value});
    if (instead) {
      choice.name = instead->name;
      if (!instead->options.empty()) choice.options = instead->options;
    }
    auto& device = (*loaded)[choice.name];
    if (!device) {
      auto opened = instead ? LoadedDevice::load(choice.name) : LoadedDevice::recorded(choice.name);
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
}

std::optional<Error> nothing_replayed(const ReplayResult& r, const std::string& trace) {
  if (r.stimuli != 0 || r.compared != 0) return std::nullopt;
  return Error{
      fmt::format("{}: there is nothing to replay in it: no request, timer or input", trace)};
}

Output replay_output(const ReplayResult& r, unsigned run, unsigned runs) {
  if (r.divergences != 0) return differing(r, run, runs);
  Output out(
      Line()
          .add("0 divergences", Style::Good)
          .add(runs > 1 ? fmt::format(" in {} runs", runs) : "")
          .add(fmt::format(": {} requests and timers sent, {} answers, DMA and interrupts compared",
                           r.stimuli, r.compared)));
  if (r.on_bus != 0) out.add(on_bus(r));
  out.json = fmt::format(
      "{{\"divergences\":0,\"runs\":{},\"stimuli\":{},\"compared\":{},\"on_bus\":{},\"at_link\":{},"
      "\"listed\":[]}}",
      runs, r.stimuli, r.compared, r.on_bus, r.at_link);
  return out;
}

}  // namespace pcilens::ui
