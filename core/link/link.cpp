// The road itself: one request from its number to its completion.
#include "core/link/link.hpp"

#include <string>
#include <utility>

#include "core/link/link_internal.hpp"

namespace pcilens {
namespace {

// What crosses the link only to be numbered and seen: no function is asked.
bool only_told(Kind kind) {
  return kind == Kind::DmaMap || kind == Kind::DmaUnmap || kind == Kind::Gap;
}

}  // namespace

Link::Link(Clock& clock, Recorder& recorder, Options options)
    : clock_(clock),
      recorder_(recorder),
      options_(std::move(options)),
      names_(std::make_shared<Names>()) {
  seq_ = options_.last_seq;
  // Room for what is usual, so that the path allocates nothing.
  constexpr std::uint32_t kSlots = 64;
  effects_.reserve(256);
  timers_.reserve(64);
  slots_.reserve(kSlots);
  free_slots_.reserve(kSlots);
  for (std::uint32_t i = 0; i < kSlots; ++i) add_slot();
  watched_always_ = options_.gate != nullptr;
  watched_kinds_ = watched_always_ ? ~0u : 0;
}

Link::~Link() {
  close();
  // Their tasks cancel what they wait for, in members that go before plugged_ does.
  for (const auto& plugged : plugged_) plugged->function.reset();
}

void Link::start(Listener changed, Listener tick) {
  changed_ = std::move(changed);
  tick_ = std::move(tick);
  if (options_.threaded) thread_ = std::thread([this] { run(); });
}

void Link::close() {
  {
    const Lock lock(mutex_);
    closing_ = true;
    closed_ = true;
    release_ = true;
  }
  delivery_.notify_all();
  commands_.poke();
  if (thread_.joinable()) thread_.join();
  {
    // Nobody will bring these answers: who asked shall not wait for ever.
    Lock lock(mutex_);
    give_up([](const Slot& slot) { return slot.when_done != nullptr; }, Status::Timeout, lock);
  }
  ended_ = true;
  finish_commands();
}

void Link::post(CommandQueue::Command command) {
  commands_.push(std::move(command));
  if (ended_) finish_commands();
}

// What was asked too late is still answered, by a link that is closed.
void Link::finish_commands() {
  // A command that asks for another finds this thread at it already.
  if (finishing_.load() == std::this_thread::get_id()) return;
  const Lock lock(mutex_);
  finishing_ = std::this_thread::get_id();
  while (auto command = commands_.wait_until({})) command();
  finishing_ = std::thread::id();
}

std::uint8_t Link::plug(std::unique_ptr<Function> function, std::string instance,
                        std::string device, std::string bdf) {
  auto plugged = std::make_unique<Plugged>(*this, static_cast<std::uint8_t>(plugged_.size()));
  plugged->instance = std::move(instance);
  plugged->device = std::move(device);
  plugged->bdf = std::move(bdf);
  for (int bar = 0; bar < 6; ++bar) {
    auto& [unit, last] = plugged->changes[bar];
    std::uint64_t end = 0;
    if (const RegisterBank* bank = std::as_const(*function).bank(bar))
      for (const Register* r : bank->map().registers) {
        end = std::max(end, r->end());
        unit = std::min<std::uint64_t>(unit, r->width);
      }
    last.resize((end + unit - 1) / unit);
  }
  prepare(static_cast<std::uint8_t>(plugged_.size()), *function);
  share(static_cast<std::uint8_t>(plugged_.size()), *function);
  function->plug(*plugged);
  plugged->function = std::move(function);
  plugged_.push_back(std::move(plugged));
  names_changed();
  return static_cast<std::uint8_t>(plugged_.size() - 1);
}

// Room for the last values of what a driver uses at all: registers, memory regions (of a large one
// the beginning; the rest finds its room at its first access) and config space.
void Link::prepare(std::uint8_t index, const Function& function) {
  constexpr std::uint64_t kMostOfRegion = 1u << 20;
  last_.prepare(index, kBarConfig, 0, kConfigSize);
  for (int bar = 0; bar < 6; ++bar) {
    const RegisterBank* bank = function.bank(bar);
    if (bank == nullptr) continue;
    const auto at = static_cast<std::int8_t>(bar);
    for (const Register* r : bank->map().registers)
      last_.prepare(index, at, r->offset, r->end() - r->offset);
    for (const MemoryRegion* region : bank->map().regions)
      last_.prepare(index, at, region->offset, std::min(region->size, kMostOfRegion));
  }
}

void Link::names_changed() {
  auto names = std::make_shared<Names>();
  for (const auto& plugged : plugged_) {
    FunctionNames of{.instance = plugged->instance, .bdf = plugged->bdf, .bars = {}};
    if (plugged->function) {
      of.config = std::make_shared<ConfigNames>(std::as_const(*plugged->function).config().bytes());
      for (int bar = 0; bar < 6; ++bar)
        if (const RegisterBank* bank = std::as_const(*plugged->function).bank(bar))
          of.bars.push_back(std::make_shared<RegisterLookup>(bank->map()));
    }
    names->functions.push_back(std::move(of));
  }
  names_ = std::move(names);
}

void Link::connect(Host& host) {
  host_ = &host;
  for (std::size_t i = 0; i < plugged_.size(); ++i)
    if (plugged_[i]->function) share(static_cast<std::uint8_t>(i), *plugged_[i]->function);
}

void Link::share(std::uint8_t index, Function& function) {
  for (int bar = 0; host_ != nullptr && bar < 6; ++bar)
    if (const auto memory = host_->shared(index, bar); !memory.empty()) function.share(bar, memory);
}

const Function* Link::function(std::uint8_t index) const {
  return index < plugged_.size() ? plugged_[index]->function.get() : nullptr;
}

const std::string& Link::device_name(std::uint8_t index) const {
  return plugged_[index]->device;
}

Link::LastChange Link::last_change(std::uint8_t function, std::int8_t bar,
                                   std::uint64_t offset) const {
  if (function >= plugged_.size() || bar < 0) return {};
  const auto& [unit, last] = plugged_[function]->changes[bar];
  return offset / unit < last.size() ? last[offset / unit] : LastChange{};
}

std::optional<Link::AtWork> Link::at_work() const {
  const Plugged* who = working_.load(std::memory_order_acquire);
  if (who == nullptr) return std::nullopt;
  return AtWork{who->instance, works_on_.load(std::memory_order_acquire)};
}

// ---- the requester's side ----------------------------------------------------------------------

// The link thread would like the lock. For a while and not longer: it may be stuck on its way to
// it, below an interrupt handler that waits for the answer which only we can give.
void Link::step_back() {
  constexpr int kMost = 100;
  for (int i = 0; i < kMost && urgent_.load(std::memory_order_relaxed) != 0; ++i)
    std::this_thread::yield();
}

Link::Lock Link::enter() {
  step_back();
  Lock lock(mutex_);
  if (!flows()) [[unlikely]] {
    waiting_.fetch_add(1, std::memory_order_relaxed);
    delivery_.wait(lock, [this] { return flows(); });
    waiting_.fetch_sub(1, std::memory_order_relaxed);
  }
  return lock;
}

Completion Link::request(Transaction t, std::string_view stack) {
  Lock lock = enter();
  Slot& slot = take_slot();
  slot.t = t;
  slot.stack = stack;
  begin(slot, lock);
  if (!slot.done) wait_for_reply(slot, lock);
  const Completion completion = finish(slot, lock);
  free_slot(slot);
  return completion;
}

void Link::request(Transaction t, std::function<void(const Transaction&)> done) {
  Lock lock = enter();
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
}

void Link::add_slot() {
  slots_.push_back(std::make_unique<Slot>());
  slots_.back()->index = static_cast<std::uint32_t>(slots_.size() - 1);
  free_slots_.push_back(slots_.back()->index);
}

Link::Slot& Link::take_slot() {
  if (free_slots_.empty()) add_slot();
  Slot& slot = *slots_[free_slots_.back()];
  free_slots_.pop_back();
  slot.rule = 0;
  slot.refusal.clear();
  slot.edit_told.reset();
  slot.stack = {};
  slot.before_value = 0;
  slot.done = slot.recorded = slot.changes_register = slot.delivered = false;
  slot.passed = slot.aside = slot.overtaken = slot.posted = false;
  slot.latest.reset();
  slot.in_use = true;
  return slot;
}

void Link::free_slot(Slot& slot) {
  ++slot.generation;
  slot.in_use = false;
  slot.when_done = nullptr;
  free_slots_.push_back(slot.index);
}

void Link::number(Transaction& t) {
  seq_ = t.seq != 0 ? t.seq : seq_ + 1;
  t.seq = seq_;
  if (t.t_ns == 0) t.t_ns = clock_.now_ns();
  // A function's time never runs backwards, whatever clock its host reads.
  time_ = std::max(time_, t.t_ns);
}

void Link::begin(Slot& slot, Lock& lock) {
  number(slot.t);
  slot.sent = slot.t.value;
  slot.t.edited = false;  // a replay brings what was recorded
  // What is held of these has happened already, and others may pass it.
  if (only_told(slot.t.kind)) mappings_.record(slot.t);
  bool deliver = true;
  if (watched(slot.t) && !slot.aside) [[unlikely]]
    deliver = before(slot, lock);
  if (deliver) hand_over(slot, lock);
}

void Link::hand_over(Slot& slot, Lock& lock) {
  current_ = slot.t.seq;
  const bool host_answered = slot.t.answered_by == AnsweredBy::Shadow;
  const bool unclaimed = slot.t.answered_by == AnsweredBy::Nobody;  // so the host says
  Plugged* plugged = slot.t.function < plugged_.size() ? plugged_[slot.t.function].get() : nullptr;
  // Of what the host has done by itself, a function must know config writes only.
  if (only_told(slot.t.kind) || (host_answered && slot.t.kind != Kind::CfgWrite)) {
    slot.t.status = Status::SC;
    slot.done = true;
  } else if (unclaimed || plugged == nullptr || !plugged->function) {
    slot.t.status = Status::UR;
    slot.t.answered_by = AnsweredBy::Nobody;
    slot.done = true;
  } else {
    plugged->touched(slot.t);
    slot.delivered = true;
    Slot* const outer = std::exchange(delivering_, &slot);
    const Working working(*this, *plugged, &slot.t);
    try {
      plugged->function->deliver(slot.t, Reply(*this, slot.index, slot.generation));
      plugged->function->reap();
    } catch (const std::exception& e) {
      model_failed(plugged->index, e.what());
    } catch (...) {
      model_failed(plugged->index, "something that is no std::exception");
    }
    delivering_ = outer;
    // A posted write needs no reply; one that never came must not hold the requester.
    if (!slot.done && !is_read(slot.t.kind) && slot.t.kind != Kind::CfgWrite) {
      slot.t.status = Status::SC;
      slot.done = true;
    }
  }
  if (next_effect_ < effects_.size() || !slot.done) [[unlikely]] {
    record_pending(slot);
    pump(lock);
  }
}

// A function's reply: at once, inside deliver(), or later as one of its effects, so that it never
// passes the DMA and interrupts that the function asked for before (PCIe 5.0, 2.4.1).
void Link::complete(const Reply& reply, std::uint64_t value, Status status) {
  Slot* slot = reply.slot() < slots_.size() ? slots_[reply.slot()].get() : nullptr;
  if (slot == nullptr || slot->generation != reply.generation() || slot->done) {
    recorder_.blob(BlobKind::Note, current_,
                   as_bytes("unexpected completion: nobody waits for it"));
    return;
  }
  if (slot != delivering_) {
    effects_.push_back({.what = Effect::What::Reply,
                        .value = value,
                        .cause = current_,
                        .slot = slot->index,
                        .generation = slot->generation,
                        .status = status});
    return;
  }
  if (is_read(slot->t.kind) && slot->t.kind != Kind::DmaRead)
    slot->t.value = value & mask_of_size(slot->t.size);
  slot->t.status = status;
  slot->done = true;
}

// The answer that came while something else is held waits with it: one stop at a time.
void Link::wait_for_reply(Slot& slot, Lock& lock) {
  constexpr std::chrono::nanoseconds kSlice = std::chrono::milliseconds(50);
  auto left = std::chrono::duration_cast<std::chrono::nanoseconds>(options_.completion_timeout);
  const auto over = [&] { return slot.done || closing_ || left.count() <= 0; };
  // No timer of a function runs in a stop: who cannot wait does not wait for it.
  const auto late = [&] {
    return slot.latest && !flows() && std::chrono::steady_clock::now() >= *slot.latest;
  };
  while ((!over() || !flows()) && !late()) {
    const auto from = std::chrono::steady_clock::now();
    delivery_.wait_for(lock, over() ? kSlice : std::min(left, kSlice));
    // Time that passes in a stop does not count.
    if (!held_) left -= std::chrono::steady_clock::now() - from;
  }
  slot.aside |= late();
  if (slot.done) return;
  slot.t.status = Status::Timeout;
  slot.t.answered_by = AnsweredBy::Nobody;
  slot.done = true;
}

Completion Link::finish(Slot& slot, Lock& lock) {
  Transaction& t = slot.t;
  const bool reads = is_read(t.kind) && !is_dma(t.kind);
  if (reads && t.status != Status::SC) t.value = mask_of_size(t.size);
  if (!t.edited) slot.answered = t.value;
  t.done_ns = clock_.now_ns();
  if (t.done_ns < t.t_ns) t.done_ns = t.t_ns;
  if (watched(t) && !slot.aside) [[unlikely]]
    after(slot, lock);
  if (slot.passed && t.answered_by == AnsweredBy::Function) t.answered_by = AnsweredBy::PassedStop;
  record_done(slot);
  last_.record(t, *names_);
  return {t.seq, t.value, t.status, t.answered_by};
}

void Link::record_pending(Slot& slot) {
  if (slot.recorded) return;
  const Status status = std::exchange(slot.t.status, Status::Pending);
  recorder_.event(slot.t);
  slot.t.status = status;
  slot.recorded = true;
  record_stack(slot);
}

void Link::record_stack(Slot& slot) {
  if (!slot.stack.empty()) recorder_.blob(BlobKind::Stack, slot.t.seq, as_bytes(slot.stack));
  slot.stack = {};
}

// As it has completed; told once more where a stop comes after, for a session that ends there. The
// edit first: who reads of a transaction that it has completed knows whether it was changed.
void Link::record_done(Slot& slot) {
  const Transaction& t = slot.t;
  const bool reads = is_read(t.kind);
  if (t.edited && slot.edit_told != t.value) {
    slot.edit_told = t.value;
    recorder_.edit(t.seq, slot.sent, reads ? slot.sent : t.value, reads ? slot.answered : 0,
                   reads ? t.value : 0, slot.rule);
  }
  if (slot.recorded)
    recorder_.completion(t);
  else
    recorder_.event(t);
  slot.recorded = true;
  record_stack(slot);
}

void Link::model_failed(std::uint8_t function, const char* what) {
  const std::string text = plugged_[function]->instance + ": the device model threw: " + what +
                           "; the request is completed with CA";
  recorder_.blob(BlobKind::Note, current_, as_bytes(text));
  if (delivering_ != nullptr && !delivering_->done) {
    delivering_->t.status = Status::CA;
    delivering_->done = true;
  }
}

void Link::name_site(std::uint32_t site, std::string symbol, std::string_view json) {
  const Lock lock(mutex_);
  if (site_symbols_.size() <= site) site_symbols_.resize(site + 1);
  site_symbols_[site] = std::move(symbol);
  recorder_.blob(BlobKind::Site, site, as_bytes(json));
}

void Link::name_requester(std::uint32_t thread, std::string_view name) {
  using namespace std::string_literals;
  const std::string text = "thread." + std::to_string(thread) + "\0"s + std::string(name);
  const Lock lock(mutex_);
  recorder_.blob(BlobKind::Meta, 0, as_bytes(text));
}

void Link::host_note(std::string_view text) {
  const Lock lock(mutex_);
  recorder_.blob(BlobKind::Note, seq_, as_bytes(text));
}

}  // namespace pcilens
