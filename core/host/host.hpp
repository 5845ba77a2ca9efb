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
  // The function took these bytes from outside (a file); a replay puts the recorded ones there.
  virtual void input(std::uint8_t /*function*/, std::uint64_t /*what*/, std::span<std::byte>) {}
  // The kernel keeps MSI-X tables itself; the sim host leaves them to the function.
  virtual bool keeps_msix() const { return false; }

  // Breakpoints and rules changed: which ranges must now wait for an answer (kernel policy
  // `break`).
  struct Range {
    std::uint8_t function;
    std::int8_t bar;
    std::uint64_t begin, end;  // bytes
  };
  virtual void synchronous(std::span<const Range>) {}

  // The name of a requester's thread, as Transaction::thread numbers it; empty if unknown.
  virtual std::string thread_name(std::uint32_t /*thread*/) const { return {}; }
};

inline constexpr std::uint64_t kIntxVector = 0x10000;

}  // namespace pcilens
