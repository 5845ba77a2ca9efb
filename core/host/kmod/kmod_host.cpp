#include "core/host/kmod/kmod_host.hpp"

#include <fmt/format.h>
#include <sched.h>

#include <algorithm>
#include <cerrno>
#include <chrono>

#include "core/host/kmod/kmod_event.hpp"
#include "core/host/kmod/monotonic.hpp"
#include "core/thread_name.hpp"

namespace pcilens::kmod {
namespace {

using namespace std::chrono_literals;

constexpr std::int64_t kWaitNs = 100'000'000;  // how soon a thread sees that it shall end
// How long a thread looks for the next event before it sleeps: two context switches of a fast
// processor; and of an emulated one, where waking a processor that has gone idle alone takes half a
// millisecond.
constexpr std::uint64_t kLeastLookNs = 20'000, kMostLookNs = 1'000'000;
// Looks between two looks at the clock, which costs more than they do.
constexpr int kLooks = 32;
// An answer that comes this soon finds its driver still spinning, wherever it may not sleep.
constexpr std::uint64_t kPromptNs = 1'000'000;
constexpr std::uint64_t kPassNs = KmodFunction::kAtomicHoldNs / 4 * 3;
// How often the second thread looks after the first where nobody calls it. Seldom: in a VM a timer
// costs more than an access.
constexpr std::int64_t kLookNs = 20'000'000;
// How often a thread looks in a stop who cannot wait any longer. Seldom: an interrupt handler on
// top of it would wait for the other one.
constexpr auto kLookInStop = 10ms;
// How long a thread collects what is left once the functions are off the bus.
constexpr std::uint64_t kLastLookNs = 1'000'000'000;
// How soon an interrupt is tried again for which no CPU was free.
constexpr std::int64_t kTryAgainNs = 1'000'000;

KmodFunction::Direct direct_regions(const Function& function) {
  KmodFunction::Direct direct{};
  for (int bar = 0; bar < PCILENS_BARS; ++bar)
    if (const RegisterBank* bank = function.bank(bar))
      for (const MemoryRegion* region : bank->map().regions)
        if (region->direct) direct[static_cast<unsigned>(bar)] = region;
  return direct;
}

}  // namespace

Result<std::unique_ptr<KmodHost>> KmodHost::open(Link& link, bool stacks) {
  std::unique_ptr<KmodHost> host(new KmodHost(link));
  host->epoch_ns_ = static_cast<std::int64_t>(monotonic_ns() - link.now_ns());
  for (std::size_t i = 0; i < link.functions(); ++i) {
    const Function& of = *link.function(static_cast<std::uint8_t>(i));
    auto function = KmodFunction::create(of.config(), direct_regions(of), stacks);
    if (!function) return tl::unexpected(function.error());
    host->served_.push_back(std::make_unique<Served>(std::move(*function)));
    host->refresh_shadow(static_cast<std::uint8_t>(i));
  }
  link.connect(*host);
  return host;
}

Result<void> KmodHost::plug_all(std::function<void(std::string)> said) {
  said_ = std::move(said);
  for (std::size_t i = 0; i < served_.size(); ++i) {
    const auto index = static_cast<std::uint8_t>(i);
    for (const MemoryRegion* region : direct_regions(*link_.function(index)))
      if (region != nullptr)
        link_.host_note(fmt::format("{} is direct: no access to it is seen", region->name));
    served_[i]->first = std::thread([this, index] { serve_first(index); });
    served_[i]->second = std::thread([this, index] { serve_second(index); });
  }
  plugger_ = std::thread([this] {
    name_thread("plugger");
    for (const auto& served : served_) {
      if (unplugging_) return;
      const auto place = served->function->plug();
      said_(place ? "on the bus at " + *place : place.error().message);
    }
  });
  return {};
}

KmodHost::~KmodHost() {
  shut_down();
}

void KmodHost::shut_down() {
  // Held accesses were released when the link closed; unplugging lets remove() of the drivers run
  // while the threads still answer it.
  if (plugger_.joinable()) {
    unplugging_ = true;
    for (const auto& served : served_) served->function->unplug();
    plugger_.join();
    // It may have put one on the bus behind us; for all others nothing happens.
    for (const auto& served : served_) served->function->unplug();
  }
  collect_until_ns_ = monotonic_ns() + kLastLookNs;
  ending_ = true;
  for (const auto& served : served_) {
    if (served->first.joinable()) served->first.join();
    if (served->second.joinable()) served->second.join();
  }
}

// ---- the threads -------------------------------------------------------------------------------

void KmodHost::serve_first(std::uint8_t index) {
  name_thread("collector");
  Served& served = *served_[index];
  Owed owed;
  CallSites::Recent recent;
  for (;;) {
    if (!carry_all(index, owed, recent)) {
      // Held, by another thread or by a pause: who cannot wait still must not.
      if (owed.answer && !wait(served, owed, 0)) return;
      pass_overdue(index, recent);
      std::this_thread::sleep_for(kLookInStop);
    } else if (!wait(served, owed, keeps_ ? kTryAgainNs : kWaitNs)) {
      return;
    }
    if (keeps_) send_kept_interrupts();
    if (ending_ && !owed.answer && has_collected(served)) return;
  }
}

// In the end: nothing that the kernel reported is left. Who still maps a BAR of the function that
// has gone can report for ever, and is left alone soon.
bool KmodHost::has_collected(const Served& served) const {
  return !served.queue.has_events() || monotonic_ns() > collect_until_ns_;
}

// The first may be held, or lie under the very interrupt handler that waits for an answer.
void KmodHost::serve_second(std::uint8_t index) {
  name_thread("late collector");
  Served& served = *served_[index];
  std::uint64_t seen = 0;
  Owed owed;
  CallSites::Recent recent;
  while (!ending_) {
    if (link_.halted() || !served.function->wait_for_spinning(kLookNs))
      std::this_thread::sleep_for(kLookInStop);
    if (keeps_) send_kept_interrupts();
    const std::uint64_t now = served.claimed.load(std::memory_order_relaxed);
    const bool stands = std::exchange(seen, now) == now;
    if (link_.halted())
      pass_overdue(index, recent);
    else if (stands && served.queue.has_events())
      carry_all(index, owed, recent);
    else if (stands)
      refresh_old_shadow(index);
    if (owed.answer && !wait(served, owed, 0)) return;
  }
}

bool KmodHost::driver_is_elsewhere(const Served& served) const {
  return served.driver_cpu.load(std::memory_order_relaxed) != ::sched_getcpu();
}

bool KmodHost::look(const Served& served, std::uint64_t until_ns) const {
  do {
    for (int i = 0; i < kLooks; ++i)
      if (served.function->events().has_events()) return true;
  } while (driver_is_elsewhere(served) && monotonic_ns() < until_ns);
  return false;
}

// Answers, then waits for events: first by looking, where the driver runs on another CPU. As long
// as it has paid of late: a driver that makes access after access would else wait for our wake-up
// at each, while looking for one that does not come only keeps a processor from others.
bool KmodHost::wait(Served& served, Owed& owed, std::int64_t timeout_ns) {
  const bool looks = timeout_ns != 0 && driver_is_elsewhere(served);
  if (owed.answer) {
    pcilens_answer given = *owed.answer;
    owed.answer.reset();
    const bool alive = served.function->wait({&given, 1}, looks ? 0 : timeout_ns);
    if (given.result == -ESTALE) came_too_late(given, owed.seq);
    if (!alive || !looks) return alive;
  }
  const std::uint64_t from = monotonic_ns();
  if (looks && look(served, from + served.look_ns)) return true;
  const bool alive = served.function->wait({}, timeout_ns);
  const bool soon = monotonic_ns() - from < kMostLookNs;
  served.look_ns =
      std::clamp(soon ? served.look_ns * 2 : served.look_ns / 2, kLeastLookNs, kMostLookNs);
  return alive;
}

// The kernel's order is one over all functions: a write to one comes before the read of another
// that the same driver made after it. Who has seen an event finds all earlier ones published, so
// `next` becomes the first of all that wait to be carried; gives its function.
std::uint8_t KmodHost::earliest(std::uint8_t index, Reported& next) {
  std::uint8_t of = index;
  for (std::size_t i = 0; i < served_.size(); ++i)
    if (i != index && served_[i]->queue.front_before(next.event.seq, next))
      of = static_cast<std::uint8_t>(i);
  return of;
}

// Whatever is there, in order, and what other functions have before it. False where it could not go
// on: something is held.
bool KmodHost::carry_all(std::uint8_t index, Owed& owed, CallSites::Recent& recent) {
  Served& served = *served_[index];
  Reported next;
  while (served.queue.front(next)) {
    if (owed.answer && !wait(served, owed, 0)) return true;
    const std::uint8_t of = earliest(index, next);
    Owed other;  // is given at once: its function's threads know nothing of it
    if (!carry(of, next, of == index ? owed : other, recent)) return false;
    if (other.answer) wait(*served_[of], other, 0);
    if (keeps_) send_kept_interrupts();
  }
  return true;
}

bool KmodHost::carry(std::uint8_t index, const Reported& next, Owed& owed,
                     CallSites::Recent& recent) {
  Served& served = *served_[index];
  const pcilens_event& event = next.event;
  served.driver_cpu.store(event.cpu, std::memory_order_relaxed);
  if (!on_the_road(event)) {
    if (served.queue.claim(event.seq)) {
      served.claimed.fetch_add(1, std::memory_order_relaxed);
      tell(index, event);
    }
    return true;
  }
  Transaction t = transaction_of(index, next, sites_.site_of(*served.function, event, recent));
  const std::string& stack = sites_.stack_of(*served.function, next, recent);
  struct Claim {
    KmodHost& host;
    std::uint8_t index;
    const pcilens_event& event;
    std::optional<pcilens_event> expired;
    bool asked;

    // Both or none: the next try has to find that the kernel has let the driver go.
    bool take() {
      asked = true;
      if (!host.claim(index, event)) return false;
      if (expired) host.served_[index]->queue.claim(expired->seq);
      return true;
    }
  } asking{*this, index, event, {}, false};
  Link::Terms terms{.stack = stack, .claim = [a = &asking] { return a->take(); }, .latest = {}};
  bool waits = next.waits();
  // The driver has gone on already: a stop may hold it for ever, until something behind it cannot
  // wait.
  terms.posted = t.kind == Kind::MemWrite && !waits;
  if (next.spins()) {
    terms.latest =
        std::chrono::steady_clock::time_point(std::chrono::nanoseconds(event.time_ns + kPassNs));
    // The kernel has let it go at the cap: with the shadow's value, of which a function need not
    // know; but a write it has to see.
    if (monotonic_ns() > event.time_ns + KmodFunction::kAtomicHoldNs)
      asking.expired = served.queue.expired(event.seq);
    if (asking.expired) {
      t.answered_by = is_read(t.kind) ? AnsweredBy::Shadow : AnsweredBy::PassedStop;
      if (is_read(t.kind)) t.value = asking.expired->value;
      waits = false;
    }
  }
  const auto completion = link_.request_now(t, terms);
  // The other thread was quicker; or the link is held.
  if (!completion) return asking.asked;
  if (completion->answered_by == AnsweredBy::PassedStop)
    said_(fmt::format("an access to BAR{}+{:#x} could not wait and passed the stop{}", event.bar,
                      event.offset,
                      t.kind == Kind::MemWrite
                          ? "; a breakpoint with \"posted\" holds it while the driver goes on"
                          : ""));
  if (waits) answer(served, next, *completion, owed);
  return true;
}

// During a stop: spinning drivers are answered before the kernel gives them up.
void KmodHost::pass_overdue(std::uint8_t index, CallSites::Recent& recent) {
  Served& served = *served_[index];
  served.queue.absorb();
  for (const Reported& due : served.queue.overdue(monotonic_ns() - kPassNs)) {
    if (!on_the_road(due.event)) {
      if (served.queue.claim(due.event.seq)) tell(index, due.event);
      continue;
    }
    const Transaction t =
        transaction_of(index, due, sites_.site_of(*served.function, due.event, recent));
    const std::string& stack = sites_.stack_of(*served.function, due, recent);
    const Link::Terms terms{.stack = stack,
                            .claim = [this, index, &due] { return claim(index, due.event); },
                            .latest = {}};
    const bool passed = link_.pass(t, terms, [this, &served, due](const Transaction& done) {
      if (!due.waits()) return;
      Owed owed;
      answer(served, due, {done.seq, done.value, done.status, done.answered_by}, owed);
      if (owed.answer) served.function->wait({&*owed.answer, 1}, 0);
    });
    if (!passed) return;
  }
}

void KmodHost::answer(Served& served, const Reported& of, const Completion& completion,
                      Owed& owed) {
  const pcilens_event& event = of.event;
  const pcilens_answer answer = {.slot = event.slot,
                                 .generation = event.generation,
                                 .value = completion.value,
                                 .status = status_for_kernel(completion.status),
                                 .result = 0};
  if (of.spins()) {
    const std::lock_guard lock(served.answered_mutex);
    served.answered[served.next_answered++ % served.answered.size()] = {event.seq, completion.seq};
  }
  // Its slot is its own for as long as it waits; who gave up has left it to others.
  const bool safe = !of.spins() || monotonic_ns() - event.time_ns < kPromptNs;
  if (safe && !served.function->sleeps(event.slot)) {
    served.function->answer_spinning(answer);
    return;
  }
  owed = {answer, completion.seq};
}

// PCIe calls it an unexpected completion: the kernel has let the driver go on without it, or the
// process that drove the device was killed.
void KmodHost::came_too_late(const pcilens_answer& answer, std::uint64_t seq) {
  link_.host_finding(seq, "unexpected-completion",
                     fmt::format("the answer {:#x} came too late: who asked had gone on without it",
                                 answer.value));
}

}  // namespace pcilens::kmod
