#include "core/target/trace_target.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "core/target/snapshot.hpp"
#include "core/trace/site_symbols.hpp"

namespace pcilens {
namespace {

Error only_a_recording(std::string_view what) {
  return {fmt::format(
      "this is a recording, which cannot be {}; \"pcilens replay\" sends it to a device", what)};
}

}  // namespace

std::shared_ptr<Snapshot> snapshot_of(TraceReader& trace) {
  auto made = std::make_shared<Snapshot>();
  Snapshot& s = *made;
  s.state = RunState::Ended;
  s.host = "trace";
  s.trace = trace.path();
  s.seq = trace.last_seq();
  s.names = trace.names();
  for (const TraceFunction& f : trace.functions()) {
    FunctionState state{.instance = f.instance, .device = f.device, .bdf = f.bdf};
    state.config = std::make_shared<const std::vector<std::byte>>(f.config);
    for (const auto& b : f.bars)
      state.bars.push_back({.index = b.index,
                            .size = b.size,
                            .address = b.address,
                            .is_64bit = b.is_64bit,
                            .prefetchable = b.prefetchable});
    s.functions.push_back(std::move(state));
  }
  return made;
}

Result<std::unique_ptr<Target>> TraceTarget::open(
    const std::string& trace, const std::function<void(TraceReader&)>& prepare) {
  std::unique_ptr<TraceTarget> made(new TraceTarget);
  auto recording = Recording::of_file(trace);
  if (!recording) return tl::unexpected(recording.error());
  made->recording_ = std::move(*recording);
  const auto opened = pcilens::ask<void>([&](Done<void> done) {
    made->recording_->ask([&made, &prepare, done](Result<TraceReader*> reader) {
      if (!reader) return done(tl::unexpected(reader.error()));
      made->trace_ = *reader;
      if (prepare) prepare(**reader);
      made->cursor_.emplace(**reader);
      const auto looked = (*reader)->for_each(1, ~0ull >> 1, [&](const Transaction& t) {
        if (is_memory(t.kind) && t.origin == Origin::Driver) made->first_access_ = t.seq;
        return made->first_access_ == 0;
      });
      if (!looked) return done(tl::unexpected(looked.error()));
      done(made->stand_at(std::max<std::uint64_t>(made->first_access_, 1),
                          "the driver's first access"));
    });
  });
  if (!opened) return tl::unexpected(opened.error());
  return made;
}

TraceTarget::~TraceTarget() {
  cancel_ = true;
  if (recording_) recording_->close();
}

// ---- where it stands ---------------------------------------------------------------------------

Result<std::shared_ptr<Snapshot>> TraceTarget::shown(TraceReader& trace) {
  auto made = snapshot_of(trace);
  Snapshot& s = *made;
  s.breakpoints = breakpoints_.list();
  auto registers = trace.registers_at(cursor_->seq());
  if (!registers) return tl::unexpected(registers.error());
  // They come in the order of functions, BARs, registers and elements that a bank has.
  for (const TraceRegister& r : *registers) {
    if (r.function >= s.functions.size()) continue;
    auto& banks = s.functions[r.function].banks;
    if (banks.empty() || banks.back().bar != r.bar)
      banks.push_back({.bar = r.bar, .registers = {}});
    RegisterState state{.value = r.value, .changed_seq = r.changed_seq, .recorded = r.recorded};
    if (r.changed_seq != 0)
      if (const auto event = trace.event(r.changed_seq); event && *event)
        state.changed_by = (*event)->t.origin;
    banks.back().registers.push_back(state);
  }
  return made;
}

void TraceTarget::publish(std::shared_ptr<Snapshot> fresh) {
  std::function<void()> listener;
  {
    const std::lock_guard lock(mutex_);
    fresh->version = snapshot_->version + 1;
    snapshot_ = std::move(fresh);
    listener = listener_;
  }
  if (listener) listener();
}

Result<void> TraceTarget::stand(std::optional<TraceCursor::Found> found, std::string reason) {
  auto standing = shown(*trace_);
  if (!standing) return tl::unexpected(standing.error());
  const auto& s = *standing;
  if (found) {
    s->state = RunState::Stopped;
    s->now_ns = found->transaction.t_ns;
    s->stop = Stop{.transaction = found->transaction,
                   .phase = Phase::After,
                   .breakpoints = std::move(found->breakpoints),
                   .reason = std::move(reason),
                   .original = found->transaction.value};
  } else {
    s->state = RunState::Ended;
    s->driver = "the recording ends here";
    if (const auto last = trace_->event(s->seq); last && *last) s->now_ns = (*last)->t.done_ns;
  }
  publish(s);
  return {};
}

Result<void> TraceTarget::stand_at(std::uint64_t seq, std::string reason) {
  auto event = trace_->event(seq);
  if (!event) return tl::unexpected(event.error());
  if (!*event)
    return seq > trace_->last_seq() || trace_->last_seq() == 0
               ? (cursor_->go_to(trace_->last_seq() + 1), stand(std::nullopt, {}))
               : tl::unexpected(Error{fmt::format("there is no transaction #{}", seq)});
  cursor_->go_to(seq);
  return stand(TraceCursor::Found{.transaction = (*event)->t, .breakpoints = {}},
               std::move(reason));
}

void TraceTarget::run_on(std::optional<Step> step, Done<void> done) {
  cancel_ = false;
  // At once, so that nobody takes the stop before for the one that comes.
  auto running = std::make_shared<Snapshot>(*snapshot());
  running->state = RunState::Running;
  running->stop.reset();
  publish(std::move(running));
  recording_->ask([this, step = std::move(step), done = std::move(done)](auto trace) {
    if (!trace) return done(tl::unexpected(trace.error()));
    auto found = cursor_->advance(breakpoints_, step, cancel_);
    if (!found) {
      const Error why = found.error();
      if (auto stood = stand_at(cursor_->seq(), "step"); !stood)
        return done(tl::unexpected(stood.error()));
      return done(tl::unexpected(why));
    }
    if (!*found && cancel_) return done(stand_at(cursor_->seq(), "pause"));
    std::string reason = "step";
    if (*found && !(*found)->breakpoints.empty()) {
      const BreakpointState* hit = breakpoints_.find((*found)->breakpoints.front());
      reason = fmt::format("breakpoint {}: {}", hit->number, hit->breakpoint.expression);
      for (const std::uint32_t number : (*found)->breakpoints)
        if (const auto* b = breakpoints_.find(number); b != nullptr && b->breakpoint.once)
          (void)breakpoints_.remove(number);
    }
    done(stand(std::move(*found), std::move(reason)));
  });
}

std::shared_ptr<const Snapshot> TraceTarget::snapshot() const {
  const std::lock_guard lock(mutex_);
  return snapshot_;
}

void TraceTarget::on_change(std::function<void()> listener) {
  const std::lock_guard lock(mutex_);
  listener_ = std::move(listener);
}

void TraceTarget::pause(Done<void> done) {
  cancel_ = true;
  recording_->ask([done = std::move(done)](auto) { done({}); });
}

void TraceTarget::resume(Done<void> done) {
  // As live: it runs, and whoever wants the stop waits for it.
  run_on(std::nullopt, [](const Result<void>&) {});
  done({});
}

void TraceTarget::step(Step step, Done<void> done) {
  run_on(std::move(step), std::move(done));
}

void TraceTarget::go_to(std::uint64_t seq, Done<void> done) {
  recording_->ask([this, seq, done = std::move(done)](auto trace) {
    if (!trace) return done(tl::unexpected(trace.error()));
    done(stand_at(seq, "here by hand"));
  });
}

void TraceTarget::restart(Done<void> done) {
  recording_->ask([this, done = std::move(done)](auto trace) {
    if (!trace) return done(tl::unexpected(trace.error()));
    done(stand_at(std::max<std::uint64_t>(first_access_, 1), "the driver's first access"));
  });
}

// ---- breakpoints -------------------------------------------------------------------------------

void TraceTarget::with_breakpoints(Done<void> done,
                                   std::function<Result<void>(BreakpointTable&)> act) {
  recording_->ask([this, act = std::move(act), done = std::move(done)](auto trace) {
    if (!trace) return done(tl::unexpected(trace.error()));
    auto result = act(breakpoints_);
    auto s = std::make_shared<Snapshot>(*snapshot());
    s->breakpoints = breakpoints_.list();
    publish(std::move(s));
    done(std::move(result));
  });
}

void TraceTarget::add_breakpoint(Breakpoint breakpoint, Done<std::uint32_t> number) {
  auto added = std::make_shared<std::uint32_t>(0);
  with_breakpoints(
      [added, number = std::move(number)](Result<void> result) {
        if (!result) return number(tl::unexpected(result.error()));
        number(*added);
      },
      [this, added, breakpoint = std::move(breakpoint)](BreakpointTable& table) -> Result<void> {
        auto made = table.add(breakpoint, trace_->names());
        if (!made) return tl::unexpected(made.error());
        *added = *made;
        return {};
      });
}

void TraceTarget::enable_breakpoint(std::uint32_t number, bool enabled, Done<void> done) {
  with_breakpoints(std::move(done),
                   [=](BreakpointTable& table) { return table.enable(number, enabled); });
}

void TraceTarget::remove_breakpoint(std::uint32_t number, Done<void> done) {
  with_breakpoints(std::move(done), [=](BreakpointTable& table) { return table.remove(number); });
}

// ---- what only a live target can do ------------------------------------------------------------

void TraceTarget::edit(std::uint64_t, Done<void> done) {
  done(tl::unexpected(only_a_recording("edited")));
}
void TraceTarget::add_fault(Fault, Done<std::uint32_t> number) {
  number(tl::unexpected(only_a_recording("given faults")));
}
void TraceTarget::enable_fault(std::uint32_t, bool, Done<void> done) {
  done(tl::unexpected(only_a_recording("given faults")));
}
void TraceTarget::remove_fault(std::uint32_t, Done<void> done) {
  done(tl::unexpected(only_a_recording("given faults")));
}
void TraceTarget::poke_read(Place, Done<std::uint64_t> value) {
  value(tl::unexpected(only_a_recording("read from")));
}
void TraceTarget::poke_write(Place, std::uint64_t, Done<void> done) {
  done(tl::unexpected(only_a_recording("written to")));
}
void TraceTarget::force(Place, std::uint64_t, Done<void> done) {
  done(tl::unexpected(only_a_recording("forced")));
}
void TraceTarget::reset_function(std::uint8_t, ResetKind, Done<void> done) {
  done(tl::unexpected(only_a_recording("reset")));
}

// ---- questions ---------------------------------------------------------------------------------

void TraceTarget::trace_page(TraceRequest request, Done<TracePage> page) {
  recording_->page(std::move(request), std::move(page));
}
void TraceTarget::trace_payload(std::uint64_t seq, Done<std::vector<std::byte>> bytes) {
  recording_->payload(seq, std::move(bytes));
}
void TraceTarget::code_at(std::uint64_t seq, Done<CodeView> view) {
  recording_->code(seq, std::move(view));
}

void TraceTarget::count_matches(std::string expression, Done<MatchCount> count) {
  recording_->count(std::move(expression), std::move(count));
}
void TraceTarget::dma_mappings(Done<std::vector<DmaMapping>> mappings) {
  recording_->ask([this, done = std::move(mappings)](auto trace) {
    if (!trace) return done(tl::unexpected(trace.error()));
    const auto known = (*trace)->mappings_at(cursor_->seq());
    if (!known) return done(tl::unexpected(known.error()));
    SiteSymbols symbols(**trace);
    std::vector<DmaMapping> list;
    known->for_each(
        [&](const DmaMappings::Mapping& m) { list.push_back(to_show(m, symbols.of(m.site))); });
    done(std::move(list));
  });
}
void TraceTarget::dma_look(std::uint8_t, std::uint64_t, std::uint32_t,
                           Done<std::vector<std::byte>> bytes) {
  bytes(tl::unexpected(only_a_recording("asked for its memory as it is now")));
}
void TraceTarget::commands(CommandRequest request, Done<CommandPage> page) {
  recording_->commands(request, std::move(page));
}

}  // namespace pcilens
