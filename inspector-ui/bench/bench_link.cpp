// The link's own cost: a register read and write on the sim host's path, with the trace on.
#include <fmt/format.h>

#include <atomic>
#include <memory>
#include <thread>

#include "core/function/function.hpp"
#include "core/link/link.hpp"
#include "core/trace/spool.hpp"
#include "core/trace/spool_memory.hpp"
#include "core/trace/spool_reader.hpp"
#include "inspector-ui/bench/bench.hpp"

namespace pcilens::bench {
namespace {

// A function with one register that is used and a thousand that are not.
constexpr Register kValue{.name = "VALUE", .offset = 0x0, .width = 4};
constexpr Register kOthers{
    .name = "OTHER", .offset = 0x1000, .width = 4, .count = 1000, .stride = 4};
constexpr const Register* kRegisters[] = {&kValue, &kOthers};
constexpr RegisterMap kMap{.name = "plain", .bar = 0, .size = 0x4000, .registers = kRegisters};
static_assert(well_formed(kMap));
constexpr const RegisterMap* kMaps[] = {&kMap};

class Plain final : public Function {
 public:
  Plain() : Function(config_space(), kMaps) {}
  using Function::bank;

 private:
  static ConfigSpace config_space() {
    constexpr Bar kBars[] = {{.index = 0, .size = 0x4000}};
    return ConfigSpace({.vendor = 0x1234, .device = 1}, kBars);
  }
};

class Nowhere final : public Recorder {
 public:
  void event(const Transaction&) override {}
  void completion(const Transaction&) override {}
  void edit(std::uint64_t, std::uint64_t, std::uint64_t, std::uint64_t, std::uint64_t,
            std::uint32_t) override {}
  void blob(BlobKind, std::uint64_t, std::span<const std::byte>) override {}
};

// A spool whose consumer only takes: what the producer's side costs, without the disk's speed.
class Spooled {
 public:
  Spooled()
      : memory_(*SpoolMemory::anonymous(1u << 20)),
        spool_(*Spool::create(memory_.bytes())),
        reader_(*SpoolReader::open(memory_.bytes())),
        taker_([this] { take(); }) {}
  ~Spooled() {
    ending_ = true;
    taker_.join();
  }
  Recorder& recorder() { return *spool_; }

 private:
  void take() {
    SpoolRecord record;
    while (!ending_) {
      bool any = false;
      while (reader_->next(record)) any = true;
      reader_->release();
      if (!any) std::this_thread::sleep_for(std::chrono::microseconds(200));
    }
  }
  SpoolMemory memory_;
  std::unique_ptr<Spool> spool_;
  std::unique_ptr<SpoolReader> reader_;
  std::atomic<bool> ending_{false};
  std::thread taker_;
};

Transaction access(Kind kind) {
  return {.value = 1, .size = 4, .kind = kind, .bar = 0};
}

class Bench {
 public:
  Bench(Recorder& recorder, unsigned breakpoints) : link_(clock_, recorder, {}) {
    link_.plug(std::make_unique<Plain>(), "plain0", "plain", "00:01.0");
    link_.request({.offset = cfg::kCommand,
                   .value = cfg::kCommandMemory,
                   .size = 2,
                   .kind = Kind::CfgWrite,
                   .bar = kBarConfig});
    for (unsigned i = 0; i < breakpoints; ++i)
      static_cast<void>(link_.add_breakpoint({.expression = fmt::format("write OTHER[{}]", i)}));
    link_.start([] {}, [] {});
  }
  void run(Kind kind, unsigned operations) {
    for (unsigned i = 0; i < operations; ++i) link_.request(access(kind));
  }

 private:
  SteadyClock clock_;
  Link link_;
};

}  // namespace

std::vector<Figure> measure_link(const Settings& settings) {
  Plain plain;
  volatile std::uint64_t sink = 0;
  Nowhere nowhere;
  Spooled spooled, spooled_armed;
  Bench untraced(nowhere, 0), traced(spooled.recorder(), 0);
  Bench armed(spooled_armed.recorder(), 1000);
  std::vector<Figure> figures = measure(
      {{"read of a register bank, no link",
        [&](unsigned n) {
          for (unsigned i = 0; i < n; ++i) sink = sink + plain.bank(0).read(0, 4);
        }},
       {"read over the link, no trace", [&](unsigned n) { untraced.run(Kind::MemRead, n); }},
       {"read over the link, trace on", [&](unsigned n) { traced.run(Kind::MemRead, n); }},
       {"write over the link, trace on", [&](unsigned n) { traced.run(Kind::MemWrite, n); }},
       {"read, 1,000 breakpoints elsewhere", [&](unsigned n) { armed.run(Kind::MemRead, n); }},
       {"write, 1,000 breakpoints elsewhere", [&](unsigned n) { armed.run(Kind::MemWrite, n); }}},
      settings);
  compare(figures[1], figures[0]);
  for (const std::size_t traced_one : {2u, 3u}) {
    compare(figures[traced_one], figures[1]);
    figures[traced_one].goal = "at most 200 ns";
    figures[traced_one].met = figures[traced_one].median <= 200;
  }
  for (const std::size_t armed_one : {4u, 5u}) {
    compare(figures[armed_one], figures[armed_one - 2]);
    figures[armed_one].goal = "at most 1.2 times";
    figures[armed_one].met = figures[armed_one].ratio <= 1.2;
  }
  return figures;
}

}  // namespace pcilens::bench
