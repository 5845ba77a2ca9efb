// Creating and deleting I/O queues (NVMe 1.4, 5.3 to 5.6).
#include "devices/nvme/nvme.hpp"

namespace pcilens::nvme {
namespace {

// 3.1.5: the entry sizes must be set before a queue is made.
constexpr std::uint64_t kSqeLog2 = 6, kCqeLog2 = 4;

}  // namespace

Outcome Nvme::create_io_cq(const Command& command) {
  const auto id = command.get(part(kCreateCqEntry, "CDW10.QID"));
  const auto size = command.get(part(kCreateCqEntry, "CDW10.QSIZE"));
  const auto vector = command.get(part(kCreateCqEntry, "CDW11.IV"));
  const auto base = command.get(part(kSqe, "PRP1"));
  if (id == 0 || id > settings_.io_queues || cqs_[id].entries != 0) return {kInvalidQueueId};
  if (size == 0 || size >= kMaxEntries) return {kInvalidQueueSize};
  if (command.get(part(kCreateCqEntry, "CDW11.PC")) == 0) return {kInvalidField};  // CAP.CQR
  if (bank(0).get(kCc["IOCQES"]) != kCqeLog2) return {kInvalidField};
  if (base % page_size() != 0) return {kInvalidPrpOffset};
  if (vector >= kQueues) return {kInvalidVector};
  create_cq(static_cast<std::uint16_t>(id), base, static_cast<std::uint32_t>(size) + 1,
            static_cast<std::uint16_t>(vector),
            command.get(part(kCreateCqEntry, "CDW11.IEN")) != 0);
  return {};
}

Outcome Nvme::create_io_sq(const Command& command) {
  const auto id = command.get(part(kCreateSqEntry, "CDW10.QID"));
  const auto size = command.get(part(kCreateSqEntry, "CDW10.QSIZE"));
  const auto cq = command.get(part(kCreateSqEntry, "CDW11.CQID"));
  const auto base = command.get(part(kSqe, "PRP1"));
  if (cq == 0 || cq > settings_.io_queues) return {kInvalidQueueId};
  if (cqs_[cq].entries == 0) return {kCqInvalid};
  if (id == 0 || id > settings_.io_queues || sqs_[id].entries != 0) return {kInvalidQueueId};
  if (size == 0 || size >= kMaxEntries) return {kInvalidQueueSize};
  if (command.get(part(kCreateSqEntry, "CDW11.PC")) == 0) return {kInvalidField};
  if (bank(0).get(kCc["IOSQES"]) != kSqeLog2) return {kInvalidField};
  if (base % page_size() != 0) return {kInvalidPrpOffset};
  create_sq(static_cast<std::uint16_t>(id), base, static_cast<std::uint32_t>(size) + 1,
            static_cast<std::uint16_t>(cq));
  return {};
}

Outcome Nvme::delete_io_sq(const Command& command) {
  const auto id = command.get(part(kDeleteEntry, "CDW10.QID"));
  if (id == 0 || id >= kQueues || sqs_[id].entries == 0) return {kInvalidQueueId};
  delete_sq(static_cast<std::uint16_t>(id));
  return {};
}

Outcome Nvme::delete_io_cq(const Command& command) {
  const auto id = command.get(part(kDeleteEntry, "CDW10.QID"));
  if (id == 0 || id >= kQueues || cqs_[id].entries == 0) return {kInvalidQueueId};
  if (cqs_[id].users != 0) return {kInvalidQueueDeletion};
  delete_cq(static_cast<std::uint16_t>(id));
  update_intx();
  return {};
}

}  // namespace pcilens::nvme
