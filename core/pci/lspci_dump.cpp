#include <cstdio>

#include "core/pci/config_space.hpp"

namespace pcilens {

std::string lspci_dump(std::span<const std::byte> config, std::string_view bdf) {
  const auto at = [&](std::size_t i) {
    return i < config.size() ? std::to_integer<unsigned>(config[i]) : 0u;
  };
  char line[80];
  std::string text(bdf);
  // The text after the address is for people: lspci takes everything from the bytes.
  std::snprintf(line, sizeof line, " Class %02x%02x: Device %02x%02x:%02x%02x\n", at(0xb), at(0xa),
                at(1), at(0), at(3), at(2));
  text += line;
  for (std::size_t i = 0; i < config.size(); i += 16) {
    std::snprintf(line, sizeof line, "%02zx:", i);
    text += line;
    for (std::size_t j = i; j < i + 16 && j < config.size(); ++j) {
      std::snprintf(line, sizeof line, " %02x", at(j));
      text += line;
    }
    text += '\n';
  }
  return text + '\n';
}

}  // namespace pcilens
