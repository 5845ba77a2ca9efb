// A link with its own thread, and a function that does everything a device can: delays, DMA,
// interrupts, reads that are answered later, changes of its own state.
#pragma once

#include <array>
#include <chrono>
#include <functional>
#include <future>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "catch.hpp"
#include "core/function/function.hpp"
#include "core/host/host.hpp"
#include "core/link/link.hpp"

namespace road {

using namespace pcilens;
using namespace std::chrono_literals;

inline constexpr Register kPlain{.name = "PLAIN", .offset = 0x00};
inline constexpr Register kCommand{.name = "COMMAND", .offset = 0x04};
inline constexpr Register kCount{.name = "COUNT", .offset = 0x08, .access = Access::RO};
inline constexpr Register kLate{.name = "LATE", .offset = 0x0c, .access = Access::RO};
inline constexpr const Register* kRegisters[] = {&kPlain, &kCommand, &kCount, &kLate};
inline constexpr MemoryRegion kMemory{
    .name = "MEMORY", .offset = 0x1000, .size = 0x1000, .direct = true};
inline constexpr const MemoryRegion* kRegions[] = {&kMemory};
inline constexpr RegisterMap kMap{
    .name = "road", .bar = 0, .size = 0x4000, .registers = kRegisters, .regions = kRegions};
static_assert(well_formed(kMap));
inline constexpr const RegisterMap* kMaps[] = {&kMap};

// What a write of COMMAND starts.
enum Command : std::uint32_t {
  kTimer = 1,
  kDmaRead = 2,
  kDmaWrite = 3,
  kInterrupt = 4,
  kInput = 5
};
inline constexpr std::uint64_t kIova = 0x10000;

class Busy final : public Function {
 public:
  explicit Busy(std::chrono::nanoseconds pause = 1ms)
      : Function(config_space(), kMaps), pause_(pause) {
    bank(0).on_write(kCommand, [this](const RegisterWrite& w) {
      start(run(static_cast<Command>(w.written & 0xff)));
    });
  }
  ~Busy() override = default;
  using Function::bank;

 private:
  static ConfigSpace config_space() {
    constexpr Bar kBars[] = {{.index = 0, .size = 0x4000}};
    ConfigSpace config({.vendor = 0x1234, .device = 1}, kBars);
    config.add_msi(1);
    config.add_pcie_endpoint();
    return config;
  }
  void read(const Transaction& request, Reply reply) override {
    if (request.offset == kLate.offset)
      start(answer(reply));
    else
      Function::read(request, reply);
  }
  Task<> answer(Reply reply) {
    co_await delay(pause_);
    reply.complete(0x1a7e);
  }
  Task<> run(Command what) {
    // Something of the task's own, so that a use of it after its end is seen.
    std::vector<std::byte> buffer(64, std::byte{0x5a});
    Status status = Status::SC;
    switch (what) {
      case kTimer: co_await delay(pause_); break;
      case kDmaRead: status = co_await dma_read(kIova, buffer); break;
      case kDmaWrite: status = co_await dma_write(kIova, buffer); break;
      case kInterrupt: break;
      case kInput: status = co_await outside(1, buffer); break;
    }
    if (status == Status::SC) bank(0).set(kCount, bank(0).get(kCount) + 1);
    interrupt(0);
  }
  std::chrono::nanoseconds pause_;
};

// Everything recorded, in memory.
class Tape final : public Recorder {
 public:
  struct Entry {
    Transaction t;
    bool completion;
    std::vector<std::byte> payload;
  };
  void event(const Transaction& t) override { add(t, false); }
  void completion(const Transaction& t) override { add(t, true); }
  void edit(std::uint64_t seq, std::uint64_t sent, std::uint64_t delivered, std::uint64_t answered,
            std::uint64_t returned, std::uint32_t rule) override {
    edits.push_back({seq, sent, delivered, answered, returned, rule});
  }
  void blob(BlobKind what, std::uint64_t key, std::span<const std::byte> bytes) override {
    if (what == BlobKind::Payload)
      for (Entry& e : entries)
        if (e.t.seq == key) e.payload.assign(bytes.begin(), bytes.end());
    if (what == BlobKind::Finding)
      findings.emplace_back(key,
                            std::string(reinterpret_cast<const char*>(bytes.data()), bytes.size()));
  }
  std::vector<Entry> entries;
  struct Edit {
    std::uint64_t seq, sent, delivered, answered, returned;
    std::uint32_t rule;
  };
  std::vector<Edit> edits;
  std::vector<std::pair<std::uint64_t, std::string>> findings;  // seq and JSON

 private:
  void add(const Transaction& t, bool completion) {
    entries.push_back({t, completion, {t.payload.begin(), t.payload.end()}});
    entries.back().t.payload = {};
  }
};

// Host memory of one page at kIova, and a count of interrupts.
class Page final : public Host {
 public:
  std::string_view name() const override { return "page"; }
  Status dma_read(std::uint8_t, std::uint64_t iova, std::span<std::byte> data) override {
    if (!there || iova < kIova || iova - kIova > bytes.size() - data.size()) return Status::UR;
    std::copy_n(bytes.begin() + static_cast<std::ptrdiff_t>(iova - kIova), data.size(),
                data.begin());
    return Status::SC;
  }
  Status dma_write(std::uint8_t, std::uint64_t iova, std::span<const std::byte> data) override {
    if (iova < kIova || iova - kIova > bytes.size() - data.size()) return Status::UR;
    std::copy(data.begin(), data.end(), bytes.begin() + static_cast<std::ptrdiff_t>(iova - kIova));
    return Status::SC;
  }
  Status interrupt(std::uint8_t, std::uint64_t, std::uint64_t) override {
    ++interrupts;
    return Status::SC;
  }
  std::span<std::byte> shared(std::uint8_t, int) const override { return unseen; }
  std::array<std::byte, 4096> bytes{};
  bool there = true;            // false: nothing may read it
  std::span<std::byte> unseen;  // a BAR's, which a driver is to reach without a transaction
  std::atomic<int> interrupts{0};
};

class Road {
 public:
  explicit Road(Link::Options options = {}, std::chrono::nanoseconds pause = 1ms)
      : link(clock, tape, std::move(options)) {
    link.connect(host);
    link.plug(std::make_unique<Busy>(pause), "busy0", "busy", "00:01.0");
    set_up();
    link.start([] {}, [] {});
  }
  // As a driver does: memory and bus mastering on, MSI with an address.
  void set_up() {
    const std::uint16_t msi = 0x40;  // the first capability
    config(cfg::kCommand, cfg::kCommandMemory | cfg::kCommandMaster);
    config(msi + 4, 0xee00);
    config(msi + 2, 0x81);
  }
  void config(std::uint16_t offset, std::uint64_t value) {
    link.request(
        {.offset = offset, .value = value, .size = 2, .kind = Kind::CfgWrite, .bar = kBarConfig});
  }
  std::uint64_t read(const Register& r) {
    return link.request({.offset = r.offset, .size = r.width, .kind = Kind::MemRead, .bar = 0})
        .value;
  }
  void write(const Register& r, std::uint64_t value) {
    link.request(
        {.offset = r.offset, .value = value, .size = r.width, .kind = Kind::MemWrite, .bar = 0});
  }
  // On the link's thread, under its lock; its result.
  template <typename F>
  auto command(F f) -> decltype(f(std::declval<Link&>())) {
    using R = decltype(f(link));
    std::promise<R> done;
    auto result = done.get_future();
    link.post([&] {
      if constexpr (std::is_void_v<R>) {
        f(link);
        done.set_value();
      } else {
        done.set_value(f(link));
      }
    });
    return result.get();
  }
  std::uint32_t break_at(const std::string& expression, Phase phase = Phase::Before) {
    const auto number = command(
        [&](Link& l) { return l.add_breakpoint({.expression = expression, .phase = phase}); });
    REQUIRE(number.has_value());
    return *number;
  }
  Result<std::uint32_t> fault(const std::string& expression, const std::string& action) {
    auto parsed = parse_fault_action(action, {.expression = expression});
    REQUIRE(parsed.has_value());
    return command([&](Link& l) { return l.add_fault(*parsed); });
  }
  bool stopped() {
    return soon([&] { return command([](Link& l) { return l.stop().has_value(); }); });
  }
  void resume() {
    command([](Link& l) { static_cast<void>(l.resume()); });
  }
  static bool soon(const std::function<bool()>& holds) {
    for (const auto until = std::chrono::steady_clock::now() + 10s; !holds();) {
      if (std::chrono::steady_clock::now() > until) return false;
      std::this_thread::sleep_for(200us);
    }
    return true;
  }

  SteadyClock clock;
  Tape tape;
  Page host;
  Link link;
};

}  // namespace road
