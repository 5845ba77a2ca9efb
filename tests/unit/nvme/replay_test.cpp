// Recordings of the controller's own runs, and of a real driver's, replayed to it.
#include "core/replay/replay.hpp"

#include <fmt/format.h>

#include <filesystem>
#include <fstream>
#include <random>

#include "core/registers/map_json.hpp"
#include "core/trace/import.hpp"
#include "devices/nvme/nvme.hpp"
#include "nvme/rig.hpp"
#include "target/session_fixture.hpp"

using namespace pcilens;
using namespace pcilens::nvme;
using pcilens::test::reaches;
using pcilens::test::TraceFile;

namespace {

DeviceOptions traffic() {
  return {{"traffic", "24"}, {"depth", "4"}, {"io", "12288"}, {"driver_queues", "3"}};
}

void record(const std::string& trace, DeviceOptions options) {
  SessionOptions session;
  session.devices = {{"nvme", std::move(options)}};
  session.trace = trace;
  session.hold_at_first_access = false;
  auto target = open_session(session);
  REQUIRE(target.has_value());
  REQUIRE(reaches(**target, RunState::Ended));
  CHECK((*target)->snapshot()->driver == "the driver has finished");
}

std::unique_ptr<TraceReader> open(const std::string& path) {
  auto trace = TraceReader::open(path);
  REQUIRE(trace.has_value());
  return std::move(*trace);
}

ReplayResult replay(TraceReader& trace, const MakeFunction& make, std::size_t list = 1) {
  auto result = replay_to_functions(trace, make, {.list = list});
  if (!result) FAIL(result.error().message);
  return std::move(*result);
}

Result<std::unique_ptr<Function>> same(const TraceFunction& recorded) {
  DeviceOptions options;
  for (const auto& [name, value] : recorded.options) options.push_back({name, value});
  return make_function(nvme::test::device(), options);
}

// ---- a model that does one thing wrong ---------------------------------------------------------

// Passes everything on to the link, but for one action: a DMA, an interrupt, a change of state.
class WrongPort final : public Port {
 public:
  WrongPort(Port& right, std::uint64_t wrong_one) : right_(right), left_(wrong_one) {}
  std::uint64_t now() const override { return right_.now(); }
  void submit(Operation& o) override {
    if (o.kind == Kind::DmaWrite && strike()) o.data.back() ^= std::byte{0x10};
    if (o.kind == Kind::DmaRead && strike()) o.offset += 64;
    right_.submit(o);
  }
  void cancel(Operation& o) override { right_.cancel(o); }
  void interrupt(std::uint32_t vector) override { right_.interrupt(vector ^ (strike() ? 1 : 0)); }
  void intx(bool asserted) override { right_.intx(asserted); }
  void state_changed(std::int8_t bar, std::uint64_t offset, std::uint32_t size,
                     std::uint64_t value) override {
    right_.state_changed(bar, offset, size, value ^ (strike() ? 1 : 0));
  }
  void note(std::string_view text) override { right_.note(text); }
  bool host_keeps_msix() const override { return right_.host_keeps_msix(); }

 private:
  bool strike() { return left_-- == 0; }
  Port& right_;
  std::uint64_t left_;
};

class WrongNvme final : public Nvme {
 public:
  WrongNvme(std::uint64_t wrong_action, std::uint64_t wrong_read)
      : Nvme(Settings{}, std::move(*Store::open({.size = 64u << 20}))),
        wrong_action_(wrong_action),
        reads_left_(wrong_read) {}

 private:
  void read(const Transaction& t, Reply reply) override {
    if (reads_left_-- == 0) return reply.complete(bank(0).read(t.offset, t.size) ^ 1);
    Nvme::read(t, reply);
  }
  void write(const Transaction& t, Reply reply) override {
    if (!port_) {
      port_.emplace(port(), wrong_action_);
      plug(*port_);
    }
    Nvme::write(t, reply);
  }
  std::optional<WrongPort> port_;
  std::uint64_t wrong_action_, reads_left_;
};

constexpr std::uint64_t kNever = ~0ull;

bool of_the_model(const Transaction& t) {
  return t.origin == Origin::Function &&
         (is_dma(t.kind) || t.kind == Kind::Irq || t.kind == Kind::State);
}

}  // namespace

TEST_CASE("nvme: a recorded run replays without divergence, twenty times") {
  TraceFile file;
  record(file.path(), traffic());
  const auto trace = open(file.path());
  for (int i = 0; i < 20; ++i) {
    const ReplayResult result = replay(*trace, same);
    INFO((result.listed.empty() ? "" : result.listed[0].place + ": " + result.listed[0].got));
    CHECK(result.divergences == 0);
    CHECK(result.compared > 500);
  }
}

TEST_CASE("nvme: a run with delays of its own replays without divergence") {
  TraceFile file;
  record(file.path(),
         {{"traffic", "16"}, {"depth", "4"}, {"latency_us", "50"}, {"ready_us", "2000"}});
  CHECK(replay(*open(file.path()), same).divergences == 0);
}

TEST_CASE("nvme: a hundred single mistakes of the model are each found where they were made") {
  TraceFile file;
  record(file.path(), traffic());
  const auto trace = open(file.path());
  std::vector<std::uint64_t> actions, reads;
  bool written = false;  // before its first write the mistaken model is not at work
  REQUIRE(trace
              ->for_each(1, ~0ull >> 1,
                         [&](const Transaction& t) {
                           written = written || (t.kind == Kind::MemWrite && t.offset < 0x2000);
                           if (of_the_model(t) && written) actions.push_back(t.seq);
                           if (t.kind == Kind::MemRead && t.bar == 0 && t.offset < 0x2000)
                             reads.push_back(t.seq);
                           return true;
                         })
              .has_value());
  REQUIRE(actions.size() > 300);
  REQUIRE(reads.size() >= 6);
  std::mt19937 dice(1);
  for (int i = 0; i < 100; ++i) {
    const bool of_read = i % 20 == 0;
    const auto& places = of_read ? reads : actions;
    const std::size_t which = dice() % places.size();
    const auto make = [&](const TraceFunction&) -> Result<std::unique_ptr<Function>> {
      return std::make_unique<WrongNvme>(of_read ? kNever : which, of_read ? which : kNever);
    };
    const ReplayResult result = replay(*trace, make);
    REQUIRE(result.divergences > 0);
    INFO((of_read ? "read " : "action ") << which << ": " << result.listed[0].got);
    CHECK(result.listed[0].seq == places[which]);
  }
}

namespace {

// A file of another tool about QEMU's controller, as a trace.
void import(const char* format, const std::string& name, const std::string& file,
            const std::string& trace) {
  ImportOptions options;
  options.name = name;
  options.known_device = [](std::uint16_t vendor, std::uint16_t device) -> KnownDevice {
    CHECK(vendor == 0x1b36);
    CHECK(device == 0x0010);
    return {.device = "nvme", .maps = {map_to_json(kMap<0>)}};
  };
  const auto summary = import_file(format, file, trace, options);
  if (!summary) FAIL(summary.error().message);
}

// One of Linux 6.1.
void import_recording(const char* format, const std::string& name, const std::string& trace) {
  import(format, name, PCILENS_SOURCE_DIR "/tests/data/recordings/nvme-q72-linux61/" + name, trace);
}

Result<std::unique_ptr<Function>> fresh(const TraceFunction&) {
  return make_function(nvme::test::device(), {});
}

std::size_t count(const ReplayResult& result, Reason reason) {
  return result.by_reason[static_cast<std::size_t>(reason)];
}

}  // namespace

TEST_CASE("nvme: the registers of a real driver's run differ only where a reason is known") {
  TraceFile file;
  import_recording("mmiotrace", "nvme.mmiotrace", file.path());
  const ReplayResult result = replay(*open(file.path()), fresh, 1000);
  struct Known {
    std::uint64_t seq;
    std::string place;
    Reason reason;
  };
  // CSTS.RDY that firmware left set; CAP.NSSRS, three times; the first fetch, and CSTS.CFS after
  // it.
  const std::vector<Known> known = {{1, "CSTS", Reason::Earlier},
                                    {73, "CAP+4", Reason::Identity},
                                    {84, "CAP+4", Reason::Identity},
                                    {88, "CAP+4", Reason::Identity},
                                    {102, "IOVA 0x70a8000", Reason::Memory},
                                    {265, "CSTS", Reason::Memory},
                                    {271, "CSTS", Reason::Memory}};
  REQUIRE(result.listed.size() == known.size());
  CHECK(result.divergences == known.size());
  for (std::size_t i = 0; i < known.size(); ++i) {
    INFO(i << ": " << result.listed[i].expected << " / " << result.listed[i].got);
    CHECK(result.listed[i].seq == known[i].seq);
    CHECK(result.listed[i].place == known[i].place);
    CHECK(result.listed[i].reason == known[i].reason);
  }
  CHECK(result.compared > 280);
}

TEST_CASE("nvme: QEMU's log of firmware and driver differs only where a reason is known") {
  TraceFile file;
  import_recording("qemu-log", "qemu-trace.log.gz", file.path());
  const ReplayResult result = replay(*open(file.path()), fresh, 100'000);
  for (const Divergence& d : result.listed)
    if (d.reason == Reason::Model)
      UNSCOPED_INFO("seq " << d.seq << " " << d.place << ": " << d.expected << " / " << d.got);
  CHECK(count(result, Reason::Model) == 0);
  CHECK(result.listed.size() == result.divergences);
  CHECK(count(result, Reason::Identity) > 0);
  CHECK(count(result, Reason::Memory) > 0);
}

TEST_CASE("nvme: a disk that has changed since does not change what a replay sees") {
  TraceFile file;
  const std::string disk = file.path() + ".img";
  {
    std::ofstream(disk).put(0);
    std::filesystem::resize_file(disk, 4 << 20);
    record(file.path(), {{"disk", disk}, {"traffic", "16"}});
  }
  {
    std::fstream changed(disk, std::ios::in | std::ios::out | std::ios::binary);
    changed.seekp(0);
    changed << "somebody else was here";
  }
  const auto make = [&](const TraceFunction&) {
    return make_function(nvme::test::device(), {{"disk", disk}, {"snapshot", "on"}});
  };
  const ReplayResult result = replay(*open(file.path()), make);
  CHECK(result.divergences == 0);
  std::ifstream read(disk);
  std::string text(22, ' ');
  read.read(text.data(), 22);
  CHECK(text == "somebody else was here");
  std::filesystem::remove(disk);
}

TEST_CASE("nvme: a status that comes a read earlier or later is timing, a wrong register is not") {
  TraceFile file;
  const std::string text = file.path() + ".mmiotrace";
  std::ofstream(text) << "VERSION 20070824\n"
                         "PCIDEV 0020 1b360010 a febf0004 0 0 0 0 0 0 4000 0 0 0 0 0 0 \n"
                         "MAP 1.000000 1 0xfebf0000 0xff5261c5c05be000 0x2000 0x0 0\n"
                         "W 4 1.100000 1 0xfebf0024 0x1f001f 0x0 0\n"
                         "R 4 1.200000 1 0xfebf0024 0x1f001f 0x0 0\n"
                         "R 4 1.300000 1 0xfebf0024 0x0 0x0 0\n"       // AQA: no driver wrote 0
                         "W 4 1.400000 1 0xfebf0014 0x460001 0x0 0\n"  // CC.EN
                         "R 4 1.500000 1 0xfebf001c 0x0 0x0 0\n"       // CSTS: RDY comes late
                         "R 4 1.600000 1 0xfebf001c 0x1 0x0 0\n"
                         "W 4 1.700000 1 0xfebf0014 0x460000 0x0 0\n"
                         "R 4 1.800000 1 0xfebf001c 0x1 0x0 0\n"  // and goes late
                         "R 4 1.900000 1 0xfebf001c 0x0 0x0 0\n"
                         "R 4 2.000000 1 0xfebf001c 0x2 0x0 0\n"  // CFS: it may be late once
                         "R 4 2.100000 1 0xfebf001c 0x2 0x0 0\n";
  import("mmiotrace", "made.mmiotrace", text, file.path());
  std::filesystem::remove(text);
  const ReplayResult result = replay(*open(file.path()), fresh, 1000);
  std::string found;
  for (const Divergence& d : result.listed)
    found += fmt::format("{} {}; ", d.place, name_of(d.reason));
  CHECK(found == "AQA model; CSTS timing; CSTS timing; CSTS timing; CSTS model; ");
}
