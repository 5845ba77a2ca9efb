// Identify (NVMe 1.4, 5.15), with the command set pages of TP 4056.
#include <algorithm>
#include <string_view>

#include "devices/nvme/nvme.hpp"
#include "devices/nvme/nvme_features.hpp"

namespace pcilens::nvme {
namespace {

using Page = std::array<std::byte, kIdentifyBytes>;

constexpr std::uint64_t kEui64 = 0x5043'494c'454e'5331;  // "PCILENS1"
constexpr std::uint8_t kNvmCommandSet = 0;
constexpr std::uint32_t kBroadcast = 0xffff'ffff;

void write_text(Page& page, Text where, std::string_view text, char padding = ' ') {
  for (std::size_t i = 0; i < where.size; ++i)
    page[where.offset + i] = static_cast<std::byte>(i < text.size() ? text[i] : padding);
}

void write_big_endian(Page& page, std::size_t at, std::uint64_t value) {
  for (unsigned i = 0; i < 8; ++i) page[at + i] = static_cast<std::byte>(value >> (8 * (7 - i)));
}

void identify_controller(Page& page, const ConfigSpace& config, const Settings& settings) {
  const auto set = [&](const StructurePart& p, std::uint64_t v) { store(page, p, v); };
  set(part(kIdController, "VID"), config.read(cfg::kVendor, 2));
  set(part(kIdController, "SSVID"), config.read(cfg::kSubsystemVendor, 2));
  write_text(page, kSerialNumber, "PCILENS1");
  write_text(page, kModelNumber, "pcilens NVMe controller");
  write_text(page, kFirmwareRevision, "1.0");
  write_text(page, kSubsystemNqn, "nqn.2024-01.io.pcilens:nvme:PCILENS1", '\0');
  set(part(kIdController, "RAB"), 6);
  set(part(kIdController, "MDTS"), 7);  // 512 KiB with pages of 4 KiB
  set(part(kIdController, "VER"), kVs.reset);
  set(part(kIdController, "CNTRLTYPE"), 1);
  set(part(kIdController, "OACS"), 1u << 1 | (settings.doorbell_buffer ? 1u << 8 : 0));  // format
  set(part(kIdController, "ACL"), 3);
  set(part(kIdController, "AERL"), 3);
  set(part(kIdController, "FRMW"), 1u << 1 | 1);       // one slot, read only
  set(part(kIdController, "LPA"), 1u << 1 | 1u << 2);  // commands supported; offsets and long pages
  set(part(kIdController, "ELPE"), 63);
  set(part(kIdController, "WCTEMP"), kWarningKelvin);
  set(part(kIdController, "CCTEMP"), 373);
  set(part(kIdController, "SQES"), 0x66);
  set(part(kIdController, "CQES"), 0x44);
  set(part(kIdController, "NN"), 1);
  // Compare, dataset management, write zeroes, save and select, timestamp, verify.
  set(part(kIdController, "ONCS"), 1u << 0 | 1u << 2 | 1u << 3 | 1u << 4 | 1u << 6 | 1u << 7);
  set(part(kIdController, "VWC"), 1u | 2u << 1 | 1u << 2);  // there is one; flush takes broadcast
  set(part(kIdController, "PSD0.MP"), 2500);
  set(part(kIdController, "PSD0.ENLAT"), 16);
  set(part(kIdController, "PSD0.EXLAT"), 4);
}

void identify_namespace(Page& page, std::uint64_t blocks, std::uint32_t block, bool read_only) {
  const auto set = [&](const StructurePart& p, std::uint64_t v) { store(page, p, v); };
  set(part(kIdNamespace, "NSZE"), blocks);
  set(part(kIdNamespace, "NCAP"), blocks);
  set(part(kIdNamespace, "NUSE"), blocks);
  set(part(kIdNamespace, "NLBAF"), 1);
  set(part(kIdNamespace, "FLBAS"), block == 512 ? 0 : 1);
  set(part(kIdNamespace, "DLFEAT"), 1u | 1u << 3);  // deallocated blocks read as 0; DEAC works
  set(part(kIdNamespace, "NSATTR"), read_only ? 1 : 0);
  write_big_endian(page, part(kIdNamespace, "NGUID").member->offset, kEui64);
  write_big_endian(page, part(kIdNamespace, "NGUID_LOW").member->offset, 1);
  write_big_endian(page, part(kIdNamespace, "EUI64").member->offset, kEui64);
  set(part(kIdNamespace, "LBAF0.LBADS"), 9);
  set(part(kIdNamespace, "LBAF0.RP"), 1);
  set(part(kIdNamespace, "LBAF1.LBADS"), 12);
}

// Type, length, two reserved bytes, value: 5.15.2.4.
std::size_t add_descriptor(Page& page, std::size_t at, std::uint8_t type, std::uint8_t length) {
  page[at] = std::byte{type};
  page[at + 1] = std::byte{length};
  return at + 4;
}

void identify_descriptors(Page& page) {
  constexpr std::uint8_t kEui = 1, kNguid = 2, kCommandSet = 4;
  std::size_t at = add_descriptor(page, 0, kEui, 8);
  write_big_endian(page, at, kEui64);
  at = add_descriptor(page, at + 8, kNguid, 16);
  write_big_endian(page, at, kEui64);
  write_big_endian(page, at + 8, 1);
  at = add_descriptor(page, at + 16, kCommandSet, 1);
  page[at] = std::byte{kNvmCommandSet};
}

}  // namespace

Task<Outcome> Nvme::identify(const Command& command) {
  enum : std::uint8_t {
    kNamespace = 0x00,
    kController = 0x01,
    kActiveList = 0x02,
    kDescriptors = 0x03,
    kSetNamespace = 0x05,
    kSetController = 0x06,
    kSetActiveList = 0x07,
    kIndependent = 0x08,
    kCommandSets = 0x1c,
  };
  const std::uint64_t nsid = command.get(part(kSqe, "NSID"));
  const std::uint64_t set = command.get(part(kIdentifyEntry, "CDW11.CSI"));
  const std::uint64_t cns = command.get(part(kIdentifyEntry, "CDW10.CNS"));
  const bool of_namespace =
      cns == kNamespace || cns == kDescriptors || cns == kSetNamespace || cns == kIndependent;
  const bool of_set = cns == kSetNamespace || cns == kSetController || cns == kSetActiveList;
  if (of_namespace && nsid != 1) co_return Outcome{kInvalidNamespace};
  if (of_set && set != kNvmCommandSet) co_return Outcome{kInvalidField};
  Page page{};
  switch (cns) {
    case kNamespace: identify_namespace(page, blocks(), block_, store_->read_only()); break;
    case kController: identify_controller(page, config(), settings_); break;
    case kActiveList:
    case kSetActiveList:
      // 5.15.2.3: identifiers above the given one; the last two values have no successor.
      if (nsid >= kBroadcast - 1) co_return Outcome{kInvalidNamespace};
      if (nsid < 1) page[0] = std::byte{1};
      break;
    case kDescriptors: identify_descriptors(page); break;
    case kSetNamespace:
    case kSetController: break;  // nothing beyond the defaults
    case kIndependent:           // NSATTR and NSTAT, where the other pages have no such fields
      page[8] = std::byte{static_cast<std::uint8_t>(store_->read_only() ? 1 : 0)};
      page[14] = std::byte{1};  // ready
      break;
    case kCommandSets: page[0] = std::byte{1}; break;  // one combination: NVM alone
    default: co_return Outcome{kInvalidField};
  }
  co_return Outcome{co_await move(command, page, true)};
}

}  // namespace pcilens::nvme
