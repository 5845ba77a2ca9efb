// A guest with the kernel module, this very program and a real driver in it, from the scripts in
// vm/.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "core/result.hpp"
#include "inspector-ui/cli/guest_watch.hpp"

namespace pcilens::cli {

struct VirtualMachineOptions {
  std::string kernel;                // series "6.12"; empty: the distribution's own
  std::vector<std::string> devices;  // as --device has them
  // Modules to build (a folder), to load (a .ko), or of the kernel's own (a name), each with
  // ",PARAMETER=VALUE" as often as wanted. Empty: the driver in share/pcilens/drivers for the first
  // device, or the kernel's own of its name.
  std::vector<std::string> drivers;
  // What else the guest gets, as vm/initramfs.sh has it: PROGRAM[:PATH] with its libraries,
  // FILE:PATH, and modules that a modprobe in the guest shall find.
  std::vector<std::string> programs, files, modules;
  std::vector<std::string> append;  // words for the kernel's command line
  bool hold = true;                 // at the driver's first access
  bool stacks = false;              // with every access
  std::string shell;                // socket of a root shell in the guest; empty: none
  std::string log;                  // keeps the guest's console; empty: kept while it runs
};

class VirtualMachine {
 public:
  using Say = std::function<void(const std::string&)>;  // progress, for a person

  // Prepares kernel, modules and root, and starts QEMU. Everything goes away with the object, and
  // with this process however it ends.
  static Result<std::unique_ptr<VirtualMachine>> start(VirtualMachineOptions options,
                                                       const Say& say);
  ~VirtualMachine();
  VirtualMachine(const VirtualMachine&) = delete;
  VirtualMachine& operator=(const VirtualMachine&) = delete;

  // The guest's shared memory on this side, and the socket of its API.
  int shared_memory() const { return shared_fd_; }
  static constexpr std::uint64_t kSharedBytes = 32u << 20;
  // Files of the modules that are loaded there or may be: who knows their source lines reads them.
  const std::vector<std::string>& modules() const { return modules_; }
  // Connects to the guest's API port; the guest answers when it has booted.
  Result<int> connect_api();
  // Once that connection has ended: why, in one sentence; empty where nobody knows.
  std::string why_ended() { return watch_->why_ended(); }
  GuestWatch& watch() { return *watch_; }
  void stop();

 private:
  VirtualMachine() = default;
  Result<void> prepare(const VirtualMachineOptions& options, const Say& say);
  Result<void> boot(const VirtualMachineOptions& options);
  std::string start_script(const VirtualMachineOptions& options,
                           const std::vector<std::string>& devices,
                           const std::vector<std::string>& drivers) const;

  std::string share_;   // share/pcilens
  std::string kernel_;  // kernel.sh's folder
  std::vector<std::string> modules_;
  std::string work_;     // of this machine alone; removed at the end
  std::string memory_;   // the shared memory's file
  std::string console_;  // file: what the kernel says
  std::string shell_;    // socket of its shell
  int shared_fd_ = -1;
  std::atomic<int> api_fd_{-1};  // a second name of the connection, to end it by
  // Closed at our end, whatever it is: then a child tidies up.
  int janitor_ = -1, shell_janitor_ = -1;
  int qemu_ = -1;  // process id
  std::unique_ptr<GuestWatch> watch_;
};

}  // namespace pcilens::cli
