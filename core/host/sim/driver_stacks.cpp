#include "core/host/sim/driver_stacks.hpp"

#include <unwind.h>

namespace pcilens::sim {
namespace {

constexpr std::size_t kDeepest = 48;
constexpr std::size_t kMostStacks = 4096;  // of one driver; a recursion may make new ones for ever

struct Walk {
  std::uintptr_t from, base;
  bool begun = false;
  std::vector<const std::uintptr_t*>& at;
  std::vector<std::uintptr_t>& addresses;
};

_Unwind_Reason_Code step(_Unwind_Context* context, void* data) {
  auto& walk = *static_cast<Walk*>(data);
  const auto ip = static_cast<std::uintptr_t>(_Unwind_GetIP(context));
  const auto cfa = static_cast<std::uintptr_t>(_Unwind_GetCFA(context));
  walk.begun = walk.begun || ip == walk.from;
  if (!walk.begun) return _URC_NO_REASON;
  if (ip == 0 || cfa >= walk.base || walk.addresses.size() >= kDeepest) return _URC_END_OF_STACK;
  walk.addresses.push_back(ip);
  // A call leaves its return address just below the caller's frame.
  walk.at.push_back(reinterpret_cast<const std::uintptr_t*>(cfa) - 1);
  return _URC_NO_REASON;
}

}  // namespace

bool DriverStacks::same(const Stack& stack, std::uintptr_t return_address, std::uintptr_t frame) {
  if (!stack.recognisable || stack.return_address != return_address || stack.frame != frame)
    return false;
  // The innermost is `return_address` itself; same frame: what lies above it is alive.
  for (std::size_t i = 1; i < stack.at.size(); ++i)
    if (*stack.at[i] != stack.addresses[i]) return false;
  return true;
}

const DriverStacks::Stack* DriverStacks::unwind(std::uintptr_t return_address,
                                                std::uintptr_t frame) {
  auto stack = std::make_unique<Stack>();
  stack->return_address = return_address;
  stack->frame = frame;
  Walk walk{.from = return_address, .base = base_, .at = stack->at, .addresses = stack->addresses};
  _Unwind_Backtrace(&step, &walk);
  // The last one leads back into the host, who called the driver.
  if (stack->addresses.size() > 1) {
    stack->addresses.pop_back();
    stack->at.pop_back();
  }
  for (std::size_t i = 1; i < stack->at.size(); ++i)
    stack->recognisable = stack->recognisable && *stack->at[i] == stack->addresses[i];
  if (all_.size() >= kMostStacks) {
    all_.clear();
    known_ = {};
    recent_ = {};
  }
  all_.push_back(std::move(stack));
  return all_.back().get();
}

void DriverStacks::enter(void* return_address, void* frame) {
  const auto ra = reinterpret_cast<std::uintptr_t>(return_address);
  const auto at = reinterpret_cast<std::uintptr_t>(frame);
  const std::lock_guard lock(mutex_);
  const Stack*& known = known_[(ra ^ (at >> 4)) % known_.size()];
  if (known == nullptr || !same(*known, ra, at)) {
    const Stack* fresh = unwind(ra, at);
    known_[(ra ^ (at >> 4)) % known_.size()] = fresh;
    inside_ = fresh;
    return;
  }
  inside_ = known;
}

void DriverStacks::leave(std::uint64_t seq) {
  const std::lock_guard lock(mutex_);
  recent_[seq % recent_.size()] = {seq, inside_};
  inside_ = nullptr;
  last_left_ = seq;
}

std::vector<std::uintptr_t> DriverStacks::of(std::uint64_t seq) const {
  const std::lock_guard lock(mutex_);
  const Access& access = recent_[seq % recent_.size()];
  const Stack* stack = access.seq == seq ? access.stack : nullptr;
  // It makes one access after the other: one behind the last that came back is under way.
  if (stack == nullptr && seq > last_left_) stack = inside_;
  return stack == nullptr ? std::vector<std::uintptr_t>() : stack->addresses;
}

}  // namespace pcilens::sim
