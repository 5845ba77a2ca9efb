// A device that fails while it is being made.
#include <core/function/device.hpp>
#include <stdexcept>

namespace {

pcilens::Result<std::unique_ptr<pcilens::Function>> create(const pcilens::DeviceOptions&) {
  throw std::runtime_error("the flux capacitor is missing");
}

PCILENS_DEVICE(pcilens::Device{.name = "thrower", .summary = "throws", .create = &create})

}  // namespace
