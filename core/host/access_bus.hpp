// A real bus between a replay and its functions: the recorded driver's accesses are made on it, by
// a requester of its own, and what it brings to the other end is what the functions get.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "core/link/transaction.hpp"
#include "core/result.hpp"

namespace pcilens {

class AccessBus {
 public:
  virtual ~AccessBus() = default;

  // An access as it came out of the bus. Its requester may still wait.
  struct Arrived {
    Transaction t;  // kind, function, bar, offset, size and value as the bus has them
    std::uint64_t token = 0;
  };
  // Makes it as a driver would, and gives what arrives at the function. The requester of a read,
  // and of a write that is not posted, waits until complete(). Others may be made meanwhile. An
  // error where nothing arrives; the bus is not to be used any more then.
  virtual Result<Arrived> make(const Transaction& access) = 0;
  // The function's completion. What the requester got: the value of a read, 0 of a write.
  virtual Result<std::uint64_t> complete(const Arrived& arrived, std::uint64_t value,
                                         Status status) = 0;

  // Before the first access: what the recorded enumeration, and the driver until then, left in the
  // function's config space. The bus takes COMMAND (PCIe 5.0, 7.5.1.1.3) and the capabilities from
  // there, such as MSI-X's enable bit; addresses are its own.
  virtual Result<void> set_up(std::uint8_t function, std::span<const std::byte> config) = 0;
  // Puts bytes into the memory that the functions reach, at that IOVA. False: there is no room.
  virtual bool place(std::uint8_t function, std::uint64_t iova,
                     std::span<const std::byte> bytes) = 0;
  // Copies from there; false where nothing was placed.
  virtual bool look(std::uint8_t function, std::uint64_t iova,
                    std::span<std::byte> bytes) const = 0;
};

}  // namespace pcilens
