// pcilens: one program with sub-commands. See `pcilens --help`.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <exception>
#include <string>
#include <system_error>
#include <vector>

#include "core/result.hpp"
#include "inspector-ui/cli/ending.hpp"
#include "inspector-ui/cli/subcommands.hpp"
#include "inspector-ui/commands/output.hpp"
#include "inspector-ui/commands/words.hpp"

namespace pcilens::cli {
namespace {

struct SubCommand {
  const char* name;
  const char* summary;
  const char* examples;
  Declare declare;
};

// The order is the one of --help.
const SubCommand kSubCommands[] = {
    {"gui", "open the window on a device and its driver, or on a trace",
     "  pcilens gui\n  pcilens gui --device edu\n  pcilens gui --device ./mycard.so --watch\n"
     "  pcilens gui nvme.trace\n",
     declare_gui},
    {"console", "open the console on a device and its driver or on a trace; run a script",
     "  pcilens console\n"
     "  pcilens console --device edu -e 'break write FACTORIAL' -e run -e 'wait stop' -e "
     "registers\n"
     "  pcilens console -x bring-up.pcilens --trace bring-up.trace\n"
     "  pcilens console bring-up.trace\n",
     declare_console},
    {"serve", "run a device and its driver, and let consoles and windows attach",
     "  pcilens serve --device edu\n  pcilens attach\n", declare_serve},
    {"attach", "open the console on something that `serve` or `vm` runs",
     "  pcilens attach\n  pcilens attach /run/user/1000/pcilens/edu.sock\n", declare_attach},
    {"vm", "boot a distribution's kernel in QEMU with the real driver, held at its first access",
     "  pcilens vm\n  pcilens vm --device nvme\n"
     "  pcilens vm --device ./mycard.so --driver ./driver --trace probe.trace\n",
     declare_vm},
    {"replay", "send the requests of a trace to a fresh device and compare its answers",
     "  pcilens replay run.trace\n  pcilens replay run.trace --device ./mycard.so --times 20\n"
     "  pcilens replay run.trace --through kmod --kernel 6.12\n",
     declare_replay},
    {"import", "make a trace from another tool's recording",
     "  pcilens import mmiotrace mmio.log -o real.trace\n"
     "  pcilens import qemu-log qemu.log -o vm.trace\n"
     "  pcilens import mmiotrace mmio.log -o uart.trace --registers chip.svd,peripheral=UART\n",
     declare_import},
    {"query", "print the transactions of a trace that an expression matches",
     "  pcilens query run.trace 'write CC'\n  pcilens query run.trace --json 'irq' | jq .t_ns\n"
     "  pcilens query run.trace --check 'status != SC' || echo 'a transaction failed'\n",
     declare_query},
    {"check", "test what a trace must and must not hold, for scripts and CI",
     "  pcilens check run.trace -x bring-up.asserts\n"
     "  pcilens check run.trace -x bring-up.asserts --junit results.xml\n"
     "  pcilens check run.trace -e 'must irq' -e 'never status != SC'\n",
     declare_check},
    {"commands", "list the commands that the transactions of a trace make",
     "  pcilens commands run.trace\n  pcilens commands run.trace --failed\n"
     "  pcilens commands run.trace --at 1234\n",
     declare_commands},
    {"devices", "list the devices that --device takes, with their options",
     "  pcilens devices\n  pcilens devices edu\n", declare_devices},
    {"new", "write a starting folder for a device of your own",
     "  pcilens new mycard && cmake -S mycard -B mycard/build && cmake --build mycard/build\n"
     "  pcilens new uart --registers chip.svd,peripheral=UART\n",
     declare_new},
    {"bench", "measure this machine: what a transaction costs",
     "  pcilens bench\n  pcilens bench --json > bench.json\n", declare_bench},
};

constexpr const char* kAbout =
    "pcilens stops, shows, changes, steps and replays what crosses PCIe between a driver and a\n"
    "device model.\n\n"
    "Without a sub-command it opens the device \"nvme\" with its example driver, held at the "
    "driver's\n"
    "first access: in a window where there is a display, else on the console.";

constexpr const char* kFooter =
    "Exit codes: 0 done or equal, 1 found or different, 2 cannot (and why, on standard error).\n"
    "\"pcilens help SUB-COMMAND\" has options and examples; on the console, \"help\" has the rest.";

// Errors are JSON as well: whoever reads the answers with a program reads these with it.
bool g_json = false;

bool is_sub_command(std::string_view name) {
  return std::ranges::any_of(
      kSubCommands, [&](const SubCommand& s) { return s.declare != nullptr && name == s.name; });
}

}  // namespace

int cannot(std::string_view message) {
  std::fflush(stdout);
  const std::string text =
      g_json ? "{\"error\":" + ui::json_string(message) + "}" : "pcilens: " + std::string(message);
  std::fprintf(stderr, "%s\n", text.c_str());
  return kCannot;
}

// "pcilens help vm" is "pcilens vm --help", as people know it from other programs. CLI11 takes the
// words from the last to the first.
Result<std::vector<std::string>> words_of(int argc, char** argv) {
  std::vector<std::string> words(argv + 1, argv + argc);
  g_json = std::ranges::find(words, "--json") != words.end();
  if (!words.empty() && words.front() == "help") {
    words.erase(words.begin());
    if (words.size() > 1 || (words.size() == 1 && !is_sub_command(words.front())))
      return fail("help: there is no sub-command \"" + words.back() +
                  "\"; \"pcilens help\" lists them");
    words.emplace_back("--help");
  }
  std::ranges::reverse(words);
  return words;
}

// "there is no option --devise; did you mean --device?": of what is left of the words.
std::string not_expected(const CLI::App& app) {
  const auto subs = app.get_subcommands();
  const CLI::App& of = subs.empty() ? app : *subs.front();
  std::vector<std::string> left = of.remaining(), known;
  const auto option = std::ranges::find_if(left, [](const auto& w) { return w.starts_with('-'); });
  // The first word of no sub-command may have been meant for one.
  const bool command = subs.empty() && option == left.end();
  if (left.empty()) return "an argument that was not expected";
  if (option != left.end()) {
    for (const CLI::Option* o : of.get_options())
      for (const std::string& name : o->get_lnames()) known.push_back("--" + name);
  } else if (command) {
    for (const SubCommand& s : kSubCommands)
      if (s.declare != nullptr) known.emplace_back(s.name);
  }
  std::string word = option != left.end() ? *option : left.front();
  word = word.substr(0, word.find('='));
  const std::string near = ui::nearest(word, known);
  const std::string what = option != left.end() ? "there is no option " + word
                           : command            ? "there is no sub-command \"" + word + "\""
                                                : "\"" + word + "\" was not expected";
  return near.empty() ? what : what + "; did you mean " + near + "?";
}

int main_of(int argc, char** argv) {
  auto words = words_of(argc, argv);
  if (!words) return cannot(words.error().message);
  CLI::App app(kAbout, "pcilens");
  app.footer(kFooter);
  app.set_version_flag("--version", "pcilens " PCILENS_VERSION);
  app.get_formatter()->column_width(34);
  const Run by_default = declare_default(app);
  Run chosen;
  for (const SubCommand& sub : kSubCommands) {
    if (sub.declare == nullptr) continue;
    CLI::App* command = app.add_subcommand(sub.name, sub.summary);
    command->footer(std::string("Examples:\n") + sub.examples);
    command->get_formatter()->column_width(34);
    const Run run = sub.declare(*command);
    command->callback([run, &chosen] { chosen = run; });
  }
  app.require_subcommand(0, 1);
  try {
    app.parse(std::move(*words));
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() == 0) return app.exit(error);  // --help, --version
    std::string how = "pcilens";
    for (const CLI::App* sub : app.get_subcommands()) how += " " + sub->get_name();
    const bool extra = dynamic_cast<const CLI::ExtrasError*>(&error) != nullptr;
    const std::string what = extra ? not_expected(app) : error.what();
    return cannot(what + (what.ends_with('?') ? " \"" : "; \"") + how +
                  " --help\" shows what it takes");
  }
  if (!chosen) return by_default();
  // Options before the sub-command would be those of no sub-command, and be forgotten.
  for (const CLI::Option* option : app.get_options())
    if (option->count() != 0)
      return cannot(option->get_name() + " stands before the sub-command; write it after");
  return chosen();
}

}  // namespace pcilens::cli

int main(int argc, char** argv) {
  pcilens::cli::guard_standard_streams();
  int code = pcilens::cli::kCannot, output_error = 0;
  try {
    code = pcilens::cli::main_of(argc, argv);
  } catch (const std::system_error& error) {
    // fmt says so where standard output takes no more; check_output() says why.
    if (std::ferror(stdout) == 0)
      pcilens::cli::cannot(error.what());
    else
      output_error = error.code().value();
  } catch (const std::exception& error) {
    pcilens::cli::cannot(error.what());
  }
  return pcilens::cli::check_output(code, output_error);
}
