// What breakpoints and rules ask to wait, as the kernel keeps it: one policy for each place.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "core/host/host.hpp"

namespace pcilens::kmod {

using BarSizes = std::array<std::uint64_t, 6>;  // bytes; 0: there is no such BAR

// The ranges of one function as pieces that do not overlap, ordered by BAR and place; a place that
// several ranges cover waits for what any of them asks. Nothing of them lies outside its BAR: the
// kernel refuses such a range whole.
std::vector<Host::Range> disjoint(std::span<const Host::Range> ranges, std::uint8_t function,
                                  const BarSizes& sizes);

// What has to be set, in this order, where `held` is set, so that `wanted` is: both as disjoint()
// gives them. Each is a call into the kernel, so only what differs is there.
std::vector<Host::Range> changes(std::span<const Host::Range> held,
                                 std::span<const Host::Range> wanted);

// Sets what changes() gives; `held` is then what is set. False: something was refused, and is tried
// again with the next call.
bool hold(std::vector<Host::Range>& held, std::span<const Host::Range> wanted,
          const std::function<bool(const Host::Range&)>& set);

}  // namespace pcilens::kmod
