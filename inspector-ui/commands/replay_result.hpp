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

// `run` of `runs`, from 1.
Output replay_output(const ReplayResult& result, unsigned run = 1, unsigned runs = 1);

}  // namespace pcilens::ui
