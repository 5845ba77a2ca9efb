// Waiting for the target, for commands only: they run where waiting is allowed.
#pragma once

#include <chrono>
#include <functional>
#include <memory>

#include "inspector-ui/commands/command.hpp"

namespace pcilens::ui {

enum class Waited { Yes, TimedOut, Cancelled };

// Until `met` holds for the newest snapshot. Looks a few hundred times a second: the target's one
// listener belongs to the screen.
Waited wait_until(Context& context, std::chrono::nanoseconds timeout,
                  const std::function<bool(const Snapshot&)>& met);

// After something that lets the driver run: until it is held again or has ended, at most as long as
// the screen wants answers in order. In a script no stop is an error.
Result<void> settle(Context& context, const Snapshot& before, std::string_view what);
// An Error once the link is no more: nothing of what was waited for will come.
Result<void> not_gone(const Context& context, std::string_view what);
// Whether the driver has moved on: it is in another state, or held elsewhere.
bool moved(const Snapshot& now, const Snapshot& before);

// "1 breakpoint", "3 breakpoints".
std::string count_of(std::uint64_t n, std::string_view what);

}  // namespace pcilens::ui
