// Enabling, resetting and shutting down (NVMe 1.4, 3.1.5, 7.3 and 7.6).
#include "devices/nvme/nvme.hpp"
#include "devices/nvme/nvme_features.hpp"

namespace pcilens::nvme {

void Nvme::configured(const RegisterWrite& w) {
  const auto was = [&](FieldOf f) { return f.field->extract(w.before); };
  const auto is = [&](FieldOf f) { return f.field->extract(w.after); };
  if (was(kCc["EN"]) && !is(kCc["EN"])) {
    reset_controller(true);
    return;
  }
  if (!was(kCc["EN"]) && is(kCc["EN"])) {
    if (may_enable()) start(enable());
    return;
  }
  if (!was(kCc["SHN"]) && is(kCc["SHN"])) start(shut_down());
}

// 3.1.5: what the host may choose is what CAP offers; anything else leaves the controller unusable.
bool Nvme::may_enable() {
  RegisterBank& regs = bank(0);
  const std::uint64_t page = regs.get(kCc["MPS"]), set = regs.get(kCc["CSS"]);
  const std::uint64_t cap = kCap.reset;
  if (page < kCap["MPSMIN"].field->extract(cap) || page > kCap["MPSMAX"].field->extract(cap))
    return fatal("CC.MPS is outside CAP.MPSMIN..MPSMAX"), false;
  if (set > 7 || (kCap["CSS"].field->extract(cap) >> set & 1) == 0)
    return fatal("CC.CSS names a command set that CAP.CSS does not have"), false;
  if (regs.get(kCc["AMS"]) != 0) return fatal("CC.AMS: there is round robin only"), false;
  if (regs.get(kAqa["ASQS"]) == 0 || regs.get(kAqa["ACQS"]) == 0)
    return fatal("AQA: an admin queue has two entries at least"), false;
  if ((regs.get(kAsq) | regs.get(kAcq)) & (page_size() - 1))
    return fatal("ASQ or ACQ is not aligned to CC.MPS"), false;
  return true;
}

Task<> Nvme::enable() {
  if (settings_.ready.count() != 0) co_await delay(settings_.ready);
  RegisterBank& regs = bank(0);
  create_cq(0, regs.get(kAcq), static_cast<std::uint32_t>(regs.get(kAqa["ACQS"])) + 1, 0, true);
  create_sq(0, regs.get(kAsq), static_cast<std::uint32_t>(regs.get(kAqa["ASQS"])) + 1, 0);
  regs.set(kCsts["SHST"], 0);
  regs.set(kCsts["RDY"], 1);
  in_use_ = true;
}

// 7.6.2: what was acknowledged is on the disk before SHST says so.
Task<> Nvme::shut_down() {
  RegisterBank& regs = bank(0);
  regs.set(kCsts["SHST"], 1);
  if (settings_.latency.count() != 0) co_await delay(settings_.latency);
  if (!store_->flush()) note("nvme: the disk could not be flushed at shutdown");
  regs.set(kCsts["SHST"], 2);
  in_use_ = false;
  co_return;
}

void Nvme::fatal(std::string_view why) {
  note("nvme: " + std::string(why) + ": CSTS.CFS is set, and only a reset helps");
  bank(0).set(kCsts["CFS"], 1);
}

bool Nvme::processing() {
  const std::uint64_t csts = bank(0).get(kCsts);
  return kCsts["RDY"].field->extract(csts) != 0 && kCsts["CFS"].field->extract(csts) == 0 &&
         kCsts["SHST"].field->extract(csts) != 2;
}

// 7.3.2: queues, features and events go; AQA, ASQ and ACQ stay when the controller was disabled.
void Nvme::reset_controller(bool keep_admin_queues) {
  cancel_tasks();
  RegisterBank& regs = bank(0);
  under_way_.clear();
  for (unsigned i = 0; i < kQueues; ++i) {
    sqs_[i] = {.life = sqs_[i].life + 1};
    cqs_[i] = {.life = cqs_[i].life + 1};
    regs.set(*layout_.tail, 0, i);
    regs.set(*layout_.head, 0, i);
  }
  event_requests_.clear();
  events_.clear();
  masked_events_ = 0;
  *features_ = {};
  shadow_ = event_index_ = 0;
  regs.set(kIntms, 0);
  regs.set(kIntmc, 0);
  regs.set(kCsts, regs.get(kCsts) & kCsts["NSSRO"].field->mask());
  if (!keep_admin_queues) {
    regs.set(kCc, 0);
    regs.set(kAqa, 0);
    regs.set(kAsq, 0);
    regs.set(kAcq, 0);
  }
  intx(false);
}

void Nvme::reset_subsystem() {
  reset_controller(false);
  bank(0).set(kCsts["NSSRO"], 1);
}

// The registers are back at their reset values already.
void Nvme::on_reset(ResetKind kind) {
  reset_controller(false);
  if (kind == ResetKind::Flr) return;
  ++power_cycles_;
  if (in_use_) ++unsafe_shutdowns_;  // 5.14.1.2: no CC.SHN came before
  in_use_ = false;
}

}  // namespace pcilens::nvme
