// Where the road is interrupted: breakpoints and steps that hold, rules that do wrong on purpose.
#include <string>
#include <utility>

#include "core/link/link_internal.hpp"

namespace pcilens {

bool Link::watched(const Transaction& t) const {
  return step_.has_value() || first_access_ || options_.gate || breakpoints_.may_match(t) ||
         faults_.may_match(t);
}

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
    case Step::Until::Any: return phase == Phase::Before && t.kind != Kind::State;
    case Step::Until::NextAccess:
      return phase == Phase::Before && host_access && t.origin != Origin::Poke;
    case Step::Until::Interrupt: return phase == Phase::Before && t.kind == Kind::Irq;
    case Step::Until::RegisterChange: return phase == Phase::After && slot.changes_register;
    case Step::Until::Expression: {
      const bool late = step_expression_->needs_completion() || t.kind == Kind::State;
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
  if (breakpoints_.may_match(t)) breakpoints_.match(seen, stops_, logged_);
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
      slot.edited = true;
      slot.rule = rule->number;
    }
  }
  stops_.clear();
  logged_.clear();
  if (breakpoints_.may_match(t)) breakpoints_.match(view(t, Phase::After), stops_, logged_);
  for (const std::uint32_t number : logged_)
    recorder_.blob(BlobKind::Note, t.seq, as_bytes("matched " + reason_of({number}, breakpoints_)));
  if (poking_) return;
  if (!stops_.empty())
    hold(slot, Phase::After, reason_of(stops_, breakpoints_), stops_, lock);
  else if (step_ends_at(slot, Phase::After))
    hold(slot, Phase::After, "step", {}, lock);
}

// Waits under a stop. The lock is free meanwhile; commands run on the link thread, or right here
// when this is the link thread.
void Link::hold(Slot& slot, Phase phase, std::string reason, std::vector<std::uint32_t> breakpoints,
                Lock& lock) {
  if (closing_) return;
  Transaction& t = slot.t;
  record_pending(slot);
  control(Control::Stop, t.seq, reason);
  if (step_.has_value() || (phase == Phase::Before && breakpoints.empty())) {
    step_.reset();
    armed_changed();
  }
  const std::uint64_t stimulus = current_;
  stop_ = HeldTransaction{.transaction = t,
                          .phase = phase,
                          .breakpoints = std::move(breakpoints),
                          .reason = std::move(reason),
                          .original = t.value};
  held_ = true;
  release_ = false;
  notify();
  if (std::this_thread::get_id() == thread_.get_id()) {
    while (!release_ && !closing_) {
      lock.unlock();
      auto command =
          commands_.wait_until(std::chrono::steady_clock::now() + std::chrono::milliseconds(50));
      lock.lock();
      if (command) command();
      tick_();
    }
  } else {
    delivery_.wait(lock, [this] { return release_ || closing_; });
  }
  if (stop_->edited) {
    t.value = stop_->transaction.value;
    slot.edited = true;
    slot.rule = stop_->breakpoints.empty() ? 0 : stop_->breakpoints.front();
    if (is_read(t.kind)) t.answered_by = AnsweredBy::User;
  }
  stop_.reset();
  held_ = false;
  control(Control::Release, t.seq, phase == Phase::Before ? "before" : "after");
  if (std::exchange(pause_next_, false)) pause();
  current_ = stimulus;
  delivery_.notify_all();
  commands_.poke();
  notify();
}

// A rule's delay: requests wait behind it, timers and commands go on.
void Link::hold_for(std::uint64_t ns, Slot& slot, Lock& lock) {
  record_pending(slot);
  delayed_ = true;
  const auto until = std::chrono::steady_clock::now() + std::chrono::nanoseconds(ns);
  const std::uint64_t stimulus = current_;
  while (!closing_ && std::chrono::steady_clock::now() < until) delivery_.wait_until(lock, until);
  delayed_ = false;
  control(Control::Release, slot.t.seq, "after its delay");
  current_ = stimulus;
  delivery_.notify_all();
}

bool Link::apply_fault_before(Slot& slot, const FaultState& rule, Lock& lock) {
  Transaction& t = slot.t;
  slot.rule = rule.number;
  const auto completed_by_rule = [&](Status status, std::uint64_t value) {
    t.status = status;
    t.answered_by = AnsweredBy::Rule;
    if (is_read(t.kind)) t.value = value & mask_of_size(t.size);
    slot.done = true;
    return false;
  };
  const auto change = [&](std::uint64_t value) {
    t.value = value & mask_of_size(t.size);
    slot.edited = true;
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
      for (std::uint64_t i = 0; host_ != nullptr && i < fault.amount; ++i)
        host_->interrupt(t.function, t.offset, t.value);
      return true;
    case FaultAction::CutDma: {
      Operation* operation = effects_[next_effect_ - 1].operation;
      if (operation == nullptr || host_ == nullptr) return true;
      const auto part =
          operation->data.first(std::min<std::size_t>(operation->data.size(), fault.amount));
      if (t.kind == Kind::DmaRead)
        host_->dma_read(t.function, t.offset, part);
      else
        host_->dma_write(t.function, t.offset, part);
      t.payload = part;
      t.size = static_cast<std::uint32_t>(part.size());
      return completed_by_rule(Status::CA, t.value);
    }
    case FaultAction::CorruptDma: {
      Operation* operation = effects_[next_effect_ - 1].operation;
      if (operation == nullptr) return true;
      // The bytes a read brings are not here yet; they are corrupted in place when they are.
      if (t.kind == Kind::DmaRead && host_ != nullptr)
        t.status = host_->dma_read(t.function, t.offset, operation->data);
      for (std::size_t i = 0; i < operation->data.size(); ++i)
        operation->data[i] ^= std::byte(fault.amount >> (8 * (i % 8)) & 0xff);
      if (t.kind == Kind::DmaWrite) return true;
      t.payload = operation->data;
      std::memcpy(&t.value, operation->data.data(), std::min<std::size_t>(t.size, 8));
      t.answered_by = AnsweredBy::Rule;
      slot.done = true;
      return false;
    }
    case FaultAction::SurpriseRemove:
      unplug(t.function, "fault " + std::to_string(rule.number));
      return true;
    case FaultAction::Replug: return true;  // LocalTarget makes the fresh function, from a command
  }
  return true;
}

}  // namespace pcilens
