// Snapshots on the wire: only what differs from the one that the other side has.
#include <algorithm>
#include <chrono>

#include "core/registers/map_json.hpp"
#include "core/registers/owned_map.hpp"
#include "core/target/remote/wire.hpp"

namespace pcilens::remote {
namespace {

using Maps = std::vector<std::shared_ptr<const OwnedRegisterMap>>;

std::size_t flat_count(const RegisterMap& map) {
  std::size_t count = 0;
  for (const Register* r : map.registers) count += r->count;
  return count;
}

// ---- to the wire -------------------------------------------------------------------------------

void write_names(rpc::FunctionNames::Builder to, const FunctionNames& names) {
  to.setInstance(text(names.instance));
  to.setBdf(text(names.bdf));
  if (names.config) {
    std::vector<kj::byte> image;
    image.reserve(kConfigSize);
    for (std::uint64_t i = 0; i < kConfigSize; ++i) {
      const auto byte = names.config->first_value(i, 1);
      if (!byte) break;
      image.push_back(static_cast<kj::byte>(*byte));
    }
    to.setConfig({image.data(), image.size()});
  }
  auto maps = to.initMaps(static_cast<unsigned>(names.bars.size()));
  for (unsigned i = 0; i < maps.size(); ++i)
    if (names.bars[i]) maps.set(i, text(map_to_json(names.bars[i]->map())));
}

void write_bank(rpc::Bank::Builder to, const FunctionState::Bank& now,
                const FunctionState::Bank* before) {
  to.setBar(now.bar);
  to.setCount(static_cast<std::uint32_t>(now.registers.size()));
  const bool whole = before == nullptr || before->bar != now.bar ||
                     before->registers.size() != now.registers.size();
  to.setWhole(whole);
  std::vector<std::uint32_t> changed;
  for (std::uint32_t i = 0; i < now.registers.size(); ++i) {
    if (!whole) {
      const RegisterState &a = now.registers[i], &b = before->registers[i];
      if (a.value == b.value && a.changed_seq == b.changed_seq && a.changed_by == b.changed_by)
        continue;
    }
    changed.push_back(i);
  }
  auto registers = to.initRegisters(static_cast<unsigned>(changed.size()));
  for (unsigned i = 0; i < changed.size(); ++i) {
    const RegisterState& r = now.registers[changed[i]];
    registers[i].setIndex(changed[i]);
    registers[i].setValue(r.value);
    registers[i].setChangedSeq(r.changed_seq);
    registers[i].setChangedBy(static_cast<std::uint8_t>(r.changed_by));
  }
}

void write_function(rpc::FunctionState::Builder to, const FunctionState& now,
                    const FunctionState* before) {
  to.setInstance(text(now.instance));
  to.setDevice(text(now.device));
  to.setBdf(text(now.bdf));
  to.setPlugged(now.plugged);
  if (now.config && (before == nullptr || before->config != now.config))
    to.setConfig({reinterpret_cast<const kj::byte*>(now.config->data()), now.config->size()});
  auto bars = to.initBars(static_cast<unsigned>(now.bars.size()));
  for (unsigned i = 0; i < bars.size(); ++i) {
    bars[i].setIndex(now.bars[i].index);
    bars[i].setSize(now.bars[i].size);
    bars[i].setAddress(now.bars[i].address);
    bars[i].setIs64bit(now.bars[i].is_64bit);
    bars[i].setPrefetchable(now.bars[i].prefetchable);
  }
  auto banks = to.initBanks(static_cast<unsigned>(now.banks.size()));
  for (unsigned i = 0; i < banks.size(); ++i)
    write_bank(banks[i], now.banks[i],
               before != nullptr && i < before->banks.size() ? &before->banks[i] : nullptr);
}

void write_stop(rpc::Stop::Builder to, const Stop& stop) {
  write(to.initTransaction(), stop.transaction);
  to.setPhase(static_cast<std::uint8_t>(stop.phase));
  auto breakpoints = to.initBreakpoints(static_cast<unsigned>(stop.breakpoints.size()));
  for (unsigned i = 0; i < breakpoints.size(); ++i) breakpoints.set(i, stop.breakpoints[i]);
  to.setReason(text(stop.reason));
  to.setRefusal(text(stop.refusal));
  to.setOriginal(stop.original);
  to.setEdited(stop.edited);
  to.setThreadName(text(stop.thread_name));
  // The other side has a clock of its own.
  const auto lasted = std::chrono::steady_clock::now() - stop.since;
  to.setLastedNs(static_cast<std::uint64_t>(std::chrono::nanoseconds(lasted).count()));
}

// ---- from the wire -----------------------------------------------------------------------------

Result<std::shared_ptr<const Names>> read_names(capnp::List<rpc::FunctionNames>::Reader functions) {
  auto names = std::make_shared<Names>();
  auto maps = std::make_shared<Maps>();
  for (const auto from : functions) {
    FunctionNames f{.instance = string(from.getInstance()),
                    .bdf = string(from.getBdf()),
                    .bars = {},
                    .config = nullptr};
    if (const auto image = from.getConfig(); image.size() > 0 && image.size() <= kConfigSize)
      f.config =
          std::make_shared<ConfigNames>(std::as_bytes(std::span(image.begin(), image.size())));
    for (const auto json : from.getMaps()) {
      if (json.size() == 0) continue;
      auto map = map_from_json({json.cStr(), json.size()});
      if (!map) return tl::unexpected(map.error());
      f.bars.push_back(std::make_shared<RegisterLookup>((*map)->map()));
      maps->push_back(std::move(*map));
    }
    names->functions.push_back(std::move(f));
  }
  names->keeps = maps;
  return names;
}

Error torn() {
  return {"the other side sent a snapshot that does not fit the one before; attach again"};
}

// Screens go through a bank and its map side by side: they must have the same length.
Result<FunctionState::Bank> read_bank(rpc::Bank::Reader from, const RegisterLookup* lookup,
                                      const FunctionState::Bank* before) {
  FunctionState::Bank bank{.bar = from.getBar(), .registers = {}};
  if (lookup == nullptr || flat_count(lookup->map()) != from.getCount())
    return tl::unexpected(torn());
  if (from.getWhole()) {
    if (from.getRegisters().size() != from.getCount()) return tl::unexpected(torn());
    bank.registers.resize(from.getCount());
  } else {
    if (before == nullptr || before->bar != bank.bar || before->registers.size() != from.getCount())
      return tl::unexpected(torn());
    bank.registers = before->registers;
  }
  for (const auto r : from.getRegisters()) {
    const auto origin = checked(r.getChangedBy(), Origin::Lesson);
    if (!origin) return tl::unexpected(origin.error());
    if (r.getIndex() >= bank.registers.size()) return tl::unexpected(torn());
    bank.registers[r.getIndex()] = {
        .value = r.getValue(), .changed_seq = r.getChangedSeq(), .changed_by = *origin};
  }
  return bank;
}

Result<FunctionState> read_function(rpc::FunctionState::Reader from, std::uint8_t index,
                                    const Names& names, const FunctionState* before) {
  FunctionState f{.instance = string(from.getInstance()),
                  .device = string(from.getDevice()),
                  .bdf = string(from.getBdf()),
                  .plugged = from.getPlugged(),
                  .config = nullptr,
                  .bars = {},
                  .banks = {}};
  if (from.hasConfig()) {
    const auto bytes = std::as_bytes(std::span(from.getConfig().begin(), from.getConfig().size()));
    if (bytes.size() != kConfigSize) return tl::unexpected(torn());
    f.config = std::make_shared<std::vector<std::byte>>(bytes.begin(), bytes.end());
  } else if (before != nullptr) {
    f.config = before->config;
  }
  for (const auto bar : from.getBars()) {
    if (bar.getIndex() > 5) return tl::unexpected(torn());
    f.bars.push_back({.index = bar.getIndex(),
                      .size = bar.getSize(),
                      .address = bar.getAddress(),
                      .is_64bit = bar.getIs64bit(),
                      .prefetchable = bar.getPrefetchable()});
  }
  std::size_t i = 0;
  for (const auto bank : from.getBanks()) {
    auto now =
        read_bank(bank, names.bar(index, bank.getBar()),
                  before != nullptr && i < before->banks.size() ? &before->banks[i] : nullptr);
    if (!now) return tl::unexpected(now.error());
    f.banks.push_back(std::move(*now));
    ++i;
  }
  return f;
}

constexpr std::uint64_t kYear = 366ull * 86'400 * 1'000'000'000;  // no stop is older

Result<Stop> read_stop(rpc::Stop::Reader from) {
  auto transaction = read(from.getTransaction());
  if (!transaction) return tl::unexpected(transaction.error());
  const auto phase = checked(from.getPhase(), Phase::After);
  if (!phase) return tl::unexpected(phase.error());
  Stop stop{.transaction = *transaction,
            .phase = *phase,
            .breakpoints = {},
            .reason = string(from.getReason()),
            .refusal = string(from.getRefusal()),
            .original = from.getOriginal(),
            .edited = from.getEdited(),
            .thread_name = string(from.getThreadName()),
            .since = std::chrono::steady_clock::now() -
                     std::chrono::nanoseconds(std::min<std::uint64_t>(from.getLastedNs(), kYear))};
  for (const auto number : from.getBreakpoints()) stop.breakpoints.push_back(number);
  return stop;
}

}  // namespace

void write(rpc::Snapshot::Builder to, const Snapshot& now, const Snapshot* before) {
  to.setVersion(now.version);
  to.setState(static_cast<std::uint8_t>(now.state));
  to.setGone(now.gone);
  if (now.stop) write_stop(to.initStop(), *now.stop);
  to.setSeq(now.seq);
  to.setNowNs(now.now_ns);
  to.setInFlight(now.in_flight);
  to.setHost(text(now.host));
  to.setTrace(text(now.trace));
  to.setDriver(text(now.driver));
  to.setBinding(static_cast<std::uint8_t>(now.binding));
  to.setBindingText(text(now.binding_text));
  auto complaints = to.initComplaints(static_cast<unsigned>(now.complaints.size()));
  for (unsigned i = 0; i < complaints.size(); ++i) complaints.set(i, text(now.complaints[i]));
  if (before == nullptr || before->names != now.names) {
    to.setNamesChanged(true);
    if (now.names) {
      auto names = to.initNames(static_cast<unsigned>(now.names->functions.size()));
      for (unsigned i = 0; i < names.size(); ++i) write_names(names[i], now.names->functions[i]);
    }
  }
  auto functions = to.initFunctions(static_cast<unsigned>(now.functions.size()));
  for (unsigned i = 0; i < functions.size(); ++i)
    write_function(
        functions[i], now.functions[i],
        before != nullptr && i < before->functions.size() ? &before->functions[i] : nullptr);
  auto breakpoints = to.initBreakpoints(static_cast<unsigned>(now.breakpoints.size()));
  for (unsigned i = 0; i < breakpoints.size(); ++i) {
    const BreakpointState& state = now.breakpoints[i];
    breakpoints[i].setNumber(state.number);
    write(breakpoints[i].initBreakpoint(), state.breakpoint);
    breakpoints[i].setEnabled(state.enabled);
    breakpoints[i].setHits(state.hits);
    breakpoints[i].setSynchronous(text(state.synchronous));
  }
  auto faults = to.initFaults(static_cast<unsigned>(now.faults.size()));
  for (unsigned i = 0; i < faults.size(); ++i) {
    const FaultState& state = now.faults[i];
    faults[i].setNumber(state.number);
    write(faults[i].initFault(), state.fault);
    faults[i].setEnabled(state.enabled);
    faults[i].setActed(state.acted);
    faults[i].setSynchronous(text(state.synchronous));
  }
}

Result<std::shared_ptr<const Snapshot>> read(rpc::Snapshot::Reader from, const Snapshot& before) {
  auto now = std::make_shared<Snapshot>();
  now->version = from.getVersion();
  const auto state = checked(from.getState(), RunState::Ended);
  if (!state) return tl::unexpected(state.error());
  now->state = *state;
  now->gone = from.getGone();
  if (from.hasStop()) {
    auto stop = read_stop(from.getStop());
    if (!stop) return tl::unexpected(stop.error());
    now->stop = std::move(*stop);
  }
  // Screens look at the one if the other says so.
  if ((now->state == RunState::Stopped) != now->stop.has_value()) return tl::unexpected(torn());
  now->seq = from.getSeq();
  now->now_ns = from.getNowNs();
  now->in_flight = from.getInFlight();
  now->host = string(from.getHost());
  now->trace = string(from.getTrace());
  now->driver = string(from.getDriver());
  const auto binding = checked(from.getBinding(), Binding::NotLoaded);
  if (!binding) return tl::unexpected(binding.error());
  now->binding = *binding;
  now->binding_text = string(from.getBindingText());
  for (const auto complaint : from.getComplaints()) {
    if (now->complaints.size() == Snapshot::kMostComplaints) break;
    now->complaints.push_back(string(complaint));
  }
  now->names = before.names;
  if (from.getNamesChanged()) {
    auto names = read_names(from.getNames());
    if (!names) return tl::unexpected(names.error());
    now->names = std::move(*names);
  }
  if (!now->names) return tl::unexpected(torn());
  if (from.getFunctions().size() > 256) return tl::unexpected(torn());
  std::size_t i = 0;
  for (const auto function : from.getFunctions()) {
    auto f = read_function(function, static_cast<std::uint8_t>(i), *now->names,
                           i < before.functions.size() ? &before.functions[i] : nullptr);
    if (!f) return tl::unexpected(f.error());
    now->functions.push_back(std::move(*f));
    ++i;
  }
  for (const auto b : from.getBreakpoints()) {
    auto breakpoint = read(b.getBreakpoint());
    if (!breakpoint) return tl::unexpected(breakpoint.error());
    now->breakpoints.push_back({.number = b.getNumber(),
                                .breakpoint = std::move(*breakpoint),
                                .enabled = b.getEnabled(),
                                .hits = b.getHits(),
                                .synchronous = string(b.getSynchronous())});
  }
  for (const auto f : from.getFaults()) {
    auto fault = read(f.getFault());
    if (!fault) return tl::unexpected(fault.error());
    now->faults.push_back({.number = f.getNumber(),
                           .fault = std::move(*fault),
                           .enabled = f.getEnabled(),
                           .acted = f.getActed(),
                           .synchronous = string(f.getSynchronous())});
  }
  return now;
}

}  // namespace pcilens::remote
