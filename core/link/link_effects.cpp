// What functions cause: DMA, interrupts, timers, changes of their own state. Each is carried after
// the handler that asked for it has returned, in the order of asking.
#include <fmt/format.h>

#include <algorithm>
#include <tuple>
#include <utility>

#include "core/link/link_internal.hpp"

namespace pcilens {

// ---- the port that a function sees -------------------------------------------------------------

void Link::Plugged::submit(Operation& operation) {
  operation.cause = link.current_;
  if (operation.kind == Kind::Timer) {
    operation.number = ++timers;
    operation.due_ns = link.time_ + operation.delay_ns;
    link.timers_.emplace_back(index, &operation);
    link.commands_.poke();  // the link thread may have to wake earlier
    return;
  }
  link.effects_.push_back(
      {.what = operation.kind == Kind::Input ? Effect::What::Input : Effect::What::Dma,
       .function = index,
       .cause = link.current_,
       .operation = &operation});
}

void Link::Plugged::cancel(Operation& operation) {
  std::erase_if(link.timers_, [&](const auto& timer) { return timer.second == &operation; });
  for (Effect& effect : link.effects_)
    if (effect.operation == &operation) effect.operation = nullptr;
}

void Link::Plugged::interrupt(std::uint32_t vector) {
  link.effects_.push_back({.what = Effect::What::Interrupt,
                           .function = index,
                           .offset = vector,
                           .cause = link.current_});
}

void Link::Plugged::intx(bool asserted) {
  link.effects_.push_back({.what = Effect::What::Intx,
                           .function = index,
                           .offset = kIntxVector,
                           .value = asserted,
                           .cause = link.current_});
}

void Link::Plugged::state_changed(std::int8_t bar, std::uint64_t offset, std::uint32_t size,
                                  std::uint64_t value) {
  link.effects_.push_back({.what = Effect::What::State,
                           .function = index,
                           .bar = bar,
                           .size = size,
                           .offset = offset,
                           .value = value,
                           .cause = link.current_});
}

void Link::Plugged::note(std::string_view text) {
  link.recorder_.blob(BlobKind::Note, link.current_, as_bytes(text));
}

void Link::Plugged::touched(const Transaction& t) {
  if (t.bar < 0 || t.bar > 5 || is_read(t.kind)) return;
  auto& [unit, last] = changes[t.bar];
  const std::uint64_t end = (t.offset + (t.size == 0 ? 0 : t.size - 1)) / unit;
  for (std::uint64_t i = t.offset / unit; i <= end && i < last.size(); ++i)
    last[i] = {t.seq, t.origin};
}

// ---- carrying them -----------------------------------------------------------------------------

void Link::pump(Lock& lock) {
  // A poke during a stop puts its own effects behind those that wait, carries them, and takes them
  // off again (aside): so the list below effect_base_ stays as it is.
  while (next_effect_ < effects_.size()) {
    Effect effect = effects_[next_effect_++];
    switch (effect.what) {
      case Effect::What::Dma: move_dma(effect, lock); break;
      case Effect::What::Input: take_input(effect, lock); break;
      case Effect::What::Interrupt:
      case Effect::What::Intx: send_interrupt(effect, lock); break;
      case Effect::What::Timer: run_out(effect, lock); break;
      case Effect::What::Nothing: break;
      case Effect::What::State: {
        Slot& slot = take_slot();
        slot.t = {.offset = effect.offset,
                  .value = effect.value,
                  .cause = effect.cause,
                  .size = effect.size,
                  .kind = Kind::State,
                  .origin = Origin::Function,
                  .bar = effect.bar,
                  .function = effect.function};
        number(slot.t);
        slot.t.status = Status::SC;
        slot.done = slot.changes_register = true;
        plugged_[effect.function]->touched(slot.t);
        finish(slot, lock);
        free_slot(slot);
        break;
      }
      case Effect::What::Reply: {
        Slot& slot = *slots_[effect.slot];
        if (slot.generation != effect.generation || slot.done) break;
        slot.t.value = effect.value & mask_of_size(slot.t.size);
        slot.t.status = effect.status;
        slot.t.answered_by = effect.answered_by;
        slot.done = true;
        if (slot.when_done) {
          finish(slot, lock);
          const auto done = std::move(slot.when_done);
          const Transaction completed = slot.t;
          free_slot(slot);
          done(completed);
        } else {
          delivery_.notify_all();
        }
        break;
      }
    }
  }
  effects_.resize(effect_base_);
  next_effect_ = effect_base_;
}

// Completes what functions have and shall not answer any more.
void Link::give_up(const std::function<bool(const Slot&)>& which, Status status, Lock& lock) {
  aside([&] {
    for (const auto& slot : slots_)
      if (slot->in_use && slot->delivered && !slot->done && which(*slot))
        effects_.push_back({.what = Effect::What::Reply,
                            .cause = current_,
                            .slot = slot->index,
                            .generation = slot->generation,
                            .status = status,
                            .answered_by = AnsweredBy::Nobody});
    pump(lock);
  });
}

void Link::move_dma(Effect& effect, Lock& lock) {
  if (effect.operation == nullptr) return;  // its task was ended by a reset
  const Operation& asked = *effect.operation;
  Slot& slot = take_slot();
  slot.t = {.offset = asked.offset,
            .cause = effect.cause,
            .size = static_cast<std::uint32_t>(asked.data.size()),
            .kind = asked.kind,
            .origin = Origin::Function,
            .bar = kBarDma,
            .function = effect.function};
  Transaction& t = slot.t;
  if (asked.kind == Kind::DmaWrite) {
    t.payload = asked.data;
    std::memcpy(&t.value, asked.data.data(), std::min<std::size_t>(asked.data.size(), 8));
  }
  number(t);
  slot.sent = t.value;
  bool carry = true;
  // A write carries the bytes of the moment it was sent, whatever happens to the device's memory
  // while it is held or delayed; what came for a read is kept through a stop after it.
  std::vector<std::byte> in_flight;
  if (watched(t)) [[unlikely]] {
    in_flight.assign(t.payload.begin(), t.payload.end());
    t.payload = in_flight;
    carry = before(slot, lock);
  }
  // The stop may have let a reset or an unplug through: then the waiter and its buffer are gone.
  Operation* operation = effects_[next_effect_ - 1].operation;
  if (operation == nullptr) {
    t.payload = {};
    t.status = Status::CA;
  } else if (carry) {
    const Function& function = *plugged_[effect.function]->function;
    if (t.kind == Kind::DmaWrite && slot.t.edited)
      std::memcpy(in_flight.data(), &t.value, std::min<std::size_t>(t.size, 8));
    if (function.config().bus_master()) {
      t.status = reach(slot, operation->data, t.payload);
    } else {
      t.status = Status::UR;  // PCIe 5.0, 7.5.1.1.3: no requests without bus master enable
      refused(slot, "COMMAND.BME is 0");
    }
    if (t.kind == Kind::DmaRead && t.status == Status::SC) {
      t.payload = operation->data;
      if (watched(t)) [[unlikely]] {
        in_flight.assign(t.payload.begin(), t.payload.end());
        t.payload = in_flight;
      }
      std::memcpy(&t.value, operation->data.data(), std::min<std::size_t>(t.size, 8));
    }
  }
  slot.done = true;
  // The bytes that came, or were changed, since it was recorded as pending.
  if (slot.recorded && !t.payload.empty() && (t.kind == Kind::DmaRead || slot.t.edited))
    recorder_.blob(BlobKind::Payload, t.seq, t.payload);
  finish(slot, lock);
  operation = effects_[next_effect_ - 1].operation;
  if (operation != nullptr) {
    // One that failed brought nothing that could be changed.
    if (slot.t.edited && t.kind == Kind::DmaRead && t.status == Status::SC)
      std::memcpy(operation->data.data(), &t.value, std::min<std::size_t>(t.size, 8));
    // A posted write has no completion: that it was lost on its way nobody tells the sender.
    const bool lost = t.kind == Kind::DmaWrite && t.status == Status::Timeout;
    operation->status = lost ? Status::SC : t.status;
    current_ = t.seq;
    resume_waiter(*operation, effect.function);
  }
  free_slot(slot);
}

// The bytes of a DMA from host memory or to it, as far as the host lets the function.
Status Link::reach(Slot& slot, std::span<std::byte> to, std::span<const std::byte> from) {
  const Transaction& t = slot.t;
  if (host_ == nullptr) return Status::UR;
  carried_ = t.seq;
  const bool reads = t.kind == Kind::DmaRead;
  const Status status = reads ? host_->dma_read(t.function, t.offset, to)
                              : host_->dma_write(t.function, t.offset, from);
  if (status != Status::SC)
    refused(slot, mappings_.why_not(t.function, t.offset, reads ? to.size() : from.size(),
                                    reads ? DmaDirection::ToDevice : DmaDirection::FromDevice,
                                    [this](std::uint32_t site) { return symbol(site); }));
  return status;
}

void Link::refused(Slot& slot, std::string why) {
  finding_within(slot.t.seq, "dma", why);
  slot.refusal = std::move(why);
}

void Link::driver_left(std::uint8_t function) {
  const Lock lock(mutex_);
  if (function >= plugged_.size() || !plugged_[function]) return;
  // What an earlier driver left has been told then.
  const std::uint64_t since = std::exchange(plugged_[function]->driver_left, seq_);
  mappings_.for_each([&](const DmaMappings::Mapping& m) {
    if (m.function != function || m.seq <= since) return;
    finding_within(m.seq, "dma-leak",
                   fmt::format("{}: never unmapped, and its driver has let go of {}",
                               describe(m, [this](std::uint32_t site) { return symbol(site); }),
                               plugged_[function]->instance));
  });
}

// What the function read outside becomes a part of the link's history before it acts on it.
void Link::take_input(Effect& effect, Lock& lock) {
  if (effect.operation == nullptr) return;  // its task was ended by a reset
  Operation& operation = *effect.operation;
  Slot& slot = take_slot();
  slot.t = {.offset = operation.offset,
            .cause = effect.cause,
            .size = static_cast<std::uint32_t>(operation.data.size()),
            .kind = Kind::Input,
            .origin = Origin::Function,
            .function = effect.function};
  number(slot.t);
  if (host_ != nullptr) host_->input(effect.function, operation.offset, operation.data);
  std::memcpy(&slot.t.value, operation.data.data(),
              std::min<std::size_t>(operation.data.size(), 8));
  slot.t.payload = operation.data;
  // As of a DMA read, kept through a stop after it.
  std::vector<std::byte> came;
  if (watched(slot.t)) [[unlikely]] {
    came.assign(operation.data.begin(), operation.data.end());
    slot.t.payload = came;
  }
  slot.t.status = Status::SC;
  slot.done = true;
  finish(slot, lock);
  // A stop after it may have let a reset through.
  if (Operation* waiting = effects_[next_effect_ - 1].operation) {
    waiting->status = Status::SC;
    current_ = slot.t.seq;
    resume_waiter(*waiting, effect.function);
  }
  free_slot(slot);
}

void Link::send_interrupt(Effect& effect, Lock& lock) {
  Slot& slot = take_slot();
  slot.t = {.offset = effect.offset,
            .value = effect.value,
            .cause = effect.cause,
            .kind = Kind::Irq,
            .origin = Origin::Function,
            .bar = kBarInterrupt,
            .function = effect.function};
  number(slot.t);
  slot.sent = slot.t.value;
  bool carry = true;
  if (watched(slot.t)) [[unlikely]]
    carry = before(slot, lock);
  carried_ = slot.t.seq;
  if (carry)
    slot.t.status = host_ == nullptr
                        ? Status::UR
                        : host_->interrupt(effect.function, slot.t.offset, slot.t.value);
  slot.done = true;
  finish(slot, lock);
  free_slot(slot);
}

void Link::resume_waiter(Operation& operation, std::uint8_t function) {
  Plugged& plugged = *plugged_[function];
  const Working working(*this, plugged, nullptr);
  try {
    operation.waiter.resume();
    if (plugged.function) plugged.function->reap();
  } catch (const std::exception& e) {
    model_failed(function, e.what());
  } catch (...) {
    model_failed(function, "something that is no std::exception");
  }
}

// ---- timers ------------------------------------------------------------------------------------

std::optional<std::uint64_t> Link::next_due() const {
  std::optional<std::uint64_t> due;
  for (const auto& [function, operation] : timers_)
    if (!due || operation->due_ns < *due) due = operation->due_ns;
  return due;
}

void Link::run_timers(Lock& lock) {
  while (!held_ && !closing_) {
    auto first = std::min_element(timers_.begin(), timers_.end(), [](const auto& a, const auto& b) {
      return std::tie(a.second->due_ns, a.first, a.second->number) <
             std::tie(b.second->due_ns, b.first, b.second->number);
    });
    const std::uint64_t now = clock_.now_ns();
    if (first == timers_.end() || first->second->due_ns > now) return;
    expire(static_cast<std::size_t>(first - timers_.begin()), {.t_ns = now}, lock);
  }
}

// A delay is over: `when` has the time, and a number where it is a recorded one. It may be in the
// middle of somebody's transaction that a rule delays, whose effects wait meanwhile.
void Link::expire(std::size_t timer, const Transaction& when, Lock& lock) {
  const auto [function, operation] = timers_[timer];
  timers_.erase(timers_.begin() + static_cast<std::ptrdiff_t>(timer));
  aside([&, function = function, operation = operation] {
    effects_.push_back({.what = Effect::What::Timer,
                        .function = function,
                        .offset = operation->number,
                        .cause = operation->cause,
                        .operation = operation,
                        .seq = when.seq,
                        .t_ns = when.t_ns});
    pump(lock);
  });
}

void Link::run_out(Effect& effect, Lock& lock) {
  Slot& slot = take_slot();
  slot.t = {.seq = effect.seq,
            .t_ns = effect.t_ns,
            .offset = effect.offset,
            .cause = effect.cause,
            .kind = Kind::Timer,
            .origin = Origin::Function,
            .function = effect.function};
  number(slot.t);
  slot.t.status = Status::SC;
  slot.done = true;
  finish(slot, lock);
  current_ = slot.t.seq;
  free_slot(slot);
  // A stop at the timer may have let a reset or an unplug through: then nobody waits any more.
  Operation* const operation = effects_[next_effect_ - 1].operation;
  if (operation == nullptr) return;
  operation->status = Status::SC;
  resume_waiter(*operation, effect.function);
}

bool Link::fire_timer(std::uint8_t function, std::uint64_t number, std::uint64_t t_ns,
                      std::uint64_t seq) {
  const auto it = std::find_if(timers_.begin(), timers_.end(), [&](const auto& timer) {
    return timer.first == function && timer.second->number == number;
  });
  if (it == timers_.end()) return false;
  // As for what is carried aside: the lock is ours, or nobody else is there.
  Lock lock(mutex_, std::adopt_lock);
  expire(static_cast<std::size_t>(it - timers_.begin()), {.seq = seq, .t_ns = t_ns}, lock);
  lock.release();
  return true;
}

}  // namespace pcilens
