#include "devices/nvme/nvme_driver_queue.hpp"

#include <algorithm>
#include <atomic>
#include <string>

namespace pcilens::nvme {

using namespace std::chrono_literals;

Result<QueuePair> QueuePair::make(sim::Device& device, sim::Mmio regs, std::uint16_t id,
                                  std::uint32_t entries) {
  auto sq = device.alloc_dma(entries * kSqeBytes, DmaDirection::ToDevice);
  if (!sq) return tl::unexpected(sq.error());
  auto cq = device.alloc_dma(entries * kCqeBytes, DmaDirection::FromDevice);
  if (!cq) return tl::unexpected(cq.error());
  return QueuePair(device, regs, id, entries, std::move(*sq), std::move(*cq));
}

std::uint16_t QueuePair::submit(Submission& submission) {
  const std::uint16_t cid = next_cid_++;
  submission.set(part(kSqe, "CDW0.CID"), cid);
  std::ranges::copy(submission.bytes(), sq_.bytes().begin() + tail_ * kSqeBytes);
  tail_ = (tail_ + 1) % entries_;
  return cid;
}

void QueuePair::ring(sim::Where w) {
  regs_.write(kSqTail<0>, tail_, id_, w);
}

Result<Answer> QueuePair::next(sim::Where) {
  const auto entry = cq_.bytes().subspan(head_ * kCqeBytes, kCqeBytes);
  // The controller writes while we look: the phase is read first, and nothing else before it.
  auto& last = *reinterpret_cast<std::uint32_t*>(entry.data() + 12);
  const auto fresh = [&] {
    const std::uint32_t word = std::atomic_ref(last).load(std::memory_order_acquire);
    return (word >> 16 & 1) == (phase_ ? 1u : 0u);
  };
  while (!fresh())
    if (!device_->wait_interrupt(id_, 5000ms) && !fresh())
      return fail("nvme: queue " + std::to_string(id_) +
                  ": no completion came within 5 s; is the interrupt masked or lost, or did "
                  "CSTS.CFS rise?");
  const Answer answer{
      .cid = static_cast<std::uint16_t>(load(entry, part(kCqe, "CID"))),
      .status = static_cast<std::uint16_t>(load(entry, part(kCqe, "STATUS.SCT")) << 8 |
                                           load(entry, part(kCqe, "STATUS.SC"))),
      .dw0 = static_cast<std::uint32_t>(load(entry, part(kCqe, "DW0")))};
  head_ = (head_ + 1) % entries_;
  if (head_ == 0) phase_ = !phase_;
  return answer;
}

void QueuePair::acknowledge(sim::Where w) {
  regs_.write(kCqHead<0>, head_, id_, w);
}

Result<Answer> QueuePair::run(Submission& submission, sim::Where w) {
  const std::uint16_t cid = submit(submission);
  ring(w);
  auto answer = next(w);
  if (!answer) return answer;
  acknowledge(w);
  if (answer->cid != cid)
    return fail("nvme: queue " + std::to_string(id_) + ": completion of command " +
                std::to_string(answer->cid) + " where " + std::to_string(cid) + " was due");
  return answer;
}

}  // namespace pcilens::nvme
