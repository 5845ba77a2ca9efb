// A bus in memory that carries faithfully, or does not.
#pragma once

#include <algorithm>
#include <map>
#include <vector>

#include "core/host/access_bus.hpp"
#include "core/pci/config_space.hpp"
#include "devices/edu/edu_registers.hpp"

namespace pcilens::test {

// What a test looks at, and what is wrong with the bus.
struct Seen {
  std::uint64_t flip_write = 0, flip_read = 0;  // bits, of FACTORIAL
  bool lose_everything = false;
  bool no_memory = false;
  std::vector<Transaction> made;
  std::vector<std::uint64_t> completed;  // tokens
  std::uint16_t command = 0;
  std::map<std::uint64_t, std::vector<std::byte>> memory;  // by IOVA, as placed
};

class MemoryBus final : public AccessBus {
 public:
  explicit MemoryBus(Seen& seen) : seen_(seen) {}

  Result<Arrived> make(const Transaction& access) override {
    if (seen_.lose_everything) return fail("it did not come out of the bus");
    seen_.made.push_back(access);
    Arrived arrived{.t = access, .token = seen_.made.size()};
    if (is_factorial(access) && !is_read(access.kind)) arrived.t.value ^= seen_.flip_write;
    if (is_read(access.kind)) arrived.t.value = 0;
    return arrived;
  }
  Result<std::uint64_t> complete(const Arrived& arrived, std::uint64_t value,
                                 Status status) override {
    seen_.completed.push_back(arrived.token);
    if (!is_read(arrived.t.kind)) return 0;
    if (status != Status::SC) return mask_of_size(arrived.t.size);
    return is_factorial(arrived.t) ? value ^ seen_.flip_read : value;
  }
  Result<void> set_up(std::uint8_t, std::span<const std::byte> config) override {
    seen_.command = std::to_integer<std::uint16_t>(config[cfg::kCommand]);
    return {};
  }
  bool place(std::uint8_t, std::uint64_t iova, std::span<const std::byte> bytes) override {
    if (seen_.no_memory) return false;
    seen_.memory[iova].assign(bytes.begin(), bytes.end());
    return true;
  }
  bool look(std::uint8_t, std::uint64_t iova, std::span<std::byte> bytes) const override {
    const auto found = seen_.memory.find(iova);
    if (found == seen_.memory.end() || found->second.size() < bytes.size()) return false;
    std::copy_n(found->second.begin(), bytes.size(), bytes.begin());
    return true;
  }

 private:
  static bool is_factorial(const Transaction& t) {
    return is_memory(t.kind) && t.bar == 0 && t.offset == edu::kFactorial.offset;
  }
  Seen& seen_;
};

}  // namespace pcilens::test
