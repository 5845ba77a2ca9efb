// What a replay needs, and what it found, for people and for programs.
#pragma once

#include <optional>

#include "core/replay/replay.hpp"
#include "core/target/session.hpp"
#include "inspector-ui/commands/output.hpp"

namespace pcilens::ui {

// Makes the devices that a trace names, with the options they had and as a replay wants them (no
// disk is written). `instead`: this device in the place of all of them; its options, where it has
// some, in the place of the recorded ones. The devices stay loaded as long as this lives.
MakeFunction fresh_functions(std::optional<DeviceChoice> instead = std::nullopt);

// Why this result is none: nothing was sent, so nothing was compared. Nullopt where something was.
std::optional<Error> nothing_replayed(const ReplayResult& result, const std::string& trace);

// `run` of `runs`, from 1.
Output replay_output(const ReplayResult& result, unsigned run = 1, unsigned runs = 1);

}  // namespace pcilens::ui
