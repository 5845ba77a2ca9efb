// Data by PRPs (NVMe 1.4, 4.3): the first names a place in a page, the others whole pages; from the
// third page on they stand in a list, whose last entry in a page leads to the next page of it.
#include <algorithm>

#include "devices/nvme/nvme.hpp"

namespace pcilens::nvme {
namespace {

constexpr std::uint64_t kPrpBytes = 8;

}  // namespace

std::uint64_t Nvme::page_size() {
  return 4096ull << bank(0).get(kCc["MPS"]);
}

Task<std::uint16_t> Nvme::move(const Command& command, std::span<std::byte> data, bool to_host) {
  if (data.empty()) co_return kSuccess;
  if (command.get(part(kSqe, "CDW0.PSDT")) != 0) co_return kInvalidField;  // SGLS says: no SGLs
  const std::uint64_t page = page_size();
  std::uint64_t at = command.get(part(kSqe, "PRP1"));
  if (at % 4 != 0) co_return kInvalidPrpOffset;
  const std::uint64_t second = command.get(part(kSqe, "PRP2"));

  std::vector<std::byte> list;  // what is known of it
  std::uint64_t list_at = second, next = 0;
  bool first = true;
  while (!data.empty()) {
    const std::uint64_t room = page - at % page;
    const auto piece = data.first(std::min<std::uint64_t>(room, data.size()));
    const pcilens::Status status =
        to_host ? co_await dma_write(at, piece) : co_await dma_read(at, piece);
    if (status != pcilens::Status::SC) co_return kDataTransferError;
    data = data.subspan(piece.size());
    if (data.empty()) break;
    if (first && data.size() <= page) {
      at = second;  // two pages: PRP2 is the second
    } else {
      for (;;) {
        if (next == list.size()) {
          if (list_at % kPrpBytes != 0) co_return kInvalidPrpOffset;
          const std::uint64_t wanted = (data.size() + page - 1) / page * kPrpBytes;
          list.resize(std::min(wanted, page - list_at % page));
          if (co_await dma_read(list_at, list) != pcilens::Status::SC) co_return kDataTransferError;
          next = 0;
        }
        const StructureField entry{
            .name = "PRP", .offset = static_cast<std::uint16_t>(next), .width = kPrpBytes};
        const std::uint64_t value = load(list, entry);
        next += kPrpBytes;
        // The last entry of a page of the list leads on if more than one page is still to come.
        const bool page_ends = (list_at + next) % page == 0;
        if (!page_ends || data.size() <= page) {
          at = value;
          break;
        }
        list_at = value;
        next = list.size();
      }
    }
    first = false;
    if (at % page != 0) co_return kInvalidPrpOffset;
  }
  co_return kSuccess;
}

}  // namespace pcilens::nvme
