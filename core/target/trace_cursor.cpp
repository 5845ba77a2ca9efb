#include "core/target/trace_cursor.hpp"

namespace pcilens {
namespace {

bool is_access(Kind kind) {
  return is_config(kind) || is_memory(kind);
}

// A write, or a change by the device itself, that left another value than was there.
bool changes_register(const EventView& event) {
  const Transaction& t = event.t;
  if (t.kind != Kind::MemWrite && t.kind != Kind::State && t.kind != Kind::Force) return false;
  if (t.bar < 0 || t.size == 0 || t.size > 8 || t.status != Status::SC) return false;
  const auto bits = t.size == 8 ? ~0ull : (1ull << (8 * t.size)) - 1;
  const auto before = event.last.before(t.function, t.bar, t.offset, t.size);
  return (before.known & bits) != bits || ((before.value ^ t.value) & bits) != 0;
}

}  // namespace

bool TraceCursor::ends(const Step& step, const Expression& until, const EventView& event) const {
  switch (step.until) {
    case Step::Until::Any: return event.t.kind != Kind::State && event.t.kind != Kind::Control;
    case Step::Until::NextAccess:
      return event.t.origin == Origin::Driver && is_access(event.t.kind);
    case Step::Until::RegisterChange: return changes_register(event);
    case Step::Until::Interrupt: return event.t.kind == Kind::Irq;
    case Step::Until::Expression: return until.matches(event);
  }
  return false;
}

Result<std::optional<TraceCursor::Found>> TraceCursor::advance(BreakpointTable& breakpoints,
                                                               const std::optional<Step>& step,
                                                               const std::atomic<bool>& cancel) {
  const auto names = trace_.names();
  Expression until;
  if (step && step->until == Step::Until::Expression) {
    auto compiled = Expression::compile(step->expression, names);
    if (!compiled) return tl::unexpected(compiled.error());
    until = std::move(*compiled);
  }
  if (past_ > seq_) {  // it went back
    last_.clear();
    past_ = 0;
  }
  std::optional<Found> found;
  std::vector<std::uint32_t> logged;
  const auto looked = trace_.for_each(past_ + 1, ~0ull >> 1, [&](const Transaction& t) {
    if (t.seq > seq_) {
      if (cancel) return false;
      seq_ = t.seq;
      const EventView event{t, Phase::After, last_, *names};
      std::vector<std::uint32_t> stops;
      if (breakpoints.may_match(t)) {
        breakpoints.match({t, Phase::Before, last_, *names}, stops, logged);
        breakpoints.match(event, stops, logged);
      }
      if (!stops.empty() || (step && ends(*step, until, event))) {
        found = Found{.transaction = t, .breakpoints = std::move(stops)};
        found->transaction.payload = {};
      }
    }
    last_.record(t, *names);
    past_ = t.seq;
    return !found;
  });
  if (!looked) return tl::unexpected(looked.error());
  if (!found && !cancel) seq_ = past_ + 1;
  return found;
}

}  // namespace pcilens
