#include "core/trace/imported_function.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <nlohmann/json.hpp>
#include <span>

namespace pcilens {
namespace {

constexpr std::uint8_t kCapMsi = 0x05, kCapMsix = 0x11;
constexpr std::uint64_t kSmallestGuess = 4096;  // bytes, of a BAR whose size nobody asked

}  // namespace

std::uint32_t ImportedFunction::now(std::uint16_t offset, std::uint32_t size) const {
  std::uint32_t value = 0;
  for (std::uint32_t i = 0; i < size && offset + i < kConfigSize; ++i)
    value |= std::uint32_t{now_[offset + i]} << (8 * i);
  return value;
}

std::uint32_t ImportedFunction::first(std::uint16_t offset, std::uint32_t size) const {
  std::uint32_t value = 0;
  for (std::uint32_t i = 0; i < size && offset + i < kConfigSize; ++i)
    value |= std::uint32_t{first_[offset + i]} << (8 * i);
  return value;
}

void ImportedFunction::set_config(std::uint16_t offset, std::uint32_t size, std::uint32_t value) {
  for (std::uint32_t i = 0; i < size && offset + i < kConfigSize; ++i) {
    const auto byte = static_cast<std::uint8_t>(value >> (8 * i));
    layout_changed_ = layout_changed_ || now_[offset + i] != byte;
    now_[offset + i] = byte;
    if (!seen_[offset + i]) first_[offset + i] = byte;
    seen_[offset + i] = confirmed_[offset + i] = true;
  }
}

void ImportedFunction::config_read(std::uint16_t offset, std::uint32_t size, std::uint32_t value) {
  const bool bar = offset >= cfg::kBar0 && offset < cfg::kBar0 + 24 && offset % 4 == 0 && size == 4;
  if (bar) bar_register((offset - cfg::kBar0) / 4u, value, false);
  set_config(offset, size, value);
}

// What is written is not what reads back, so the image of what is now takes it as a guess only
// where nothing better comes: the next read corrects it.
void ImportedFunction::config_write(std::uint16_t offset, std::uint32_t size, std::uint32_t value) {
  const bool bar = offset >= cfg::kBar0 && offset < cfg::kBar0 + 24 && offset % 4 == 0 && size == 4;
  if (bar) bar_register((offset - cfg::kBar0) / 4u, value, true);
  for (std::uint32_t i = 0; i < size && offset + i < kConfigSize; ++i) {
    now_[offset + i] = static_cast<std::uint8_t>(value >> (8 * i));
    confirmed_[offset + i] = false;
  }
}

void ImportedFunction::bar_register(unsigned index, std::uint32_t value, bool write) {
  Bar& bar = bars_[index];
  const bool upper = index > 0 && bars_[index - 1].is_64bit() && !bars_[index - 1].is_upper;
  bar.is_upper = upper;
  Bar& lower = upper ? bars_[index - 1] : bar;
  if (write && value == ~0u) {
    bar.sizing = true;
    return;
  }
  if (bar.sizing && !write) {
    if (upper) {
      lower.high_mask = value;
    } else {
      bar.flags = value & ((value & 1) != 0 ? 0x3 : 0xf);
      bar.low_mask = value & ~bar.flags;
    }
    learn_size(upper ? index - 1 : index);
    return;
  }
  bar.sizing = false;
  if (upper) {
    lower.address = (lower.address & 0xffff'ffffu) | std::uint64_t{value} << 32;
    return;
  }
  if (!write) bar.flags = value & ((value & 1) != 0 ? 0x3 : 0xf);
  const std::uint32_t address = value & ~(bar.is_io() ? 0x3u : 0xfu);
  bar.address = bar.is_64bit() ? (bar.address & ~0xffff'ffffull) | address : address;
}

void ImportedFunction::learn_size(unsigned index) {
  Bar& bar = bars_[index];
  if (bar.low_mask == 0 && !bar.is_64bit()) return;
  std::uint64_t mask = bar.low_mask | 0xffff'ffff'0000'0000ull;
  // An I/O BAR may leave its upper 16 bits unimplemented.
  if (bar.is_io() && (bar.low_mask & 0xffff'0000u) == 0) mask |= 0xffff'0000u;
  if (bar.is_64bit()) mask = std::uint64_t{bar.high_mask} << 32 | bar.low_mask;
  bar.size = mask == 0 ? 0 : std::uint64_t{1} << std::countr_zero(mask);
}

void ImportedFunction::set_bar(unsigned index, std::uint64_t address, std::uint64_t size,
                               std::uint32_t flags) {
  Bar& bar = bars_[index];
  bar.address = address;
  bar.size = size;
  bar.flags = flags;
  if (bar.is_64bit() && index < 5) bars_[index + 1].is_upper = true;
}

std::uint32_t ImportedFunction::likely_size(std::uint16_t offset, std::uint32_t value, bool write) {
  if (layout_changed_) {
    layout_changed_ = false;
    widths_.fill(0);
    for (const ConfigItem& item : describe_config(std::as_bytes(std::span(now_))))
      widths_[item.offset] = item.width;
  }
  const std::uint32_t most = offset % 2 != 0 ? 1 : offset % 4 != 0 ? 2 : 4;
  const std::uint32_t least = value > 0xffff ? 4 : value > 0xff ? 2 : 1;
  const std::uint32_t natural = widths_[offset];
  if (least >= most) return most;
  std::uint32_t size =
      natural == 1 || natural == 2 || natural == 4 ? std::clamp(natural, least, most) : most;
  // A read that gave zeros where an earlier one found bits was a narrower one.
  const auto contradicts = [&](std::uint32_t begin, std::uint32_t end) {
    for (auto i = offset + begin; i < offset + end; ++i)
      if (confirmed_[i] && now_[i] != 0) return true;
    return false;
  };
  while (!write && size > least && contradicts(size / 2, size)) size /= 2;
  return size;
}

std::optional<ImportedFunction::Place> ImportedFunction::place_of(std::uint64_t address,
                                                                  std::uint32_t size) const {
  for (unsigned i = 0; i < bars_.size(); ++i) {
    const Bar& bar = bars_[i];
    if (bar.is_upper || bar.address == 0 || bar.size == 0 || address < bar.address) continue;
    const auto offset = address - bar.address;
    if (offset < bar.size && size <= bar.size - offset)
      return Place{static_cast<std::int8_t>(i), offset};
  }
  return {};
}

std::optional<std::uint16_t> ImportedFunction::capability(std::uint8_t id) const {
  std::uint16_t at = now_[cfg::kCapabilities] & 0xfcu;
  for (int steps = 0; at >= 0x40 && steps < 48; ++steps) {
    if (now_[at] == id) return at;
    at = now_[at + 1u] & 0xfcu;
  }
  return {};
}

void ImportedFunction::bar_access(const Place& place, std::uint32_t size, bool write,
                                  std::uint64_t value) {
  Bar& bar = bars_[static_cast<unsigned>(place.bar)];
  bar.extent = std::max(bar.extent, place.offset + size);
  const auto cap = capability(kCapMsix);
  if (!write || !cap || (size != 4 && size != 8) || place.offset % 4 != 0) return;
  // Table offset and BAR indicator: PCIe 5.0, 7.7.2.3.
  const auto table = now(static_cast<std::uint16_t>(*cap + 4), 4);
  const auto vectors = (now(static_cast<std::uint16_t>(*cap + 2), 2) & 0x7ff) + 1;
  const auto begin = table & ~7u;
  if (place.bar != static_cast<std::int8_t>(table & 7) || place.offset < begin) return;
  for (std::uint32_t i = 0; i < size; i += 4) {
    const auto at = place.offset - begin + i;
    if (at / 16 >= vectors) return;
    auto& entry = msix_
                      .try_emplace(static_cast<std::uint32_t>(at / 16),
                                   std::array<std::uint32_t, 4>{0, 0, 0, 1})
                      .first->second;
    entry[at % 16 / 4] = static_cast<std::uint32_t>(value >> (8 * i));
  }
}

std::optional<std::uint32_t> ImportedFunction::vector_of(std::uint64_t address,
                                                         std::uint32_t data) const {
  if (const auto cap = capability(kCapMsix); cap && (now_[*cap + 3u] & 0x80) != 0) {
    std::optional<std::uint32_t> masked;
    for (const auto& [vector, entry] : msix_) {
      if ((std::uint64_t{entry[1]} << 32 | entry[0]) != address || entry[2] != data) continue;
      if ((entry[3] & 1) == 0) return vector;
      if (!masked) masked = vector;
    }
    if (masked) return masked;
  }
  // MSI: PCIe 5.0, 7.7.1. The low bits of the data are the vector's.
  if (const auto cap = capability(kCapMsi); cap && (now_[*cap + 2u] & 1) != 0) {
    const auto control = now(static_cast<std::uint16_t>(*cap + 2), 2);
    const bool wide = (control & 0x80) != 0;
    const auto at = static_cast<std::uint16_t>(*cap + 4);
    std::uint64_t target = now(at, 4) & ~3u;
    if (wide) target |= std::uint64_t{now(static_cast<std::uint16_t>(at + 4), 4)} << 32;
    const auto base = now(static_cast<std::uint16_t>(at + (wide ? 8 : 4)), 2);
    const auto vectors = 1u << (control >> 4 & 7);
    if (address == target && data >= base && data - base < vectors) return data - base;
  }
  return {};
}

std::string ImportedFunction::json(const KnownDevice& known) const {
  using Json = nlohmann::json;
  std::string config;
  for (const auto byte : first_) config += fmt::format("{:02x}", byte);
  auto bars = Json::array();
  for (unsigned i = 0; i < bars_.size(); ++i) {
    const Bar& bar = bars_[i];
    const auto size = bar.size != 0     ? bar.size
                      : bar.extent != 0 ? std::bit_ceil(std::max(bar.extent, kSmallestGuess))
                                        : 0;
    if (bar.is_upper || size == 0) continue;
    bars.push_back({{"index", i},
                    {"address", bar.address},
                    {"size", size},
                    {"io", bar.is_io()},
                    {"is_64bit", bar.is_64bit()},
                    {"prefetchable", !bar.is_io() && (bar.flags & 8) != 0}});
  }
  auto maps = Json::array();
  for (const std::string& map : known.maps) {
    auto parsed = Json::parse(map, nullptr, false);
    if (parsed.is_object()) maps.push_back(std::move(parsed));
  }
  return Json{{"instance", instance_},
              {"device", known.device.empty() ? device_ : known.device},
              {"bdf", bdf_},
              {"config", config},
              {"bars", bars},
              {"maps", maps},
              {"options", Json::object()}}
      .dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace pcilens
