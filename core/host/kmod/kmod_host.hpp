// The kmod host: this kernel's own drivers, by way of the pcilens module. Collects what the kernel
// trapped, carries it over the link in the kernel's order, and answers who waits.
//   kmod_host.cpp        its threads: collecting, carrying, answering
//   kmod_transaction.cpp what the kernel reports, in the link's words
//   call_sites.cpp       where in the driver, and by which thread
//   kmod_effects.cpp     from the link to the kernel: DMA, interrupts, policies, shadows
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "core/host/host.hpp"
#include "core/host/kmod/call_sites.hpp"
#include "core/host/kmod/event_queue.hpp"
#include "core/host/kmod/kmod_function.hpp"
#include "core/link/link.hpp"

namespace pcilens::kmod {

class KmodHost final : public Host {
 public:
  // Creates a kernel function for each function on the link; nothing is on the bus yet. `stacks`:
  // the driver's call stack with every access; else with DMA mappings and what waits at a
  // breakpoint.
  static Result<std::unique_ptr<KmodHost>> open(Link& link, bool stacks);
  ~KmodHost() override;

  // Puts all on the bus, from a thread of its own: a driver's probe may be held as long as it
  // likes. `said` gets one line for each function and for what the kernel reports.
  Result<void> plug_all(std::function<void(std::string)> said);

  std::string_view name() const override { return "kmod"; }
  void shut_down() override;
  bool keeps_msix() const override { return true; }
  std::span<std::byte> shared(std::uint8_t function, int bar) const override {
    return function < served_.size() ? served_[function]->function->shadow(bar)
                                     : std::span<std::byte>();
  }
  Status dma_read(std::uint8_t function, std::uint64_t iova, std::span<std::byte> data) override;
  Status dma_write(std::uint8_t function, std::uint64_t iova,
                   std::span<const std::byte> data) override;
  Status interrupt(std::uint8_t function, std::uint64_t vector, std::uint64_t value) override;
  void interrupt_again(std::uint8_t function, std::uint64_t vector, std::uint64_t value,
                       std::uint64_t times) override;
  void present(std::uint8_t function, bool is_there) override;
  void synchronous(std::span<const Range> ranges) override;
  std::string thread_name(std::uint32_t thread) const override {
    return sites_.thread_name(thread);
  }
  std::size_t look(std::uint8_t function, std::uint64_t iova,
                   std::span<std::byte> data) const override;

 private:
  // One function and the two threads that serve it. Each carries what is at the front of the queue;
  // while one is held in a stop, or stuck under an interrupt handler, the other goes on: so the
  // kernel's ring never fills up behind a stop, and who cannot wait is let past it.
  struct Served {
    explicit Served(std::unique_ptr<KmodFunction> f)
        : function(std::move(f)), queue(function->events()) {}
    std::unique_ptr<KmodFunction> function;
    EventQueue queue;
    std::atomic<std::uint64_t> claimed{0};  // events so far: a thread that stands still shows
    std::atomic<int> driver_cpu{-1};        // of the last access
    std::thread first, second;
    std::uint64_t look_ns = 0;  // how long the first thread looks before it sleeps
    std::vector<Range> held;    // ranges with policy `break`; under the link's lock
    std::atomic<bool> shadow_is_old{true};
    // The last answers to drivers that spin, so that one that came too late can be named.
    struct Answered {
      std::uint64_t kernel_seq = 0, seq = 0;
    };
    std::mutex answered_mutex;
    std::array<Answered, 64> answered{};
    std::size_t next_answered = 0;
  };
  struct Interrupt {
    std::uint8_t function;
    std::uint64_t vector, value;
  };
  // An answer that its thread has not given yet: it goes with the next wait.
  struct Owed {
    std::optional<pcilens_answer> answer;
    std::uint64_t seq = 0;
  };

  explicit KmodHost(Link& link) : link_(link), sites_(link) {}
  void serve_first(std::uint8_t index);
  void serve_second(std::uint8_t index);
  bool carry_all(std::uint8_t index, Owed& owed, CallSites::Recent& recent);
  std::uint8_t earliest(std::uint8_t index, Reported& next);
  bool carry(std::uint8_t index, const Reported& next, Owed& owed, CallSites::Recent& recent);
  void pass_overdue(std::uint8_t index, CallSites::Recent& recent);
  bool has_collected(const Served& served) const;
  bool wait(Served& served, Owed& owed, std::int64_t timeout_ns);
  bool look(const Served& served, std::uint64_t until_ns) const;
  bool driver_is_elsewhere(const Served& served) const;
  void answer(Served& served, const Reported& of, const Completion& completion, Owed& owed);
  void came_too_late(const pcilens_answer& answer, std::uint64_t seq);

  Status reach(std::uint8_t function, std::uint64_t iova, std::size_t length,
               DmaDirection direction, std::span<std::byte>& memory);
  bool on_the_road(const pcilens_event& event) const;
  void tell(std::uint8_t index, const pcilens_event& event);
  Transaction transaction_of(std::uint8_t index, const Reported& reported,
                             std::uint32_t site) const;

  bool claim(std::uint8_t index, const pcilens_event& event);
  void refresh_shadow(std::uint8_t index);
  void refresh_old_shadow(std::uint8_t index);
  std::uint32_t inject(const Interrupt& interrupt);
  void send_kept_interrupts();

  Link& link_;
  CallSites sites_;
  std::vector<std::unique_ptr<Served>> served_;
  std::int64_t epoch_ns_ = 0;  // CLOCK_MONOTONIC when the link's clock was 0
  std::atomic<bool> unplugging_{false}, ending_{false};
  std::uint64_t collect_until_ns_ = 0;  // CLOCK_MONOTONIC; set before ending_
  std::function<void(std::string)> said_ = [](const std::string&) {};
  std::thread plugger_;
  std::mutex kept_mutex_;
  std::vector<Interrupt> kept_;  // could not be raised yet, in their order
  struct Repeated {
    Interrupt interrupt;
    std::uint64_t left, next_ns;  // when it is tried next, CLOCK_MONOTONIC
    int tries;                    // of the one that is next, before it is given up
  };
  std::vector<Repeated> repeated_;
  std::atomic<bool> keeps_{false};  // one of these two
};

}  // namespace pcilens::kmod
