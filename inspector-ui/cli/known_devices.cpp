#include "inspector-ui/cli/known_devices.hpp"

#include <algorithm>

#include "core/function/device.hpp"
#include "core/registers/map_json.hpp"
#include "core/target/session.hpp"

namespace pcilens::cli {

KnownDevice known_device(std::uint16_t vendor, std::uint16_t device) {
  for (const Device* d : built_in_devices()) {
    // The identity is in the config space of what the device makes; asking costs a construction.
    const auto made = make_function(*d, {});
    if (!made) continue;
    const Function& function = **made;
    const auto bytes = function.config().bytes();
    const auto word = [&](std::uint16_t at) {
      return static_cast<std::uint16_t>(std::to_integer<unsigned>(bytes[at]) |
                                        std::to_integer<unsigned>(bytes[at + 1u]) << 8);
    };
    const bool compatible = std::ranges::any_of(
        d->compatible, [&](PciId id) { return id.vendor == vendor && id.device == device; });
    if (!compatible && (word(cfg::kVendor) != vendor || word(cfg::kDevice) != device)) continue;
    KnownDevice known{.device = std::string(d->name), .maps = {}};
    for (int bar = 0; bar < 6; ++bar)
      if (const RegisterBank* bank = function.bank(bar))
        known.maps.push_back(map_to_json(bank->map()));
    return known;
  }
  return {};
}

}  // namespace pcilens::cli
