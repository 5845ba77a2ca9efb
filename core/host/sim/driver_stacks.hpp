// Who in the driver made an access: its return addresses, kept for the accesses of late. A stack
// that was seen before is recognised by comparing its return addresses where they lie, so that an
// access pays nanoseconds, not an unwinding.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <mutex>
#include <vector>

namespace pcilens::sim {

class DriverStacks {
 public:
  // Frames above `base`, an address on the driver thread's stack, are the host's own. `last_seq`:
  // of the last transaction before the driver began.
  DriverStacks(const void* base, std::uint64_t last_seq)
      : base_(reinterpret_cast<std::uintptr_t>(base)), last_left_(last_seq) {}

  // Before an access, on the driver's thread: where it will return to, and that call's frame.
  void enter(void* return_address, void* frame);
  // After it: its number.
  void leave(std::uint64_t seq);

  // Of an access of this driver, also of the one that has not come back yet. Innermost first; empty
  // where it is not known (any more). Any thread.
  std::vector<std::uintptr_t> of(std::uint64_t seq) const;

 private:
  struct Stack {
    std::uintptr_t return_address = 0, frame = 0;
    bool recognisable = true;               // every address was found where it should lie
    std::vector<const std::uintptr_t*> at;  // where each of them lies
    std::vector<std::uintptr_t> addresses;
  };
  struct Access {
    std::uint64_t seq = 0;
    const Stack* stack = nullptr;
  };
  static bool same(const Stack& stack, std::uintptr_t return_address, std::uintptr_t frame);
  const Stack* unwind(std::uintptr_t return_address, std::uintptr_t frame);

  const std::uintptr_t base_;
  mutable std::mutex mutex_;
  std::array<const Stack*, 256> known_{};  // by a hash of return address and frame
  std::array<Access, 16'384> recent_{};    // by number
  std::vector<std::unique_ptr<Stack>> all_;
  const Stack* inside_ = nullptr;
  std::uint64_t last_left_;  // the access that came back last
};

}  // namespace pcilens::sim
