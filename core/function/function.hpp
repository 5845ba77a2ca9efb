// The device side of the link: a model with config space, BARs and registers (the completer).
// A device derives from Function, declares its registers, and attaches behaviour to them.
//
// Every handler runs on some host thread under the link's lock, one at a time; it must not block.
// What takes time is a Task that awaits delays and DMA. Same stimuli, same behaviour: a device
// looks at no clock but now() and draws no random number that an option does not seed.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "core/function/port.hpp"
#include "core/function/task.hpp"
#include "core/link/transaction.hpp"
#include "core/pci/config_space.hpp"
#include "core/pci/msix_table.hpp"
#include "core/registers/bank.hpp"

namespace pcilens {

class Function {
 public:
  // One map a BAR at most; a BAR without a map is up to read() and write(). Each map must fit its
  // BAR (std::logic_error).
  Function(ConfigSpace config, std::span<const RegisterMap* const> maps);
  virtual ~Function();
  Function(const Function&) = delete;
  Function& operator=(const Function&) = delete;

  const ConfigSpace& config() const { return config_; }
  // Null where a BAR has no register map. `bar` 0..5.
  const RegisterBank* bank(int bar) const { return banks_[static_cast<unsigned>(bar)].get(); }
  const MsixTable* msix() const { return msix_ ? &*msix_ : nullptr; }

  // ---- the link's side -----------------------------------------------------------------------
  void plug(Port& port) { port_ = &port; }
  // A config or memory request. Completes `reply` now or later.
  void deliver(const Transaction& request, Reply reply);
  void reset(ResetKind kind);
  // Sets stored state that no transaction may set; bar as in Transaction.
  // False if nothing is stored there.
  bool force(std::int8_t bar, std::uint64_t offset, std::uint32_t size, std::uint64_t value);
  // The value a read would give, with no effect; nothing where that cannot be told.
  std::optional<std::uint64_t> peek(std::int8_t bar, std::uint64_t offset,
                                    std::uint32_t size) const;
  // The host keeps the memory of this BAR's direct regions; see RegisterBank::share.
  void share(int bar, std::span<std::byte> memory);
  void input(std::uint32_t what, std::span<const std::byte> data) { on_input(what, data); }
  // After each stimulus: ends finished tasks, rethrows what one threw.
  void reap() { tasks_.reap(); }
  // The host wrote config space on its own (the kernel's shadow): same as a config write.
  ConfigSpace& host_config() { return config_; }

 protected:
  // ---- what a device overrides ---------------------------------------------------------------
  // Memory requests; the default serves the bank of that BAR. A BAR without bank gives UR.
  virtual void read(const Transaction& request, Reply reply);
  virtual void write(const Transaction& request, Reply reply);
  // After config space changed.
  virtual void on_config(const ConfigSpace::Change&) {}
  // After banks and config space went back to their reset values and all tasks ended.
  virtual void on_reset(ResetKind) {}
  virtual void on_input(std::uint32_t, std::span<const std::byte>) {}

  // ---- what a device uses --------------------------------------------------------------------
  RegisterBank& bank(int bar) { return *banks_[static_cast<unsigned>(bar)]; }
  ConfigSpace& config() { return config_; }
  Port& port() { return *port_; }
  std::uint64_t now() const { return port_->now(); }

  class Wait;  // an awaitable that gives the Status of its completion
  // `co_await delay(100ms)`: the time of stimuli, not the wall's; at least that long.
  Wait delay(std::chrono::nanoseconds duration);
  // `co_await dma_read(iova, span)`: SC, UR (nothing mapped there, or no bus mastering), CA.
  // The memory behind `data` must live until then (a member or a local of the task).
  Wait dma_read(std::uint64_t iova, std::span<std::byte> data);
  Wait dma_write(std::uint64_t iova, std::span<const std::byte> data);
  // `co_await outside(what, bytes)`: bytes that no transaction brought, such as a file's, before
  // the function acts on them. They go into the trace, and a replay puts the recorded ones in their
  // place. `what` is the function's own, a position for instance.
  Wait outside(std::uint64_t what, std::span<std::byte> bytes);
  // MSI-X or MSI vector, whichever the driver enabled; with neither nothing is sent (see intx).
  // Ordered after the DMA that was asked for before.
  void interrupt(std::uint32_t vector);
  // The level of the INTx pin; only seen while neither MSI nor MSI-X is enabled.
  void intx(bool asserted);
  // Runs a task to its first wait; it goes on at each completion, until reset.
  void start(Task<> task) { tasks_.start(std::move(task)); }
  void cancel_tasks() { tasks_.cancel(); }
  void note(std::string_view text) { port_->note(text); }

 private:
  void deliver_config(const Transaction& request, Reply reply);
  void send_pending_interrupts();

  ConfigSpace config_;
  std::unique_ptr<RegisterBank> banks_[6];
  std::optional<MsixTable> msix_;
  Port* port_ = nullptr;
  bool intx_level_ = false;
  TaskScope tasks_;  // last: its coroutines use all of the above
};

class Function::Wait {
 public:
  Wait(Port& port, Operation operation) : port_(port), operation_(operation) {}
  Wait(const Wait&) = delete;
  Wait& operator=(const Wait&) = delete;
  ~Wait() {
    if (submitted_ && operation_.status == Status::Pending) port_.cancel(operation_);
  }
  bool await_ready() const { return false; }
  void await_suspend(std::coroutine_handle<> waiter) {
    operation_.waiter = waiter;
    submitted_ = true;
    port_.submit(operation_);
  }
  Status await_resume() const { return operation_.status; }

 private:
  Port& port_;
  Operation operation_;
  bool submitted_ = false;
};

}  // namespace pcilens
