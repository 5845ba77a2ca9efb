// Admin commands (NVMe 1.4, chapter 5): which there are, and the small ones.
#include <algorithm>

#include "devices/nvme/nvme.hpp"
#include "devices/nvme/nvme_features.hpp"

namespace pcilens::nvme {

Task<Outcome> Nvme::admin(Command& command) {
  // 4.2: fused operations exist in the NVM command set only.
  if (command.get(part(kSqe, "CDW0.FUSE")) != 0) co_return Outcome{kInvalidField};
  switch (command.get(part(kSqe, "CDW0.OPC"))) {
    case kCreateCq: co_return create_io_cq(command);
    case kCreateSq: co_return create_io_sq(command);
    case kDeleteCq: co_return delete_io_cq(command);
    case kDeleteSq: co_return delete_io_sq(command);
    case kIdentify: co_return co_await identify(command);
    case kGetLogPage: co_return co_await log_page(command);
    case kSetFeatures: co_return co_await set_feature(command);
    case kGetFeatures: co_return co_await get_feature(command);
    case kAsyncEvent: co_return async_event(command);
    case kAbort: co_return abort(command);
    case kFormat: co_return co_await format(command);
    case kDoorbellBuffer:
      if (settings_.doorbell_buffer) co_return co_await doorbell_buffer(command);
      break;
    default: break;
  }
  co_return Outcome{kInvalidOpcode};
}

// 5.1: bit 0 of the result is 0 if the command was aborted.
Outcome Nvme::abort(const Command& command) {
  const auto sq = static_cast<std::uint16_t>(command.get(part(kAbortEntry, "CDW10.SQID")));
  const auto cid = static_cast<std::uint16_t>(command.get(part(kAbortEntry, "CDW10.CID")));
  if (sq == 0) {
    const auto it = std::ranges::find(event_requests_, cid);
    if (it == event_requests_.end()) return {.dw0 = 1};
    event_requests_.erase(it);
    Command aborted{.entry = {}, .sq = 0, .cid = cid, .sq_life = sqs_[0].life};
    complete(aborted, {.status = kAbortRequested});
    return {.dw0 = 0};
  }
  for (Command* other : under_way_) {
    if (other->sq != sq || other->cid != cid || other->aborted) continue;
    other->aborted = true;  // completed with its status at its next step
    return {.dw0 = 0};
  }
  return {.dw0 = 1};
}

// 5.23. Everything reads as 0 afterwards; no metadata, no protection, no cryptographic erase.
Task<Outcome> Nvme::format(const Command& command) {
  const std::uint64_t nsid = command.get(part(kSqe, "NSID"));
  if (nsid != 1 && nsid != 0xffff'ffff) co_return Outcome{kInvalidNamespace};
  const std::uint64_t which = command.get(part(kFormatEntry, "CDW10.LBAF"));
  if (which > 1) co_return Outcome{kInvalidFormat};
  if (command.get(part(kFormatEntry, "CDW10.PI")) != 0 ||
      command.get(part(kFormatEntry, "CDW10.MSET")) != 0)
    co_return Outcome{kInvalidFormat};
  if (command.get(part(kFormatEntry, "CDW10.SES")) > 1) co_return Outcome{kInvalidField};
  if (store_->read_only()) co_return Outcome{kWriteProtected};
  const std::uint32_t block = which == 0 ? 512 : 4096;
  if (store_->size() % block != 0) co_return Outcome{kInvalidFormat};
  if (!store_->zero(0, store_->size()) || !store_->flush()) co_return Outcome{kInternalError};
  block_ = block;
  co_return Outcome{};
}

// 5.7: two pages, of the shadow doorbells and of the event indexes.
Task<Outcome> Nvme::doorbell_buffer(const Command& command) {
  const std::uint64_t shadow = command.get(part(kSqe, "PRP1"));
  const std::uint64_t index = command.get(part(kSqe, "PRP2"));
  if (shadow == 0 || index == 0 || shadow % page_size() != 0 || index % page_size() != 0)
    co_return Outcome{kInvalidField};
  shadow_ = shadow;
  event_index_ = index;
  note("nvme: doorbells go through memory from here on; not every one is in the trace");
  co_return Outcome{};
}

// ---- asynchronous events, 5.2 ------------------------------------------------------------------

namespace {

constexpr std::size_t kEventRequests = 4;  // AERL + 1

}  // namespace

Outcome Nvme::async_event(const Command& command) {
  if (event_requests_.size() >= kEventRequests) return {.status = kEventLimit};
  event_requests_.push_back(command.cid);
  send_events();
  return {.complete = false};
}

void Nvme::raise_event(std::uint8_t type, std::uint8_t info, std::uint8_t log) {
  if (masked_events_ >> type & 1 || events_.size() >= 16) return;
  events_.push_back({type, info, log});
  send_events();
}

// One event of a type until its log page was read.
void Nvme::send_events() {
  while (!events_.empty() && !event_requests_.empty()) {
    const Event event = events_.front();
    events_.pop_front();
    if (masked_events_ >> event.type & 1) continue;
    masked_events_ |= static_cast<std::uint8_t>(1u << event.type);
    const Command request{
        .entry = {}, .sq = 0, .cid = event_requests_.front(), .sq_life = sqs_[0].life};
    event_requests_.pop_front();
    complete(request, {.dw0 = static_cast<std::uint32_t>(event.type) |
                              static_cast<std::uint32_t>(event.info) << 8 |
                              static_cast<std::uint32_t>(event.log) << 16});
  }
}

void Nvme::event_handled(std::uint8_t log) {
  // Error, SMART and notice events have logs of their own.
  const unsigned type = log == 1 ? 0 : log == 2 ? 1 : 2;
  masked_events_ &= static_cast<std::uint8_t>(~(1u << type));
  std::erase_if(events_, [&](const Event& e) { return e.log == log; });
  send_events();
}

}  // namespace pcilens::nvme
