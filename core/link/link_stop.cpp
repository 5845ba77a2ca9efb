// Where the road is interrupted: breakpoints and steps that hold, rules that do wrong on purpose.
#include <string>
#include <utility>

#include "core/link/link_internal.hpp"

namespace pcilens {

EventView Link::view(const Transaction& t, Phase phase) const {
  EventView view{.t = t, .phase = phase, .last = last_, .names = *names_};
  if (t.site < site_symbols_.size()) view.symbol = site_symbols_[t.site];
  return view;
}

bool Link::step_ends_at(const Slot& slot, Phase phase) const {
  if (!step_) return false;
  const Transaction& t = slot.t;
  const bool host_access = is_config(t.kind) || is_memory(t.kind);
  switch (step_->until) {
    case Step::Until::Any:
      return (phase == Phase::After) == has_no_before(t.kind) && t.kind != Kind::State;
    case Step::Until::NextAccess:
      return phase == Phase::Before && host_access && t.origin != Origin::Poke;
    case Step::Until::Interrupt: return phase == Phase::Before && t.kind == Kind::Irq;
    case Step::Until::RegisterChange: return phase == Phase::After && slot.changes_register;
    case Step::Until::Expression: {
      const bool late = step_expression_->needs_completion() || has_no_before(t.kind);
      return (phase == Phase::After) == late && step_expression_->matches(view(t, phase));
    }
  }
  return false;
}

namespace {

std::string reason_of(const std::vector<std::uint32_t>& numbers, const BreakpointTable& table) {
  std::string reason;
  for (const std::uint32_t number : numbers) {
    const BreakpointState* state = table.find(number);
    if (!reason.empty()) reason += ", ";
    reason += "breakpoint " + std::to_string(number);
    if (state != nullptr) reason += ": " + state->breakpoint.expression;
  }
  return reason;
}

}  // namespace

// True if the function (or host) shall still see it; false if a rule has completed it.
bool Link::before(Slot& slot, Lock& lock) {
  Transaction& t = slot.t;
  if (options_.gate) {
    // The gate may deliver others, which have numbers of their own.
    const std::uint64_t stimulus = current_;
    options_.gate(t, Phase::Before);
    current_ = stimulus;
    seq_ = std::max(seq_, t.seq);
    return true;
  }
  if (step_ && step_->until == Step::Until::RegisterChange && t.bar >= 0 &&
      t.kind == Kind::MemWrite && function(t.function) != nullptr)
    slot.before_value = function(t.function)->peek(t.bar, t.offset, t.size).value_or(0);
  stops_.clear();
  logged_.clear();
  const EventView seen = view(t, Phase::Before);
  if (!poking_ && breakpoints_.may_match(t)) breakpoints_.match(seen, stops_, logged_);
  for (const std::uint32_t number : logged_)
    recorder_.blob(BlobKind::Note, t.seq, as_bytes("matched " + reason_of({number}, breakpoints_)));
  if (!poking_) {
    const bool first = first_access_ && is_memory(t.kind) && t.origin == Origin::Driver;
    if (first) first_access_ = false;
    if (!stops_.empty())
      hold(slot, Phase::Before, reason_of(stops_, breakpoints_), stops_, lock);
    else if (first)
      hold(slot, Phase::Before, "the driver's first access", {}, lock);
    else if (step_ends_at(slot, Phase::Before))
      hold(slot, Phase::Before, "step", {}, lock);
  }
  if (faults_.may_match(t))
    if (const FaultState* rule = faults_.match(view(t, Phase::Before)))
      return apply_fault_before(slot, *rule, lock);
  return true;
}

void Link::after(Slot& slot, Lock& lock) {
  Transaction& t = slot.t;
  if (options_.gate) {
    const std::uint64_t stimulus = current_;
    options_.gate(t, Phase::After);
    current_ = stimulus;
    return;
  }
  if (t.kind == Kind::MemWrite && step_ && step_->until == Step::Until::RegisterChange &&
      function(t.function) != nullptr)
    slot.changes_register =
        function(t.function)->peek(t.bar, t.offset, t.size).value_or(0) != slot.before_value;
  if (faults_.may_match(t)) {
    if (const FaultState* rule = faults_.match(view(t, Phase::After))) {
      const bool flips = rule->fault.action == FaultAction::FlipBits;
      if (flips)
        t.value ^= rule->fault.amount;
      else if (rule->fault.action == FaultAction::ReplaceBits)
        t.value = (t.value & ~rule->fault.mask) | (rule->fault.amount & rule->fault.mask);
      else if (rule->fault.action == FaultAction::AllOnes)
        t.value = ~0ull;
      t.value &= mask_of_size(t.size);
      slot.t.edited = true;
      slot.rule = rule->number;
    }
  }
  if (poking_) return;
  stops_.clear();
  logged_.clear();
  if (breakpoints_.may_match(t)) breakpoints_.match(view(t, Phase::After), stops_, logged_);
  for (const std::uint32_t number : logged_)
    recorder_.blob(BlobKind::Note, t.seq, as_bytes("matched " + reason_of({number}, breakpoints_)));
  if (!stops_.empty())
    hold(slot, Phase::After, reason_of(stops_, breakpoints_), stops_, lock);
  else if (step_ends_at(slot, Phase::After))
    hold(slot, Phase::After, "step", {}, lock);
}

// Waits, with the lock free, until `over` holds, asked anew at `until` at the latest. Commands run
// meanwhile, on the link thread or right here when this is the link thread. What they carry may
// have to wait in its turn, and then goes on first: the effects of each lie above the last one's.
void Link::park(Lock& lock, std::optional<std::chrono::steady_clock::time_point> until,
                const std::function<bool()>& over) {
  using SteadyTime = std::chrono::steady_clock;
  constexpr auto kLook = std::chrono::milliseconds(50);
  const unsigned level = ++parked_;
  const bool here = std::this_thread::get_id() == thread_.get_id();
  while (parked_ != level || !(closing_ || over())) {
    auto wake = SteadyTime::now() + kLook;
    if (until && *until > SteadyTime::now()) wake = std::min(wake, *until);
    if (!here) {
      delivery_.wait_until(lock, wake);
      continue;
    }
    lock.unlock();
    auto command = commands_.wait_until(wake);
    lock.lock();
    if (command) command();
    tick_();
  }
  --parked_;
}

// Waits under a stop.
void Link::hold(Slot& slot, Phase phase, std::string reason, std::vector<std::uint32_t> breakpoints,
                Lock& lock) {
  if (closing_) return;
  Transaction& t = slot.t;
  if (slot.posted && phase == Phase::Before) reason += " (posted: the driver has gone on)";
  if (phase == Phase::Before)
    record_pending(slot);
  else
    record_done(slot);
  control(Control::Stop, t.seq, reason);
  for (const std::uint32_t number : breakpoints) {
    const BreakpointState* state = breakpoints_.find(number);
    if (state != nullptr && state->breakpoint.once) static_cast<void>(remove_breakpoint(number));
  }
  if (step_.has_value() || (phase == Phase::Before && breakpoints.empty())) {
    step_.reset();
    armed_changed();
  }
  const std::uint64_t stimulus = current_;
  stop_ = HeldTransaction{.transaction = t,
                          .phase = phase,
                          .breakpoints = std::move(breakpoints),
                          .reason = std::move(reason),
                          .refusal = slot.refusal,
                          .original = t.value};
  held_ = true;
  release_ = false;
  notify();
  const auto late = [&] {
    return (slot.overtaken && phase == Phase::Before) ||
           (slot.latest && std::chrono::steady_clock::now() >= *slot.latest);
  };
  park(lock, slot.latest, [&] { return release_ || late(); });
  if (!release_ && !closing_) let_pass(slot);
  if (stop_->edited) {
    t.value = stop_->transaction.value;
    slot.t.edited = true;
    // Whom a rule or the host answered, no function saw: a replay must know. The edit tells itself.
    if (is_read(t.kind) && t.answered_by == AnsweredBy::Function) t.answered_by = AnsweredBy::User;
  }
  stop_.reset();
  // The release comes last: what follows it in the order is what it lets go.
  held_ = std::exchange(pause_next_, false);
  if (held_) control(Control::Pause, 0, "paused");
  control(Control::Release, t.seq, phase == Phase::Before ? "before" : "after");
  current_ = stimulus;
  delivery_.notify_all();
  commands_.poke();
  notify();
}

// A rule's delay: requests wait behind it, timers and commands go on. Should one of those be held,
// the delay lasts until the link runs again.
void Link::hold_for(std::uint64_t ns, Slot& slot, Lock& lock) {
  if (closing_) return;
  record_pending(slot);
  const auto until = std::chrono::steady_clock::now() + std::chrono::nanoseconds(ns);
  const std::uint64_t stimulus = current_;
  // A poke's delay during a stop is over before the stop: that one waits for it.
  const bool in_a_stop = held_;
  park(lock, until,
       [&] { return (in_a_stop || !held_) && std::chrono::steady_clock::now() >= until; });
  control(Control::Release, slot.t.seq, "after its delay");
  current_ = stimulus;
  delivery_.notify_all();
  commands_.poke();
}

bool Link::apply_fault_before(Slot& slot, const FaultState& rule, Lock& lock) {
  Transaction& t = slot.t;
  slot.rule = rule.number;
  const auto completed_by_rule = [&](Status status, std::uint64_t value) {
    t.status = status;
    t.answered_by = AnsweredBy::Rule;
    if (status != Status::SC) slot.refusal = "fault rule " + std::to_string(rule.number);
    if (is_read(t.kind)) t.value = value & mask_of_size(t.size);
    slot.done = true;
    return false;
  };
  const auto change = [&](std::uint64_t value) {
    t.value = value & mask_of_size(t.size);
    slot.t.edited = true;
    return true;
  };
  const Fault fault = rule.fault;
  switch (fault.action) {
    case FaultAction::Delay: hold_for(fault.amount, slot, lock); return true;
    case FaultAction::Drop: return completed_by_rule(Status::Timeout, ~0ull);
    case FaultAction::AllOnes: return completed_by_rule(Status::SC, ~0ull);
    case FaultAction::UnsupportedRequest: return completed_by_rule(Status::UR, ~0ull);
    case FaultAction::CompleterAbort: return completed_by_rule(Status::CA, ~0ull);
    case FaultAction::FlipBits: return change(t.value ^ fault.amount);
    case FaultAction::ReplaceBits:
      return change((t.value & ~fault.mask) | (fault.amount & fault.mask));
    case FaultAction::RepeatInterrupt:
      if (t.kind != Kind::Irq || host_ == nullptr) return true;
      host_->interrupt_again(t.function, t.offset, t.value, fault.amount);
      recorder_.blob(BlobKind::Note, t.seq,
                     as_bytes("sent " + std::to_string(fault.amount) + " more times by fault " +
                              std::to_string(rule.number)));
      return true;
    case FaultAction::CutDma:
    case FaultAction::CorruptDma: return !is_dma(t.kind) || damage_dma(slot, fault);
    case FaultAction::SurpriseRemove:
    case FaultAction::Replug:
      take_away(slot, rule, lock);
      // What the function had sent is not on the link any more.
      return t.kind != Kind::Irq || completed_by_rule(Status::UR, 0);
  }
  return true;
}

// True if the link still has to move the bytes. They are damaged on their way: a device's own
// memory, where a write comes from, stays as it is.
bool Link::damage_dma(Slot& slot, const Fault& fault) {
  Transaction& t = slot.t;
  const Operation* operation = effects_[next_effect_ - 1].operation;
  const Function* sender = function(t.function);
  if (operation == nullptr || sender == nullptr || host_ == nullptr) return true;
  if (!sender->config().bus_master()) return true;  // it is refused, as without the rule
  const bool cut = fault.action == FaultAction::CutDma;
  const std::span<std::byte> all = operation->data;
  const auto part = cut ? all.first(std::min<std::size_t>(all.size(), fault.amount)) : all;
  const auto damage = [&](std::span<std::byte> bytes) {
    for (std::size_t i = 0; !cut && i < bytes.size(); ++i)
      bytes[i] ^= std::byte(fault.amount >> (8 * (i % 8)) & 0xff);
  };
  if (t.kind == Kind::DmaRead) {
    t.status = reach(slot, part, {});
    if (t.status == Status::SC && !cut) {
      slot.answered = 0;
      std::memcpy(&slot.answered, part.data(), std::min<std::size_t>(part.size(), 8));
      damage(part);
      t.edited = true;
    }
    // A stop after it may take the waiter and its buffer away.
    sent_bytes_.assign(part.begin(), part.end());
    t.payload = t.status == Status::SC ? std::span<std::byte>(sent_bytes_) : std::span<std::byte>{};
  } else {
    const auto sent = t.payload.first(part.size());
    sent_bytes_.assign(sent.begin(), sent.end());
    if (slot.t.edited)
      std::memcpy(sent_bytes_.data(), &t.value, std::min<std::size_t>(part.size(), 8));
    damage(sent_bytes_);
    t.status = reach(slot, {}, sent_bytes_);
    t.payload = sent_bytes_;
  }
  if (!t.payload.empty()) {
    t.value = 0;
    std::memcpy(&t.value, t.payload.data(), std::min<std::size_t>(t.payload.size(), 8));
  }
  if (cut && t.status == Status::SC) t.status = Status::CA;
  if (cut) t.size = static_cast<std::uint32_t>(part.size());
  t.answered_by = AnsweredBy::Rule;
  slot.t.edited |= t.kind == Kind::DmaWrite;
  slot.done = true;
  return false;
}

// The function is gone; with `replug` a fresh one of the same device stands there, not set up, and
// gets what the rule matched.
void Link::take_away(Slot& slot, const FaultState& rule, Lock& lock) {
  const std::uint8_t index = slot.t.function;
  if (function(index) == nullptr) return;
  record_pending(slot);
  const std::uint64_t stimulus = std::exchange(current_, slot.t.seq);
  remove(index, "fault " + std::to_string(rule.number), slot.t.seq, lock);
  if (rule.fault.action == FaultAction::Replug && options_.fresh) {
    auto fresh = options_.fresh(index);
    if (fresh)
      insert(index, std::move(*fresh), slot.t.seq);
    else
      recorder_.blob(BlobKind::Note, slot.t.seq, as_bytes(fresh.error().message));
  }
  current_ = stimulus;
}

}  // namespace pcilens
