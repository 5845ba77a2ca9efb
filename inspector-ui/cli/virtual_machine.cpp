#include "inspector-ui/cli/virtual_machine.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>

#include "inspector-ui/cli/installed.hpp"
#include "inspector-ui/cli/processes.hpp"
#include "inspector-ui/cli/vm_arguments.hpp"

namespace pcilens::cli {
namespace {

namespace fs = std::filesystem;

constexpr const char* kApi = "org.pcilens.api.0";
constexpr const char* kShell = "org.pcilens.shell.0";
constexpr const char* kSaid = "org.pcilens.said.0";
constexpr const char* kLoadDrivers = "/etc/pcilens/load-drivers";

std::string module_name(const std::string& driver) {
  return names_file(driver, ".ko") ? fs::path(driver).stem().string() : driver;
}

// "kernel/drivers/nvme/host/nvme.ko: ..." is a line of modules.dep.
bool kernel_has_module(const std::string& kernel, const std::string& name) {
  std::ifstream list(kernel + "/modules/modules.dep");
  for (std::string line; std::getline(list, line);) {
    const std::string file = line.substr(0, line.find(':'));
    if (file.substr(file.rfind('/') + 1).substr(0, name.size() + 3) == name + ".ko") return true;
  }
  return false;
}

}  // namespace

Result<std::unique_ptr<VirtualMachine>> VirtualMachine::start(VirtualMachineOptions options,
                                                              const Say& say) {
  std::unique_ptr<VirtualMachine> machine(new VirtualMachine);
  if (auto prepared = machine->prepare(options, say); !prepared)
    return tl::unexpected(prepared.error());
  say("starting the guest");
  if (auto booted = machine->boot(options); !booted) return tl::unexpected(booted.error());
  return machine;
}

Result<void> VirtualMachine::prepare(const VirtualMachineOptions& options, const Say& say) {
  auto share = share_folder();
  if (!share) return tl::unexpected(share.error());
  share_ = *share;
  const auto cache = cache_folder();
  if (!cache) return tl::unexpected(cache.error());
  const auto script = [this](const char* name) { return share_ + "/vm/" + name; };

  auto kernel =
      run_for_lines({script("kernel.sh"), options.kernel.empty() ? "default" : options.kernel});
  if (!kernel) return tl::unexpected(kernel.error());
  if (kernel->empty()) return fail("vm/kernel.sh named no kernel");
  kernel_ = kernel->back();
  say("kernel " + fs::path(kernel_).filename().string());

  // Always the same place: what goes into the guest is packed anew only when it has changed.
  const std::string built = *cache + "/vm/" + fs::path(kernel_).filename().string();
  std::vector<std::string> modules;
  const auto build = [&](const std::string& source) -> Result<void> {
    auto made = run_for_lines({script("module.sh"), kernel_, source, built});
    if (!made) return tl::unexpected(made.error());
    modules.insert(modules.end(), made->begin(), made->end());
    return {};
  };
  if (auto ok = build(share_ + "/kmod"); !ok) return ok;
  const std::size_t own = modules.size();
  std::vector<std::string> drivers = options.drivers;
  if (drivers.empty()) {
    const std::string& device = options.devices.front();
    const std::string name = device.substr(0, device.find(','));
    const std::string source = share_ + "/drivers/" + name;
    if (fs::exists(source))
      drivers.push_back(source);
    else if (kernel_has_module(kernel_, name))
      drivers.push_back(name);
    else
      return fail(
          fmt::format("there is no driver for {} in {}/drivers, and the kernel has none of that "
                      "name; give one with --driver FILE.ko, a folder to build it from, or the "
                      "name of one of the kernel's own",
                      device, share_));
  }
  std::vector<std::string> loads;  // as modprobe takes them
  for (const std::string& text : drivers) {
    const auto driver = parse_driver(text);
    if (!driver) return tl::unexpected(driver.error());
    const std::size_t first = modules.size();
    if (fs::is_directory(driver->what)) {
      if (auto ok = build(driver->what); !ok) return ok;
    } else {
      modules.push_back(driver->what);
    }
    for (std::size_t i = first; i < modules.size(); ++i)
      loads.push_back(module_name(modules[i]) + driver->parameters);
  }
  say("modules: " + [&] {
    std::string names;
    for (const std::string& module : modules)
      names += (names.empty() ? "" : " ") + module_name(module);
    return names;
  }());

  // Short, for the path of a UNIX socket has at most 107 characters.
  std::string work = "/tmp/pcilens-vm-XXXXXX";
  if (::mkdtemp(work.data()) == nullptr)
    return fail(fmt::format("/tmp: cannot make a folder: {}", std::strerror(errno)));
  work_ = work;
  memory_ = fmt::format("/dev/shm/{}", fs::path(work).filename().string());
  auto janitor = remove_at_end({work_, memory_}, true);
  if (!janitor) return tl::unexpected(janitor.error());
  janitor_ = *janitor;
  if (!options.shell.empty()) {
    auto other = remove_at_end({fs::absolute(options.shell)}, false);
    if (!other) return tl::unexpected(other.error());
    shell_janitor_ = *other;
    shell_ = options.shell;
  }
  console_ = options.log.empty() ? work_ + "/console" : options.log;
  // Of an earlier guest nothing stays: it would be taken for what this one says.
  if (!std::ofstream(console_, std::ios::trunc))
    return fail(fmt::format("{}: cannot be written: {}; name another file", console_,
                            std::strerror(errno)));

  std::vector<std::string> command{script("initramfs.sh"),
                                   "--kernel",
                                   kernel_,
                                   "-o",
                                   work_ + "/initrd",
                                   "--start",
                                   work_ + "/start",
                                   "--binary",
                                   own_program().string() + ":/usr/bin/pcilens"};
  std::vector<std::string> devices;
  for (const std::string& device : options.devices) {
    const std::string name = device.substr(0, device.find(','));
    if (!names_file(name, ".so")) {
      devices.push_back(device);
      continue;
    }
    const std::string inside = "/root/" + fs::path(name).filename().string();
    command.insert(command.end(), {"--binary", fs::absolute(name).string() + ":" + inside});
    devices.push_back(inside + device.substr(name.size()));
  }
  for (std::size_t i = 0; i < modules.size(); ++i)
    command.insert(command.end(), {i < own ? "--load" : "--module", modules[i]});
  command.insert(command.end(), {"--file", share_ + "/vm/guest/load-drivers:" + kLoadDrivers});
  const auto also = [&](const char* option, const std::vector<std::string>& values) {
    for (const std::string& value : values) command.insert(command.end(), {option, value});
  };
  also("--binary", options.programs);
  also("--file", options.files);
  also("--module", options.modules);
  modules_ = modules;
  modules_.insert(modules_.end(), options.modules.begin(), options.modules.end());
  std::ofstream start(work_ + "/start");
  start << start_script(options, devices, loads);
  start.close();
  if (!start)
    return fail(
        fmt::format("{}/start: it could not be written; make room in /tmp and start again", work_));
  if (auto packed = run_for_lines(command); !packed) return tl::unexpected(packed.error());
  say("guest's files packed");
  return {};
}

// The runtime first; the driver when all functions are on the bus, so that its probe runs in its
// own modprobe and not in the runtime's.
std::string VirtualMachine::start_script(const VirtualMachineOptions& options,
                                         const std::vector<std::string>& devices,
                                         const std::vector<std::string>& drivers) const {
  std::string serve = fmt::format(
      "pcilens serve --host kmod --user user --stream /dev/virtio-ports/{} "
      "--spool /dev/pcilens-shared",
      kApi);
  for (const std::string& device : devices) serve += " --device " + shell_word(device);
  if (!options.hold) serve += " --no-hold";
  if (options.stacks) serve += " --stacks";
  // Root opens the module's node; the device model runs as anybody.
  std::string text = fmt::format(
      "cd /root\n"
      "exec >/dev/virtio-ports/{} 2>&1\n"
      "chown user /dev/virtio-ports/{} /dev/pcilens-shared\n"
      "{} &\n"
      "runtime=$!\n",
      kSaid, kApi, serve);
  // A domain of five digits is one of ours.
  text += fmt::format(
      "set -- /sys/bus/pci/devices/?????:*\n"
      "while [ ! -e \"$1\" ] || [ $# -lt {} ]; do\n"
      "  [ -d /proc/$runtime ] || break\n"
      "  usleep 10000\n"
      "  set -- /sys/bus/pci/devices/?????:*\n"
      "done\n",
      devices.size());
  text += kLoadDrivers;
  for (const std::string& driver : drivers) text += " " + shell_word(driver);
  text += fmt::format(" &\nwait $runtime\necho \"{} $?\"\n", kRuntimeEnded);
  // Whoever has a shell may want to see what is left.
  if (!options.shell.empty()) text += "while :; do sleep 3600; done\n";
  return text;
}

Result<void> VirtualMachine::boot(const VirtualMachineOptions& options) {
  shared_fd_ = ::open(memory_.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  // Allocated now: a hole in a full tmpfs would kill QEMU later.
  const int room = shared_fd_ < 0 ? errno : ::posix_fallocate(shared_fd_, 0, kSharedBytes);
  if (room != 0)
    return fail(fmt::format("{}: no {} MiB of shared memory: {}; make room in /dev/shm", memory_,
                            kSharedBytes >> 20, std::strerror(room)));
  std::vector<std::string> command{share_ + "/vm/qemu.sh",
                                   "--kernel",
                                   kernel_,
                                   "--initrd",
                                   work_ + "/initrd",
                                   "--shared",
                                   memory_,
                                   "--port",
                                   fmt::format("{}={}/api", kApi, work_),
                                   "--output",
                                   fmt::format("{}={}/said", kSaid, work_),
                                   "--console",
                                   console_};
  if (!options.shell.empty())
    command.insert(command.end(), {"--port", fmt::format("{}={}", kShell, options.shell)});
  for (const std::string& words : options.append)
    command.insert(command.end(), {"--append", words});
  auto started = start_bound(command, work_ + "/qemu.log");
  if (!started) return tl::unexpected(started.error());
  qemu_ = *started;
  auto watch =
      GuestWatch::start({.qemu = qemu_,
                         .console = console_,
                         .said = work_ + "/said",
                         .complaints = share_ + "/vm/complaints",
                         .hang_up = [this] { return ::shutdown(api_fd_, SHUT_RDWR) == 0; }});
  if (!watch) return tl::unexpected(watch.error());
  watch_ = std::move(*watch);
  return {};
}

Result<int> VirtualMachine::connect_api() {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  const std::string path = work_ + "/api";
  std::memcpy(address.sun_path, path.data(), path.size());
  for (;;) {
    const int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0) {
      api_fd_ = ::fcntl(fd, F_DUPFD_CLOEXEC, 0);
      return fd;
    }
    ::close(fd);
    siginfo_t ended{};
    if (::waitid(P_PID, static_cast<id_t>(qemu_), &ended, WEXITED | WNOHANG | WNOWAIT) != 0 ||
        ended.si_pid != 0) {
      std::ifstream log(work_ + "/qemu.log");
      std::string line, last;
      while (std::getline(log, line)) last = line;
      return fail(last.empty() ? "QEMU ended at its start" : "QEMU did not start: " + last);
    }
    ::usleep(10'000);
  }
}

void VirtualMachine::stop() {
  if (watch_) watch_->stop();
  if (qemu_ > 0) ::kill(qemu_, SIGKILL);
  if (watch_) watch_->join();
  if (qemu_ > 0)
    while (::waitpid(qemu_, nullptr, 0) < 0 && errno == EINTR) {
    }
  qemu_ = -1;
}

VirtualMachine::~VirtualMachine() {
  stop();
  if (shared_fd_ >= 0) ::close(shared_fd_);
  if (api_fd_ >= 0) ::close(api_fd_);
  std::error_code ignored;
  if (!work_.empty()) fs::remove_all(work_, ignored);
  if (!memory_.empty()) fs::remove(memory_, ignored);
  if (!shell_.empty()) fs::remove(shell_, ignored);
  if (janitor_ >= 0) ::close(janitor_);
  if (shell_janitor_ >= 0) ::close(shell_janitor_);
}

}  // namespace pcilens::cli
