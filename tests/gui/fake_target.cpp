#include "tests/gui/fake_target.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "core/pci/config_space.hpp"

namespace pcilens::test {
namespace {

constexpr EnumValue kModes[] = {{0, "slow", "one word at a time"}, {1, "fast", "bursts"}};
constexpr Field kControlFields[] = {
    {.name = "START", .high = 0, .low = 0, .access = Access::RW1S, .doc = "Begins the transfer."},
    {.name = "MODE", .high = 2, .low = 1, .doc = "How it moves data.", .values = kModes},
    {.name = "COUNT", .high = 15, .low = 8, .doc = "How many words."},
    {.name = "RSVD", .high = 31, .low = 16, .access = Access::Reserved},
};
constexpr Field kStatusFields[] = {
    {.name = "BUSY", .high = 0, .low = 0, .access = Access::RO, .doc = "A transfer runs."},
    {.name = "DONE", .high = 1, .low = 1, .access = Access::W1C, .doc = "A transfer ended."},
    {.name = "ERROR", .high = 7, .low = 4, .access = Access::RO, .doc = "Why it failed."},
};
constexpr Register kId{.name = "ID",
                       .offset = 0,
                       .access = Access::RO,
                       .doc = "Identification.",
                       .spec = "Fake 1.0, 2.1"};
constexpr Register kControl{.name = "CONTROL",
                            .offset = 4,
                            .access = Access::Reserved,
                            .fields = kControlFields,
                            .doc = "Starts transfers.",
                            .spec = "Fake 1.0, 2.2"};
constexpr Register kStatus{.name = "STATUS",
                           .offset = 8,
                           .access = Access::Reserved,
                           .fields = kStatusFields,
                           .doc = "How transfers went.",
                           .spec = "Fake 1.0, 2.3"};
constexpr Register kScratch{.name = "SCRATCH",
                            .offset = 0x20,
                            .doc = "Whatever the driver likes.",
                            .count = 4,
                            .stride = 8};
constexpr Register kAddress{.name = "ADDRESS", .offset = 0x40, .width = 8, .doc = "Where to."};
constexpr MemoryRegion kBuffer{.name = "BUFFER", .offset = 0x800, .size = 0x800, .doc = "Data."};
constexpr const Register* kRegisters[] = {&kId, &kControl, &kStatus, &kScratch, &kAddress};
constexpr const MemoryRegion* kRegions[] = {&kBuffer};
constexpr RegisterMap kMap{
    .name = "fake", .bar = 0, .size = 0x1000, .registers = kRegisters, .regions = kRegions};
static_assert(well_formed(kMap));

std::shared_ptr<const std::vector<std::byte>> config_image() {
  const Bar bars[] = {{.index = 0, .size = 0x1000}};
  ConfigSpace config({.vendor = 0x1234, .device = 0x11e8, .class_code = 0x00ff00, .revision = 0x10},
                     bars);
  config.add_power_management();
  config.add_msi(4);
  config.add_pcie_endpoint();
  config.write(cfg::kBar0, 4, 0xfe000000);
  config.write(cfg::kCommand, 2, cfg::kCommandMemory | cfg::kCommandMaster);
  const auto bytes = config.bytes();
  return std::make_shared<std::vector<std::byte>>(bytes.begin(), bytes.end());
}

std::size_t flat_index(std::uint64_t offset) {
  std::size_t flat = 0;
  for (const Register* r : kRegisters)
    for (std::uint32_t i = 0; i < r->count; ++i, ++flat)
      if (r->offset_of(i) == offset) return flat;
  return 0;
}

}  // namespace

const RegisterMap& fake_map() {
  return kMap;
}

FakeTarget::FakeTarget() : snapshot_(std::make_shared<Snapshot>()) {
  auto names = std::make_shared<Names>();
  auto config = config_image();
  names->functions.push_back({.instance = "fake0",
                              .bdf = "00:04.0",
                              .bars = {std::make_shared<RegisterLookup>(kMap)},
                              .config = std::make_shared<ConfigNames>(*config)});
  snapshot_->names = names;
  snapshot_->host = "sim";
  snapshot_->driver = "fake: starting a transfer of 8 words";
  snapshot_->trace = "/tmp/fake.db";
  FunctionState f;
  f.instance = "fake0";
  f.device = "fake";
  f.bdf = "00:04.0";
  f.config = config;
  f.bars = {{.index = 0, .size = 0x1000, .address = 0xfe000000}};
  FunctionState::Bank bank{0, std::vector<RegisterState>(8)};
  bank.registers[0].value = 0x010000ed;
  bank.registers[2] = {0x2, 5, Origin::Function};
  f.banks.push_back(std::move(bank));
  snapshot_->functions.push_back(std::move(f));
  hold(4, 0x803);
}

void FakeTarget::hold(std::uint64_t offset, std::uint64_t value) {
  Snapshot& s = *snapshot_;
  Stop stop;
  stop.transaction.seq = s.seq + 1;
  stop.transaction.t_ns = 1'234'567;
  stop.transaction.offset = offset;
  stop.transaction.size = 4;
  stop.transaction.value = value;
  stop.transaction.kind = Kind::MemWrite;
  stop.transaction.bar = 0;
  stop.transaction.thread = 4711;
  stop.reason = "first access";
  stop.original = value;
  stop.thread_name = "fake-driver";
  s.seq = stop.transaction.seq;
  s.stop = stop;
  s.state = RunState::Stopped;
  TraceRow row;
  row.transaction = stop.transaction;
  rows_.push_back(row);
}

void FakeTarget::add_row(TraceRow row) {
  change([&](Snapshot& s) {
    row.transaction.seq = ++s.seq;
    rows_.push_back(row);
  });
}

void FakeTarget::note(std::string call) {
  const std::lock_guard lock(mutex_);
  calls_.push_back(std::move(call));
}
std::vector<std::string> FakeTarget::calls() const {
  const std::lock_guard lock(mutex_);
  return calls_;
}
std::shared_ptr<const Snapshot> FakeTarget::snapshot() const {
  const std::lock_guard lock(mutex_);
  return snapshot_;
}
void FakeTarget::on_change(std::function<void()> listener) {
  const std::lock_guard lock(mutex_);
  listener_ = std::move(listener);
}

void FakeTarget::pause(Done<void> done) {
  note("pause");
  change([](Snapshot& s) { s.state = RunState::Paused; });
  done({});
}

void FakeTarget::resume(Done<void> done) {
  note("resume");
  change([&](Snapshot& s) {
    s.state = RunState::Running;
    s.stop.reset();
    rows_.back().transaction.status = Status::SC;
  });
  done({});
}

void FakeTarget::step(Step, Done<void> done) {
  note("step");
  change([&](Snapshot& s) {
    snapshot_ = std::make_shared<Snapshot>(s);
    if (snapshot_->stop) {
      const Transaction t = snapshot_->stop->transaction;
      snapshot_->functions[0].banks[0].registers[flat_index(t.offset)] = {t.value, t.seq,
                                                                          Origin::Driver};
      rows_.back().transaction.status = Status::SC;
      rows_.back().transaction.value = t.value;
    }
    hold(snapshot_->seq % 2 == 0 ? 4 : 0x20, snapshot_->seq * 0x101);
    snapshot_->stop->reason = "step";
    s = *snapshot_;
  });
  done({});
}

void FakeTarget::edit(std::uint64_t value, Done<void> done) {
  note(fmt::format("edit {:#x}", value));
  change([&](Snapshot& s) {
    s.stop->transaction.value = value;
    s.stop->edited = value != s.stop->original;
  });
  done({});
}

void FakeTarget::add_breakpoint(Breakpoint b, Done<std::uint32_t> done) {
  note("add_breakpoint " + b.expression);
  if (b.expression.find("nothing") != std::string::npos) {
    done(fail("column 1: there is no register \"nothing\"; did you mean CONTROL?"));
    return;
  }
  const std::uint32_t number = next_number_++;
  change([&](Snapshot& s) {
    s.breakpoints.push_back({number, std::move(b), true, 0, "BAR0+0x4..0x7"});
  });
  done(number);
}
void FakeTarget::enable_breakpoint(std::uint32_t number, bool enabled, Done<void> done) {
  change([&](Snapshot& s) {
    for (auto& b : s.breakpoints)
      if (b.number == number) b.enabled = enabled;
  });
  done({});
}
void FakeTarget::remove_breakpoint(std::uint32_t number, Done<void> done) {
  change([&](Snapshot& s) {
    std::erase_if(s.breakpoints, [&](const auto& b) { return b.number == number; });
  });
  done({});
}
void FakeTarget::add_fault(Fault f, Done<std::uint32_t> done) {
  note("add_fault " + f.expression);
  const std::uint32_t number = next_number_++;
  change(
      [&](Snapshot& s) { s.faults.push_back({number, std::move(f), true, 0, "BAR0+0x8..0xb"}); });
  done(number);
}
void FakeTarget::enable_fault(std::uint32_t number, bool enabled, Done<void> done) {
  change([&](Snapshot& s) {
    for (auto& f : s.faults)
      if (f.number == number) f.enabled = enabled;
  });
  done({});
}
void FakeTarget::remove_fault(std::uint32_t number, Done<void> done) {
  change([&](Snapshot& s) {
    std::erase_if(s.faults, [&](const auto& f) { return f.number == number; });
  });
  done({});
}

void FakeTarget::poke_read(Place place, Done<std::uint64_t> done) {
  note(fmt::format("poke_read BAR{}+{:#x}", place.bar, place.offset));
  done(snapshot()->functions[0].banks[0].registers[flat_index(place.offset)].value);
}
void FakeTarget::poke_write(Place place, std::uint64_t value, Done<void> done) {
  note(fmt::format("poke_write BAR{}+{:#x} {:#x}", place.bar, place.offset, value));
  change([&](Snapshot& s) {
    s.functions[0].banks[0].registers[flat_index(place.offset)] = {value, s.seq, Origin::Poke};
  });
  done({});
}
void FakeTarget::force(Place place, std::uint64_t value, Done<void> done) {
  note(fmt::format("force BAR{}+{:#x} {:#x}", place.bar, place.offset, value));
  change([&](Snapshot& s) {
    s.functions[0].banks[0].registers[flat_index(place.offset)] = {value, s.seq, Origin::Poke};
  });
  done({});
}
void FakeTarget::reset_function(std::uint8_t, ResetKind, Done<void> done) {
  done({});
}
void FakeTarget::restart(Done<void> done) {
  note("restart");
  done({});
}

void FakeTarget::trace_page(TraceRequest request, Done<TracePage> done) {
  TracePage page;
  {
    const std::lock_guard lock(mutex_);
    page.last_seq = rows_.empty() ? 0 : rows_.back().transaction.seq;
    const auto matches = [&](const TraceRow& r) {
      return request.filter.empty() || request.filter == name_of(r.transaction.kind);
    };
    if (request.direction == TraceRequest::Direction::Forward) {
      for (const TraceRow& r : rows_) {
        if (r.transaction.seq < request.from || !matches(r)) continue;
        if (page.rows.size() == request.limit) {
          page.more = true;
          break;
        }
        page.rows.push_back(r);
      }
    } else {
      for (auto r = rows_.rbegin(); r != rows_.rend(); ++r) {
        if ((request.from != 0 && r->transaction.seq >= request.from) || !matches(*r)) continue;
        if (page.rows.size() == request.limit) {
          page.more = true;
          break;
        }
        page.rows.push_back(*r);
      }
      std::ranges::reverse(page.rows);
    }
  }
  if (request.filter == "nonsense ===") {
    done(fail("column 10: expected a register, a kind or a value"));
    return;
  }
  done(std::move(page));
}
void FakeTarget::trace_payload(std::uint64_t, Done<std::vector<std::byte>> done) {
  done({});
}

void FakeTarget::code_at(std::uint64_t, Done<CodeView> done) {
  CodeView v;
  v.stack = {{"fake_start_transfer+0x31", "devices/fake/fake_driver.cpp", 71},
             {"fake_probe+0x12c", "devices/fake/fake_driver.cpp", 118},
             {"drive+0x18", "devices/fake/fake_driver.cpp", 140}};
  v.instructions = {{"fake_start_transfer+0x2a", "48 8b 45 f8", "mov rax, qword ptr [rbp - 8]"},
                    {"fake_start_transfer+0x2e", "83 c9 01", "or ecx, 1"},
                    {"fake_start_transfer+0x31", "89 48 04", "mov dword ptr [rax + 4], ecx", true},
                    {"fake_start_transfer+0x34", "8b 40 08", "mov eax, dword ptr [rax + 8]"},
                    {"fake_start_transfer+0x37", "a8 01", "test al, 1"}};
  done(std::move(v));
}

// The filter that is the name of a kind counts those rows, all at once.
void FakeTarget::count_matches(std::string expression, Done<MatchCount> done) {
  MatchCount count;
  {
    const std::lock_guard lock(mutex_);
    for (const TraceRow& row : rows_)
      if (expression == name_of(row.transaction.kind)) ++count.matches;
    count.looked_at = count.of = rows_.empty() ? 0 : rows_.back().transaction.seq;
  }
  done(count);
}

void FakeTarget::commands(CommandRequest request, Done<CommandPage> done) {
  CommandPage page{.protocol = true, .commands = {}, .first = 1, .last = 3};
  for (std::uint64_t n = 1; n <= 3; ++n) {
    ProtocolCommand& c = page.commands.emplace_back();
    c.number = n;
    c.state = n == 3   ? ProtocolCommand::State::Outstanding
              : n == 2 ? ProtocolCommand::State::Failed
                       : ProtocolCommand::State::Succeeded;
    c.queue = "SQ 1";
    c.name = n == 2 ? "WRITE" : "READ";
    c.summary = fmt::format("lba {:#x}, 8 blocks", 16 * n);
    c.status = n == 1 ? "success" : n == 2 ? "LBA out of range" : "";
    c.steps = {{10 * n, "doorbell"}, {10 * n + 1, "fetch"}, {10 * n + 2, "completion"}};
    for (const ProtocolStep& step : c.steps)
      if (request.seq == step.seq) page.found = n;
  }
  done(std::move(page));
}

void FakeTarget::dma_mappings(Done<std::vector<DmaMapping>> done) {
  done(mappings);
}
// Each byte tells the low 8 bits of its address.
void FakeTarget::dma_look(std::uint8_t, std::uint64_t iova, std::uint32_t size,
                          Done<std::vector<std::byte>> done) {
  std::vector<std::byte> bytes(std::min(size, kMostDmaLook));
  for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<std::byte>(iova + i);
  done(std::move(bytes));
}

}  // namespace pcilens::test
