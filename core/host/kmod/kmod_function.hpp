// One function on the running kernel's PCI bus: a descriptor of /dev/pcilens with its event ring
// and DMA pool. Knows the uapi and nothing of the link.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>

#include "core/host/host.hpp"
#include "core/host/kmod/event_ring.hpp"
#include "core/host/kmod/policy_ranges.hpp"
#include "core/pci/config_space.hpp"
#include "core/result.hpp"
#include "kmod/uapi/pcilens.h"

namespace pcilens::kmod {

class KmodFunction {
 public:
  // Of each BAR the region that a driver reaches without us; null: none.
  using Direct = std::array<const MemoryRegion*, PCILENS_BARS>;
  // Creates it from its config image and BARs; it is not on the bus yet. `stacks`: a call stack
  // with every access; else with DMA mappings.
  static Result<std::unique_ptr<KmodFunction>> create(const ConfigSpace& config,
                                                      const Direct& direct, bool stacks);
  ~KmodFunction();
  KmodFunction(const KmodFunction&) = delete;
  KmodFunction& operator=(const KmodFunction&) = delete;

  // Puts it on the bus; returns when the driver's probe is over, which may be held long.
  // Gives "10000:00:00.0".
  Result<std::string> plug();
  void unplug();
  // The function leaves its slot, of which the kernel is not told; or a fresh one is put into it.
  void set_present(bool present);

  // Gives the answers, then waits for events until the time is over. False once the function is
  // gone. An answer's result tells whether it came too late (-ESTALE).
  bool wait(std::span<pcilens_answer> answers, std::int64_t timeout_ns);
  // Until a driver has spun for a millisecond, which nobody answers; or the time is over. False
  // once the function is gone.
  bool wait_for_spinning(std::int64_t timeout_ns);
  // The same for a driver that spins for it on another CPU, without a system call.
  void answer_spinning(const pcilens_answer& answer);
  // Whether the driver sleeps until its answer comes.
  bool sleeps(std::uint32_t slot) const;

  // What the kernel reports.
  EventRing& events() { return *events_; }

  const BarSizes& bar_sizes() const { return bar_sizes_; }
  // Accesses of that kind there wait for us, with their call stacks; none: as they come. False:
  // refused, as a range that does not lie in its BAR is.
  bool set_policy(const Host::Range& range);
  std::optional<pcilens_inject> inject(std::uint32_t vector, bool deassert);
  std::optional<pcilens_symbol> symbolise(std::uint64_t ip) const;

  std::uint64_t iova_base() const { return iova_base_; }
  std::span<std::byte> pool() const { return pool_; }
  // The kernel's copy of a BAR, from its beginning, and what a driver reaches without us; empty
  // where there is none. `bar` 0..5.
  std::span<std::byte> shadow(int bar) const { return shadow_[static_cast<unsigned>(bar)]; }
  // How long an access may be held where its driver must not sleep, ns.
  static constexpr std::uint64_t kAtomicHoldNs = 1'000'000'000;

 private:
  KmodFunction() = default;

  int fd_ = -1;
  std::span<std::byte> ring_, pool_, slots_, shadow_[PCILENS_BARS];
  std::uint64_t iova_base_ = 0;
  BarSizes bar_sizes_{};
  std::optional<EventRing> events_;
};

}  // namespace pcilens::kmod
