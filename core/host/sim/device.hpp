// What an example driver holds: one PCI function on the simulated root complex, used as a kernel
// driver would use it, as plain sequential code. Every call below crosses the link; a stop holds
// the driver inside the call.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <source_location>
#include <span>
#include <string>
#include <string_view>

#include "core/link/transaction.hpp"
#include "core/registers/register.hpp"
#include "core/result.hpp"

namespace pcilens::sim {

using Where = std::source_location;

class Device;

// A BAR as the driver mapped it. Reads of a function that does not answer give all-ones, as on a
// real machine.
class Mmio {
 public:
  std::uint8_t read8(std::uint64_t offset, Where w = Where::current()) {
    return static_cast<std::uint8_t>(read(offset, 1, w));
  }
  std::uint16_t read16(std::uint64_t offset, Where w = Where::current()) {
    return static_cast<std::uint16_t>(read(offset, 2, w));
  }
  std::uint32_t read32(std::uint64_t offset, Where w = Where::current()) {
    return static_cast<std::uint32_t>(read(offset, 4, w));
  }
  std::uint64_t read64(std::uint64_t offset, Where w = Where::current()) {
    return read(offset, 8, w);
  }
  void write8(std::uint64_t offset, std::uint8_t v, Where w = Where::current()) {
    write(offset, 1, v, w);
  }
  void write16(std::uint64_t offset, std::uint16_t v, Where w = Where::current()) {
    write(offset, 2, v, w);
  }
  void write32(std::uint64_t offset, std::uint32_t v, Where w = Where::current()) {
    write(offset, 4, v, w);
  }
  void write64(std::uint64_t offset, std::uint64_t v, Where w = Where::current()) {
    write(offset, 8, v, w);
  }

  // By declaration: width and offset come from the register.
  std::uint64_t read(const Register& r, std::uint32_t index = 0, Where w = Where::current()) {
    return read(r.offset_of(index), r.width, w);
  }
  void write(const Register& r, std::uint64_t v, std::uint32_t index = 0,
             Where w = Where::current()) {
    write(r.offset_of(index), r.width, v, w);
  }

  // Any size, also a wrong one: what a faulty driver does.
  std::uint64_t read(std::uint64_t offset, std::uint32_t size, Where w);
  void write(std::uint64_t offset, std::uint32_t size, std::uint64_t value, Where w);

 private:
  friend class Device;
  Mmio(Device& device, std::uint8_t bar) : device_(&device), bar_(bar) {}
  Device* device_;
  std::uint8_t bar_;
};

// Host memory that the function may reach; freed (and unmapped, in the trace too) by the
// destructor.
class DmaBuffer {
 public:
  DmaBuffer(Device& device, std::uint64_t iova, std::span<std::byte> bytes)
      : device_(&device), iova_(iova), bytes_(bytes) {}
  DmaBuffer(DmaBuffer&& other) noexcept;
  DmaBuffer& operator=(DmaBuffer&& other) noexcept;
  ~DmaBuffer();

  std::uint64_t iova() const { return iova_; }
  std::span<std::byte> bytes() const { return bytes_; }
  template <typename T>
  T& as(std::uint64_t offset = 0) const {
    return *reinterpret_cast<T*>(bytes_.data() + offset);
  }

 private:
  Device* device_;
  std::uint64_t iova_;
  std::span<std::byte> bytes_;
};

class Device {
 public:
  virtual ~Device() = default;

  virtual std::uint32_t config_read(std::uint16_t offset, std::uint32_t size,
                                    Where w = Where::current()) = 0;
  virtual void config_write(std::uint16_t offset, std::uint32_t size, std::uint32_t value,
                            Where w = Where::current()) = 0;
  // COMMAND.MEM and bus mastering on, as pci_enable_device and pci_set_master do.
  void enable(Where w = Where::current());
  Mmio map(std::uint8_t bar) { return Mmio(*this, bar); }

  // `size` bytes, zeroed, page aligned, below 2^address_bits.
  virtual Result<DmaBuffer> alloc_dma(std::uint64_t size,
                                      DmaDirection direction = DmaDirection::Bidirectional,
                                      unsigned address_bits = 64, Where w = Where::current()) = 0;

  // MSI-X if the function has it, else MSI, else INTx; as many vectors as asked for or fewer.
  virtual Result<unsigned> enable_interrupts(unsigned vectors, Where w = Where::current()) = 0;
  // Waits until the vector was signalled (since the last wait); false when the time ran out.
  // A stop does not run the time down.
  virtual bool wait_interrupt(unsigned vector, std::chrono::milliseconds timeout) = 0;

  virtual void sleep(std::chrono::nanoseconds duration) = 0;
  // The driver's log: shown on the console and kept as a note in the trace.
  virtual void log(std::string_view line) = 0;
  // False once somebody asked the driver to end; long loops look at it.
  virtual bool running() const = 0;
  // What was given for an option of the device, as text; empty if nothing was. Of the same options
  // that the device was made with, some may be meant for the driver.
  virtual std::string_view option(std::string_view name) const = 0;

 protected:
  friend class Mmio;
  friend class DmaBuffer;
  virtual std::uint64_t mmio_read(std::uint8_t bar, std::uint64_t offset, std::uint32_t size,
                                  Where w) = 0;
  virtual void mmio_write(std::uint8_t bar, std::uint64_t offset, std::uint32_t size,
                          std::uint64_t value, Where w) = 0;
  virtual void free_dma(std::uint64_t iova, std::span<std::byte> bytes) = 0;
};

inline std::uint64_t Mmio::read(std::uint64_t offset, std::uint32_t size, Where w) {
  return device_->mmio_read(bar_, offset, size, w);
}
inline void Mmio::write(std::uint64_t offset, std::uint32_t size, std::uint64_t value, Where w) {
  device_->mmio_write(bar_, offset, size, value, w);
}

}  // namespace pcilens::sim
