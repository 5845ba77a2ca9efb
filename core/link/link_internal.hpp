// What the link's own files share and nobody else sees.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstring>
#include <optional>
#include <utility>

#include "core/link/link.hpp"

namespace pcilens {

// One request on its way. Slots are used again; the generation tells a late reply.
struct Link::Slot {
  Transaction t;
  std::uint32_t index = 0;
  std::uint32_t generation = 0;
  std::uint64_t sent = 0;          // value as the requester or function gave it
  std::uint64_t answered = 0;      // a read's value as the function gave it
  std::uint64_t before_value = 0;  // of the register, for "until a register changes"
  std::uint32_t rule = 0;          // number of the fault rule that changed it; 0: by hand
  std::string refusal;             // why it did not succeed, where that is known
  std::optional<std::uint64_t> edit_told = {};  // the value of which the edit is recorded
  bool done = false;                            // the function has replied
  bool delivered = false;                       // the function has it
  bool in_use = false;
  bool recorded = false;  // as pending
  bool changes_register = false;
  bool passed = false;     // it could not wait for the end of a stop
  bool aside = false;      // carried by pass(): breakpoints and rules do not see it
  bool overtaken = false;  // held, and something behind it cannot wait: it goes first
  // Its requester does not wait for it, so that what comes later is ordered behind it.
  bool posted = false;
  std::optional<std::chrono::steady_clock::time_point> latest = {};
  std::string_view stack = {};
  std::function<void(const Transaction&)> when_done;
};

// Something a function asked for, in the order in which it asked.
struct Link::Effect {
  enum class What : std::uint8_t {
    Input,  // bytes from outside, see Function::outside
    Dma,
    Interrupt,
    Intx,
    State,
    Reply,
    Timer,
    Nothing
  } what = What::Dma;
  std::uint8_t function = 0;
  std::int8_t bar = 0;
  std::uint32_t size = 0;
  std::uint64_t offset = 0, value = 0, cause = 0;
  Operation* operation = nullptr;
  std::uint32_t slot = 0, generation = 0;
  Status status = Status::SC;
  AnsweredBy answered_by = AnsweredBy::Function;
  std::uint64_t seq = 0, t_ns = 0;  // of a timer: as recorded; 0: the next and now
};

// A function with its place on the link: the port that it sees.
struct Link::Plugged final : Port {
  Plugged(Link& l, std::uint8_t i) : link(l), index(i) {}

  std::uint64_t now() const override { return link.time_; }
  void submit(Operation& operation) override;
  void cancel(Operation& operation) override;
  void interrupt(std::uint32_t vector) override;
  void intx(bool asserted) override;
  void state_changed(std::int8_t bar, std::uint64_t offset, std::uint32_t size,
                     std::uint64_t value) override;
  void note(std::string_view text) override;
  bool host_keeps_msix() const override {
    return link.host_ != nullptr && link.host_->keeps_msix();
  }
  void touched(const Transaction& t);

  Link& link;
  std::uint8_t index;
  std::string device, instance, bdf;
  std::uint64_t timers = 0;       // numbers given out
  std::uint64_t driver_left = 0;  // the last seq when a driver let go of it
  // Who wrote where last, in each BAR.
  struct Changes {
    std::uint64_t unit = 4;        // bytes: the width of the BAR's narrowest register, 4 at most
    std::vector<LastChange> last;  // by unit, from the BAR's first byte to its last register
  };
  Changes changes[6];
  std::unique_ptr<Function> function;  // last: its tasks use the port until they are gone
};

// A device's code runs while it lives. Plain stores: this is on the path of every transaction.
class Link::Working {
 public:
  Working(Link& link, Plugged& who, const Transaction* request)
      : link_(link),
        who_(link.working_.load(std::memory_order_relaxed)),
        request_(link.works_on_.load(std::memory_order_relaxed)) {
    link_.works_on_.store(request, std::memory_order_release);
    link_.working_.store(&who, std::memory_order_release);
  }
  ~Working() {
    link_.works_on_.store(request_, std::memory_order_release);
    link_.working_.store(who_, std::memory_order_release);
  }
  Working(const Working&) = delete;
  Working& operator=(const Working&) = delete;

 private:
  Link& link_;
  Plugged* who_;  // the ones around it
  const Transaction* request_;
};

// What `deliver` makes functions ask for lies above what waits already, and is carried first.
template <typename Deliver>
void Link::aside(Deliver&& deliver) {
  const auto next = std::exchange(next_effect_, effects_.size());
  const auto base = std::exchange(effect_base_, effects_.size());
  const auto current = current_;
  deliver();
  current_ = current;
  effects_.resize(effect_base_);
  effect_base_ = base;
  next_effect_ = next;
}

inline std::span<const std::byte> as_bytes(std::string_view text) {
  return std::as_bytes(std::span(text.data(), text.size()));
}

}  // namespace pcilens
