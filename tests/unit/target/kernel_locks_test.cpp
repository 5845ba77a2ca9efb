#include "core/target/kernel_locks.hpp"

#include "catch.hpp"

using namespace pcilens;

namespace {

std::string locks(std::vector<std::string> symbols) {
  CodeView view;
  for (auto& symbol : symbols) view.stack.push_back({.symbol = std::move(symbol), .file = {}});
  std::string text;
  for (const KernelLock& lock : kernel_locks(view))
    text += std::string(lock.name) + " by " + std::string(lock.taken_by) + "; ";
  return text;
}

}  // namespace

// The stacks are those of Debian's 6.1 and 6.12.
TEST_CASE("a driver held in its probe has the device's lock, and says so once") {
  CHECK(locks({"edu_probe+0xf3 [pcilens_edu]", "local_pci_probe+0x41", "pci_call_probe+0x54",
               "pci_device_probe+0xa7", "really_probe+0xdb", "__driver_probe_device+0x78",
               "driver_probe_device+0x1f", "__driver_attach+0xd7", "bus_for_each_dev+0x8c"}) ==
        "the device's lock by really_probe; ");
}

TEST_CASE("a network driver held while its interface is opened keeps rtnl") {
  CHECK(locks({"e1000e_reset+0x1a0 [e1000e]", "e1000e_open+0xb2 [e1000e]", "__dev_open+0xf5",
               "__dev_change_flags+0x1b4", "dev_change_flags+0x22", "do_setlink+0x36c",
               "rtnl_newlink+0x5a3"}) == "rtnl by __dev_open; ");
}

TEST_CASE("copies that the compiler made of a function count as the function") {
  CHECK(locks({"x+0x1 [y]", "really_probe.part.0+0xde"}) == "the device's lock by really_probe; ");
}

TEST_CASE("a worker of a driver holds none of the known locks") {
  CHECK(locks({"nvme_reset_work+0x197 [nvme]", "process_one_work+0x1c4", "worker_thread+0x4d",
               "kthread+0xd7", "ret_from_fork+0x1f"})
            .empty());
}
