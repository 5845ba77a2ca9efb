// What a driver does with an NVMe controller, from the first look at it to its shutdown. Plain
// sequential code: each call is an access on the link, and a stop holds it right there.
#include "devices/nvme/nvme_driver.hpp"

#include <algorithm>
#include <charconv>
#include <string>
#include <vector>

#include "core/pci/config_space.hpp"
#include "devices/nvme/nvme_driver_queue.hpp"

namespace pcilens::nvme {
namespace {

using namespace std::chrono_literals;

constexpr std::uint32_t kAdminEntries = 32;
constexpr std::uint64_t kPage = 4096;

// One controller in the hands of this driver.
class Driver {
 public:
  Driver(sim::Device& device, const Traffic& traffic)
      : device_(device), regs_(device.map(0)), traffic_(traffic) {}
  Result<void> run();

 private:
  Result<void> find();
  Result<void> reset_and_enable();
  Result<void> identify();
  Result<void> make_io_queues();
  Result<void> move_blocks(bool writing);
  Result<void> shut_down();

  Result<std::uint32_t> admin(Submission submission, std::string_view what);
  Result<void> await_ready(bool ready);
  struct Buffer {
    sim::DmaBuffer data;
    std::optional<sim::DmaBuffer> list;  // where more than two pages need one
  };
  Result<Buffer> make_buffer();
  void point(Submission& submission, const Buffer& buffer) const;

  sim::Device& device_;
  sim::Mmio regs_;
  Traffic traffic_;
  std::uint64_t cap_ = 0, blocks_ = 0;
  std::uint32_t block_ = 512;
  std::vector<QueuePair> queues_;  // 0: admin
};

Result<void> Driver::run() {
  if (auto r = find(); !r) return r;
  if (auto r = reset_and_enable(); !r) return r;
  if (auto r = identify(); !r) return r;
  if (auto r = make_io_queues(); !r) return r;
  if (traffic_.commands != 0) {
    if (auto r = move_blocks(true); !r) return r;
    if (auto r = move_blocks(false); !r) return r;
    device_.log(std::to_string(traffic_.commands) + " x " + std::to_string(traffic_.bytes) +
                " bytes written, read back and equal");
  }
  return shut_down();
}

// ---- the PCI function --------------------------------------------------------------------------

Result<void> Driver::find() {
  constexpr std::uint32_t kNvmeClass = 0x010802;
  const std::uint32_t id = device_.config_read(cfg::kVendor, 4);
  if (id == 0xffff'ffff) return fail("nvme: nothing answers at this function");
  if (device_.config_read(cfg::kRevision, 4) >> 8 != kNvmeClass)
    return fail("nvme: the class code is not 01 08 02; this is no NVMe controller");
  // Firmware has placed BAR0; its size shows with decoding off (PCIe 5.0, 7.5.1.2.1).
  const std::uint32_t command = device_.config_read(cfg::kCommand, 2);
  device_.config_write(cfg::kCommand, 2, command & ~std::uint32_t{cfg::kCommandMemory});
  const std::uint32_t address = device_.config_read(cfg::kBar0, 4);
  device_.config_write(cfg::kBar0, 4, ~0u);
  const std::uint32_t size = ~(device_.config_read(cfg::kBar0, 4) & ~0xfu) + 1;
  device_.config_write(cfg::kBar0, 4, address);
  device_.config_write(cfg::kCommand, 2, command);
  if (size < 0x1000 + 8 * (traffic_.queues + 1))
    return fail("nvme: BAR0 has no room for the doorbells of " + std::to_string(traffic_.queues) +
                " queues; ask for fewer with driver_queues");
  std::string capabilities;
  std::uint32_t at = device_.config_read(cfg::kCapabilities, 1);
  for (int i = 0; at >= 0x40 && i < 48; ++i) {
    const std::uint32_t head = device_.config_read(static_cast<std::uint16_t>(at), 2);
    const std::uint32_t kind = head & 0xff;
    capabilities += kind == 0x01   ? " PM"
                    : kind == 0x05 ? " MSI"
                    : kind == 0x10 ? " PCIe"
                    : kind == 0x11 ? " MSI-X"
                                   : " ?";
    at = head >> 8 & 0xfc;
  }
  device_.enable();
  device_.log("NVMe controller, BAR0 of " + std::to_string(size) + " bytes, capabilities" +
              capabilities);
  return {};
}

// ---- the controller ----------------------------------------------------------------------------

Result<void> Driver::await_ready(bool ready) {
  // 3.1.1: CAP.TO counts in 500 ms.
  const std::uint64_t polls = (kCap["TO"].field->extract(cap_) + 1) * 500;
  for (std::uint64_t i = 0; i < polls && device_.running(); ++i) {
    const auto csts = static_cast<std::uint32_t>(regs_.read(kCsts));
    if (csts == 0xffff'ffff) return fail("nvme: CSTS reads all-ones; the controller is gone");
    if ((kCsts["CFS"].field->extract(csts)) != 0)
      return fail("nvme: CSTS.CFS is set; the controller gave up");
    if ((kCsts["RDY"].field->extract(csts) != 0) == ready) return {};
    device_.sleep(1ms);
  }
  return fail(ready ? "nvme: CSTS.RDY did not rise within CAP.TO"
                    : "nvme: CSTS.RDY did not fall within CAP.TO");
}

// 7.6.1: disable, admin queues, enable, wait.
Result<void> Driver::reset_and_enable() {
  cap_ = regs_.read(kCap);
  const auto version = static_cast<std::uint32_t>(regs_.read(kVs));
  device_.log("NVMe " + std::to_string(kVsFields[0].extract(version)) + "." +
              std::to_string(kVsFields[1].extract(version)));
  if (kCap["DSTRD"].field->extract(cap_) != 0)
    return fail("nvme: this example driver takes a doorbell stride of 4 only; leave stride out");
  regs_.write(kCc, 0);
  if (auto r = await_ready(false); !r) return r;

  const unsigned wanted = traffic_.queues + 1;
  auto vectors = device_.enable_interrupts(wanted);
  if (!vectors) return tl::unexpected(vectors.error());
  if (*vectors < wanted) traffic_.queues = *vectors - 1;
  auto queue = QueuePair::make(device_, regs_, 0, kAdminEntries);
  if (!queue) return tl::unexpected(queue.error());
  queues_.push_back(std::move(*queue));
  std::uint64_t aqa = kAqa["ASQS"].field->insert(0, kAdminEntries - 1);
  aqa = kAqa["ACQS"].field->insert(aqa, kAdminEntries - 1);
  regs_.write(kAqa, aqa);
  regs_.write(kAsq, queues_[0].submissions());
  regs_.write(kAcq, queues_[0].completions());
  std::uint64_t cc = kCc["IOSQES"].field->insert(0, 6);
  cc = kCc["IOCQES"].field->insert(cc, 4);
  regs_.write(kCc, kCc["EN"].field->insert(cc, 1));
  return await_ready(true);
}

Result<std::uint32_t> Driver::admin(Submission submission, std::string_view what) {
  auto answer = queues_[0].run(submission);
  if (!answer) return tl::unexpected(answer.error());
  if (answer->status == kSuccess) return answer->dw0;
  return fail("nvme: " + std::string(what) + " failed with status " +
              std::to_string(answer->status >> 8) + "/" + std::to_string(answer->status & 0xff));
}

Result<void> Driver::identify() {
  auto page = device_.alloc_dma(kIdentifyBytes, DmaDirection::FromDevice);
  if (!page) return tl::unexpected(page.error());
  const auto ask = [&](std::uint32_t cns, std::uint32_t nsid) {
    Submission s(kIdentify, nsid);
    s.set(part(kSqe, "PRP1"), page->iova()).set(part(kIdentifyEntry, "CDW10.CNS"), cns);
    return admin(s, "identify");
  };
  if (auto r = ask(1, 0); !r) return tl::unexpected(r.error());
  std::string model;
  for (std::size_t i = 0; i < kModelNumber.size; ++i)
    model += static_cast<char>(page->bytes()[kModelNumber.offset + i]);
  model.erase(model.find_last_not_of(' ') + 1);
  const std::uint64_t limit = load(page->bytes(), part(kIdController, "MDTS"));
  if (limit != 0 && traffic_.bytes > kPage << limit)
    return fail("nvme: the controller takes at most " + std::to_string(kPage << limit) +
                " bytes a command; ask for less with io");
  if (auto r = ask(2, 0); !r) return tl::unexpected(r.error());
  const auto nsid = std::to_integer<std::uint32_t>(page->bytes()[0]);
  if (nsid != 1) return fail("nvme: the first active namespace is not 1");
  if (auto r = ask(0, nsid); !r) return tl::unexpected(r.error());
  const bool second = (load(page->bytes(), part(kIdNamespace, "FLBAS")) & 0xf) != 0;
  block_ = 1u << load(page->bytes(), second ? part(kIdNamespace, "LBAF1.LBADS")
                                            : part(kIdNamespace, "LBAF0.LBADS"));
  blocks_ = load(page->bytes(), part(kIdNamespace, "NSZE"));
  device_.log(model + ": " + std::to_string(blocks_) + " blocks of " + std::to_string(block_) +
              " bytes");
  if (traffic_.bytes % block_ != 0)
    return fail("nvme: io is no multiple of the block size " + std::to_string(block_));
  if (traffic_.commands * std::uint64_t{traffic_.bytes} > blocks_ * block_)
    return fail("nvme: the namespace is too small for this traffic; ask for less with traffic");
  return {};
}

Result<void> Driver::make_io_queues() {
  Submission count(kSetFeatures);
  count.set(part(kSetFeaturesEntry, "CDW10.FID"), 7)
      .set(part(kSqe, "CDW11"), (traffic_.queues - 1) * 0x10001u);
  auto granted = admin(count, "setting the number of queues");
  if (!granted) return tl::unexpected(granted.error());
  traffic_.queues =
      std::min<unsigned>(traffic_.queues, std::min(*granted & 0xffff, *granted >> 16) + 1);
  const auto most = static_cast<std::uint32_t>(kCap["MQES"].field->extract(cap_)) + 1;
  const std::uint32_t entries = std::min(most, traffic_.depth + 1);
  traffic_.depth = entries - 1;
  for (std::uint16_t id = 1; id <= traffic_.queues; ++id) {
    auto queue = QueuePair::make(device_, regs_, id, entries);
    if (!queue) return tl::unexpected(queue.error());
    Submission cq(kCreateCq);
    cq.set(part(kSqe, "PRP1"), queue->completions())
        .set(part(kCreateCqEntry, "CDW10.QID"), id)
        .set(part(kCreateCqEntry, "CDW10.QSIZE"), entries - 1)
        .set(part(kCreateCqEntry, "CDW11.PC"), 1)
        .set(part(kCreateCqEntry, "CDW11.IEN"), 1)
        .set(part(kCreateCqEntry, "CDW11.IV"), id);
    if (auto r = admin(cq, "creating a completion queue"); !r) return tl::unexpected(r.error());
    Submission sq(kCreateSq);
    sq.set(part(kSqe, "PRP1"), queue->submissions())
        .set(part(kCreateSqEntry, "CDW10.QID"), id)
        .set(part(kCreateSqEntry, "CDW10.QSIZE"), entries - 1)
        .set(part(kCreateSqEntry, "CDW11.PC"), 1)
        .set(part(kCreateSqEntry, "CDW11.CQID"), id);
    if (auto r = admin(sq, "creating a submission queue"); !r) return tl::unexpected(r.error());
    queues_.push_back(std::move(*queue));
  }
  device_.log(std::to_string(traffic_.queues) + " I/O queues of " + std::to_string(entries) +
              " entries");
  return {};
}

// ---- traffic -----------------------------------------------------------------------------------

Result<Driver::Buffer> Driver::make_buffer() {
  auto data = device_.alloc_dma(traffic_.bytes);
  if (!data) return tl::unexpected(data.error());
  Buffer buffer{.data = std::move(*data), .list = {}};
  const std::uint64_t pages = (traffic_.bytes + kPage - 1) / kPage;
  if (pages <= 2) return buffer;
  auto list = device_.alloc_dma(kPage, DmaDirection::ToDevice);
  if (!list) return tl::unexpected(list.error());
  for (std::uint64_t i = 1; i < pages; ++i)
    list->as<std::uint64_t>(8 * (i - 1)) = buffer.data.iova() + i * kPage;
  buffer.list = std::move(*list);
  return buffer;
}

void Driver::point(Submission& submission, const Buffer& buffer) const {
  submission.set(part(kSqe, "PRP1"), buffer.data.iova());
  if (buffer.list)
    submission.set(part(kSqe, "PRP2"), buffer.list->iova());
  else if (traffic_.bytes > kPage)
    submission.set(part(kSqe, "PRP2"), buffer.data.iova() + kPage);
}

// Every command has bytes of its own, so that a mix-up shows.
std::byte pattern(std::uint32_t command, std::size_t i) {
  return static_cast<std::byte>(command * 131 + i * 7 + i / 4096);
}

Result<void> Driver::move_blocks(bool writing) {
  const std::uint32_t blocks = traffic_.bytes / block_;
  std::vector<Buffer> buffers;
  for (std::uint32_t i = 0; i < traffic_.depth; ++i) {
    auto buffer = make_buffer();
    if (!buffer) return tl::unexpected(buffer.error());
    buffers.push_back(std::move(*buffer));
  }
  // As many as the depth allows go to one queue, are rung for at once and awaited; the next batch
  // goes to the next queue.
  for (std::uint32_t done = 0, turn = 0; done < traffic_.commands && device_.running(); ++turn) {
    QueuePair& queue = queues_[1 + turn % traffic_.queues];
    const std::uint32_t batch = std::min(traffic_.depth, traffic_.commands - done);
    std::vector<std::uint16_t> cids(batch);
    for (std::uint32_t i = 0; i < batch; ++i) {
      const auto bytes = buffers[i].data.bytes().first(traffic_.bytes);
      for (std::size_t b = 0; b < bytes.size(); ++b)
        bytes[b] = writing ? pattern(done + i, b) : std::byte{0};
      Submission s(writing ? kWrite : kRead, 1);
      s.set(part(kRwEntry, "SLBA"), std::uint64_t{done + i} * blocks)
          .set(part(kRwEntry, "CDW12.NLB"), blocks - 1);
      point(s, buffers[i]);
      cids[i] = queue.submit(s);
    }
    queue.ring();
    for (std::uint32_t i = 0; i < batch; ++i) {
      auto answer = queue.next();
      if (!answer) return tl::unexpected(answer.error());
      if (answer->status != kSuccess)
        return fail(std::string("nvme: a ") + (writing ? "write" : "read") +
                    " failed with status " + std::to_string(answer->status >> 8) + "/" +
                    std::to_string(answer->status & 0xff));
      const auto slot = std::ranges::find(cids, answer->cid) - cids.begin();
      if (slot == batch) return fail("nvme: a completion names a command that was not sent");
      const auto bytes = buffers[static_cast<std::size_t>(slot)].data.bytes().first(traffic_.bytes);
      for (std::size_t b = 0; !writing && b < bytes.size(); ++b)
        if (bytes[b] != pattern(done + static_cast<std::uint32_t>(slot), b))
          return fail("nvme: command " + std::to_string(done + slot) + ": byte " +
                      std::to_string(b) + " came back changed");
    }
    queue.acknowledge();
    done += batch;
  }
  if (!writing) return {};
  Submission flush(kFlush, 1);
  auto flushed = queues_[1].run(flush);
  if (!flushed) return tl::unexpected(flushed.error());
  return {};
}

// ---- the end -----------------------------------------------------------------------------------

// 7.6.2: queues go first, then the controller is told.
Result<void> Driver::shut_down() {
  for (std::uint16_t id = 1; id <= traffic_.queues; ++id)
    for (const std::uint8_t opcode : {kDeleteSq, kDeleteCq}) {
      Submission s(opcode);
      s.set(part(kDeleteEntry, "CDW10.QID"), id);
      if (auto r = admin(s, "deleting a queue"); !r) return tl::unexpected(r.error());
    }
  const std::uint64_t cc = regs_.read(kCc);
  regs_.write(kCc, kCc["SHN"].field->insert(cc, 1));
  for (int i = 0; i < 5000 && device_.running(); ++i) {
    if (kCsts["SHST"].field->extract(regs_.read(kCsts)) == 2) {
      device_.log("shut down");
      return {};
    }
    device_.sleep(1ms);
  }
  return fail("nvme: CSTS.SHST did not say that the shutdown is complete");
}

struct DriverOption {
  std::string_view name;
  std::uint64_t least, most;
};
constexpr DriverOption kDriverOptions[] = {
    {"traffic", 0, 10'000'000}, {"depth", 1, 256}, {"io", 512, 131'072}, {"driver_queues", 1, 64}};

}  // namespace

bool valid_driver_option(std::string_view name, std::uint64_t value) {
  return std::ranges::any_of(kDriverOptions, [&](const DriverOption& o) {
    return o.name == name && value >= o.least && value <= o.most;
  });
}

Result<void> drive(sim::Device& device) {
  Traffic traffic;
  // The values were checked when the device was made; suffixes are not for the driver.
  const auto take = [&](std::string_view name, auto& into) {
    const std::string_view text = device.option(name);
    if (!text.empty()) std::from_chars(text.data(), text.data() + text.size(), into);
    if (text.ends_with("K")) into *= 1024;
  };
  take("traffic", traffic.commands);
  take("depth", traffic.depth);
  take("io", traffic.bytes);
  take("driver_queues", traffic.queues);
  return Driver(device, traffic).run();
}

}  // namespace pcilens::nvme
