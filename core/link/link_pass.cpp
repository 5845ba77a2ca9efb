// Requesters that cannot wait: an interrupt handler that reads the device spins until it is
// answered, and its CPU with it. A stop holds them for a while, and then they pass it.
#include <string>
#include <utility>

#include "core/link/link_internal.hpp"

namespace pcilens {

std::optional<Completion> Link::request_now(Transaction t, const Terms& terms) {
  step_back();
  Lock lock(mutex_);
  if (!flows() || (terms.claim && !terms.claim())) return std::nullopt;
  Slot& slot = take_slot();
  slot.t = t;
  slot.stack = terms.stack;
  slot.latest = terms.latest;
  slot.posted = terms.posted;
  begin(slot, lock);
  if (!slot.done) wait_for_reply(slot, lock);
  const Completion completion = finish(slot, lock);
  if (slot.passed) poking_ = false;
  free_slot(slot);
  return completion;
}

// It is held itself, and its time is over. What it causes passes with it, and nothing more.
void Link::let_pass(Slot& slot) {
  slot.passed = slot.aside = true;
  poking_ = true;
  pause_next_ = true;
  recorder_.blob(
      BlobKind::Note, slot.t.seq,
      as_bytes(slot.overtaken ? "something behind this write cannot wait any longer: the write "
                                "passes the stop, and the link stays paused"
                              : "the driver cannot wait here any longer: this access passes the "
                                "stop, and the link stays paused"));
}

bool Link::pass(Transaction t, const Terms& terms, std::function<void(const Transaction&)> done) {
  Lock lock(mutex_);
  if (!held_ || closing_) return false;
  // No write and no read passes a posted write (PCIe 5.0, 2.4.1): a held one goes first.
  for (const auto& slot : slots_)
    if (stop_ && stop_->phase == Phase::Before && slot->in_use && slot->posted &&
        slot->t.seq == stop_->transaction.seq) {
      slot->overtaken = true;
      delivery_.notify_all();
      return false;
    }
  if (terms.claim && !terms.claim()) return false;
  const bool outer = std::exchange(poking_, true);
  aside([&] {
    Slot& slot = take_slot();
    slot.t = t;
    slot.stack = terms.stack;
    slot.passed = slot.aside = true;
    begin(slot, lock);
    if (slot.done) {
      finish(slot, lock);
      const Transaction completed = slot.t;
      free_slot(slot);
      done(completed);
    } else {
      slot.when_done = std::move(done);
    }
  });
  poking_ = outer;
  notify();
  return true;
}

void Link::host_finding(std::uint64_t seq, std::string_view rule, std::string_view text) {
  const Lock lock(mutex_);
  finding_within(seq, rule, text);
}

void Link::finding_within(std::uint64_t seq, std::string_view rule, std::string_view text) {
  std::string json = R"({"rule":")" + std::string(rule) + R"(","text":")";
  for (const char c : text) {
    if (c == '"' || c == '\\') json += '\\';
    json += c < ' ' ? ' ' : c;
  }
  json += "\"}";
  recorder_.blob(BlobKind::Finding, seq, as_bytes(json));
}

}  // namespace pcilens
