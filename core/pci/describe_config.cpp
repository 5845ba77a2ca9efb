#include <algorithm>
#include <bitset>
#include <cstdio>

#include "core/pci/config_items.hpp"
#include "core/pci/config_space.hpp"

namespace pcilens {
namespace {

class Describer {
 public:
  explicit Describer(std::span<const std::byte> config)
      : config_(config.first(std::min<std::size_t>(config.size(), kConfigSize))) {}

  std::vector<ConfigItem> run() {
    const bool bridge = (word(cfg::kHeaderType, 1) & 0x7f) == 1;
    add(0, detail::header_items(bridge), "header", "", "PCIe 5.0, 7.5.1");
    if (!bridge) clear_upper_halves();
    if ((word(cfg::kStatus, 2) & 1 << 4) != 0) capabilities();
    if (config_.size() > 0x100 && pcie_) extended();
    std::stable_sort(items_.begin(), items_.end(),
                     [](const ConfigItem& a, const ConfigItem& b) { return a.offset < b.offset; });
    return std::move(items_);
  }

 private:
  std::uint32_t word(std::uint32_t offset, std::uint32_t size) const {
    std::uint32_t value = 0;
    for (std::uint32_t i = 0; i < size && offset + i < config_.size(); ++i)
      value |= std::to_integer<std::uint32_t>(config_[offset + i]) << (i * 8);
    return value;
  }

  void add(std::uint32_t base, std::span<const detail::ConfigItemTemplate> items,
           std::string_view capability, std::string_view prefix, std::string_view spec) {
    for (const detail::ConfigItemTemplate& item : items) {
      const std::uint32_t at = base + item.offset;
      // A capability may lie so that its end is cut off, or so that it covers another one.
      const std::size_t end =
          base < 0x100 ? std::min<std::size_t>(config_.size(), 0x100) : config_.size();
      if (at + item.width > end || taken(at, item.width)) continue;
      for (std::uint32_t i = at; i < at + item.width; ++i) taken_.set(i);
      std::string name(prefix);
      if (!name.empty()) name += '.';
      items_.push_back({.offset = static_cast<std::uint16_t>(at),
                        .width = item.width,
                        .name = name.append(item.name),
                        .fields = item.fields,
                        .capability = std::string(capability),
                        .doc = item.doc,
                        .spec = spec});
    }
  }

  // The upper half of a 64-bit BAR is address alone: it has no type bits.
  void clear_upper_halves() {
    for (std::uint32_t at = cfg::kBar0; at < cfg::kBar0 + 20; at += 4) {
      if ((word(at, 4) & 7) != 4) continue;
      at += 4;
      for (ConfigItem& item : items_)
        if (item.offset == at) item.fields = {};
    }
  }

  bool taken(std::uint32_t at, std::uint32_t width) const {
    for (std::uint32_t i = at; i < at + width; ++i)
      if (taken_.test(i)) return true;
    return false;
  }

  // A second capability of one kind is told apart by its offset: "VENDOR_CAP@c0".
  std::string unique(std::string prefix, std::uint32_t at) {
    if (std::find(prefixes_.begin(), prefixes_.end(), prefix) != prefixes_.end()) {
      char place[8];
      std::snprintf(place, sizeof place, "@%x", at);
      prefix += place;
    }
    prefixes_.push_back(prefix);
    return prefix;
  }

  std::string known_or_number(const detail::CapabilityTemplate* known, const char* format,
                              std::uint32_t id, bool prefix) const {
    if (known) return std::string(prefix ? known->prefix : known->name);
    char name[40];
    std::snprintf(name, sizeof name, format, id);
    return name;
  }

  void capabilities() {
    static constexpr detail::ConfigItemTemplate kHead[] = {
        {0, 1, "ID", {}, "which capability it is"},
        {1, 1, "NEXT", {}, "offset of the next one, 0 for the last"},
    };
    std::uint32_t at = word(cfg::kCapabilities, 1) & 0xfc;
    while (at >= 0x40 && !taken(at, 2)) {
      const auto id = static_cast<std::uint8_t>(word(at, 1));
      const auto* known = detail::capability_items(id);
      pcie_ |= id == 0x10;
      const std::string name = known_or_number(known, "capability 0x%02x", id, false);
      const std::string prefix = unique(known_or_number(known, "CAP_%02X", id, true), at);
      const std::string_view spec = known ? known->spec : "";
      add(at, kHead, name, prefix, spec);
      if (known)
        add(at,
            id == 0x05 ? detail::msi_items(static_cast<std::uint16_t>(word(at + 2, 2)))
                       : known->items,
            name, prefix, spec);
      at = word(at + 1, 1) & 0xfc;
    }
  }

  void extended() {
    static constexpr detail::ConfigItemTemplate kHead[] = {
        {0, 4, "HEADER", {}, "ID, version and offset of the next one"},
    };
    std::uint32_t at = 0x100;
    while (at >= 0x100 && at + 4 <= config_.size() && !taken(at, 4)) {
      const std::uint32_t header = word(at, 4);
      if (header == 0 || header == ~0u) return;
      const auto id = static_cast<std::uint16_t>(header);
      const auto* known = detail::extended_items(id);
      const std::string name = known_or_number(known, "extended capability 0x%04x", id, false);
      const std::string prefix = unique(known_or_number(known, "ECAP_%04X", id, true), at);
      const std::string_view spec = known ? known->spec : "";
      add(at, kHead, name, prefix, spec);
      if (known) add(at, known->items, name, prefix, spec);
      at = header >> 20 & 0xffc;
    }
  }

  std::span<const std::byte> config_;
  std::vector<ConfigItem> items_;
  std::vector<std::string> prefixes_;
  std::bitset<kConfigSize> taken_;
  bool pcie_ = false;
};

}  // namespace

std::vector<ConfigItem> describe_config(std::span<const std::byte> config) {
  return Describer(config).run();
}

}  // namespace pcilens
