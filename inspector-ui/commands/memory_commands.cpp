// mappings: the memory that drivers let their functions reach.
#include <fmt/format.h>

#include "core/link/dma_mappings.hpp"
#include "inspector-ui/commands/groups.hpp"
#include "inspector-ui/commands/place.hpp"

namespace pcilens::ui {
namespace {

Result<Output> mappings(Context& c, const Arguments&) {
  using Mappings = std::vector<DmaMapping>;
  auto all = ask<Mappings>([&](auto done) { c.target.dma_mappings(done); });
  if (!all) return tl::unexpected(all.error());
  const auto s = c.target.snapshot();
  const bool several = s->functions.size() > 1;
  Table table;
  table.columns = {{several ? "function" : "", "function"},
                   {"IOVA", "iova", true},
                   {"size", "size", true},
                   {"", "direction"},
                   {"mapped at", "seq", true},
                   {"time", "t_ns", true},
                   {"by", "by", false, true}};
  table.columns.front().json_only = !several;
  table.empty = is_recording(*s) ? "nothing is mapped at this moment of the recording"
                                 : "nothing is mapped: no function may reach memory";
  for (const DmaMapping& m : *all) {
    const std::string function = m.function < s->functions.size()
                                     ? s->functions[m.function].instance
                                     : fmt::format("{}", m.function);
    table.rows.push_back({{function, Style::Name},
                          {fmt::format("{:#x}", m.iova), Style::Value, fmt::format("{}", m.iova)},
                          {fmt::format("{}", m.size), Style::Value, fmt::format("{}", m.size)},
                          {std::string(in_words(m.direction)), Style::Plain},
                          {fmt::format("#{}", m.seq), Style::Dim, fmt::format("{}", m.seq)},
                          {format_time(m.t_ns), Style::Dim, fmt::format("{}", m.t_ns)},
                          {m.by, Style::Name}});
  }
  return Output(std::move(table));
}

}  // namespace

void add_memory_commands(CommandTable& table) {
  table.add({.id = "mappings",
             .group = "Function",
             .summary = "list the memory that drivers have mapped for DMA, and who did",
             .help = "What a function may reach now; in a recording, at the moment where it "
                     "stands. \"show\" and\n"
                     "\"where\" with the number of the mapping's transaction tell more. What is "
                     "left when a driver\n"
                     "lets go of its function was never unmapped: the trace has a finding then.\n"
                     "  mappings\n",
             .run = mappings,
             .where = kConsole});
}

}  // namespace pcilens::ui
