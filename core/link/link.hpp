// The one road between a host and its functions. Every access crosses it, is numbered, may be
// stopped, may be made wrong on purpose, is recorded, and reaches the other side:
//
//   request()  number -> before(): breakpoints, faults -> hand_over() to the function
//              -> pump(): the DMA and interrupts the function asked for, in order
//              -> after(): breakpoints, faults -> finish(): recorded, back to the requester
//
// The link is a monitor: handlers run on the caller's thread under its lock. Timers and commands
// run on the link's own thread. A stop releases the lock while it waits, so that commands go on.
//   link.cpp          the road itself, from request to completion
//   link_effects.cpp  what functions cause: DMA, interrupts, timers, state
//   link_stop.cpp     holds, steps and fault rules
//   link_control.cpp  what commands do: pokes, forces, breakpoints, run and pause
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "core/function/function.hpp"
#include "core/host/host.hpp"
#include "core/link/breakpoints.hpp"
#include "core/link/clock.hpp"
#include "core/link/command_queue.hpp"
#include "core/link/dma_mappings.hpp"
#include "core/link/faults.hpp"
#include "core/link/names.hpp"
#include "core/link/step.hpp"
#include "core/link/transaction.hpp"
#include "core/trace/record.hpp"

namespace pcilens {

struct Completion {
  std::uint64_t seq = 0;
  std::uint64_t value = 0;  // all-ones for a read that did not succeed
  Status status = Status::SC;
  AnsweredBy answered_by = AnsweredBy::Function;
};

// What is held, as the link knows it.
struct HeldTransaction {
  Transaction transaction;
  Phase phase = Phase::Before;
  std::vector<std::uint32_t> breakpoints;
  std::string reason;
  std::string refusal;  // why it did not succeed; empty where it did, or where nobody knows
  std::uint64_t original = 0;
  bool edited = false;
  std::chrono::steady_clock::time_point since = std::chrono::steady_clock::now();
};

class Link final : private Reply::Sink {
 public:
  struct Options {
    // False for replay and tests: no thread of its own, timers only by fire_timer().
    bool threaded = true;
    // How long a suspended read may take while the link runs (PCIe 5.0, 2.8); then all-ones.
    std::chrono::milliseconds completion_timeout{10'000};
    // The last number given out before, where one link follows another in one trace.
    std::uint64_t last_seq = 0;
    // Replay: asked for each transaction in place of breakpoints; may deliver others meanwhile.
    std::function<void(const Transaction&, Phase)> gate = {};
    // Makes a function of the same device again: what a rule's `replug` puts in its place. Called
    // under the lock. None: `replug` leaves the place empty.
    std::function<Result<std::unique_ptr<Function>>(std::uint8_t function)> fresh = {};
  };
  // Told, under the lock, that something a screen shows at once has changed (stop, release,
  // unplug).
  using Listener = std::function<void()>;

  Link(Clock& clock, Recorder& recorder, Options options);
  ~Link();
  Link(const Link&) = delete;
  Link& operator=(const Link&) = delete;

  void connect(Host& host);
  Host* host() const { return host_; }
  // Instances are numbered from 0 in the order in which they come. Before start(), or in a command.
  std::uint8_t plug(std::unique_ptr<Function> function, std::string instance, std::string device,
                    std::string bdf);
  void start(Listener changed, Listener tick);
  // Ends every hold, the wait for every answer (all-ones) and the link thread. What was held is
  // delivered; requests that still come are carried, and nothing holds them any more.
  void close();

  // ---- a host's side: on any thread ----------------------------------------------------------
  // Carries one request to its completion; waits as long as it is held. Fill kind, function, bar,
  // offset, size, value (writes), origin, thread, cpu, site; seq 0 takes the next number, t_ns 0
  // the clock's time. With answered_by Shadow the host has answered already: a read keeps its
  // value. With Nobody no function claims it, as the host knows: it is an unsupported request.
  // `stack`: JSON array of sites, innermost first, for the trace; lives until the call returns.
  Completion request(Transaction t, std::string_view stack = {});
  // For a host with several threads, and with requesters that cannot wait: link_pass.cpp.
  struct Terms {
    std::string_view stack = {};
    // Asked under the lock before all else. False: another thread has carried it, nothing happens.
    std::function<bool()> claim = {};
    // A stop of this very transaction ends then at the latest; the link stays paused.
    std::optional<std::chrono::steady_clock::time_point> latest = {};
    // Its requester has gone on: a stop may last until something behind it cannot wait.
    bool posted = false;
  };
  // Nothing, and nothing happened, where it was not claimed or where the link is held.
  std::optional<Completion> request_now(Transaction t, const Terms& terms);
  // While the link is held, past the stop: it hits no breakpoint and no rule, and is marked
  // passed_stop. False, and nothing happens, where the link is not held (or it was not claimed).
  // `done` as in the request below.
  bool pass(Transaction t, const Terms& terms, std::function<void(const Transaction&)> done);
  // The same without waiting for a suspended read: `done` gets the completed transaction, during
  // this call or later under the lock.
  void request(Transaction t, std::function<void(const Transaction&)> done);
  // Something to tell of the road: a place in the driver (JSON as in record.hpp), a sentence.
  void name_site(std::uint32_t site, std::string symbol, std::string_view json);
  void host_note(std::string_view text);
  // The name of a requester's thread, as Transaction::thread numbers it.
  void name_requester(std::uint32_t thread, std::string_view name);
  // A driver has let go of the function: what it has not unmapped is a finding each.
  void driver_left(std::uint8_t function);
  // Something wrong with transaction `seq`; `rule` is a short fixed name such as "late-answer".
  void host_finding(std::uint64_t seq, std::string_view rule, std::string_view text);
  // The same in what the link asks of its host, which is under the lock.
  void finding_within(std::uint64_t seq, std::string_view rule, std::string_view text);
  std::uint64_t now_ns() { return clock_.now_ns(); }
  // Whether delivery is held now: a driver's own timeouts wait meanwhile.
  bool halted() const { return held_.load(std::memory_order_relaxed); }
  bool closed() const { return closed_.load(std::memory_order_relaxed); }

  // ---- commands: never take the lock ---------------------------------------------------------
  // Runs it soon, under the lock, one at a time, also during a stop.
  void post(CommandQueue::Command command);

  // ---- inside a command only -----------------------------------------------------------------
  bool held() const { return held_; }
  // Also while a released stop is still on its way out: then the pause follows it at once.
  bool paused() const { return pause_next_ || (held_ && !stop_); }
  const std::optional<HeldTransaction>& stop() const { return stop_; }
  void pause();
  Result<void> resume();
  Result<void> step(const Step& step);
  Result<void> edit(std::uint64_t value);
  Result<std::uint32_t> add_breakpoint(Breakpoint breakpoint);
  Result<void> enable_breakpoint(std::uint32_t number, bool enabled);
  Result<void> remove_breakpoint(std::uint32_t number);
  Result<std::uint32_t> add_fault(Fault fault);
  Result<void> enable_fault(std::uint32_t number, bool enabled);
  Result<void> remove_fault(std::uint32_t number);
  // A transaction by hand; hits no breakpoint during a stop. UR and CA are Errors here.
  void poke(Transaction t, std::function<void(Result<std::uint64_t>)> done);
  Result<void> force(const Transaction& t);
  // t.function, t.value (ResetKind) and t.origin count; seq and t_ns as for a request.
  void reset_function(const Transaction& t);
  void unplug(std::uint8_t function, std::string_view why);
  Result<void> replug(std::uint8_t function, std::unique_ptr<Function> fresh);
  // Tells the trace that a fresh function stands there. `cause`: the transaction that a rule did it
  // at.
  void announce(std::uint8_t function, std::uint64_t cause = 0);
  // Stops at the driver's first BAR access from now on.
  void stop_at_first_access();

  // The breakpoints and rules of an earlier link, with their numbers, as they read for the
  // functions of this one; a note names each that means nothing any more. Before start().
  void adopt(const Link& earlier);

  const BreakpointTable& breakpoints() const { return breakpoints_; }
  const FaultTable& faults() const { return faults_; }
  std::shared_ptr<const Names> names() const { return names_; }
  std::uint64_t last_seq() const { return seq_; }
  // The DMA or interrupt that the host is being asked for.
  std::uint64_t carried() const { return carried_; }
  // The memory that functions may reach, as their drivers have told. Also in what the link asks of
  // its host.
  const DmaMappings& mappings() const { return mappings_; }
  // The driver's function of a site; empty where it is not known.
  std::string_view symbol(std::uint32_t site) const {
    return site < site_symbols_.size() ? std::string_view(site_symbols_[site]) : std::string_view();
  }
  std::uint64_t time_ns() const { return time_; }
  std::uint64_t waiting() const { return waiting_.load(std::memory_order_relaxed); }

  struct Plugged;
  std::size_t functions() const { return plugged_.size(); }
  const Function* function(std::uint8_t index) const;  // null when unplugged
  const std::string& device_name(std::uint8_t index) const;
  // The last transaction that wrote (or whose state change touched) this place of a BAR.
  struct LastChange {
    std::uint64_t seq = 0;
    Origin origin = Origin::Driver;
  };
  LastChange last_change(std::uint8_t function, std::int8_t bar, std::uint64_t offset) const;
  // Whose code runs right now, and on which request; not set while no device is at work. Any
  // thread, without the lock: for who must end although a device model never returns. The request
  // is only good where that is so, and null in a task that goes on after a wait.
  struct AtWork {
    std::string instance;
    const Transaction* request = nullptr;
  };
  std::optional<AtWork> at_work() const;

  // ---- replay: on a link without a thread of its own -----------------------------------------
  // A recorded timer runs out now; false if the function asked for no such timer.
  bool fire_timer(std::uint8_t function, std::uint64_t number, std::uint64_t t_ns,
                  std::uint64_t seq);
  // In the gate: a transaction that was made during a stop.
  void carry_aside(const Transaction& t, std::function<void(const Transaction&)> done);
  // In the gate: the held transaction goes on at this point of the order.
  void release_at(std::uint64_t seq, std::uint64_t t_ns);

 private:
  using Lock = std::unique_lock<std::mutex>;
  struct Slot;
  struct Effect;
  class Working;

  Lock enter();
  void step_back();
  // Whether a transaction may move now: nothing is held, and nothing waits in the middle of it.
  bool flows() const { return parked_ == 0 && (!held_ || closing_); }
  void prepare(std::uint8_t index, const Function& function);
  void share(std::uint8_t index, Function& function);
  void add_slot();
  Slot& take_slot();
  void free_slot(Slot& slot);
  void begin(Slot& slot, Lock& lock);
  void hand_over(Slot& slot, Lock& lock);
  void wait_for_reply(Slot& slot, Lock& lock);
  Completion finish(Slot& slot, Lock& lock);
  void number(Transaction& t);
  void record_pending(Slot& slot);
  void record_done(Slot& slot);
  void record_stack(Slot& slot);
  void complete(const Reply& reply, std::uint64_t value, Status status) override;
  void model_failed(std::uint8_t function, const char* what);

  // Whether a breakpoint, a rule or a step may have to do with it.
  bool watched(const Transaction& t) const {
    if ((watched_kinds_ >> static_cast<unsigned>(t.kind) & 1) == 0) return false;
    return watched_always_ || breakpoints_.may_match(t) || faults_.may_match(t);
  }
  bool before(Slot& slot, Lock& lock);
  void after(Slot& slot, Lock& lock);
  bool apply_fault_before(Slot& slot, const FaultState& rule, Lock& lock);
  bool damage_dma(Slot& slot, const Fault& fault);
  void take_away(Slot& slot, const FaultState& rule, Lock& lock);
  bool step_ends_at(const Slot& slot, Phase phase) const;
  void hold(Slot& slot, Phase phase, std::string reason, std::vector<std::uint32_t> breakpoints,
            Lock& lock);
  void let_pass(Slot& slot);
  void hold_for(std::uint64_t ns, Slot& slot, Lock& lock);
  void park(Lock& lock, std::optional<std::chrono::steady_clock::time_point> until,
            const std::function<bool()>& over);
  EventView view(const Transaction& t, Phase phase) const;

  void pump(Lock& lock);
  template <typename Deliver>
  void aside(Deliver&& deliver);
  void move_dma(Effect& effect, Lock& lock);
  Status reach(Slot& slot, std::span<std::byte> to, std::span<const std::byte> from);
  void refused(Slot& slot, std::string why);
  void take_input(Effect& effect, Lock& lock);
  void send_interrupt(Effect& effect, Lock& lock);
  void resume_waiter(Operation& operation, std::uint8_t function);
  void run_timers(Lock& lock);
  void run_out(Effect& effect, Lock& lock);
  void expire(std::size_t timer, const Transaction& when, Lock& lock);
  void give_up(const std::function<bool(const Slot&)>& which, Status status, Lock& lock);
  std::optional<std::uint64_t> next_due() const;

  std::uint64_t control(Control what, std::uint64_t value, std::string_view text);
  std::uint64_t control(Control what, std::uint64_t value, std::string_view text,
                        std::uint8_t function, std::uint64_t cause);
  void remove(std::uint8_t index, std::string_view why, std::uint64_t cause, Lock& lock);
  void insert(std::uint8_t index, std::unique_ptr<Function> fresh, std::uint64_t cause);
  void armed_changed();
  const MemoryRegion* unseen(const Reach& reach) const;
  Result<void> can_match(const Reach& reach, std::string_view text) const;
  template <typename Table>
  Result<std::uint32_t> only_if_seen(Table& table, Result<std::uint32_t> number,
                                     std::string_view text);
  void names_changed();
  void run();  // the link thread
  void finish_commands();
  // A screen has something new to show: the link thread wakes and takes it.
  void notify() {
    changed_();
    commands_.poke();
  }

  Clock& clock_;
  Recorder& recorder_;
  Options options_;
  Host* host_ = nullptr;
  Listener changed_ = [] {}, tick_ = [] {};

  std::mutex mutex_;                  // the monitor's lock; order: this, then CommandQueue's
  std::condition_variable delivery_;  // held_ fell, or a reply came
  std::atomic<unsigned> urgent_{0};   // link thread wants the lock: requesters step back
  std::atomic<std::uint64_t> waiting_{0};
  bool closing_ = false;
  std::atomic<bool> closed_{false}, ended_{false};  // ended_: its thread too
  std::atomic<std::thread::id> finishing_{};        // who runs the last commands

  std::uint64_t seq_ = 0, time_ = 0;
  std::uint64_t current_ = 0;  // the stimulus that is being handled
  std::uint64_t carried_ = 0;
  std::vector<std::unique_ptr<Plugged>> plugged_;
  std::vector<std::unique_ptr<Slot>> slots_;
  std::vector<std::uint32_t> free_slots_;
  std::vector<Effect> effects_;  // asked for by functions, not carried yet
  std::size_t next_effect_ = 0, effect_base_ = 0;
  std::vector<std::pair<std::uint8_t, Operation*>> timers_;
  Slot* delivering_ = nullptr;
  std::atomic<Plugged*> working_{nullptr};  // see at_work()
  std::atomic<const Transaction*> works_on_{nullptr};

  std::shared_ptr<const Names> names_;
  std::vector<std::string> site_symbols_;
  LastValues last_;
  DmaMappings mappings_;
  BreakpointTable breakpoints_;
  FaultTable faults_;
  std::uint32_t watched_kinds_ = 0;  // bit (1 << Kind) where anything is armed
  bool watched_always_ = false;      // whatever the place: a step, a first access, a replay
  std::optional<Step> step_;
  std::optional<Expression> step_expression_;
  bool first_access_ = false;

  std::atomic<bool> held_ = false;
  bool release_ = false, pause_next_ = false, poking_ = false;
  unsigned parked_ = 0;  // transactions that wait in a stop or a rule's delay, each inside the last
  std::optional<HeldTransaction> stop_;

  CommandQueue commands_;
  std::thread thread_;
  std::vector<std::uint32_t> stops_, logged_;  // scratch of before() and after()
  std::vector<std::byte> sent_bytes_;          // a DMA write as changed on its way
};

}  // namespace pcilens
