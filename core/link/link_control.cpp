// What commands do to the link: run and pause, breakpoints and rules, transactions by hand.
#include <fmt/format.h>

#include <string>

#include "core/link/link_internal.hpp"
#include "core/thread_name.hpp"

namespace pcilens {
namespace {

constexpr std::uint32_t bit(Kind kind) {
  return 1u << static_cast<unsigned>(kind);
}

// Done by hand or by the link itself: there is nobody to keep waiting.
Result<void> can_be_held(const Reach& reach, std::string_view text) {
  constexpr std::uint32_t kNever = bit(Kind::Reset) | bit(Kind::Force) | bit(Kind::Control);
  if (reach.kinds == 0 || (reach.kinds & ~kNever) != 0) return {};
  return fail(
      fmt::format("`{0}` matches only resets, forces or control events, and none of these is ever "
                  "held; `transactions {0}` lists them",
                  text));
}

}  // namespace

// The link thread: commands at once, timers when they are due, a tick for the screens.
void Link::run() {
  name_thread("link");
  constexpr auto kTick = std::chrono::milliseconds(16);
  for (;;) {
    auto deadline = std::chrono::steady_clock::now() + kTick;
    {
      urgent_.fetch_add(1, std::memory_order_relaxed);
      Lock lock(mutex_);
      urgent_.fetch_sub(1, std::memory_order_relaxed);
      if (closing_) return;
      run_timers(lock);
      tick_();
      if (const auto due = next_due(); due && !held_) {
        const std::uint64_t now = clock_.now_ns();
        const auto wait = std::chrono::nanoseconds(*due > now ? *due - now : 0);
        deadline = std::min(deadline, std::chrono::steady_clock::now() + wait);
      }
    }
    if (auto command = commands_.wait_until(deadline)) {
      urgent_.fetch_add(1, std::memory_order_relaxed);
      const Lock lock(mutex_);
      urgent_.fetch_sub(1, std::memory_order_relaxed);
      command();
    }
  }
}

std::uint64_t Link::control(Control what, std::uint64_t value, std::string_view text) {
  return control(what, value, text, 0, 0);
}

std::uint64_t Link::control(Control what, std::uint64_t value, std::string_view text,
                            std::uint8_t function, std::uint64_t cause) {
  Transaction t{.offset = static_cast<std::uint64_t>(what),
                .value = value,
                .cause = cause,
                .kind = Kind::Control,
                .status = Status::SC,
                .origin = Origin::Function,
                .function = function};
  t.payload = as_bytes(text);
  number(t);
  t.done_ns = t.t_ns;
  recorder_.event(t);
  last_.record(t, *names_);
  return t.seq;
}

void Link::pause() {
  // A stop that was released ends when its thread runs; the pause takes over there.
  if (stop_ && release_) pause_next_ = true;
  if (held_) return;
  held_ = true;
  control(Control::Pause, 0, "paused");
  notify();
}

Result<void> Link::resume() {
  if (!held_) return fail("the link is running already; nothing is held");
  if (stop_) {
    release_ = true;
    pause_next_ = false;  // of a pause while the last stop was on its way out
  } else {
    control(Control::Resume, 0, "resumed");
    held_ = false;
  }
  delivery_.notify_all();
  notify();
  return {};
}

Result<void> Link::step(const Step& step) {
  if (step.until == Step::Until::Expression) {
    auto expression = Expression::compile(step.expression, names_);
    if (!expression) return tl::unexpected(expression.error());
    if (auto can = can_be_held(expression->reach(), step.expression); !can) return can;
    step_expression_ = std::move(*expression);
  }
  step_ = step;
  armed_changed();
  if (held_) return resume();
  return {};
}

Result<void> Link::edit(std::uint64_t value) {
  if (!stop_) return fail("no transaction is held; set a breakpoint, and edit when it stops");
  Transaction& t = stop_->transaction;
  if (stop_->phase == Phase::Before && is_read(t.kind))
    return fail(is_dma(t.kind)
                    ? "a DMA read has no bytes before memory answers; step, or break `after`"
                    : "a read has no value before the function answers; step, or break `after`");
  if (t.kind == Kind::DmaRead && t.status != Status::SC)
    return fail("this DMA read failed and brought no bytes to change; resume");
  if (stop_->phase == Phase::After && !is_read(t.kind))
    return fail("the function has seen this write already; break before it to change it");
  if (!is_config(t.kind) && !is_memory(t.kind) && !is_dma(t.kind))
    return fail("a " + std::string(name_of(t.kind)) + " carries no value to change");
  if (value & ~mask_of_size(t.size))
    return fail("the value does not fit " + std::to_string(t.size) + " bytes");
  t.value = value;
  stop_->edited = value != stop_->original;
  notify();
  return {};
}

void Link::armed_changed() {
  std::vector<Host::Range> ranges;
  const auto add = [&](const Reach& reach, bool posted) {
    const auto touches = [&](Kind kind) {
      return (reach.kinds >> static_cast<unsigned>(kind)) & 1;
    };
    const bool reads = touches(Kind::MemRead) || touches(Kind::CfgRead);
    const bool writes = touches(Kind::MemWrite) || touches(Kind::CfgWrite);
    if (!reads && !writes) return;
    for (std::size_t f = 0; f < plugged_.size(); ++f) {
      const auto arm = [&](std::int8_t bar, std::uint64_t begin, std::uint64_t end) {
        const bool goes_on = posted && bar >= 0;  // config writes are never posted
        ranges.push_back({static_cast<std::uint8_t>(f), bar, begin, end, reads, writes && !goes_on,
                          writes && goes_on});
      };
      if (reach.everywhere)
        for (std::int8_t bar = kBarConfig; bar <= 5; ++bar) arm(bar, 0, ~0ull);
      else
        for (const Reach::Range& range : reach.ranges)
          if (range.function < 0 || range.function == static_cast<int>(f))
            arm(range.bar, range.begin, range.end);
    }
  };
  breakpoints_.each_enabled([&](const BreakpointState& state, const Reach& reach) {
    add(reach, state.breakpoint.posted || state.breakpoint.log_only);
  });
  faults_.each_enabled([&](const FaultState&, const Reach& reach) { add(reach, false); });
  // A step may end at any access, a first access is any of a BAR.
  if (step_ || first_access_)
    for (std::size_t f = 0; f < plugged_.size(); ++f)
      for (std::int8_t bar = step_ ? kBarConfig : std::int8_t{0}; bar <= 5; ++bar)
        ranges.push_back({static_cast<std::uint8_t>(f), bar, 0, ~0ull, true, true, false});
  watched_always_ = step_ || first_access_ || options_.gate;
  watched_kinds_ = watched_always_ ? ~0u : breakpoints_.kinds() | faults_.kinds();
  if (host_ != nullptr) host_->synchronous(ranges);
  notify();
}

// Memory that the host gives a driver to use unseen, if that is all that `reach` has.
const MemoryRegion* Link::unseen(const Reach& reach) const {
  const MemoryRegion* all = nullptr;
  const auto direct = [&](std::size_t f, const Reach::Range& range) -> const MemoryRegion* {
    if (!plugged_[f]->function || host_->shared(static_cast<std::uint8_t>(f), range.bar).empty())
      return nullptr;
    const RegisterBank* bank = std::as_const(*plugged_[f]->function).bank(range.bar);
    if (bank == nullptr) return nullptr;
    for (const MemoryRegion* region : bank->map().regions)
      if (region->direct && range.begin >= region->offset &&
          range.end <= region->offset + region->size)
        return region;
    return nullptr;
  };
  if (host_ == nullptr || reach.everywhere) return nullptr;
  for (const Reach::Range& range : reach.ranges) {
    if (range.bar < 0) return nullptr;
    for (std::size_t f = 0; f < plugged_.size(); ++f) {
      if (range.function >= 0 && range.function != static_cast<int>(f)) continue;
      all = direct(f, range);
      if (all == nullptr) return nullptr;
    }
  }
  return all;
}

Result<void> Link::can_match(const Reach& reach, std::string_view text) const {
  if (const MemoryRegion* region = unseen(reach))
    return fail(std::string(region->name) +
                " is direct memory: the driver's accesses to it are not seen, so none can match");
  return can_be_held(reach, text);
}

// One that can never match is refused.
template <typename Table>
Result<std::uint32_t> Link::only_if_seen(Table& table, Result<std::uint32_t> number,
                                         std::string_view text) {
  if (!number) return number;
  Result<void> seen;
  table.each_enabled([&](const auto& state, const Reach& reach) {
    if (state.number == *number) seen = can_match(reach, text);
  });
  if (seen) return number;
  static_cast<void>(table.remove(*number));
  return tl::unexpected(seen.error());
}

Result<std::uint32_t> Link::add_breakpoint(Breakpoint breakpoint) {
  const std::string text = breakpoint.expression;
  auto number = only_if_seen(breakpoints_, breakpoints_.add(std::move(breakpoint), names_), text);
  if (!number) return number;
  control(Control::Breakpoint, *number, "breakpoint " + std::to_string(*number) + ": " + text);
  armed_changed();
  return number;
}

Result<void> Link::enable_breakpoint(std::uint32_t number, bool enabled) {
  auto done = breakpoints_.enable(number, enabled);
  if (!done) return done;
  control(Control::Breakpoint, number,
          "breakpoint " + std::to_string(number) + (enabled ? " enabled" : " disabled"));
  armed_changed();
  return done;
}

Result<void> Link::remove_breakpoint(std::uint32_t number) {
  auto done = breakpoints_.remove(number);
  if (!done) return done;
  control(Control::Breakpoint, number, "breakpoint " + std::to_string(number) + " removed");
  armed_changed();
  return done;
}

Result<std::uint32_t> Link::add_fault(Fault fault) {
  const std::string text = describe(fault);
  auto number = only_if_seen(faults_, faults_.add(std::move(fault), names_), text);
  if (!number) return number;
  control(Control::Fault, *number, "fault " + std::to_string(*number) + ": " + text);
  armed_changed();
  return number;
}

Result<void> Link::enable_fault(std::uint32_t number, bool enabled) {
  auto done = faults_.enable(number, enabled);
  if (!done) return done;
  control(Control::Fault, number,
          "fault " + std::to_string(number) + (enabled ? " enabled" : " disabled"));
  armed_changed();
  return done;
}

Result<void> Link::remove_fault(std::uint32_t number) {
  auto done = faults_.remove(number);
  if (!done) return done;
  control(Control::Fault, number, "fault " + std::to_string(number) + " removed");
  armed_changed();
  return done;
}

// The monitor's lock is ours already (commands and the gate run under it); the road wants a lock to
// let go of in a stop, which during a stop cannot happen again.
void Link::carry_aside(const Transaction& t, std::function<void(const Transaction&)> done) {
  Lock lock(mutex_, std::adopt_lock);
  aside([&] {
    Slot& slot = take_slot();
    slot.t = t;
    begin(slot, lock);
    if (slot.done) {
      finish(slot, lock);
      const Transaction completed = slot.t;
      free_slot(slot);
      done(completed);
    } else {
      slot.when_done = std::move(done);
    }
  });
  lock.release();
}

void Link::poke(Transaction t, std::function<void(Result<std::uint64_t>)> done) {
  t.origin = Origin::Poke;
  const std::string place = names_->place(t);
  const bool outer = std::exchange(poking_, held_);
  carry_aside(t, [done = std::move(done), place](const Transaction& completed) {
    if (completed.status == Status::SC) return done(completed.value);
    const bool unsupported = completed.status == Status::UR;
    done(fail(place + ": the function answered " + std::string(name_of(completed.status)) +
              (unsupported ? " (unsupported request); check the offset, the size and COMMAND.MEM"
                           : "; see the trace's notes")));
  });
  poking_ = outer;
  notify();
}

Result<void> Link::force(const Transaction& asked) {
  Transaction t = asked;
  Plugged* plugged = t.function < plugged_.size() ? plugged_[t.function].get() : nullptr;
  if (plugged == nullptr || !plugged->function) return fail("this function is not plugged in");
  Lock lock(mutex_, std::adopt_lock);
  const bool outer = std::exchange(poking_, true);
  bool stored = false;
  aside([&] {
    t.kind = Kind::Force;
    t.origin = Origin::Poke;
    t.status = Status::SC;
    number(t);
    t.done_ns = t.t_ns;
    current_ = t.seq;
    recorder_.event(t);
    last_.record(t, *names_);
    plugged->touched(t);
    stored = plugged->function->force(t.bar, t.offset, t.size, t.value);
    pump(lock);
  });
  poking_ = outer;
  lock.release();
  notify();
  if (!stored) return fail(names_->place(t) + ": nothing is stored there; force a register");
  return {};
}

void Link::reset_function(const Transaction& asked) {
  const std::uint8_t index = asked.function;
  const auto kind = static_cast<ResetKind>(asked.value);
  if (index >= plugged_.size() || !plugged_[index]->function) return;
  Lock lock(mutex_, std::adopt_lock);
  const bool outer = std::exchange(poking_, true);
  aside([&] {
    Transaction t{.seq = asked.seq,
                  .t_ns = asked.t_ns,
                  .value = asked.value,
                  .kind = Kind::Reset,
                  .status = Status::SC,
                  .origin = asked.origin,
                  .function = index};
    number(t);
    t.done_ns = t.t_ns;
    current_ = t.seq;
    recorder_.event(t);
    last_.record(t, *names_);
    {
      const Working working(*this, *plugged_[index], &t);
      plugged_[index]->function->reset(kind);
    }
    pump(lock);
  });
  poking_ = outer;
  lock.release();
  notify();
}

void Link::unplug(std::uint8_t index, std::string_view why) {
  if (function(index) == nullptr) return;
  Lock lock(mutex_, std::adopt_lock);
  remove(index, why, 0, lock);
  lock.release();
}

// `cause`: the transaction at which a rule did it.
void Link::remove(std::uint8_t index, std::string_view why, std::uint64_t cause, Lock& lock) {
  Plugged& plugged = *plugged_[index];
  control(Control::Unplug, 0, plugged.instance + " is gone: " + std::string(why), index, cause);
  plugged.function.reset();  // its tasks cancel what they wait for
  if (host_ != nullptr) host_->present(index, false);
  // What it had still to send is gone with it.
  for (Effect& effect : effects_)
    if (effect.function == index && effect.what != Effect::What::Reply)
      effect.what = Effect::What::Nothing;
  give_up([=](const Slot& slot) { return slot.t.function == index; }, Status::UR, lock);
  delivery_.notify_all();
  notify();
}

// Tells the trace that a fresh function stands there; replay makes one too.
void Link::announce(std::uint8_t index, std::uint64_t cause) {
  control(Control::Plug, 0, plugged_[index]->instance + " is plugged in", index, cause);
}

Result<void> Link::replug(std::uint8_t index, std::unique_ptr<Function> fresh) {
  if (index >= plugged_.size()) return fail("there is no such function to plug in again");
  unplug(index, "replaced");
  insert(index, std::move(fresh), 0);
  return {};
}

void Link::insert(std::uint8_t index, std::unique_ptr<Function> fresh, std::uint64_t cause) {
  announce(index, cause);
  prepare(index, *fresh);
  share(index, *fresh);
  fresh->plug(*plugged_[index]);
  plugged_[index]->timers = 0;
  plugged_[index]->function = std::move(fresh);
  if (host_ != nullptr) host_->present(index, true);
  names_changed();
  notify();
}

void Link::adopt(const Link& earlier) {
  breakpoints_ = earlier.breakpoints_;
  faults_ = earlier.faults_;
  // Its registers may lie elsewhere than those that were meant.
  for (const auto& told : {breakpoints_.rename(names_), faults_.rename(names_)})
    for (const std::string& sentence : told) host_note(sentence);
  armed_changed();
}

void Link::stop_at_first_access() {
  first_access_ = true;
  armed_changed();
}

void Link::release_at(std::uint64_t seq, std::uint64_t t_ns) {
  seq_ = seq;
  time_ = std::max(time_, t_ns);
}

}  // namespace pcilens
