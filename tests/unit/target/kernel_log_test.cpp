// What is taken for a complaint of a kernel's, in the words of real ones.
#include "core/target/kernel_log.hpp"

#include <fstream>
#include <iterator>
#include <sstream>

#include "catch.hpp"

using namespace pcilens;

namespace {

std::unique_ptr<KernelLog> log_of(const std::string& text) {
  std::ifstream file(PCILENS_SOURCE_DIR "/vm/complaints");
  auto log = KernelLog::create({std::istreambuf_iterator<char>(file), {}});
  REQUIRE(log.has_value());
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) (*log)->add(line);
  return std::move(*log);
}

std::string complaints_of(const std::string& text) {
  std::string all;
  for (const auto& c : log_of(text)->take_complaints(true))
    all += (c.panic ? "panic: " : "") + c.text + "\n";
  return all;
}

constexpr const char* kOops = R"([    5.101234] bad_driver 10000:00:00.0: the device says 10000ed
[    5.102001] BUG: kernel NULL pointer dereference, address: 0000000000000000
[    5.102345] #PF: supervisor write access in kernel mode
[    5.102400] #PF: error_code(0x0002) - not-present page
[    5.102500] PGD 0 P4D 0
[    5.102600] Oops: 0002 [#1] PREEMPT SMP NOPTI
[    5.102700] CPU: 1 PID: 92 Comm: modprobe Tainted: G           OE      6.1.0-57-amd64 #1  Debian 6.1.1
[    5.102800] RIP: 0010:bad_probe+0xa8/0x1b0 [bad_driver]
[    5.102900] Code: 48 c7 c6 00
[    5.103000] Call Trace:
[    5.103100]  <TASK>
[    5.103200]  local_pci_probe+0x41/0x80
[    5.104000] CR2: 0000000000000000
[    5.104100] ---[ end trace 0000000000000000 ]---
[    5.104200] RIP: 0010:bad_probe+0xa8/0x1b0 [bad_driver]
)";

}  // namespace

TEST_CASE("an oops is one complaint, with the place where it happened") {
  CHECK(complaints_of(kOops) ==
        "BUG: kernel NULL pointer dereference, address: 0000000000000000 in bad_probe+0xa8 "
        "[bad_driver]\n");
}

TEST_CASE("a warning is told with its own words and its place") {
  CHECK(complaints_of(R"([    4.1] ------------[ cut here ]------------
[    4.2] this driver was told to warn
[    4.3] WARNING: CPU: 0 PID: 91 at /src/bad_driver.c:35 bad_probe+0x7f/0xd0 [bad_driver]
[    4.4] Modules linked in: bad_driver(OE+)
[    4.5] RIP: 0010:bad_probe+0x7f/0xd0 [bad_driver]
[    4.6] Call Trace:
[    4.7] ---[ end trace 0000000000000000 ]---
)") == "WARNING: CPU: 0 PID: 91 at /src/bad_driver.c:35 bad_probe+0x7f/0xd0 [bad_driver]: this "
       "driver was told to warn\n");
}

TEST_CASE("a second report is a second complaint") {
  CHECK(complaints_of(std::string(kOops) +
                      "[    6.0] INFO: task modprobe:92 blocked for more than 120 seconds.\n") ==
        complaints_of(kOops) + "INFO: task modprobe:92 blocked for more than 120 seconds.\n");
}

TEST_CASE("BUG() is a complaint with its place") {
  CHECK(complaints_of("[    4.1] ------------[ cut here ]------------\n"
                      "[    4.2] kernel BUG at /src/mine.c:12!\n"
                      "[    4.3] invalid opcode: 0000 [#1] PREEMPT SMP NOPTI\n"
                      "[    4.4] RIP: 0010:mine_probe+0x1/0x10 [mine]\n"
                      "[    4.5] Call Trace:\n") ==
        "kernel BUG at /src/mine.c:12! in mine_probe+0x1 [mine]\n");
}

TEST_CASE("a panic is marked as one") {
  CHECK(complaints_of("[    4.1] Kernel panic - not syncing: this driver was told to panic\n"
                      "[    4.2] Call Trace:\n") ==
        "panic: Kernel panic - not syncing: this driver was told to panic\n");
}

TEST_CASE("what a healthy kernel says is no complaint") {
  CHECK(complaints_of("[    2.1] pcilens: loading out-of-tree module taints kernel.\n"
                      "[    2.2] pcilens_edu 10000:00:00.0: 10! = 3628800\n"
                      "pcilens: cannot load nosuch\n\n")
            .empty());
}

TEST_CASE("a complaint without a place yet is waited for, until nothing more comes") {
  auto log = log_of("[    5.1] BUG: kernel NULL pointer dereference, address: 0\n");
  CHECK(log->take_complaints(false).empty());
  log->add("[    5.2] RIP: 0010:mine_probe+0x1/0x10 [mine]");
  const auto told = log->take_complaints(false);
  REQUIRE(told.size() == 1);
  CHECK(told[0].text ==
        "BUG: kernel NULL pointer dereference, address: 0 in mine_probe+0x1 [mine]");
  CHECK(log->take_complaints(true).empty());
}

TEST_CASE("the log has the newest lines, fit for a terminal") {
  const auto log = log_of("[    1.0] one\n[    2.0] two \033[2J\n[    3.0] three\n");
  CHECK(log->last(2) == std::vector<std::string>{"[    2.0] two ?[2J", "[    3.0] three"});
  CHECK(log->last(100).size() == 3);
  CHECK(log->newest_with({"t", "w"}) == "two ?[2J");
  CHECK(log->newest_with({"four"}).empty());
}
