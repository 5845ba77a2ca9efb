// What breakpoints and rules ask to wait, as the kernel keeps it: one policy for each place.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "core/host/host.hpp"

namespace pcilens::kmod {

// The ranges of one function as pieces that do not overlap, ordered by BAR and place; a place that
// several ranges cover waits for what any of them asks.
std::vector<Host::Range> disjoint(std::span<const Host::Range> ranges, std::uint8_t function);

// What has to be set, in this order, where `held` is set, so that `wanted` is: both as disjoint()
// gives them. Each is a call into the kernel, so only what differs is there.
std::vector<Host::Range> changes(std::span<const Host::Range> held,
                                 std::span<const Host::Range> wanted);

}  // namespace pcilens::kmod
