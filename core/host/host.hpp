// Whoever plays the driver side of the link (the requester): what the link asks of it. A host
// brings requests to the link by Link::request from threads of its own.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "core/link/transaction.hpp"

namespace pcilens {

class Host {
 public:
  virtual ~Host() = default;

  virtual std::string_view name() const = 0;  // "sim", "kmod", "replay"
  // Ends its threads; nothing reaches the link from here on. After Link::close().
  virtual void shut_down() {}

  // The function reaches into host memory. Called under the link's lock: a bounded copy, no wait.
  // UR where nothing is mapped at that IOVA, CA against the mapping's direction.
  virtual Status dma_read(std::uint8_t function, std::uint64_t iova, std::span<std::byte> data) = 0;
  virtual Status dma_write(std::uint8_t function, std::uint64_t iova,
                           std::span<const std::byte> data) = 0;
  // Delivers an interrupt message; for INTx the vector is kIntxVector and `value` the level.
  virtual Status interrupt(std::uint8_t function, std::uint64_t vector, std::uint64_t value) = 0;
  // The same `times` more, each when the one before has been taken: messages in a row are one for a
  // processor. A fault rule's; the function knows nothing of them.
  virtual void interrupt_again(std::uint8_t function, std::uint64_t vector, std::uint64_t value,
                               std::uint64_t times) {
    for (std::uint64_t i = 0; i < times; ++i) interrupt(function, vector, value);
  }

  // The function has left its slot without a word, or a fresh one stands in it that nobody has set
  // up. Under the link's lock.
  virtual void present(std::uint8_t /*function*/, bool /*is_there*/) {}

  // Copies mapped memory as it is, whatever the direction; how many bytes were there. For screens,
  // under the link's lock.
  virtual std::size_t look(std::uint8_t /*function*/, std::uint64_t /*iova*/,
                           std::span<std::byte> /*data*/) const {
    return 0;
  }
  // The function took these bytes from outside (a file); a replay puts the recorded ones there.
  virtual void input(std::uint8_t /*function*/, std::uint64_t /*what*/, std::span<std::byte>) {}
  // Memory of a BAR, from its beginning, that the driver reaches without a transaction: the
  // function's direct regions lie there. Empty where each access comes as one.
  virtual std::span<std::byte> shared(std::uint8_t /*function*/, int /*bar*/) const { return {}; }
  // The kernel keeps MSI-X tables itself; the sim host leaves them to the function.
  virtual bool keeps_msix() const { return false; }

  // Breakpoints and rules changed: which ranges must now wait for an answer (kernel policy
  // `break`).
  struct Range {
    std::uint8_t function;
    std::int8_t bar;
    std::uint64_t begin, end;  // bytes
    bool reads, writes;        // which of them wait
    bool posted;               // writes go on, and their call stacks are told
    bool operator==(const Range&) const = default;
  };
  virtual void synchronous(std::span<const Range>) {}

  // The name of a requester's thread, as Transaction::thread numbers it; empty if unknown.
  virtual std::string thread_name(std::uint32_t /*thread*/) const { return {}; }
};

inline constexpr std::uint64_t kIntxVector = 0x10000;

}  // namespace pcilens
