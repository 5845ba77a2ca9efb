// Reading and writing blocks (NVMe 1.4, chapter 6).
#include <algorithm>
#include <cstring>

#include "devices/nvme/nvme.hpp"
#include "devices/nvme/nvme_features.hpp"

namespace pcilens::nvme {
namespace {

constexpr std::uint64_t kBroadcast = 0xffff'ffff;
constexpr std::uint64_t kMostPages = 1u << 7;  // MDTS

}  // namespace

Task<Outcome> Nvme::io(Command& command) {
  if (settings_.latency.count() != 0) co_await delay(settings_.latency);
  if (command.aborted) co_return Outcome{kAbortRequested};
  const std::uint64_t opcode = command.get(part(kSqe, "CDW0.OPC"));
  if (std::ranges::none_of(kIoCommands, [&](const auto& c) { return c.opcode == opcode; }))
    co_return Outcome{kInvalidOpcode};
  if (command.get(part(kSqe, "CDW0.FUSE")) != 0) co_return Outcome{kInvalidField};  // FUSES is 0
  const std::uint64_t nsid = command.get(part(kSqe, "NSID"));
  if (nsid != 1 && !(opcode == kFlush && nsid == kBroadcast)) co_return Outcome{kInvalidNamespace};
  if (opcode == kFlush) co_return Outcome{store_->flush() ? kSuccess : kInternalError};
  if (opcode == kDatasetManagement) co_return Outcome{co_await manage_dataset(command)};

  const std::uint64_t first = command.get(part(kRwEntry, "SLBA"));
  const std::uint64_t count = command.get(part(kRwEntry, "CDW12.NLB")) + 1;
  const std::uint64_t bytes = count * block_;
  const bool moves = opcode == kRead || opcode == kWrite || opcode == kCompare;
  if (moves && bytes > kMostPages * 4096) co_return Outcome{kInvalidField};  // 5.15.2.2, MDTS
  if (first >= blocks() || count > blocks() - first) co_return Outcome{kLbaOutOfRange};
  const std::uint64_t at = first * block_;
  switch (opcode) {
    case kRead: co_return Outcome{co_await read_blocks(command, at, bytes)};
    case kWrite: co_return Outcome{co_await write_blocks(command, at, bytes)};
    case kCompare: co_return Outcome{co_await compare_blocks(command, at, bytes)};
    case kWriteZeroes:
      if (store_->read_only()) co_return Outcome{kWriteProtected};
      if (!store_->zero(at, bytes)) co_return Outcome{kInternalError};
      if ((command.get(part(kRwEntry, "CDW12.FUA")) != 0 || !features_->write_cache) &&
          !store_->flush())
        co_return Outcome{kInternalError};
      co_return Outcome{};
    default: co_return Outcome{};  // verify: what is in range can be read
  }
}

// What a file holds is nothing that the link has seen: it goes into the trace.
Task<bool> Nvme::fetch_blocks(std::uint64_t at, std::span<std::byte> data) {
  if (!store_->read(at, data)) co_return false;
  if (store_->outside()) co_await outside(at, data);
  co_return true;
}

Task<std::uint16_t> Nvme::read_blocks(const Command& command, std::uint64_t at,
                                      std::uint64_t bytes) {
  std::vector<std::byte> data(bytes);
  if (!co_await fetch_blocks(at, data)) co_return kInternalError;
  const std::uint16_t status = co_await move(command, data, true);
  if (status == kSuccess) {
    data_read_ += bytes;
    ++read_commands_;
  }
  co_return status;
}

// The data is complete before the first block changes: a reset in the middle leaves the old ones.
Task<std::uint16_t> Nvme::write_blocks(const Command& command, std::uint64_t at,
                                       std::uint64_t bytes) {
  if (store_->read_only()) co_return kWriteProtected;
  std::vector<std::byte> data(bytes);
  if (const auto status = co_await move(command, data, false); status != kSuccess) co_return status;
  if (command.aborted) co_return kAbortRequested;
  if (!store_->write(at, data)) co_return kInternalError;
  const bool through = command.get(part(kRwEntry, "CDW12.FUA")) != 0 || !features_->write_cache;
  if (through && !store_->flush()) co_return kInternalError;
  data_written_ += bytes;
  ++write_commands_;
  co_return kSuccess;
}

Task<std::uint16_t> Nvme::compare_blocks(const Command& command, std::uint64_t at,
                                         std::uint64_t bytes) {
  std::vector<std::byte> given(bytes), stored(bytes);
  if (const auto status = co_await move(command, given, false); status != kSuccess)
    co_return status;
  if (!co_await fetch_blocks(at, stored)) co_return kInternalError;
  ++read_commands_;
  co_return given == stored ? kSuccess : kCompareFailure;
}

// 6.7: hints are welcome and ignored; deallocated blocks read as 0.
Task<std::uint16_t> Nvme::manage_dataset(const Command& command) {
  const std::uint64_t ranges = command.get(part(kDsmEntry, "CDW10.NR")) + 1;
  std::vector<std::byte> list(ranges * kRange.size);
  if (const auto status = co_await move(command, list, false); status != kSuccess) co_return status;
  if (command.get(part(kDsmEntry, "CDW11.AD")) == 0) co_return kSuccess;
  if (store_->read_only()) co_return kWriteProtected;
  for (const bool act : {false, true}) {  // all ranges are checked before any block changes
    for (std::uint64_t i = 0; i < ranges; ++i) {
      const auto range = std::span(list).subspan(i * kRange.size, kRange.size);
      const std::uint64_t first = load(range, part(kRange, "SLBA"));
      const std::uint64_t count = load(range, part(kRange, "BLOCKS"));
      if (first > blocks() || count > blocks() - first) co_return kLbaOutOfRange;
      if (act && !store_->zero(first * block_, count * block_)) co_return kInternalError;
    }
  }
  co_return kSuccess;
}

}  // namespace pcilens::nvme
