// The registers of the header and of known capabilities, as data for describe_config.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "core/registers/register.hpp"

namespace pcilens::detail {

struct ConfigItemTemplate {
  std::uint16_t offset;  // from the start of the header or capability
  std::uint8_t width;    // bytes
  std::string_view name;
  std::span<const Field> fields = {};
  std::string_view doc = {};
};

struct CapabilityTemplate {
  std::uint16_t id;
  std::string_view name;    // as screens show it: "MSI-X"
  std::string_view prefix;  // as expressions spell it: "MSIX"
  std::string_view spec;
  std::span<const ConfigItemTemplate> items = {};  // behind ID and next pointer
};

std::span<const ConfigItemTemplate> header_items(bool bridge);
// Null for an ID that is not known.
const CapabilityTemplate* capability_items(std::uint8_t id);
const CapabilityTemplate* extended_items(std::uint16_t id);
// MSI's registers depend on its control register (PCIe 5.0, 7.7.1).
std::span<const ConfigItemTemplate> msi_items(std::uint16_t control);

// Version 1 of the PCI Express capability ends after the link registers (PCIe 1.1, 7.8).
std::span<const ConfigItemTemplate> pcie_items(std::uint16_t capabilities);

}  // namespace pcilens::detail
