#include "core/target/kernel_locks.hpp"

#include <algorithm>

namespace pcilens {
namespace {

constexpr std::string_view kDevice = "the device's lock",
                           kNoBinding = "nobody can bind, unbind, reset or remove the device";
constexpr std::string_view kRtnl = "rtnl",
                           kNoNetwork =
                               "no network interface of this machine can be set up, and "
                               "`ip` and its like wait";
constexpr std::string_view kHotplug = "the PCI rescan lock",
                           kNoHotplug = "no PCI device can come or go";

// Functions of Linux 6.1 to 6.12 that call on with the lock taken.
constexpr KernelLock kLocks[] = {
    {kDevice, "really_probe", kNoBinding},
    {kDevice, "device_release_driver_internal", kNoBinding},
    {kDevice, "pci_reset_function", kNoBinding},
    {kDevice, "pci_try_reset_function", kNoBinding},
    {kDevice, "__device_suspend", kNoBinding},
    {kDevice, "device_resume", kNoBinding},
    {kDevice, "device_shutdown", kNoBinding},
    {kHotplug, "pci_stop_and_remove_bus_device_locked", kNoHotplug},
    {kHotplug, "rescan_store", kNoHotplug},
    {kHotplug, "dev_rescan_store", kNoHotplug},
    {kRtnl, "register_netdevice", kNoNetwork},
    {kRtnl, "unregister_netdevice_many", kNoNetwork},
    {kRtnl, "unregister_netdevice_many_notify", kNoNetwork},
    {kRtnl, "__dev_open", kNoNetwork},
    {kRtnl, "__dev_close_many", kNoNetwork},
    {kRtnl, "__dev_change_flags", kNoNetwork},
    {kRtnl, "dev_set_mtu", kNoNetwork},
    {kRtnl, "dev_ethtool", kNoNetwork},
    {kRtnl, "rtnl_newlink", kNoNetwork},
    {kRtnl, "rtnl_setlink", kNoNetwork},
    {kRtnl, "rtnl_dellink", kNoNetwork},
    {kRtnl, "linkwatch_event", kNoNetwork},
    {"the transmit queue's lock", "dev_hard_start_xmit", "nothing else is sent by this queue"},
    {"the disk's open_mutex", "blkdev_get_whole", "nobody can open or close the disk"},
    {"the disk's open_mutex", "bdev_open", "nobody can open or close the disk"},
    {"misc_mtx", "misc_open", "nobody can open a device of major 10, such as /dev/fuse"},
    {"the mode setting locks", "drm_atomic_commit", "the display's mode cannot be changed"},
    {"the terminal's port mutex", "tty_port_open", "nobody can open this terminal"},
    {"the console's lock", "console_flush_all", "printk() of others waits for its console"},
    {"the sysfs file's reference", "kernfs_fop_write_iter",
     "what the file belongs to cannot be removed"},
};

// "nvme_probe+0x1c [nvme]" without what follows the name.
std::string_view function_of(std::string_view symbol) {
  return symbol.substr(0, symbol.find_first_of("+ "));
}

}  // namespace

std::vector<KernelLock> kernel_locks(const CodeView& view) {
  std::vector<KernelLock> held;
  for (const CodeView::Frame& frame : view.stack) {
    // The compiler's copies: really_probe.part.0
    std::string_view name = function_of(frame.symbol);
    name = name.substr(0, name.find('.'));
    const auto* const lock = std::ranges::find(kLocks, name, &KernelLock::taken_by);
    if (lock == std::end(kLocks)) continue;
    if (std::ranges::find(held, lock->name, &KernelLock::name) == held.end()) held.push_back(*lock);
  }
  return held;
}

}  // namespace pcilens
