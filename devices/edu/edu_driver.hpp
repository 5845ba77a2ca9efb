// The example driver of edu for the sim host.
#pragma once

#include "core/host/sim/device.hpp"
#include "core/result.hpp"

namespace pcilens::edu {

// Brings the device up, checks its liveness, computes 10! by interrupt, and copies a page to the
// device and back by DMA. An Error says what the device did wrong.
Result<void> drive(sim::Device& device);

}  // namespace pcilens::edu
