// What the link gives to a function: the time, its timers, its DMA and its interrupts. A device
// uses it through Function's protected members; replay and tests implement it too.
#pragma once

#include <coroutine>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "core/link/transaction.hpp"

namespace pcilens {

// The completion of one request, to be given now or later, once. Cheap to copy; a second or late
// completion is logged by the link as unexpected and changes nothing.
class Reply {
 public:
  class Sink {
   public:
    virtual void complete(const Reply& reply, std::uint64_t value, Status status) = 0;

   protected:
    ~Sink() = default;
  };

  Reply(Sink& sink, std::uint32_t slot, std::uint32_t generation)
      : sink_(&sink), slot_(slot), generation_(generation) {}

  // `value` is masked to the request's size; writes and errors give 0.
  void complete(std::uint64_t value, Status status = Status::SC) const {
    sink_->complete(*this, value, status);
  }
  std::uint32_t slot() const { return slot_; }
  std::uint32_t generation() const { return generation_; }

 private:
  Sink* sink_;
  std::uint32_t slot_;
  std::uint32_t generation_;
};

// Something a function asked for and waits for: it lives in the waiting coroutine's frame, so that
// nothing is allocated on the path.
struct Operation {
  Kind kind = Kind::Timer;          // DmaRead, DmaWrite, Timer or Input
  std::uint64_t offset = 0;         // IOVA; of an Input what the function calls it
  std::uint64_t delay_ns = 0;       // Timer
  std::span<std::byte> data = {};   // DmaRead: filled; DmaWrite: read only
  Status status = Status::Pending;  // of the completion
  std::coroutine_handle<> waiter = {};

  // The port's own.
  std::uint64_t cause = 0;   // seq of the stimulus under which it was asked for
  std::uint64_t number = 0;  // timers: counted from 1 per function
  std::uint64_t due_ns = 0;
};

class Port {
 public:
  // The timestamp of the stimulus that is being handled, ns since the trace began. The only clock a
  // device may look at: a replay gives the same.
  virtual std::uint64_t now() const = 0;

  // Starts it; the port resumes `waiter` when `status` is set. Never resumes inside the call.
  virtual void submit(Operation& operation) = 0;
  // Forgets it: the waiter is being destroyed.
  virtual void cancel(Operation& operation) = 0;

  // Sends an interrupt message after all DMA asked for so far. `vector` counts from 0 (MSI-X table
  // entry, or MSI message number).
  virtual void interrupt(std::uint32_t vector) = 0;
  // INTx is a level; only a change is sent.
  virtual void intx(bool asserted) = 0;

  // A stored register changed by the device itself: for the trace's time travel.
  virtual void state_changed(std::int8_t bar, std::uint64_t offset, std::uint32_t size,
                             std::uint64_t value) = 0;
  // A sentence for the one who debugs: becomes a note in the trace, tied to the current stimulus.
  virtual void note(std::string_view text) = 0;

  // Whether the host itself keeps the MSI-X table and its masks (the kernel does).
  virtual bool host_keeps_msix() const = 0;

 protected:
  ~Port() = default;
};

}  // namespace pcilens
