// config, functions: config space decoded, and what is plugged.
#include <fmt/format.h>

#include "inspector-ui/commands/command.hpp"
#include "inspector-ui/commands/describe.hpp"
#include "inspector-ui/commands/groups.hpp"

namespace pcilens::ui {
namespace {

constexpr Argument kConfigArguments[] = {
    {.name = "function",
     .type = ArgumentType::Text,
     .doc = "which function, nvme1; the first unless given",
     .optional = true},
    {.name = "raw",
     .type = ArgumentType::Flag,
     .doc = "the bytes, as `lspci -F` reads them",
     .optional = true,
     .keyword = "raw"},
};

Result<const FunctionState*> function_named(const Snapshot& s, const std::string& name) {
  if (s.functions.empty()) return fail("config: there is no function on this link");
  if (name.empty()) return &s.functions.front();
  std::string names;
  std::size_t count = 0;
  for (const FunctionState& f : s.functions) {
    if (f.instance == name) return &f;
    // A trace may have 256 of them: this is one line.
    if (++count <= 8) names += (names.empty() ? "" : ", ") + f.instance;
  }
  if (count > 8) names += ", ...";
  return fail(fmt::format("there is no function \"{}\"; there are {}", name, names));
}

Result<Output> config(Context& c, const Arguments& a) {
  const auto s = c.target.snapshot();
  auto f = function_named(*s, a.text("function"));
  if (!f) return tl::unexpected(f.error());
  if (!(*f)->config)
    return fail(fmt::format("{}: its config space is not known yet", (*f)->instance));
  const std::vector<std::byte>& bytes = *(*f)->config;
  Output out;
  if (a.has("raw")) {
    const std::string dump = lspci_dump(bytes, (*f)->bdf);
    for (std::size_t at = 0; at < dump.size();) {
      const std::size_t end = std::min(dump.find('\n', at), dump.size());
      out.add(Line(dump.substr(at, end - at)));
      at = end + 1;
    }
    return out;
  }
  const std::size_t function = static_cast<std::size_t>(*f - s->functions.data());
  std::vector<Table> tables;  // one a capability
  for (const ConfigItem& item : describe_config(bytes)) {
    if (tables.empty() || tables.back().columns.front().title != item.capability)
      tables.push_back({.columns = {{item.capability, "name"},
                                    {"offset", "offset", true},
                                    {"value", "value", true},
                                    {"", "fields", false, true}}});
    Spot spot;
    spot.place = {.function = static_cast<std::uint8_t>(function),
                  .bar = kBarConfig,
                  .offset = item.offset,
                  .size = item.width};
    const auto value = peek(*s, spot).value_or(0);
    const std::string fields = decode(item.fields, value);
    tables.back().rows.push_back(
        {{item.name, Style::Name},
         {fmt::format("{:#x}", item.offset), Style::Dim, fmt::format("{}", item.offset)},
         {hex(value, item.width), Style::Value, fmt::format("{}", value)},
         {fields.empty() ? std::string(item.doc) : fields, Style::Dim}});
  }
  // Columns of the same width in all of them, and one JSON array.
  Table all;
  for (Table& t : tables) {
    if (all.columns.empty()) {
      all.columns = t.columns;
    } else {
      all.rows.push_back({});
      all.rows.push_back({{t.columns.front().title, Style::Dim}});
    }
    for (auto& row : t.rows) all.rows.push_back(std::move(row));
  }
  std::string json;
  for (const auto& row : all.rows)
    if (row.size() == all.columns.size())
      json += fmt::format("{}{{\"name\":{},\"offset\":{},\"value\":{},\"fields\":{}}}",
                          json.empty() ? "" : ",", json_string(row[0].text), row[1].json,
                          row[2].json, json_string(row[3].text));
  out.add(std::move(all));
  out.json = "[" + json + "]";
  return out;
}

Result<Output> functions(Context& c, const Arguments&) {
  const auto s = c.target.snapshot();
  Table table;
  table.columns = {{"function", "instance"},
                   {"device", "device"},
                   {"at", "bdf"},
                   {"BARs", "bars", false, true},
                   {"", "state"}};
  table.empty = "there is no function on this link";
  for (const FunctionState& f : s->functions) {
    std::string bars;
    for (const BarState& b : f.bars) {
      if (b.size == 0) continue;
      bars += fmt::format("{}BAR{} {} {}", bars.empty() ? "" : ", ", b.index,
                          b.size >= 1 << 20   ? fmt::format("{} MiB", b.size >> 20)
                          : b.size >= 1 << 10 ? fmt::format("{} KiB", b.size >> 10)
                                              : fmt::format("{} bytes", b.size),
                          b.address != 0 ? fmt::format("at {:#x}", b.address) : "not assigned");
    }
    table.rows.push_back(
        {{f.instance, Style::Name},
         {f.device},
         {f.bdf},
         {bars, Style::Dim},
         {f.plugged ? "" : "removed", Style::Bad, f.plugged ? "\"plugged\"" : "\"removed\""}});
  }
  return Output(std::move(table));
}

}  // namespace

void add_config_commands(CommandTable& table) {
  table.add({.id = "config",
             .aliases = "cfg",
             .group = "Function",
             .summary = "show config space: header and capabilities, decoded",
             .help = "Looked at from outside, like \"registers\". \"config raw > FILE\" in a "
                     "shell, then lspci -F FILE.\n"
                     "  config\n  config nvme0\n  config raw\n",
             .arguments = kConfigArguments,
             .run = config,
             .where = kConsole});
  table.add({.id = "functions",
             .group = "Function",
             .summary = "list the functions on this link and their BARs",
             .help = "  functions\n",
             .run = functions,
             .where = kConsole});
}

}  // namespace pcilens::ui
