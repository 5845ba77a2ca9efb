// The kmod host: this kernel's own drivers, by way of the pcilens module. Collects what the kernel
// trapped, carries it over the link in the kernel's order, and answers who waits.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "core/host/host.hpp"
#include "core/host/kmod/dma_mappings.hpp"
#include "core/host/kmod/kmod_function.hpp"
#include "core/link/link.hpp"

namespace pcilens::kmod {

class KmodHost final : public Host {
 public:
  // Creates a kernel function for each function on the link; nothing is on the bus yet.
  static Result<std::unique_ptr<KmodHost>> open(Link& link);
  ~KmodHost() override;

  // Puts all on the bus, from a thread of its own: a driver's probe may be held as long as it
  // likes. `said` gets one line for each function and for what the kernel reports.
  Result<void> plug_all(std::function<void(std::string)> said);

  std::string_view name() const override { return "kmod"; }
  void shut_down() override;
  bool keeps_msix() const override { return true; }
  Status dma_read(std::uint8_t function, std::uint64_t iova, std::span<std::byte> data) override;
  Status dma_write(std::uint8_t function, std::uint64_t iova,
                   std::span<const std::byte> data) override;
  Status interrupt(std::uint8_t function, std::uint64_t vector, std::uint64_t value) override;
  void synchronous(std::span<const Range> ranges) override;
  std::string thread_name(std::uint32_t thread) const override;

 private:
  // One function and the two threads that serve it. Both can collect and deliver; whoever delivers
  // may be held in a stop, and then the other goes on collecting, so that the kernel's ring never
  // fills up behind a stop.
  struct Served {
    std::unique_ptr<KmodFunction> function;
    DmaMappings mappings;
    std::mutex queue_mutex;           // collecting, and the queue
    std::deque<pcilens_event> queue;  // collected, not delivered
    std::atomic<bool> delivering{false};
    std::thread deliverer, collector;
    std::vector<Range> held;  // ranges with policy `break`
  };

  explicit KmodHost(Link& link) : link_(link) {}
  void deliver_all(std::uint8_t index);
  void collect_while_held(std::uint8_t index);
  bool take(Served& served, pcilens_event& event, pcilens_event* stack);
  // Carries one event over the link; true if `answer` is owed to the kernel.
  bool deliver(std::uint8_t index, const pcilens_event& event, const pcilens_event* stack,
               pcilens_answer& answer);
  std::optional<std::uint64_t> expired(Served& served, const pcilens_event& event);
  Transaction transaction_of(std::uint8_t index, const pcilens_event& event);
  std::uint32_t site_of(std::uint8_t index, std::uint64_t ip, const pcilens_event* event);

  Link& link_;
  std::vector<std::unique_ptr<Served>> served_;
  std::int64_t epoch_ns_ = 0;  // CLOCK_MONOTONIC when the link's clock was 0
  std::atomic<bool> ending_{false};
  std::function<void(std::string)> said_ = [](const std::string&) {};
  std::thread plugger_;
  mutable std::mutex sites_mutex_;
  std::map<std::uint64_t, std::uint32_t> sites_;  // by instruction address
  std::map<std::uint32_t, std::string> threads_;  // names by tid
};

}  // namespace pcilens::kmod
