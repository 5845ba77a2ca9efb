// A controller on a link of its own, with memory that the test fills: no thread, no wait, every
// answer is there when the call returns.
#pragma once

#include <algorithm>
#include <array>
#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include "catch.hpp"
#include "core/host/host.hpp"
#include "core/link/link.hpp"
#include "core/target/session.hpp"
#include "devices/nvme/nvme_driver_queue.hpp"
#include "devices/nvme/nvme_map.hpp"

namespace pcilens::nvme::test {

inline const Device& device() {
  for (const Device* d : built_in_devices())
    if (d->name == "nvme") return *d;
  throw std::logic_error("nvme is not built in");
}

// Time that the test moves.
class HandClock final : public Clock {
 public:
  std::uint64_t now_ns() override { return ns_ += 10; }
  void advance(std::uint64_t ns) { ns_ += ns; }

 private:
  std::uint64_t ns_ = 1000;
};

// Keeps every transaction with its payload, as it ended.
class Collector final : public Recorder {
 public:
  struct Event {
    Transaction t;
    std::vector<std::byte> payload;
  };
  void event(const Transaction& t) override { put(t); }
  void completion(const Transaction& t) override { put(t); }
  void edit(std::uint64_t, std::uint64_t, std::uint64_t, std::uint64_t, std::uint64_t,
            std::uint32_t) override {}
  void blob(BlobKind kind, std::uint64_t, std::span<const std::byte> bytes) override {
    if (kind == BlobKind::Note)
      notes.emplace_back(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  }
  std::vector<Event> events;
  std::vector<std::string> notes;

 private:
  void put(const Transaction& t) {
    const auto same =
        std::ranges::find_if(events, [&](const Event& e) { return e.t.seq == t.seq; });
    Event& e = same != events.end() ? *same : events.emplace_back();
    e.t = t;
    e.t.payload = {};
    e.payload.assign(t.payload.begin(), t.payload.end());
  }
};

inline constexpr std::uint64_t kMemory = 0x10'0000, kMemoryBytes = 8 << 20;

class Rig final : public Host {
 public:
  explicit Rig(const DeviceOptions& options = {}) : memory_(kMemoryBytes) {
    link.connect(*this);
    auto function = make_function(device(), options);
    if (!function) throw std::runtime_error(function.error().message);
    link.plug(std::move(*function), "nvme0", "nvme", "00:01.0");
    config_write(cfg::kCommand, 2, cfg::kCommandMemory | cfg::kCommandMaster);
  }
  ~Rig() override { link.close(); }

  // ---- the host
  std::string_view name() const override { return "rig"; }
  Status dma_read(std::uint8_t, std::uint64_t iova, std::span<std::byte> data) override {
    if (!inside(iova, data.size())) return Status::UR;
    std::ranges::copy(bytes(iova, data.size()), data.begin());
    return Status::SC;
  }
  Status dma_write(std::uint8_t, std::uint64_t iova, std::span<const std::byte> data) override {
    if (!inside(iova, data.size())) return Status::UR;
    std::ranges::copy(data, bytes(iova, data.size()).begin());
    return Status::SC;
  }
  Status interrupt(std::uint8_t, std::uint64_t vector, std::uint64_t value) override {
    if (vector == kIntxVector)
      pin = value != 0;
    else
      interrupts.push_back(vector);
    return Status::SC;
  }

  // ---- registers
  std::uint64_t read(const Register& r, std::uint32_t index = 0) {
    return link.request(access(Kind::MemRead, 0, r.offset_of(index), r.width)).value;
  }
  std::uint64_t write(const Register& r, std::uint64_t value, std::uint32_t index = 0) {
    Transaction t = access(Kind::MemWrite, 0, r.offset_of(index), r.width);
    t.value = value;
    return link.request(t).seq;
  }
  std::uint32_t config_read(std::uint32_t offset, std::uint32_t size) {
    return static_cast<std::uint32_t>(
        link.request(access(Kind::CfgRead, kBarConfig, offset, size)).value);
  }
  void config_write(std::uint32_t offset, std::uint32_t size, std::uint32_t value) {
    Transaction t = access(Kind::CfgWrite, kBarConfig, offset, size);
    t.value = value;
    link.request(t);
  }
  void raw_write(std::uint64_t offset, std::uint32_t size, std::uint64_t value) {
    Transaction t = access(Kind::MemWrite, 0, offset, size);
    t.value = value;
    link.request(t);
  }

  // ---- memory
  std::uint64_t alloc(std::uint64_t size) {
    const std::uint64_t at = next_;
    next_ += (size + 4095) / 4096 * 4096;
    REQUIRE(next_ <= kMemory + kMemoryBytes);
    return at;
  }
  std::span<std::byte> bytes(std::uint64_t iova, std::uint64_t size) {
    return std::span(memory_).subspan(iova - kMemory, size);
  }
  void put64(std::uint64_t iova, std::uint64_t value) {
    std::memcpy(bytes(iova, 8).data(), &value, 8);
  }

  // ---- a driver in small
  struct Queue {
    std::uint64_t sq = 0, cq = 0;
    std::uint32_t entries = 0, tail = 0, head = 0;
    bool phase = true;
  };
  std::array<Queue, kQueues> queues;

  void enable_msix() {
    const auto at = *link.function(0)->config().find_capability(0x11);
    for (unsigned i = 0; i < kQueues; ++i) {
      raw_write(kMsixTable + 16 * i, 4, 0xfee0'0000);
      raw_write(kMsixTable + 16 * i + 8, 4, i);
      raw_write(kMsixTable + 16 * i + 12, 4, 0);
    }
    config_write(at + 2u, 2, 0x8000);
  }
  // CC.EN with admin queues of `entries`; MSI-X on.
  void enable(std::uint32_t entries = 32, std::uint64_t cc = 0x0046'0001) {
    enable_msix();
    queues = {};
    queues[0] = {.sq = alloc(entries * 64), .cq = alloc(entries * 16), .entries = entries};
    std::ranges::fill(bytes(queues[0].cq, entries * 16), std::byte{0});
    write(kAqa, (entries - 1) << 16 | (entries - 1));
    write(kAsq, queues[0].sq);
    write(kAcq, queues[0].cq);
    write(kCc, cc);
  }
  std::uint16_t put(std::uint16_t id, Submission& s) {
    Queue& q = queues[id];
    const std::uint16_t cid = next_cid_++;
    s.set(part(kSqe, "CDW0.CID"), cid);
    std::ranges::copy(s.bytes(), bytes(q.sq + 64 * q.tail, 64).begin());
    q.tail = (q.tail + 1) % q.entries;
    return cid;
  }
  void ring(std::uint16_t id) { write(kSqTail<0>, queues[id].tail, id); }
  // The next completion, taken and acknowledged; nothing if none is there.
  std::optional<Answer> take(std::uint16_t id) {
    Queue& q = queues[id];
    const auto entry = bytes(q.cq + 16 * q.head, 16);
    if ((load(entry, part(kCqe, "STATUS.P")) != 0) != q.phase) return std::nullopt;
    const Answer answer{
        .cid = static_cast<std::uint16_t>(load(entry, part(kCqe, "CID"))),
        .status = static_cast<std::uint16_t>(load(entry, part(kCqe, "STATUS.SCT")) << 8 |
                                             load(entry, part(kCqe, "STATUS.SC"))),
        .dw0 = static_cast<std::uint32_t>(load(entry, part(kCqe, "DW0")))};
    q.head = (q.head + 1) % q.entries;
    if (q.head == 0) q.phase = !q.phase;
    write(kCqHead<0>, q.head, id);
    return answer;
  }
  Answer run(std::uint16_t id, Submission s) {
    const std::uint16_t cid = put(id, s);
    ring(id);
    const auto answer = take(id);
    REQUIRE(answer.has_value());
    CHECK(answer->cid == cid);
    return *answer;
  }
  std::uint16_t status_of(std::uint16_t id, Submission s) { return run(id, s).status; }

  Submission create_cq(std::uint16_t id, std::uint64_t base, std::uint32_t entries,
                       std::uint32_t vector) {
    return Submission(kCreateCq)
        .set(part(kSqe, "PRP1"), base)
        .set(part(kCreateCqEntry, "CDW10.QID"), id)
        .set(part(kCreateCqEntry, "CDW10.QSIZE"), entries - 1)
        .set(part(kCreateCqEntry, "CDW11.PC"), 1)
        .set(part(kCreateCqEntry, "CDW11.IEN"), 1)
        .set(part(kCreateCqEntry, "CDW11.IV"), vector);
  }
  Submission create_sq(std::uint16_t id, std::uint64_t base, std::uint32_t entries,
                       std::uint16_t cq) {
    return Submission(kCreateSq)
        .set(part(kSqe, "PRP1"), base)
        .set(part(kCreateSqEntry, "CDW10.QID"), id)
        .set(part(kCreateSqEntry, "CDW10.QSIZE"), entries - 1)
        .set(part(kCreateSqEntry, "CDW11.PC"), 1)
        .set(part(kCreateSqEntry, "CDW11.CQID"), cq);
  }
  void make_queue(std::uint16_t id, std::uint32_t entries = 32) {
    queues[id] = {.sq = alloc(entries * 64), .cq = alloc(entries * 16), .entries = entries};
    REQUIRE(status_of(0, create_cq(id, queues[id].cq, entries, id)) == kSuccess);
    REQUIRE(status_of(0, create_sq(id, queues[id].sq, entries, id)) == kSuccess);
  }
  void up() {
    enable();
    make_queue(1);
  }
  // A read or write of `blocks` blocks with its data at `iova`, one or two pages at most.
  Submission rw(std::uint8_t opcode, std::uint64_t lba, std::uint32_t blocks, std::uint64_t iova) {
    return Submission(opcode, 1)
        .set(part(kSqe, "PRP1"), iova)
        .set(part(kSqe, "PRP2"), (iova & ~0xfffull) + 4096)
        .set(part(kRwEntry, "SLBA"), lba)
        .set(part(kRwEntry, "CDW12.NLB"), blocks - 1);
  }
  std::span<std::byte> identify(std::uint32_t cns, std::uint32_t nsid) {
    const std::uint64_t page = alloc(4096);
    CHECK(status_of(0, Submission(kIdentify, nsid)
                           .set(part(kSqe, "PRP1"), page)
                           .set(part(kIdentifyEntry, "CDW10.CNS"), cns)) == kSuccess);
    return bytes(page, 4096);
  }

  HandClock clock;
  Collector trace;
  Link link{clock, trace, {.threaded = false}};
  std::vector<std::uint64_t> interrupts;
  bool pin = false;

 private:
  static Transaction access(Kind kind, std::int8_t bar, std::uint64_t offset, std::uint32_t size) {
    return {.offset = offset, .size = size, .kind = kind, .bar = bar};
  }
  bool inside(std::uint64_t iova, std::uint64_t size) const {
    return iova >= kMemory && size <= kMemoryBytes && iova - kMemory <= kMemoryBytes - size;
  }
  std::vector<std::byte> memory_;
  std::uint64_t next_ = kMemory + 4096;
  std::uint16_t next_cid_ = 1;
};

}  // namespace pcilens::nvme::test
