// The driver's end of one pair of queues.
#pragma once

#include <array>
#include <cstdint>

#include "core/host/sim/device.hpp"
#include "core/result.hpp"
#include "devices/nvme/nvme_commands.hpp"
#include "devices/nvme/nvme_map.hpp"

namespace pcilens::nvme {

// A submission under construction: fields by their declared names.
class Submission {
 public:
  Submission(std::uint8_t opcode, std::uint32_t nsid = 0) {
    set(part(kSqe, "CDW0.OPC"), opcode);
    set(part(kSqe, "NSID"), nsid);
  }
  Submission& set(const StructurePart& p, std::uint64_t value) {
    store(entry_, p, value);
    return *this;
  }
  std::span<const std::byte> bytes() const { return entry_; }

 private:
  std::array<std::byte, kSqeBytes> entry_{};
};

struct Answer {
  std::uint16_t cid = 0;
  std::uint16_t status = 0;  // SCT and SC, as in Code
  std::uint32_t dw0 = 0;
};

class QueuePair {
 public:
  static Result<QueuePair> make(sim::Device& device, sim::Mmio regs, std::uint16_t id,
                                std::uint32_t entries);

  std::uint64_t submissions() const { return sq_.iova(); }
  std::uint64_t completions() const { return cq_.iova(); }
  std::uint32_t entries() const { return entries_; }
  std::uint16_t id() const { return id_; }

  // Puts it into the queue; the controller learns of it by ring(). Gives its identifier.
  std::uint16_t submit(Submission& submission);
  void ring(sim::Where w = sim::Where::current());
  // The next completion; waits for the queue's interrupt where none is there. An Error after 5 s.
  Result<Answer> next(sim::Where w = sim::Where::current());
  // Tells the controller which completions were taken.
  void acknowledge(sim::Where w = sim::Where::current());
  // One command from submission to answer.
  Result<Answer> run(Submission& submission, sim::Where w = sim::Where::current());

 private:
  QueuePair(sim::Device& device, sim::Mmio regs, std::uint16_t id, std::uint32_t entries,
            sim::DmaBuffer sq, sim::DmaBuffer cq)
      : device_(&device),
        regs_(regs),
        id_(id),
        entries_(entries),
        sq_(std::move(sq)),
        cq_(std::move(cq)) {}

  sim::Device* device_;
  sim::Mmio regs_;
  std::uint16_t id_;
  std::uint32_t entries_;
  sim::DmaBuffer sq_, cq_;
  std::uint32_t tail_ = 0, head_ = 0;
  bool phase_ = true;
  std::uint16_t next_cid_ = 0;
};

}  // namespace pcilens::nvme
