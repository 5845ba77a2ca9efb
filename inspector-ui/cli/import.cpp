// pcilens import: a trace from another tool's recording.
#include "core/trace/import.hpp"

#include <fmt/format.h>

#include <CLI/CLI.hpp>

#include "core/registers/map_json.hpp"
#include "inspector-ui/cli/known_devices.hpp"
#include "inspector-ui/cli/register_files.hpp"
#include "inspector-ui/cli/subcommands.hpp"
#include "inspector-ui/commands/wait.hpp"
#include "inspector-ui/terminal/screen.hpp"

namespace pcilens::cli {
namespace {

struct ImportArguments {
  std::string format, input, output;
  std::vector<std::string> registers;
  bool overwrite = false, json = false;
};

int import(const ImportArguments& a) {
  auto files = read_register_files(a.registers);
  if (!files) return cannot(files.error().message);
  ImportOptions options;
  options.known_device = [&files](std::uint16_t vendor, std::uint16_t device) {
    KnownDevice known = known_device(vendor, device);
    // The first map of a BAR counts: what the user gave goes before what is built in.
    for (const RegisterFile& file : *files)
      if (file.is_for(vendor, device))
        known.maps.insert(known.maps.begin(), map_to_json(*file.map));
    return known;
  };
  options.overwrite = a.overwrite;
  auto summary = import_file(a.format, a.input, a.output, options);
  if (!summary) return cannot(summary.error().message);
  const ui::Screen screen(a.json);
  ui::Output out(
      ui::Line(fmt::format("{}: {} from {}", a.output, ui::count_of(summary->events, "transaction"),
                           ui::count_of(summary->lines, "line"))));
  std::string functions, remarks;
  for (const std::string& f : summary->functions) {
    out.add(ui::Line("  " + f, ui::Style::Name));
    functions += (functions.empty() ? "" : ",") + ui::json_string(f);
  }
  for (const RegisterFile& file : *files)
    summary->remarks.insert(summary->remarks.end(), file.notes.begin(), file.notes.end());
  for (const std::string& r : summary->remarks) {
    out.add(ui::Line("  " + r, ui::Style::Dim));
    remarks += (remarks.empty() ? "" : ",") + ui::json_string(r);
  }
  out.json = fmt::format(
      "{{\"trace\":{},\"lines\":{},\"events\":{},\"notes\":{},\"functions\":[{}],\"remarks\":[{}]}"
      "}",
      ui::json_string(a.output), summary->lines, summary->events, summary->notes, functions,
      remarks);
  screen.print(out);
  return kOk;
}

}  // namespace

Run declare_import(CLI::App& app) {
  auto a = std::make_shared<ImportArguments>();
  std::string formats = "What wrote the recording:";
  std::vector<std::string> names;
  for (const ImportFormat& f : import_formats()) {
    formats += fmt::format("\n{}: {}", f.name, f.summary);
    names.emplace_back(f.name);
  }
  app.add_option("format", a->format, formats)
      ->type_name("FORMAT")
      ->required()
      ->check(CLI::IsMember(names).description(""));
  app.add_option("file", a->input, "The recording, plain or gzip")->type_name("FILE")->required();
  app.add_option("-o,--output", a->output, "The trace to make")->type_name("TRACE")->required();
  add_registers_option(app, a->registers);
  app.add_flag("--overwrite", a->overwrite, "Replace an earlier trace of that name");
  app.add_flag("--json", a->json, "The summary as a JSON object");
  return [a] { return import(*a); };
}

}  // namespace pcilens::cli
