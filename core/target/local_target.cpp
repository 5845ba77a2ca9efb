#include "core/target/local_target.hpp"

#include <fmt/format.h>

#include <condition_variable>
#include <map>
#include <thread>

#include "core/host/kmod/kmod_host.hpp"
#include "core/target/describe_function.hpp"
#include "core/target/snapshot.hpp"
#include "core/thread_name.hpp"
#include "core/thread_time.hpp"
#include "core/trace/causes.hpp"

namespace pcilens {

Result<std::unique_ptr<Function>> make_function(const Device& device,
                                                const DeviceOptions& options) {
  try {
    auto function = device.create(options);
    if (function && *function == nullptr)
      return fail(fmt::format("device {}: create gave no function", device.name));
    return function;
  } catch (const std::exception& e) {
    return fail(
        fmt::format("device {}: its constructor threw: {}; mend the model", device.name, e.what()));
  } catch (...) {
    return fail(fmt::format(
        "device {}: its constructor threw something that is no std::exception; mend the model",
        device.name));
  }
}

Result<std::unique_ptr<Target>> open_session(const SessionOptions& options) {
  return LocalTarget::open(options);
}

// ---- opening, restarting, ending ---------------------------------------------------------------

Result<std::unique_ptr<Target>> LocalTarget::open(const SessionOptions& options) {
  if (options.devices.empty()) return fail("no device was chosen; name one with --device");
  std::unique_ptr<LocalTarget> target(new LocalTarget(options));
  LocalTarget* self = target.get();
  auto recording =
      options.spool.empty()
          ? Recording::to_file(
                options.trace, [self](std::string t) { self->said(t); }, options.overwrite)
          : Recording::to_spool(options.spool);
  if (!recording) return tl::unexpected(recording.error());
  target->recording_ = std::move(*recording);
  target->clock_.begin_at(target->recording_->last_ns());
  const auto meta = [&](std::string text) {
    target->recording_->recorder().blob(BlobKind::Meta, 0, std::as_bytes(std::span(text)));
  };
  using namespace std::string_literals;
  meta("host\0"s + options.host);
  meta("abi\0"s + std::string(abi_identity()));
  auto run = target->make_run(nullptr);
  if (!run) return tl::unexpected(run.error());
  if (auto begun = target->begin(*run, nullptr); !begun) {
    target->end(**run);
    return tl::unexpected(begun.error());
  }
  return std::unique_ptr<Target>(std::move(target));
}

namespace {

std::string never_returns(const Link& link) {
  const auto work = link.at_work();
  if (!work) return {};
  if (work->request == nullptr)
    return fmt::format("{}: a task of its model does not return; ended without it", work->instance);
  return fmt::format("{}: its model's handler of #{}, {} {}, does not return; ended without it",
                     work->instance, work->request->seq, in_words(work->request->kind),
                     link.names()->place(*work->request));
}

// Looks, while it lives, whether a device model keeps everybody waiting.
class EndWatch {
 public:
  EndWatch(std::shared_ptr<const Link> link, const SessionOptions& options)
      : thread_([this, link = std::move(link), &options] {
          std::unique_lock lock(mutex_);
          while (!ended_.wait_for(lock, options.stuck_after, [this] { return over_; }))
            if (std::string why = never_returns(*link); !why.empty()) {
              lock.unlock();
              return options.stuck(std::move(why));
            }
        }) {}
  ~EndWatch() {
    {
      const std::lock_guard lock(mutex_);
      over_ = true;
    }
    ended_.notify_all();
    thread_.join();
  }

 private:
  std::mutex mutex_;
  std::condition_variable ended_;
  bool over_ = false;
  std::thread thread_;  // last: it uses the rest
};

}  // namespace

LocalTarget::~LocalTarget() {
  {
    const std::lock_guard lock(mutex_);
    ending_ = true;
  }
  std::optional<EndWatch> watch;
  if (const auto current = run(); current && options_.stuck)
    watch.emplace(std::shared_ptr<const Link>(current, &current->link), options_);
  if (restarter_.joinable()) restarter_.join();
  if (const auto current = run()) end(*current);
  watch.reset();
  {
    // Let go of outside the lock: what was asked too late is answered then, and looks at us.
    std::shared_ptr<Run> last;
    {
      const std::lock_guard lock(mutex_);
      last.swap(run_);
    }
  }
  if (!recording_) return;
  const auto closed = recording_->close();
  if (!closed && options_.not_written) options_.not_written(closed.error().message);
}

// The devices are made anew; a plug-in that was rebuilt comes as it is now.
Result<std::shared_ptr<LocalTarget::Run>> LocalTarget::make_run(const Run* previous) {
  const std::uint64_t last =
      previous == nullptr ? recording_->last_seq() : previous->link.last_seq();
  auto run = std::make_shared<Run>(clock_, recording_->recorder(), last, options_.devices);
  std::map<std::string, int> counts;
  for (std::size_t i = 0; i < options_.devices.size(); ++i) {
    const DeviceChoice& choice = options_.devices[i];
    auto loaded = LoadedDevice::load(choice.name);
    if (!loaded) return tl::unexpected(loaded.error());
    const Device& device = (*loaded)->device();
    auto function = make_function(device, choice.options);
    if (!function) return tl::unexpected(function.error());
    const std::string instance =
        fmt::format("{}{}", device.name, counts[std::string(device.name)]++);
    const std::string bdf = fmt::format("00:{:02x}.0", i + 1);
    const std::string json =
        describe_function(**function, instance, std::string(device.name), bdf, choice.options);
    run->devices.push_back(std::move(*loaded));
    run->link.plug(std::move(*function), instance, std::string(device.name), bdf);
    recording_->recorder().blob(BlobKind::Function, i, std::as_bytes(std::span(json)));
    if (last != 0) run->link.announce(static_cast<std::uint8_t>(i));
  }
  return run;
}

Result<void> LocalTarget::begin(const std::shared_ptr<Run>& run, const Run* previous) {
  Run* const self = run.get();
  if (options_.host == "sim") {
    auto host = std::make_unique<sim::SimHost>(run->link);
    run->sim = host.get();
    run->host = std::move(host);
  } else if (options_.host == "kmod") {
    auto host = kmod::KmodHost::open(run->link, options_.stacks);
    if (!host) return tl::unexpected(host.error());
    run->host = std::move(*host);
  } else {
    return fail(fmt::format("there is no host called {}; there are sim and kmod", options_.host));
  }
  {
    const std::lock_guard lock(mutex_);
    run_ = run;
  }
  for (const auto& loaded : run->devices)
    if (run->sim != nullptr && options_.drive && loaded->device().drive != nullptr) ++run->drivers;
  // Before the link's own thread lives, nobody else looks at it.
  if (run->sim != nullptr)
    for (std::size_t i = 0; i < run->devices.size(); ++i)
      run->sim->enumerate(static_cast<std::uint8_t>(i));
  // Only now: no breakpoint holds the bus being set up, when nobody could let it go.
  if (previous != nullptr) run->link.adopt(previous->link);
  if (options_.hold_at_first_access) run->link.stop_at_first_access();
  // From here on nobody sees the stop of an earlier run.
  dirty_ = true;
  publish(*self, true);
  run->link.start([this] { dirty_ = true; },
                  [this, self] {
                    publish(*self, false);
                    watch_plug_ins(*self);
                  });
  if (run->sim == nullptr)
    return static_cast<kmod::KmodHost&>(*run->host).plug_all([this](std::string line) {
      said(std::move(line));
    });
  for (std::size_t i = 0; i < run->devices.size(); ++i) {
    const Device& device = run->devices[i]->device();
    if (!options_.drive || device.drive == nullptr) continue;
    run->sim->drive(
        static_cast<std::uint8_t>(i), device.drive, options_.devices[i].options,
        [this](std::string line) { said(std::move(line)); },
        [this, self, i](Result<void> result) {
          self->link.driver_left(static_cast<std::uint8_t>(i));
          said(result ? "the driver has finished"
                      : "the driver gave up: " + result.error().message);
          self->link.post([this, self] {
            --self->drivers;
            dirty_ = true;
            publish(*self, true);
          });
        });
  }
  return {};
}

void LocalTarget::end(Run& run) {
  run.link.close();
  if (run.host) run.host->shut_down();
}

void LocalTarget::restart(Done<void> done) {
  std::unique_lock lock(mutex_);
  if (restarting_ || ending_) {
    lock.unlock();
    return done(fail("a restart is under way already, or the session ends"));
  }
  restarting_ = true;
  // The last one is saying its last words, for which it may want the lock.
  std::thread last = std::move(restarter_);
  lock.unlock();
  if (last.get_id() == std::this_thread::get_id())
    last.detach();
  else if (last.joinable())
    last.join();
  // What was asked before is the old link's, what comes after the new one's.
  const auto old = run();
  old->link.post([old] { old->over = true; });
  lock.lock();
  if (ending_) {
    lock.unlock();
    restarted();
    return done(fail("the session ends"));
  }
  // Ending a run waits for its threads, so it is no job for the link's own.
  restarter_ = std::thread([this, old, done = std::move(done)] {
    name_thread("restarter");
    end(*old);
    auto fresh = make_run(old.get());
    Result<void> result;
    if (!fresh) {
      result = tl::unexpected(fresh.error());
    } else {
      result = begin(*fresh, old.get());
    }
    if (!result) said(result.error().message);
    restarted();
    done(std::move(result));
  });
}

void LocalTarget::restarted() {
  std::vector<std::function<void(Run&)>> late;
  {
    const std::lock_guard lock(mutex_);
    restarting_ = false;
    late.swap(late_);
  }
  for (auto& act : late) post(std::move(act));
}

// --watch: a plug-in that was rebuilt takes the place of the old one, breakpoints and all.
void LocalTarget::watch_plug_ins(Run& run) {
  if (!options_.watch) return;
  const auto now = std::chrono::steady_clock::now();
  if (now - watched_ < std::chrono::milliseconds(200)) return;
  watched_ = now;
  for (const auto& device : run.devices) {
    if (!device->outdated()) continue;
    // A linker that still writes: loaded once it can be.
    if (!LoadedDevice::load(device->path())) return;
    said(device->path() + " was rebuilt: loaded again");
    return restart([](Result<void>) {});
  }
}

// ---- state for the screens ---------------------------------------------------------------------

std::shared_ptr<LocalTarget::Run> LocalTarget::run() const {
  const std::lock_guard lock(mutex_);
  return run_;
}

std::shared_ptr<const Snapshot> LocalTarget::snapshot() const {
  const std::lock_guard lock(mutex_);
  return snapshot_;
}

void LocalTarget::on_change(std::function<void()> listener) {
  const std::lock_guard lock(mutex_);
  listener_ = std::move(listener);
}

void LocalTarget::said(std::string line) {
  const std::lock_guard lock(mutex_);
  driver_ = std::move(line);
  dirty_ = true;
}

namespace {

std::pair<std::uint64_t, Phase> held_at(const HeldTransaction& held) {
  return {held.transaction.seq, held.phase};
}

}  // namespace

void LocalTarget::publish(Run& run, bool at_once) {
  constexpr std::chrono::nanoseconds kLeast = std::chrono::milliseconds(16);
  const auto now = std::chrono::steady_clock::now();
  const bool dirty = dirty_.exchange(false);
  if (!dirty && run.link.last_seq() == published_seq_) return;
  if (!at_once && !dirty && now - published_ < std::max(kLeast, pause_after(publishing_))) return;
  const auto from = thread_time();
  published_ = now;
  published_seq_ = run.link.last_seq();
  auto fresh = take_snapshot(run.link, *snapshot());
  if (fresh->stop && released_ == held_at(*run.link.stop())) {
    fresh->stop.reset();
    fresh->state = run.link.paused() ? RunState::Paused : RunState::Running;
  } else {
    released_.reset();
  }
  fresh->host = options_.host;
  fresh->trace = recording_->path();
  if (fresh->state == RunState::Running && run.sim != nullptr && run.drivers == 0)
    fresh->state = RunState::Ended;
  std::function<void()> listener;
  {
    const std::lock_guard lock(mutex_);
    fresh->driver = driver_;
    snapshot_ = std::move(fresh);
    listener = listener_;
  }
  publishing_ = thread_time() - from;
  if (listener) listener();
}

// ---- commands ----------------------------------------------------------------------------------

void LocalTarget::post(std::function<void(Run&)> act) {
  const auto current = run();
  current->link.post([this, current, act = std::move(act)]() mutable {
    if (!current->over) return act(*current);
    {
      const std::lock_guard lock(mutex_);
      if (restarting_) {
        late_.push_back(std::move(act));
        return;
      }
    }
    if (run() == current) return act(*current);  // the restart came to nothing
    post(std::move(act));
  });
}

template <typename T>
void LocalTarget::command(Done<T> done, std::function<Result<T>(Link&)> act) {
  post([this, done = std::move(done), act = std::move(act)](Run& run) {
    auto result = act(run.link);
    // Who asked shall see the change in the next snapshot it takes.
    dirty_ = true;
    publish(run, true);
    done(std::move(result));
  });
}

// Whoever held it is on its way, but its thread has not run yet: for the screens it runs.
Result<void> LocalTarget::let_go(const Link& link, Result<void> result) {
  if (result && link.stop()) released_ = held_at(*link.stop());
  return result;
}

void LocalTarget::pause(Done<void> done) {
  command<void>(std::move(done), [](Link& link) -> Result<void> {
    link.pause();
    return {};
  });
}
void LocalTarget::resume(Done<void> done) {
  command<void>(std::move(done), [this](Link& link) { return let_go(link, link.resume()); });
}
void LocalTarget::step(Step step, Done<void> done) {
  command<void>(std::move(done),
                [this, step](Link& link) { return let_go(link, link.step(step)); });
}
void LocalTarget::edit(std::uint64_t value, Done<void> done) {
  command<void>(std::move(done), [value](Link& link) { return link.edit(value); });
}
void LocalTarget::add_breakpoint(Breakpoint breakpoint, Done<std::uint32_t> number) {
  command<std::uint32_t>(std::move(number), [breakpoint = std::move(breakpoint)](Link& link) {
    return link.add_breakpoint(breakpoint);
  });
}
void LocalTarget::enable_breakpoint(std::uint32_t number, bool enabled, Done<void> done) {
  command<void>(std::move(done),
                [=](Link& link) { return link.enable_breakpoint(number, enabled); });
}
void LocalTarget::remove_breakpoint(std::uint32_t number, Done<void> done) {
  command<void>(std::move(done), [=](Link& link) { return link.remove_breakpoint(number); });
}
void LocalTarget::add_fault(Fault fault, Done<std::uint32_t> number) {
  command<std::uint32_t>(std::move(number),
                         [fault = std::move(fault)](Link& link) { return link.add_fault(fault); });
}
void LocalTarget::enable_fault(std::uint32_t number, bool enabled, Done<void> done) {
  command<void>(std::move(done), [=](Link& link) { return link.enable_fault(number, enabled); });
}
void LocalTarget::remove_fault(std::uint32_t number, Done<void> done) {
  command<void>(std::move(done), [=](Link& link) { return link.remove_fault(number); });
}

namespace {

Transaction transaction_at(const Place& place, Kind memory, Kind config) {
  return {.offset = place.offset,
          .size = place.size,
          .kind = place.bar == kBarConfig ? config : memory,
          .bar = place.bar,
          .function = place.function};
}

}  // namespace

void LocalTarget::poke_read(Place place, Done<std::uint64_t> value) {
  post([place, value = std::move(value)](Run& run) {
    run.link.poke(transaction_at(place, Kind::MemRead, Kind::CfgRead), value);
  });
}

void LocalTarget::poke_write(Place place, std::uint64_t value, Done<void> done) {
  if (value & ~mask_of_size(place.size))
    return done(
        fail(fmt::format("{:#x} does not fit {} bytes; write a smaller value", value, place.size)));
  post([=, this, done = std::move(done)](Run& run) {
    Transaction t = transaction_at(place, Kind::MemWrite, Kind::CfgWrite);
    t.value = value;
    run.link.poke(t, [this, &run, done](Result<std::uint64_t> r) {
      dirty_ = true;
      publish(run, true);
      if (r)
        done({});
      else
        done(tl::unexpected(r.error()));
    });
  });
}

void LocalTarget::force(Place place, std::uint64_t value, Done<void> done) {
  command<void>(std::move(done), [=](Link& link) {
    Transaction t = transaction_at(place, Kind::Force, Kind::Force);
    t.value = value;
    return link.force(t);
  });
}

void LocalTarget::reset_function(std::uint8_t function, ResetKind kind, Done<void> done) {
  command<void>(std::move(done), [=](Link& link) -> Result<void> {
    if (link.function(function) == nullptr) return fail("this function is not plugged in");
    link.reset_function(
        {.value = static_cast<std::uint64_t>(kind), .origin = Origin::Poke, .function = function});
    return {};
  });
}

void LocalTarget::trace_page(TraceRequest request, Done<TracePage> page) {
  recording_->page(std::move(request), std::move(page));
}
void LocalTarget::trace_payload(std::uint64_t seq, Done<std::vector<std::byte>> bytes) {
  recording_->payload(seq, std::move(bytes));
}
void LocalTarget::count_matches(std::string expression, Done<MatchCount> count) {
  recording_->count(std::move(expression), std::move(count));
}

void LocalTarget::commands(CommandRequest request, Done<CommandPage> page) {
  recording_->commands(request, std::move(page));
}

// An example driver runs in this very process: its code and stack can be looked at as they are.
void LocalTarget::code_at(std::uint64_t seq, Done<CodeView> view) {
  recording_->ask([this, seq, done = std::move(view)](Result<TraceReader*> trace) {
    if (!trace) return done(tl::unexpected(trace.error()));
    const auto access = driver_access(**trace, seq);
    if (!access) return done(tl::unexpected(access.error()));
    const auto current = run();
    std::vector<std::uintptr_t> stack;
    if (*access && current->sim != nullptr)
      stack = current->sim->stack_of((*access)->function, (*access)->seq);
    if (stack.empty()) return done(code_view(**trace, seq));
    driver_code_.describe(std::move(stack), [of = (*access)->seq, done](Result<CodeView> code) {
      if (code) code->of = of;
      done(std::move(code));
    });
  });
}

// ---- memory ------------------------------------------------------------------------------------

void LocalTarget::dma_mappings(Done<std::vector<DmaMapping>> mappings) {
  post([done = std::move(mappings)](Run& run) {
    std::vector<DmaMapping> list;
    run.link.mappings().for_each([&](const DmaMappings::Mapping& m) {
      list.push_back(to_show(m, run.link.symbol(m.site)));
    });
    done(std::move(list));
  });
}

void LocalTarget::dma_look(std::uint8_t function, std::uint64_t iova, std::uint32_t size,
                           Done<std::vector<std::byte>> bytes) {
  post([=, done = std::move(bytes)](Run& run) {
    std::vector<std::byte> data(std::min(size, kMostDmaLook));
    data.resize(run.host ? run.host->look(function, iova, data) : 0);
    if (data.empty())
      return done(fail(fmt::format("IOVA {:#x}: nothing is mapped there now", iova)));
    done(std::move(data));
  });
}

}  // namespace pcilens
