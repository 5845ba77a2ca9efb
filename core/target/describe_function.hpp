// A function as the trace keeps it: JSON with identity, config image, BARs and register maps.
#pragma once

#include <string>

#include "core/function/device.hpp"

namespace pcilens {

// For BlobKind::Function.
std::string describe_function(const Function& function, const std::string& instance,
                              const std::string& device, const std::string& bdf,
                              const DeviceOptions& options);

}  // namespace pcilens
