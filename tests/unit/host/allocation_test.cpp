// The hot path asks for no memory: a driver's access to a register, with the trace on, goes through
// host, link, spool and register bank without one call of operator new.
#include <atomic>
#include <cstdlib>
#include <future>
#include <new>
#include <thread>

#include "catch.hpp"
#include "core/function/function.hpp"
#include "core/host/sim/sim_host.hpp"
#include "core/link/link.hpp"
#include "core/trace/spool.hpp"
#include "core/trace/spool_memory.hpp"
#include "core/trace/spool_reader.hpp"
#include "sanitized.hpp"

#if PCILENS_SANITIZED
TEST_CASE("allocations are not counted in a build with sanitizers") {
  SUCCEED();
}
#else

namespace {

thread_local std::uint64_t allocations = 0;  // of this thread

void* counted(std::size_t size) {
  ++allocations;
  if (void* p = std::malloc(size)) return p;
  throw std::bad_alloc();
}

}  // namespace

void* operator new(std::size_t size) {
  return counted(size);
}
void* operator new[](std::size_t size) {
  return counted(size);
}
void operator delete(void* p) noexcept {
  std::free(p);
}
void operator delete[](void* p) noexcept {
  std::free(p);
}
void operator delete(void* p, std::size_t) noexcept {
  std::free(p);
}
void operator delete[](void* p, std::size_t) noexcept {
  std::free(p);
}

namespace {

using namespace pcilens;

constexpr Register kValue{.name = "VALUE", .offset = 0x0};
constexpr Register kOther{.name = "OTHER", .offset = 0x10};
constexpr const Register* kRegisters[] = {&kValue, &kOther};
constexpr RegisterMap kMap{.name = "plain", .bar = 0, .size = 0x1000, .registers = kRegisters};
static_assert(well_formed(kMap));
constexpr const RegisterMap* kMaps[] = {&kMap};

class Plain final : public Function {
 public:
  Plain() : Function(config_space(), kMaps) {}

 private:
  static ConfigSpace config_space() {
    constexpr Bar kBars[] = {{.index = 0, .size = 0x1000}};
    return ConfigSpace({.vendor = 0x1234, .device = 1}, kBars);
  }
};

constexpr unsigned kAccesses = 1000;  // of each kind; the spool has room for all of them

std::uint64_t reads = 0, writes = 0, sum = 0;

// The first round makes the places known: a call stack that is new is kept once.
Result<void> drive(sim::Device& device) {
  device.enable();
  auto regs = device.map(0);
  for (int round = 0; round < 2; ++round) {
    sum = 0;
    std::uint64_t before = allocations;
    for (unsigned i = 0; i < kAccesses; ++i) regs.write(kValue, i);
    writes = allocations - before;
    before = allocations;
    for (unsigned i = 0; i < kAccesses; ++i) sum += regs.read(kValue);
    reads = allocations - before;
  }
  return {};
}

void run_driver(const char* breakpoint) {
  const auto memory = *SpoolMemory::anonymous(1u << 14);
  const auto spool = *Spool::create(memory.bytes());
  SteadyClock clock;
  Link link(clock, *spool, {});
  link.plug(std::make_unique<Plain>(), "plain0", "plain", "00:01.0");
  sim::SimHost host(link);
  REQUIRE(host.enumerate(0));
  if (breakpoint != nullptr) REQUIRE(link.add_breakpoint({.expression = breakpoint}));
  link.start([] {}, [] {});
  std::promise<bool> ended;
  host.drive(
      0, drive, {}, [](const std::string&) {},
      [&](const Result<void>& result) { ended.set_value(bool(result)); });
  REQUIRE(ended.get_future().get());
  link.close();
  host.shut_down();
}

}  // namespace

TEST_CASE("a driver's access to a register allocates nothing, with the trace on") {
  run_driver(nullptr);
  CHECK(sum == std::uint64_t{kAccesses} * (kAccesses - 1));  // the last value, each time
  CHECK(writes == 0);
  CHECK(reads == 0);
}

TEST_CASE("nor does it with a breakpoint on its neighbour") {
  run_driver("write OTHER");
  CHECK(writes == 0);
  CHECK(reads == 0);
}

TEST_CASE("the count of allocations sees one") {
  const std::uint64_t before = allocations;
  int* volatile one = new int(1);
  delete one;
  CHECK(allocations == before + 1);
}

#endif  // not sanitized
