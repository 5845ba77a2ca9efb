#include "core/target/snapshot.hpp"

#include <algorithm>

namespace pcilens {
namespace {

std::vector<BarState> bars_of(const ConfigSpace& config) {
  std::vector<BarState> bars;
  for (const Bar& bar : config.bars())
    if (bar.size != 0)
      bars.push_back({.index = bar.index,
                      .size = bar.size,
                      .address = config.bar_address(bar.index),
                      .is_64bit = bar.is_64bit,
                      .prefetchable = bar.prefetchable});
  return bars;
}

FunctionState::Bank bank_of(const Link& link, std::uint8_t index, std::int8_t bar,
                            const RegisterBank& bank) {
  FunctionState::Bank state{.bar = bar, .registers = {}};
  for (const Register* r : bank.map().registers) {
    for (std::uint32_t i = 0; i < r->count; ++i) {
      const auto change = link.last_change(index, bar, r->offset_of(i));
      state.registers.push_back(
          {.value = bank.peek({r, i}), .changed_seq = change.seq, .changed_by = change.origin});
    }
  }
  return state;
}

std::shared_ptr<const std::vector<std::byte>> config_of(const Function& function,
                                                        const FunctionState* before) {
  const auto bytes = function.config().bytes();
  if (before != nullptr && before->config &&
      std::equal(bytes.begin(), bytes.end(), before->config->begin(), before->config->end()))
    return before->config;
  return std::make_shared<std::vector<std::byte>>(bytes.begin(), bytes.end());
}

}  // namespace

std::shared_ptr<Snapshot> take_snapshot(const Link& link, const Snapshot& before) {
  auto now = std::make_shared<Snapshot>();
  now->version = before.version + 1;
  now->names = link.names();
  now->seq = link.last_seq();
  now->now_ns = link.time_ns();
  now->in_flight = link.waiting();
  now->breakpoints = link.breakpoints().list();
  now->faults = link.faults().list();
  if (link.stop()) {
    const HeldTransaction& held = *link.stop();
    now->state = RunState::Stopped;
    now->stop = Stop{.transaction = held.transaction,
                     .phase = held.phase,
                     .breakpoints = held.breakpoints,
                     .reason = held.reason,
                     .refusal = held.refusal,
                     .original = held.original,
                     .edited = held.edited,
                     .thread_name = {},
                     .since = held.since};
    if (link.host() != nullptr)
      now->stop->thread_name = link.host()->thread_name(held.transaction.thread);
    now->stop->transaction.payload = {};
  } else if (link.held()) {
    now->state = RunState::Paused;
  }
  for (std::size_t i = 0; i < link.functions(); ++i) {
    const auto index = static_cast<std::uint8_t>(i);
    const FunctionState* earlier = i < before.functions.size() ? &before.functions[i] : nullptr;
    const FunctionNames& names = now->names->functions[i];
    FunctionState state{
        .instance = names.instance, .device = link.device_name(index), .bdf = names.bdf};
    const Function* function = link.function(index);
    state.plugged = function != nullptr;
    if (function == nullptr) {
      state.config = earlier != nullptr ? earlier->config : nullptr;
      if (!state.config)
        state.config = std::make_shared<std::vector<std::byte>>(kConfigSize, std::byte{0xff});
    } else {
      state.config = config_of(*function, earlier);
      state.bars = bars_of(function->config());
      for (std::int8_t bar = 0; bar < 6; ++bar)
        if (const RegisterBank* bank = function->bank(bar))
          state.banks.push_back(bank_of(link, index, bar, *bank));
    }
    now->functions.push_back(std::move(state));
  }
  return now;
}

DmaMapping to_show(const DmaMappings::Mapping& mapping, std::string_view by) {
  return {.function = mapping.function,
          .iova = mapping.iova,
          .size = mapping.size,
          .direction = mapping.direction,
          .seq = mapping.seq,
          .t_ns = mapping.t_ns,
          .by = std::string(by)};
}

std::string_view name_of(RunState state) {
  switch (state) {
    case RunState::Running: return "running";
    case RunState::Paused: return "paused";
    case RunState::Stopped: return "stopped";
    case RunState::Ended: return "ended";
  }
  return "?";
}

std::string_view name_of(Binding binding) {
  switch (binding) {
    case Binding::NotKnown: return "not known";
    case Binding::Probing: return "probing";
    case Binding::Bound: return "bound";
    case Binding::Unbound: return "unbound";
    case Binding::NotLoaded: return "not loaded";
  }
  return "?";
}

}  // namespace pcilens
