// The sim host: a root complex with host memory and interrupts in this process. A device's example
// driver runs on a thread of its own against it, so that a hold stops it in the middle of a call.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "core/function/device.hpp"
#include "core/host/host.hpp"
#include "core/host/sim/device.hpp"
#include "core/host/sim/driver_stacks.hpp"
#include "core/host/sim/host_memory.hpp"
#include "core/link/link.hpp"

namespace pcilens::sim {

class SimHost final : public Host {
 public:
  // Before the link's own thread lives.
  explicit SimHost(Link& link) : link_(link), last_seq_(link.last_seq()) { link.connect(*this); }
  ~SimHost() override { stop(); }
  void shut_down() override { stop(); }

  std::string_view name() const override { return "sim"; }
  Status dma_read(std::uint8_t function, std::uint64_t iova, std::span<std::byte> data) override;
  Status dma_write(std::uint8_t function, std::uint64_t iova,
                   std::span<const std::byte> data) override;
  Status interrupt(std::uint8_t function, std::uint64_t vector, std::uint64_t value) override;
  std::string thread_name(std::uint32_t thread) const override;
  std::size_t look(std::uint8_t function, std::uint64_t iova,
                   std::span<std::byte> data) const override {
    return memory_.look(function, iova, data);
  }
  // The return addresses of the driver that made this access or makes it now, innermost first;
  // empty where it is not known (any more). Any thread.
  std::vector<std::uintptr_t> stack_of(std::uint8_t function, std::uint64_t seq) const;

  // What firmware and bus driver do before a driver sees the function: find it, size its BARs,
  // give them addresses. The accesses cross the link like all others. False: nothing answers there.
  bool enumerate(std::uint8_t function);

  // Runs the driver on a thread of its own. `said` gets its log lines; `ended` how it ended.
  void drive(std::uint8_t function, Result<void> (*driver)(Device&), DeviceOptions options,
             std::function<void(std::string)> said, std::function<void(Result<void>)> ended);
  // Asks the drivers to end and waits for them. The link must be closed, or they may be held in it.
  void stop();

 private:
  friend class SimDevice;
  struct Vectors {
    std::map<std::uint64_t, std::uint64_t> signalled;  // since the last wait
    bool intx = false;
  };
  std::uint32_t site_of(const Where& where);
  Completion config(std::uint8_t function, Kind kind, std::uint16_t offset, std::uint32_t size,
                    std::uint32_t value, std::uint32_t site = 0);

  Link& link_;
  const std::uint64_t last_seq_;  // before any driver began
  HostMemory memory_;
  std::uint64_t next_bar_ = 0xe000'0000;  // where firmware puts 32-bit BARs
  mutable std::mutex mutex_;              // vectors_, sites_; taken under the link's lock
  std::condition_variable signalled_;
  std::map<std::uint8_t, Vectors> vectors_;
  std::map<std::uint8_t, std::shared_ptr<DriverStacks>> stacks_;
  std::map<std::pair<std::string_view, std::uint32_t>, std::uint32_t> sites_;  // file and line
  std::atomic<bool> stopping_{false};
  std::vector<std::thread> threads_;
};

}  // namespace pcilens::sim
