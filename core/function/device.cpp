#include "core/function/device.hpp"

#include <algorithm>

namespace pcilens {
namespace {

std::vector<const Device*>& registry() {
  static std::vector<const Device*> devices;
  return devices;
}

}  // namespace

detail::BuiltIn::BuiltIn(const Device& device) {
  auto& devices = registry();
  devices.push_back(&device);
  std::sort(devices.begin(), devices.end(),
            [](const Device* a, const Device* b) { return a->name < b->name; });
}

std::span<const Device* const> built_in_devices() {
  return registry();
}

}  // namespace pcilens
