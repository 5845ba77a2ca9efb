// The capabilities that a function may have, and what the driver set up in them.
#include <algorithm>
#include <bit>
#include <stdexcept>

#include "core/pci/config_space.hpp"

namespace pcilens {
namespace {

constexpr std::uint8_t kIdPm = 0x01, kIdMsi = 0x05, kIdVendor = 0x09, kIdPcie = 0x10,
                       kIdMsix = 0x11;
constexpr std::uint16_t kIdSerial = 0x0003;

}  // namespace

std::uint16_t ConfigSpace::add_power_management() {
  const auto at = add_capability(kIdPm, 8);
  define(at + 2u, 2, {.value = 3});  // version 3: PM 1.2; no D1, no D2, no PME
  // No soft reset: D3hot to D0 keeps the configuration, so that no driver need restore it.
  define(at + 4u, 4, {.value = 1 << 3, .writable = 3});
  pm_ = at;
  return at;
}

std::uint16_t ConfigSpace::add_msi(unsigned vectors, bool address64, bool per_vector_mask) {
  if (!std::has_single_bit(vectors) || vectors > 32)
    throw std::logic_error("MSI with " + std::to_string(vectors) +
                           " vectors: it must be a power of two up to 32");
  const unsigned data = address64 ? 12 : 8;
  const unsigned size = per_vector_mask ? data + 12 : data + 2;
  const auto at = add_capability(kIdMsi, static_cast<std::uint16_t>(size));
  const std::uint32_t control = static_cast<std::uint32_t>(std::countr_zero(vectors)) << 1 |
                                (address64 ? 1u << 7 : 0) | (per_vector_mask ? 1u << 8 : 0);
  define(at + 2u, 2, {.value = control, .writable = 0x71});
  define(at + 4u, 4, {.writable = ~3u});
  if (address64) define(at + 8u, 4, {.writable = ~0u});
  define(at + data, 2, {.writable = 0xffff});
  if (per_vector_mask) {
    const std::uint32_t all = vectors == 32 ? ~0u : (1u << vectors) - 1;
    define(at + data + 4, 4, {.writable = all});
  }
  msi_ = at;
  return at;
}

std::uint16_t ConfigSpace::add_msix(unsigned vectors, std::uint8_t table_bar,
                                    std::uint32_t table_offset, std::uint8_t pba_bar,
                                    std::uint32_t pba_offset) {
  if (vectors == 0 || vectors > 2048)
    throw std::logic_error("MSI-X with " + std::to_string(vectors) +
                           " vectors: it takes 1 to 2048");
  const auto check = [&](const char* what, std::uint8_t index, std::uint64_t offset,
                         std::uint64_t size) {
    const auto bar =
        std::find_if(bars_.begin(), bars_.end(), [&](const Bar& b) { return b.index == index; });
    if (offset % 8 != 0)
      throw std::logic_error(std::string("MSI-X ") + what + ": its offset must be a multiple of 8");
    if (bar == bars_.end() || offset + size > bar->size)
      throw std::logic_error(std::string("MSI-X ") + what + ": its " + std::to_string(size) +
                             " bytes do not fit into BAR" + std::to_string(index));
  };
  check("table", table_bar, table_offset, vectors * 16ull);
  check("PBA", pba_bar, pba_offset, (vectors + 63) / 64 * 8ull);
  const auto at = add_capability(kIdMsix, 12);
  define(at + 2u, 2, {.value = vectors - 1, .writable = 0xc000});
  define(at + 4u, 4, {.value = table_offset | table_bar});
  define(at + 8u, 4, {.value = pba_offset | pba_bar});
  msix_ = at;
  return at;
}

std::uint16_t ConfigSpace::add_pcie_endpoint(bool flr) {
  const auto at = add_capability(kIdPcie, 0x3c);
  define(at + 2u, 2, {.value = 2});  // version 2, endpoint
  // Device: payload up to 256 bytes, extended tags, any L0s and L1 latency, role-based errors.
  define(at + 4u, 4, {.value = 1u | 1u << 5 | 7u << 6 | 7u << 9 | 1u << 15 | (flr ? 1u << 28 : 0)});
  // Control: relaxed ordering, no snoop, 512-byte read requests. FLR leaves the payload size alone.
  define(at + 8u, 2, {.value = 0x2810, .writable = 0x79ff, .flr_keep = 0x00e0});
  define(at + 10u, 2, {.w1c = 0x000f});
  // Link: 5 GT/s, one lane, no ASPM (which the ASPM optionality bit says is allowed), port 0.
  define(at + 12u, 4, {.value = 2u | 1u << 4 | 1u << 22});
  define(at + 16u, 2, {.writable = 0x00c8, .flr_keep = 0x03cb});
  define(at + 18u, 2, {.value = 2u | 1u << 4 | 1u << 12});  // as trained; common reference clock
  define(at + 36u, 4, {.value = 1u << 4});                  // completion timeout can be disabled
  define(at + 40u, 2, {.writable = 1u << 4});
  define(at + 44u, 4, {.value = 3u << 1});  // 2.5 and 5 GT/s
  define(at + 48u, 2, {.value = 2, .writable = 0xffbf, .sticky = 0xff9f, .flr_keep = 0x0020});
  pcie_ = at;
  return at;
}

std::uint16_t ConfigSpace::add_vendor(std::span<const std::byte> body, bool writable) {
  if (body.size() + 3 > 0xc0)
    throw std::logic_error("vendor capability: its body is at most 189 bytes");
  const auto size = static_cast<std::uint16_t>(body.size() + 3);
  const auto at = add_capability(kIdVendor, size);
  define(at + 2u, 1, {.value = size});
  for (std::uint32_t i = 0; i < body.size(); ++i)
    define(at + 3u + i, 1,
           {.value = std::to_integer<std::uint32_t>(body[i]), .writable = writable ? 0xffu : 0});
  return at;
}

std::uint16_t ConfigSpace::add_serial_number(std::uint64_t dsn) {
  const auto at = add_extended(kIdSerial, 1, 12);
  define(at + 4u, 4, {.value = static_cast<std::uint32_t>(dsn)});
  define(at + 8u, 4, {.value = static_cast<std::uint32_t>(dsn >> 32)});
  return at;
}

std::optional<std::uint16_t> ConfigSpace::find_capability(std::uint8_t id) const {
  std::uint32_t at = load(cfg::kCapabilities, 1) & 0xfc;
  // Bounded: a device may have forced nonsense into a next pointer.
  for (int hops = 0; at >= 0x40 && hops < 48; ++hops, at = load(at + 1, 1) & 0xfc)
    if (load(at, 1) == id) return static_cast<std::uint16_t>(at);
  return std::nullopt;
}

std::optional<std::uint16_t> ConfigSpace::find_extended(std::uint16_t id) const {
  std::uint32_t at = 0x100;
  for (int hops = 0; at >= 0x100 && hops < 960; ++hops, at = load(at, 4) >> 20 & 0xffc)
    if (load(at, 4) != 0 && (load(at, 4) & 0xffff) == id) return static_cast<std::uint16_t>(at);
  return std::nullopt;
}

std::optional<ConfigSpace::Msi> ConfigSpace::msi() const {
  if (msi_ == 0) return std::nullopt;
  const std::uint32_t control = load(msi_ + 2u, 2);
  const bool address64 = (control & 1 << 7) != 0, maskable = (control & 1 << 8) != 0;
  const std::uint32_t data = msi_ + (address64 ? 12u : 8u);
  // A driver that enables more than were offered gets what was offered (7.7.1.2).
  const unsigned exponent = std::min(control >> 4 & 7, control >> 1 & 7);
  return Msi{
      .enabled = (control & 1) != 0,
      .vectors_enabled = 1u << exponent,
      .address = load(msi_ + 4u, 4) | (address64 ? std::uint64_t{load(msi_ + 8u, 4)} << 32 : 0),
      .data = static_cast<std::uint16_t>(load(data, 2)),
      .mask = maskable ? load(data + 4, 4) : 0};
}

std::optional<ConfigSpace::MsixTable> ConfigSpace::msix() const {
  if (msix_ == 0) return std::nullopt;
  const std::uint32_t control = load(msix_ + 2u, 2), table = load(msix_ + 4u, 4),
                      pba = load(msix_ + 8u, 4);
  return MsixTable{.enabled = (control & 0x8000) != 0,
                   .function_mask = (control & 0x4000) != 0,
                   .vectors = (control & 0x7ff) + 1,
                   .table_bar = static_cast<std::uint8_t>(table & 7),
                   .table_offset = table & ~7u,
                   .pba_bar = static_cast<std::uint8_t>(pba & 7),
                   .pba_offset = pba & ~7u};
}

}  // namespace pcilens
