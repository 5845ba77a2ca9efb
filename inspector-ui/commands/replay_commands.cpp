// replay: what is recorded so far, sent to a fresh device.
#include <fmt/format.h>

#include <chrono>
#include <thread>

#include "core/trace/reader.hpp"
#include "inspector-ui/commands/groups.hpp"
#include "inspector-ui/commands/replay_result.hpp"

namespace pcilens::ui {
namespace {

constexpr Argument kReplayArguments[] = {
    {.name = "list",
     .type = ArgumentType::Number,
     .doc = "how many divergences to describe, 1 unless given",
     .optional = true,
     .keyword = "list"},
};

constexpr Action kReplayActions[] = {{"Replay to a fresh device"}};

std::string_view unless_quiet(const Snapshot& s) {
  if (s.trace.empty()) return "the trace of this session is kept elsewhere";
  return s.state == RunState::Running ? "the driver is running; pause it first" : "";
}

// What is recorded reaches the file a little later.
Result<void> wait_until_written(Context& c) {
  const std::uint64_t seq = c.target.snapshot()->seq;
  for (int tries = 0; tries < 500 && !c.cancelled.stop_requested(); ++tries) {
    auto page = ask<TracePage>([&](auto done) {
      c.target.trace_page({.limit = 1, .direction = TraceRequest::Direction::Backward}, done);
    });
    if (!page) return tl::unexpected(page.error());
    if (!page->rows.empty() && page->rows.back().transaction.seq >= seq) return {};
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  return {};
}

Result<Output> replay(Context& c, const Arguments& a) {
  auto list = a.number("list", 1);
  if (!list) return tl::unexpected(list.error());
  if (*list == 0 || *list > 10'000) return fail("replay: list takes 1 to 10000");
  if (auto there = wait_until_written(c); !there) return tl::unexpected(there.error());
  auto trace = TraceReader::open(c.target.snapshot()->trace);
  if (!trace) return tl::unexpected(trace.error());
  auto result =
      replay_to_functions(**trace, fresh_functions(),
                          {.list = *list, .go_on = [&] { return !c.cancelled.stop_requested(); }});
  if (!result) return tl::unexpected(result.error());
  if (auto nothing = nothing_replayed(*result, (*trace)->path())) return tl::unexpected(*nothing);
  return replay_output(*result);
}

}  // namespace

void add_replay_commands(CommandTable& table) {
  table.add({.id = "replay",
             .group = "Trace",
             .summary = "send what is recorded so far to a fresh device and compare its answers",
             .help = "The device that runs is left alone: another one of its kind gets the same\n"
                     "requests, and its memory from the trace. In a script a divergence ends it\n"
                     "with exit code 1. \"pcilens replay\" does it to another device.\n"
                     "  replay\n  replay list 10\n",
             .arguments = kReplayArguments,
             .actions = kReplayActions,
             .disabled = unless_quiet,
             .run = replay});
}

}  // namespace pcilens::ui
