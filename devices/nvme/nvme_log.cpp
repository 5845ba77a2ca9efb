// Log pages (NVMe 1.4, 5.14).
#include <algorithm>

#include "devices/nvme/nvme.hpp"
#include "devices/nvme/nvme_features.hpp"

namespace pcilens::nvme {
namespace {

enum LogId : std::uint8_t {
  kErrors = 0x01,
  kHealth = 0x02,
  kFirmware = 0x03,
  kChangedNamespaces = 0x04,
  kCommandsSupported = 0x05,
};
constexpr std::size_t kErrorEntries = 64;
constexpr std::uint64_t kMostBytes = 4096ull << 7;  // MDTS
constexpr std::uint64_t kNsPerHour = 3'600'000'000'000;

// 5.14.1.5: bit 0 supported, bit 1 changes blocks, bit 4 changes the controller's capabilities.
void commands_supported(std::span<std::byte> page, bool doorbell_buffer) {
  const auto set = [&](std::size_t index, std::uint32_t effects) {
    for (unsigned i = 0; i < 4; ++i)
      page[4 * index + i] = static_cast<std::byte>(effects >> (8 * i));
  };
  for (const CommandInfo& c : kAdminCommands)
    if (c.opcode != kDoorbellBuffer || doorbell_buffer)
      set(c.opcode, c.opcode == kFormat ? 1u | 1u << 1 | 1u << 2 | 1u << 16 : 1u);
  for (const CommandInfo& c : kIoCommands) {
    const bool writes =
        c.opcode == kWrite || c.opcode == kWriteZeroes || c.opcode == kDatasetManagement;
    set(256u + c.opcode, writes ? 1u | 1u << 1 : 1u);
  }
}

}  // namespace

void Nvme::log_error(const Command& command, std::uint16_t status) {
  ++errors_;
  std::array<std::byte, 64> entry{};
  const auto set = [&](const StructurePart& p, std::uint64_t v) { store(entry, p, v); };
  set(part(kErrorEntry, "COUNT"), errors_);
  set(part(kErrorEntry, "SQID"), command.sq);
  set(part(kErrorEntry, "CID"), command.cid);
  set(part(kErrorEntry, "STATUS.SC"), status & 0xff);
  set(part(kErrorEntry, "STATUS.SCT"), status >> 8);
  set(part(kErrorEntry, "LOCATION"), 0xffff);  // not told
  if (command.sq != 0) set(part(kErrorEntry, "LBA"), command.get(part(kRwEntry, "SLBA")));
  set(part(kErrorEntry, "NSID"), command.get(part(kSqe, "NSID")));
  error_log_.push_front(entry);
  if (error_log_.size() > kErrorEntries) error_log_.pop_back();
}

void Nvme::smart_log(std::span<std::byte> page) {
  const auto set = [&](const StructurePart& p, std::uint64_t v) { store(page, p, v); };
  constexpr std::uint64_t kUnit = 512'000;
  const bool hot = kTemperatureKelvin >= features_->over || kTemperatureKelvin <= features_->under;
  set(part(kSmart, "CRITICAL"), (hot ? 1u << 1 : 0) | (store_->read_only() ? 1u << 3 : 0));
  set(part(kSmart, "TEMPERATURE"), kTemperatureKelvin & 0xff);
  set(part(kSmart, "TEMPERATURE_HIGH"), kTemperatureKelvin >> 8);
  set(part(kSmart, "AVAIL_SPARE"), 100);
  set(part(kSmart, "SPARE_THRESH"), 10);
  set(part(kSmart, "DATA_READ"), (data_read_ + kUnit - 1) / kUnit);
  set(part(kSmart, "DATA_WRITTEN"), (data_written_ + kUnit - 1) / kUnit);
  set(part(kSmart, "READ_COMMANDS"), read_commands_);
  set(part(kSmart, "WRITE_COMMANDS"), write_commands_);
  set(part(kSmart, "POWER_CYCLES"), power_cycles_);
  set(part(kSmart, "POWER_ON_HOURS"), now() / kNsPerHour);
  set(part(kSmart, "UNSAFE_SHUTDOWNS"), unsafe_shutdowns_);
  set(part(kSmart, "ERROR_ENTRIES"), errors_);
}

Task<Outcome> Nvme::log_page(const Command& command) {
  const auto id = static_cast<std::uint8_t>(command.get(part(kLogEntry, "CDW10.LID")));
  const std::uint64_t bytes = ((command.get(part(kLogEntry, "CDW11.NUMDU")) << 16 |
                                command.get(part(kLogEntry, "CDW10.NUMDL"))) +
                               1) *
                              4;
  const std::uint64_t offset = command.get(part(kLogEntry, "LPO"));
  const std::uint64_t nsid = command.get(part(kSqe, "NSID"));
  std::vector<std::byte> page;
  switch (id) {
    case kErrors:
      page.resize(kErrorEntries * kErrorEntry.size);
      for (std::size_t i = 0; i < error_log_.size(); ++i)
        std::ranges::copy(error_log_[i], page.begin() + static_cast<std::ptrdiff_t>(i * 64));
      break;
    case kHealth:
      // LPA bit 0 is 0: there is one for the whole controller.
      if (nsid != 0 && nsid != 0xffff'ffff) co_return Outcome{kInvalidNamespace};
      page.resize(kSmart.size);
      smart_log(page);
      break;
    case kFirmware: {
      constexpr std::string_view kRevision = "1.0     ";
      page.resize(512);
      page[0] = std::byte{1};  // slot 1 is active
      for (std::size_t i = 0; i < 8; ++i) page[8 + i] = static_cast<std::byte>(kRevision[i]);
      break;
    }
    case kChangedNamespaces: page.resize(4096); break;
    case kCommandsSupported:
      page.resize(4096);
      commands_supported(page, settings_.doorbell_buffer);
      break;
    default: co_return Outcome{kInvalidLogPage};
  }
  if (offset % 4 != 0 || offset >= page.size() || bytes > kMostBytes)
    co_return Outcome{kInvalidField};
  page.erase(page.begin(), page.begin() + static_cast<std::ptrdiff_t>(offset));
  page.resize(bytes);  // past the end of the page 0 is as good as anything
  const std::uint16_t status = co_await move(command, page, true);
  if (status == kSuccess && command.get(part(kLogEntry, "CDW10.RAE")) == 0) event_handled(id);
  co_return Outcome{status};
}

}  // namespace pcilens::nvme
