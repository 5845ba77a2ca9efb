// One function on the running kernel's PCI bus: a descriptor of /dev/pcilens with its event ring
// and DMA pool. Knows the uapi and nothing of the link.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "core/pci/config_space.hpp"
#include "core/result.hpp"
#include "kmod/uapi/pcilens.h"

namespace pcilens::kmod {

class KmodFunction {
 public:
  // Creates it from its config image and BARs; it is not on the bus yet.
  static Result<std::unique_ptr<KmodFunction>> create(const ConfigSpace& config);
  ~KmodFunction();
  KmodFunction(const KmodFunction&) = delete;
  KmodFunction& operator=(const KmodFunction&) = delete;

  // Puts it on the bus; returns when the driver's probe is over, which may be held long.
  // Gives "10000:00:00.0".
  Result<std::string> plug();
  void unplug();

  // Gives the answers, then waits for events. False once the function is gone.
  bool wait(std::span<pcilens_answer> answers, std::int64_t timeout_ns, std::uint32_t spin_ns);
  // Moves what has come to the end of `events`.
  void collect(std::vector<pcilens_event>& events);

  bool set_policy(std::int8_t bar, std::uint64_t begin, std::uint64_t end, bool hold);
  std::optional<pcilens_inject> inject(std::uint32_t vector, bool deassert);
  std::optional<pcilens_symbol> symbolise(std::uint64_t ip) const;

  std::uint64_t iova_base() const { return iova_base_; }
  std::span<std::byte> pool() const { return pool_; }

 private:
  KmodFunction() = default;

  int fd_ = -1;
  std::span<std::byte> ring_, pool_;
  std::uint64_t iova_base_ = 0;
  std::uint64_t tail_ = 0;  // ours alone: what the mapping says is never read back
  std::uint32_t capacity_ = 0, first_record_ = 0;
};

}  // namespace pcilens::kmod
