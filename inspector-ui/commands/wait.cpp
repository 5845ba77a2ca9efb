#include "inspector-ui/commands/wait.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <thread>

#include "inspector-ui/commands/place.hpp"

namespace pcilens::ui {

using namespace std::chrono_literals;

Waited wait_until(Context& context, std::chrono::nanoseconds timeout,
                  const std::function<bool(const Snapshot&)>& met) {
  const auto end = std::chrono::steady_clock::now() + timeout;
  for (std::chrono::nanoseconds pause = 100us;;
       pause = std::min<std::chrono::nanoseconds>(pause * 2, 4ms)) {
    if (met(*context.target.snapshot())) return Waited::Yes;
    if (context.cancelled.stop_requested()) return Waited::Cancelled;
    const auto left = end - std::chrono::steady_clock::now();
    if (left <= 0ns) return Waited::TimedOut;
    std::this_thread::sleep_for(std::min<std::chrono::nanoseconds>(pause, left));
  }
}

bool moved(const Snapshot& now, const Snapshot& before) {
  if (now.state != before.state || now.stop.has_value() != before.stop.has_value()) return true;
  return now.stop && (now.stop->transaction.seq != before.stop->transaction.seq ||
                      now.stop->transaction.t_ns != before.stop->transaction.t_ns ||
                      now.stop->phase != before.stop->phase);
}

Result<void> settle(Context& context, const Snapshot& before, std::string_view what) {
  const auto patience = context.script ? std::chrono::nanoseconds(10s) : context.settle;
  const Waited waited = wait_until(context, patience, [&](const Snapshot& s) {
    return s.state != RunState::Running && moved(s, before);
  });
  if (waited != Waited::Yes && context.script)
    return fail(
        fmt::format("{}: no stop within {}; the driver still runs. \"wait stop 60s\" waits longer",
                    what, format_time(static_cast<std::uint64_t>(patience.count()))));
  return context.script ? not_gone(context, what) : Result<void>{};
}

Result<void> not_gone(const Context& context, std::string_view what) {
  const auto s = context.target.snapshot();
  if (s->gone) return fail(fmt::format("{}: {}", what, s->driver));
  return {};
}

std::string count_of(std::uint64_t n, std::string_view what) {
  return fmt::format("{} {}{}", n, what, n == 1 ? "" : "s");
}

}  // namespace pcilens::ui
