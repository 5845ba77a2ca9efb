// From a doorbell to the fetched command, and from its result to the interrupt.
#include <algorithm>
#include <string>

#include "devices/nvme/nvme.hpp"
#include "devices/nvme/nvme_features.hpp"

namespace pcilens::nvme {
namespace {

constexpr std::uint8_t kErrorEvent = 0, kErrorLog = 1;
constexpr std::uint8_t kWrongDoorbell = 0, kWrongDoorbellValue = 1;  // 5.2, figure 147
// As many results may wait for a place in a completion queue before no more commands are fetched.
constexpr std::size_t kMostWaiting = 256;
// And as many commands are worked on at once: each may hold the data of a whole transfer.
constexpr std::size_t kMostUnderWay = 256;

}  // namespace

void Nvme::create_cq(std::uint16_t id, std::uint64_t base, std::uint32_t entries,
                     std::uint16_t vector, bool interrupts) {
  cqs_[id] = {.base = base,
              .entries = entries,
              .vector = vector,
              .interrupts = interrupts,
              .life = cqs_[id].life + 1};
  bank(0).set(*layout_.head, 0, id);
}

void Nvme::create_sq(std::uint16_t id, std::uint64_t base, std::uint32_t entries,
                     std::uint16_t cq) {
  sqs_[id] = {.base = base, .entries = entries, .cq = cq, .life = sqs_[id].life + 1};
  ++cqs_[cq].users;
  bank(0).set(*layout_.tail, 0, id);
}

void Nvme::delete_sq(std::uint16_t id) {
  --cqs_[sqs_[id].cq].users;
  sqs_[id] = {.life = sqs_[id].life + 1};
}

void Nvme::delete_cq(std::uint16_t id) {
  cqs_[id] = {.life = cqs_[id].life + 1};
}

// ---- doorbells ---------------------------------------------------------------------------------

// 3.1.24, 3.1.25 and 5.2: the driver is told of a doorbell that cannot be meant, and whoever looks
// at the trace is told what was wrong with it.
void Nvme::wrong_doorbell(const RegisterWrite& w, std::uint8_t event, const std::string& why) {
  note("nvme: " + std::to_string(w.after) + " in " + name_of(w.ref) + " changes nothing: " + why);
  raise_event(kErrorEvent, event, kErrorLog);
}

void Nvme::submission_doorbell(const RegisterWrite& w) {
  if (!processing()) return note("nvme: a doorbell while the controller is not ready is ignored");
  const auto id = static_cast<std::uint16_t>(w.ref.index);
  SubmissionQueue& sq = sqs_[id];
  if (sq.entries == 0)
    return wrong_doorbell(w, kWrongDoorbell, "there is no such submission queue");
  if (w.after >= sq.entries)
    return wrong_doorbell(w, kWrongDoorbellValue,
                          "the queue has " + std::to_string(sq.entries) + " entries");
  sq.tail = static_cast<std::uint32_t>(w.after);
  fetch_from(id);
}

void Nvme::completion_doorbell(const RegisterWrite& w) {
  if (!processing()) return note("nvme: a doorbell while the controller is not ready is ignored");
  const auto id = static_cast<std::uint16_t>(w.ref.index);
  CompletionQueue& cq = cqs_[id];
  if (cq.entries == 0)
    return wrong_doorbell(w, kWrongDoorbell, "there is no such completion queue");
  if (w.after >= cq.entries)
    return wrong_doorbell(w, kWrongDoorbellValue,
                          "the queue has " + std::to_string(cq.entries) + " entries");
  // The head may reach the tail and not pass it.
  const std::uint64_t waiting = (cq.tail + cq.entries - cq.head) % cq.entries;
  if ((w.after + cq.entries - cq.head) % cq.entries > waiting)
    return wrong_doorbell(w, kWrongDoorbellValue,
                          "the driver has taken all up to " + std::to_string(cq.head) +
                              ", and none lies past " + std::to_string(cq.tail));
  cq.head = static_cast<std::uint32_t>(w.after);
  update_intx();
  if (!cq.results.empty() && !cq.draining) start(drain(id));
}

// ---- fetching ----------------------------------------------------------------------------------

bool Nvme::has_room(const SubmissionQueue& sq) const {
  return cqs_[sq.cq].results.size() < kMostWaiting && under_way_.size() < kMostUnderWay;
}

void Nvme::fetch_from(std::uint16_t id) {
  SubmissionQueue& sq = sqs_[id];
  if (sq.fetching || sq.head == sq.tail) return;
  sq.fetching = true;
  start(fetch(id));
}

Task<> Nvme::fetch(std::uint16_t id) {
  SubmissionQueue& sq = sqs_[id];
  const std::uint32_t life = sq.life;
  do {
    while (sq.head != sq.tail && has_room(sq)) {
      Command command{.entry = {}, .sq = id, .sq_life = life};
      const Status status = co_await dma_read(sq.base + kSqeBytes * sq.head, command.entry);
      if (sq.life != life) co_return;
      if (status != pcilens::Status::SC) co_return fatal("a submission queue cannot be read");
      if (!processing()) co_return;
      sq.head = (sq.head + 1) % sq.entries;
      command.cid = static_cast<std::uint16_t>(command.get(part(kSqe, "CDW0.CID")));
      start(execute(command));
      if (sq.life != life) co_return;  // it deleted its own queue
    }
  } while (co_await look_at_shadow(id));
  if (sq.life != life) co_return;
  sq.fetching = false;
  if (has_room(sq)) fetch_from(id);  // rung while the shadow was looked at
}

// 5.7: with doorbell buffers the driver rings only when it passes what we leave in the event index.
// True: the shadow doorbell shows further commands.
Task<bool> Nvme::look_at_shadow(std::uint16_t id) {
  if (shadow_ == 0 || id == 0) co_return false;
  SubmissionQueue& sq = sqs_[id];
  const std::uint32_t life = sq.life;
  const std::uint64_t at = layout_.tail->offset_of(id) - layout_.tail->offset;
  std::array<std::byte, 4> value;
  for (unsigned i = 0; i < 4; ++i) value[i] = static_cast<std::byte>(sq.tail >> (8 * i));
  if (co_await dma_write(event_index_ + at, value) != pcilens::Status::SC) co_return false;
  if (co_await dma_read(shadow_ + at, value) != pcilens::Status::SC) co_return false;
  std::uint32_t tail = 0;
  for (unsigned i = 0; i < 4; ++i) tail |= std::to_integer<std::uint32_t>(value[i]) << (8 * i);
  if (sq.life != life || tail >= sq.entries || tail == sq.tail) co_return false;
  sq.tail = tail;
  co_return true;
}

Task<> Nvme::execute(Command command) {
  under_way_.push_back(&command);
  Outcome outcome = command.sq == 0 ? co_await admin(command) : co_await io(command);
  const bool others_wait = under_way_.size() >= kMostUnderWay;
  std::erase(under_way_, &command);
  if (command.aborted) outcome = {.status = kAbortRequested};
  if (outcome.complete) complete(command, outcome);
  if (!others_wait) co_return;
  for (std::uint16_t id = 0; id < kQueues; ++id)
    if (sqs_[id].entries != 0) fetch_from(id);
}

// ---- completing --------------------------------------------------------------------------------

void Nvme::complete(const Command& command, const Outcome& outcome) {
  SubmissionQueue& sq = sqs_[command.sq];
  if (sq.life != command.sq_life) return;  // 5.6: its queue was deleted meanwhile
  if (outcome.status != kSuccess) log_error(command, outcome.status);
  post(sq.cq, {.sq = command.sq,
               .cid = command.cid,
               .sq_head = sq.head,
               .status = outcome.status,
               .dw0 = outcome.dw0});
}

void Nvme::post(std::uint16_t id, const Completed& result) {
  CompletionQueue& cq = cqs_[id];
  cq.results.push_back(result);
  if (!cq.draining) start(drain(id));
}

// Writes what waits as long as there is room, then interrupts once.
Task<> Nvme::drain(std::uint16_t id) {
  CompletionQueue& cq = cqs_[id];
  const std::uint32_t life = cq.life;
  cq.draining = true;
  if (cq.full() && shadow_ != 0 && id != 0) {
    std::array<std::byte, 4> value;
    const std::uint64_t at = layout_.head->offset_of(id) - layout_.tail->offset;
    if (co_await dma_read(shadow_ + at, value) == pcilens::Status::SC && cq.life == life) {
      const auto head =
          std::to_integer<std::uint32_t>(value[0]) | std::to_integer<std::uint32_t>(value[1]) << 8;
      if (head < cq.entries) cq.head = head;
    }
    if (cq.life != life) co_return;
  }
  bool any = false;
  while (!cq.results.empty() && !cq.full()) {
    const Completed r = cq.results.front();
    cq.results.pop_front();
    std::array<std::byte, kCqeBytes> entry{};
    const auto set = [&](const StructurePart& p, std::uint64_t v) { store(entry, p, v); };
    set(part(kCqe, "DW0"), r.dw0);
    set(part(kCqe, "SQHD"), r.sq_head);
    set(part(kCqe, "SQID"), r.sq);
    set(part(kCqe, "CID"), r.cid);
    set(part(kCqe, "STATUS.P"), cq.phase);
    set(part(kCqe, "STATUS.SC"), r.status & 0xff);
    set(part(kCqe, "STATUS.SCT"), r.status >> 8);
    if (r.status != kSuccess) {
      set(part(kCqe, "STATUS.M"), 1);
      const bool again = r.status == kDataTransferError || r.status == kAbortRequested;
      set(part(kCqe, "STATUS.DNR"), again ? 0 : 1);
    }
    const Status status = co_await dma_write(cq.base + kCqeBytes * cq.tail, entry);
    if (cq.life != life) co_return;
    if (status != pcilens::Status::SC) co_return fatal("a completion queue cannot be written");
    cq.tail = (cq.tail + 1) % cq.entries;
    if (cq.tail == 0) cq.phase = !cq.phase;
    any = true;
  }
  cq.draining = false;
  if (any && cq.interrupts) interrupt(cq.vector);
  update_intx();
  for (std::uint16_t sq = 0; sq < kQueues; ++sq)
    if (sqs_[sq].entries != 0 && sqs_[sq].cq == id) fetch_from(sq);
}

// 7.5.1: the pin is asserted while a queue has unread completions and its vector is not masked.
void Nvme::update_intx() {
  const std::uint64_t masked = bank(0).get(kIntms);
  intx(std::ranges::any_of(cqs_, [&](const CompletionQueue& cq) {
    return cq.entries != 0 && cq.interrupts && cq.head != cq.tail &&
           (cq.vector > 31 || (masked >> cq.vector & 1) == 0);
  }));
}

}  // namespace pcilens::nvme
