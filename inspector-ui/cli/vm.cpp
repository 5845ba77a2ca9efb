// pcilens vm: a real driver on a real kernel, in a virtual machine, held at its first access.
#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <chrono>
#include <optional>

#include "core/code/module_lines.hpp"
#include "core/target/device_loader.hpp"
#include "core/target/guest_target.hpp"
#include "core/target/remote.hpp"
#include "core/trace/store.hpp"
#include "inspector-ui/cli/console_arguments.hpp"
#include "inspector-ui/cli/ending.hpp"
#include "inspector-ui/cli/processes.hpp"
#include "inspector-ui/cli/session_arguments.hpp"
#include "inspector-ui/cli/subcommands.hpp"
#include "inspector-ui/cli/virtual_machine.hpp"
#include "inspector-ui/cli/vm_arguments.hpp"
#include "inspector-ui/cli/window.hpp"

namespace pcilens::cli {
namespace {

struct Arguments {
  VirtualMachineOptions machine;
  std::string trace, serve;
  bool overwrite = false, gui = false, in_console = false, no_hold = false;
  bool ran_script = false;  // and nobody typed
  ui::ConsoleOptions console;
};

// "[ 3.2 s] starting the guest": a person waits for this.
class Progress {
 public:
  void operator()(const std::string& line) const {
    const std::chrono::duration<double> since = std::chrono::steady_clock::now() - start_;
    fmt::print(stderr, "[{:5.1f} s] {}\n", since.count(), line);
  }

 private:
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

Result<std::unique_ptr<Recording>> record(const VirtualMachine& machine, const std::string& trace) {
  const int fd = ::fcntl(machine.shared_memory(), F_DUPFD_CLOEXEC, 0);
  auto memory = SpoolMemory::map(fd, 0, VirtualMachine::kSharedBytes, "the guest's shared memory");
  if (!memory) return tl::unexpected(memory.error());
  auto lines = std::make_shared<ModuleLines>();
  for (const std::string& module : machine.modules()) lines->add(module);
  return Recording::from_spool(
      std::move(*memory), trace,
      [](std::string trouble) { fmt::print(stderr, "pcilens: {}\n", trouble); },
      [lines](const ModulePlace& place) { return lines->find(place); });
}

// What a person hears once the driver is held, or is not going to be soon; empty where a screen
// says it.
std::string wait_for_hold(Target& target, bool silent) {
  for (int tries = 0; tries < 1500; ++tries) {
    const auto now = target.snapshot();
    if (now->state == RunState::Stopped) return "the driver is held at its first access";
    if (no_driver(now->binding)) return silent ? now->binding_text : "";
    if (now->state == RunState::Ended || now->binding == Binding::Bound) break;
    ::usleep(10'000);
  }
  return "the driver has not touched the device yet; it will be held there";
}

std::string why_ended(VirtualMachine& machine, const std::string& trace) {
  const std::string how = machine.why_ended();
  return how.empty() || trace.empty()
             ? how
             : fmt::format("{}; the trace up to there is in {}", how, trace);
}

int show(GuestTarget& target, Arguments& a) {
  const bool scripted = !a.console.scripts.empty() || !a.console.commands.empty();
  if (a.console.full_screen) {
    a.console.greeting = greeting();
    return show_full_screen(target, a.console);
  }
  if (a.gui || (!a.in_console && !scripted && a.serve.empty() && has_display())) {
    auto ended = open_window(target);
    if (ended) return *ended;
    if (a.gui) return cannot(ended.error().message);
    fmt::print(stderr, "no window: {}\n", ended.error().message);
  }
  if (a.in_console || scripted || a.serve.empty()) {
    a.console.greeting = greeting();
    a.ran_script = !ui::is_interactive(a.console);
    return ui::run_console(target, a.console);
  }
  wait_for_end_signal();
  return kOk;
}

// A script in which the kernel complains, or does not take the driver, has found something,
// whatever it looked for itself.
int found_trouble(const Snapshot& s, int code) {
  if (s.binding == Binding::NotLoaded) {
    cannot(s.binding_text);
    return kDiffers;
  }
  if (s.complaints.empty() || code != kOk) return code;
  cannot(fmt::format(
      "the kernel complained{}: {}",
      s.complaints.size() == 1 ? "" : fmt::format(" {} times, at first", s.complaints.size()),
      s.complaints.front()));
  return kDiffers;
}

int run(Arguments& a) {
  const Progress say;
  if (auto ok = check_arguments(a.machine); !ok) return cannot(ok.error().message);
  if (auto ok = check_new_file("--trace", a.trace); !ok) return cannot(ok.error().message);
  if (a.console.full_screen &&
      (a.gui || ::isatty(STDIN_FILENO) == 0 || ::isatty(STDOUT_FILENO) == 0))
    return cannot("--full-screen wants a terminal, and no --gui; leave it out for a script");
  for (const std::string& script : a.console.scripts)
    if (auto ok = check_readable("--script", script); !ok) return cannot(ok.error().message);
  std::string socket;
  if (!a.serve.empty()) {
    auto path = socket_path(a.serve);
    if (!path) return cannot(path.error().message);
    socket = *path;
    if (auto ok = check_new_socket("--serve", socket); !ok) return cannot(ok.error().message);
    if (auto janitor = remove_at_end({socket}, false); !janitor)
      return cannot(janitor.error().message);
  }
  // What is there already is refused before the guest boots, and replaced by then too: a guest that
  // does not come up leaves no trace of an earlier one, which would be taken for its own.
  if (a.overwrite) {
    if (auto room = TraceStore::remove(a.trace); !room) return cannot(room.error().message);
  } else if (!a.trace.empty() && ::access(a.trace.c_str(), F_OK) == 0) {
    return cannot(fmt::format(
        "{}: is there already; give another name, or replace it with --overwrite", a.trace));
  }
  a.machine.hold = !a.no_hold;
  std::optional<EndOnSignals> boot(std::in_place);
  auto machine = VirtualMachine::start(a.machine, say);
  if (!machine) return cannot(machine.error().message);
  auto recording = record(**machine, a.trace);
  if (!recording) return cannot(recording.error().message);
  // The decoder of a plug-in reads the trace on this side: it is loaded as long as the session is.
  std::vector<std::shared_ptr<LoadedDevice>> plug_ins;
  for (const std::string& device : a.machine.devices)
    if (auto loaded = LoadedDevice::load(device.substr(0, device.find(','))))
      plug_ins.push_back(std::move(*loaded));
  auto api = (*machine)->connect_api();
  if (!api) return cannot(api.error().message);
  auto link = connect_target(
      *api, "the guest",
      {.control = true, .patience = std::chrono::minutes(3), .why_ended = [&machine, &a] {
         return why_ended(**machine, a.trace);
       }});
  if (!link) return cannot(link.error().message);
  say("the guest's runtime answers");
  const bool waits_for_signal = !socket.empty() && !a.in_console && !a.gui &&
                                !a.console.full_screen && a.console.scripts.empty() &&
                                a.console.commands.empty();
  GuestTarget target(std::move(*link), std::move(*recording), (*machine)->watch().log());
  const struct Stopped {
    VirtualMachine& machine;
    ~Stopped() { machine.stop(); }  // before the target goes, which its watch tells
  } stopped{**machine};
  (*machine)->watch().listen(
      {.complained = [&target](const auto& complaint) { target.complained(complaint); },
       .bound = [&target](Binding binding, const auto& text) { target.bound(binding, text); }});
  std::unique_ptr<TargetServer> server;
  if (!socket.empty()) {
    // The console here controls; without one the first client does.
    auto serving = TargetServer::on_socket(
        target, socket, {.first_controls = waits_for_signal, .take_changes = false});
    if (!serving) return cannot(serving.error().message);
    server = std::move(*serving);
    target.also_on_change([s = server.get()] { s->changed(); });
    say(fmt::format("serving {}; \"pcilens attach {}\" opens a console on it", socket, a.serve));
  }
  if (a.machine.hold)
    if (const std::string held = wait_for_hold(target, waits_for_signal); !held.empty()) say(held);
  boot.reset();
  ui::block_interrupts();
  if (waits_for_signal)
    block_end_signals();
  else
    end_on_signals();
  const int code = show(target, a);
  target.also_on_change({});
  (*machine)->stop();
  if (auto closed = target.close_trace(); !closed) return cannot(closed.error().message);
  return a.ran_script ? found_trouble(*target.snapshot(), code) : code;
}

}  // namespace

Run declare_vm(CLI::App& app) {
  auto a = std::make_shared<Arguments>();
  app.add_option("-k,--kernel", a->machine.kernel,
                 "A Debian kernel, by its series. Default: this distribution's own")
      ->type_name("6.1|6.12");
  a->machine.devices = {"edu"};
  app.add_option("-d,--device", a->machine.devices,
                 "A device's name or a plug-in's path, with options as elsewhere. Default: edu")
      ->type_name("NAME|FILE.so[,OPTION=VALUE]");
  app.add_option("--driver", a->machine.drivers,
                 "What drives it: a module, a folder to build one from, or the name of one of the\n"
                 "kernel's own; with parameters of the module: nvme,io_queue_depth=64.\n"
                 "Default: the one that comes with the device, or the kernel's own of its name")
      ->type_name("FILE.ko|FOLDER|NAME[,PARAMETER=VALUE]");
  app.add_option("--program", a->machine.programs,
                 "Take a program of this machine into the guest, with its libraries; to /usr/bin\n"
                 "where no path is given")
      ->type_name("PROGRAM[:PATH]");
  app.add_option("--file", a->machine.files, "Take a file or a folder into the guest")
      ->type_name("FILE:PATH");
  app.add_option(
         "--module", a->machine.modules,
         "Take a module into the guest, for a modprobe in it: of the kernel's own, or a file")
      ->type_name("NAME|FILE.ko");
  app.add_option("--append", a->machine.append,
                 "More for the kernel's command line, such as a module's parameter:\n"
                 "nvme_core.io_timeout=1; may be repeated")
      ->type_name("WORDS")
      ->take_all()
      ->allow_extra_args(false);
  app.add_option("-t,--trace", a->trace,
                 "Keep every transaction in this file. Default: a temporary one")
      ->type_name("FILE");
  add_overwrite_option(app, a->overwrite);
  app.add_flag("--no-hold", a->no_hold, "Let the driver run from its start");
  app.add_flag("--stacks", a->machine.stacks,
               "Keep the driver's call stack with every access, which makes each slower. Without:\n"
               "with DMA mappings, and with what a breakpoint may hold");
  app.add_flag("--gui", a->gui, "Open a window");
  app.add_flag("--console", a->in_console,
               "Open the console. Without both: a window where there is a display");
  app.add_option("--serve", a->serve, "Let others attach, at this name or path of a UNIX socket")
      ->type_name("NAME|PATH");
  app.add_option("--shell", a->machine.shell,
                 "Offer a root shell of the guest at this UNIX socket (socat - UNIX:PATH)")
      ->type_name("PATH");
  app.add_option("--log", a->machine.log, "Keep what the guest's kernel says in this file")
      ->type_name("FILE");
  add_console_options(app, a->console);
  return [a] { return run(*a); };
}

}  // namespace pcilens::cli
