#include "core/link/breakpoints.hpp"

namespace pcilens {

Result<Expression> BreakpointTable::compile(Breakpoint& breakpoint,
                                            const std::shared_ptr<const Names>& names) {
  auto expression = Expression::compile(breakpoint.expression, names);
  // A condition on what the function answers can only be judged then.
  if (expression && expression->needs_completion()) breakpoint.phase = Phase::After;
  return expression;
}

std::vector<std::string> BreakpointTable::rename(const std::shared_ptr<const Names>& names) {
  return compile_again([&](BreakpointState& state) { return compile(state.breakpoint, names); });
}

Result<std::uint32_t> BreakpointTable::add(Breakpoint breakpoint,
                                           std::shared_ptr<const Names> names) {
  auto expression = compile(breakpoint, names);
  if (!expression) return tl::unexpected(expression.error());
  return insert({.breakpoint = std::move(breakpoint), .synchronous = {}}, std::move(*expression));
}

void BreakpointTable::match(const EventView& event, std::vector<std::uint32_t>& stops,
                            std::vector<std::uint32_t>& logged) {
  const Transaction& t = event.t;
  each_candidate(t, [&](Item& item) {
    const Breakpoint& breakpoint = item.state.breakpoint;
    const bool wants_after = has_no_before(t.kind) || breakpoint.phase == Phase::After;
    if (wants_after != (event.phase == Phase::After) || !item.expression.matches(event))
      return true;
    ++item.state.hits;
    if (item.passed < breakpoint.ignore)
      ++item.passed;
    else
      (breakpoint.log_only ? logged : stops).push_back(item.state.number);
    return true;
  });
}

}  // namespace pcilens
