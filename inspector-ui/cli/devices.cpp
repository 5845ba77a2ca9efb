// pcilens devices: what --device takes.
#include <fmt/format.h>

#include <CLI/CLI.hpp>

#include "core/function/device.hpp"
#include "core/target/device_loader.hpp"
#include "inspector-ui/cli/subcommands.hpp"
#include "inspector-ui/terminal/screen.hpp"

namespace pcilens::cli {
namespace {

using ui::json_string;
using ui::Style;

std::string options_json(const Device& device) {
  std::string out = "[";
  for (const OptionDescription& o : device.options)
    out += fmt::format("{}{{\"name\":{},\"default\":{},\"doc\":{}}}", out.size() > 1 ? "," : "",
                       json_string(o.name), json_string(o.default_value), json_string(o.doc));
  return out + "]";
}

ui::Table options_table(const Device& device) {
  ui::Table table;
  table.columns = {{"option", "name"}, {"default", "default"}, {"", "doc", false, true}};
  table.empty = "it has no options";
  for (const OptionDescription& o : device.options)
    table.rows.push_back({{std::string(o.name), Style::Name},
                          {std::string(o.default_value)},
                          {std::string(o.doc), Style::Dim}});
  return table;
}

int list(const ui::Screen& screen) {
  ui::Table table;
  table.columns = {{"device", "name"},
                   {"", "summary", false, true},
                   {"example driver", "drives"},
                   {"options", "options"}};
  table.empty =
      "no devices are built in; --device takes the path of a plug-in, \"pcilens new\" begins one";
  for (const Device* d : built_in_devices()) {
    std::string names;
    for (const OptionDescription& o : d->options)
      names += (names.empty() ? "" : " ") + std::string(o.name);
    table.rows.push_back(
        {{std::string(d->name), Style::Name},
         {std::string(d->summary)},
         {d->drive != nullptr ? "yes" : "no", Style::Dim, d->drive != nullptr ? "true" : "false"},
         {names, Style::Dim, options_json(*d)}});
  }
  screen.print(ui::Output(std::move(table)));
  return kOk;
}

}  // namespace

Run declare_devices(CLI::App& app) {
  auto name = std::make_shared<std::string>();
  auto json = std::make_shared<bool>(false);
  app.add_option("device", *name, "Show this device's options: a name, or the path of a plug-in")
      ->type_name("NAME|FILE.so");
  app.add_flag("--json", *json, "A JSON array");
  return [name, json] {
    const ui::Screen screen(*json);
    if (name->empty()) return list(screen);
    const auto loaded = LoadedDevice::load(*name);
    if (!loaded) return cannot(loaded.error().message);
    const Device* device = &(*loaded)->device();
    ui::Output out(ui::Line()
                       .add(std::string(device->name), Style::Name)
                       .add("  " + std::string(device->summary)));
    out.add(options_table(*device));
    out.json = fmt::format("{{\"name\":{},\"summary\":{},\"drives\":{},\"options\":{}}}",
                           json_string(device->name), json_string(device->summary),
                           device->drive != nullptr, options_json(*device));
    screen.print(out);
    return kOk;
  };
}

}  // namespace pcilens::cli
