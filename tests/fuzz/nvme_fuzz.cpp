// Feeds the NVMe controller random register writes and queue memory. Whatever a driver does, the
// answer is a status, CSTS.CFS or an event, and never a crash or a read outside a buffer.
#include <algorithm>
#include <cstring>
#include <vector>

#include "core/function/device.hpp"
#include "core/host/host.hpp"
#include "core/link/link.hpp"

using namespace pcilens;

namespace {

constexpr std::uint64_t kMemory = 0x1000, kMemoryBytes = 64 * 1024;

class Nowhere final : public Recorder {
 public:
  void event(const Transaction&) override {}
  void completion(const Transaction&) override {}
  void edit(std::uint64_t, std::uint64_t, std::uint64_t, std::uint64_t, std::uint64_t,
            std::uint32_t) override {}
  void blob(BlobKind, std::uint64_t, std::span<const std::byte>) override {}
};

class Counter final : public Clock {
 public:
  std::uint64_t now_ns() override { return ++ns_; }

 private:
  std::uint64_t ns_ = 0;
};

class FuzzHost final : public Host {
 public:
  FuzzHost() : memory_(kMemoryBytes) {}
  std::string_view name() const override { return "fuzz"; }
  Status dma_read(std::uint8_t, std::uint64_t iova, std::span<std::byte> data) override {
    if (!inside(iova, data.size())) return Status::UR;
    std::memcpy(data.data(), memory_.data() + (iova - kMemory), data.size());
    return Status::SC;
  }
  Status dma_write(std::uint8_t, std::uint64_t iova, std::span<const std::byte> data) override {
    if (!inside(iova, data.size())) return Status::UR;
    std::memcpy(memory_.data() + (iova - kMemory), data.data(), data.size());
    return Status::SC;
  }
  Status interrupt(std::uint8_t, std::uint64_t, std::uint64_t) override { return Status::SC; }
  void put(std::uint64_t at, std::span<const std::uint8_t> bytes) {
    at %= kMemoryBytes;
    std::memcpy(memory_.data() + at, bytes.data(),
                std::min<std::size_t>(bytes.size(), kMemoryBytes - at));
  }

 private:
  static bool inside(std::uint64_t iova, std::uint64_t size) {
    return iova >= kMemory && size <= kMemoryBytes && iova - kMemory <= kMemoryBytes - size;
  }
  std::vector<std::byte> memory_;
};

class Input {
 public:
  Input(const std::uint8_t* data, std::size_t size) : data_(data, size) {}
  bool empty() const { return data_.empty(); }
  std::uint64_t take(std::size_t bytes) {
    std::uint64_t value = 0;
    const auto part = chunk(bytes);
    std::memcpy(&value, part.data(), part.size());
    return value;
  }
  std::span<const std::uint8_t> chunk(std::size_t bytes) {
    const auto part = data_.first(std::min(bytes, data_.size()));
    data_ = data_.subspan(part.size());
    return part;
  }

 private:
  std::span<const std::uint8_t> data_;
};

const Device& nvme() {
  for (const Device* d : built_in_devices())
    if (d->name == "nvme") return *d;
  __builtin_trap();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  Input in(data, size);
  const std::uint64_t flags = in.take(1);
  DeviceOptions options = {{"size", "1M"}};
  if (flags & 1) options.push_back({"dbbuf", "on"});
  if (flags & 2) options.push_back({"block", "4096"});
  if (flags & 4) options.push_back({"latency_us", "1"});
  if (flags & 8) options.push_back({"stride", "16"});
  auto function = nvme().create(options);
  if (!function) __builtin_trap();
  auto decoder = nvme().decoder();
  Counter clock;
  Nowhere nowhere;
  FuzzHost host;
  Link link(clock, nowhere, {.threaded = false});
  link.connect(host);
  link.plug(std::move(*function), "nvme0", "nvme", "00:01.0");
  const auto send = [&](Kind kind, std::int8_t bar, std::uint64_t offset, std::uint32_t bytes,
                        std::uint64_t value) {
    Transaction t{.offset = offset, .value = value, .size = bytes, .kind = kind, .bar = bar};
    link.request(t, [&](const Transaction& done) { decoder->look(done); });
  };
  send(Kind::CfgWrite, kBarConfig, 4, 2, 6);
  if ((flags & 16) == 0) {
    // Most inputs shall get past the first door: admin queues in memory, enabled.
    send(Kind::MemWrite, 0, 0x24, 4, 0x000f'000f);
    send(Kind::MemWrite, 0, 0x28, 8, kMemory);
    send(Kind::MemWrite, 0, 0x30, 8, kMemory + 0x1000);
    send(Kind::MemWrite, 0, 0x14, 4, 0x0046'0001);
  }
  std::uint64_t timer = 0;
  for (int steps = 0; !in.empty() && steps < 2000; ++steps) {
    switch (in.take(1) % 8) {
      case 0: send(Kind::MemWrite, 0, in.take(1) % 0x40 & ~3ull, 4, in.take(4)); break;
      case 1: {  // a doorbell
        const std::uint64_t queue = in.take(1) % 9;
        send(Kind::MemWrite, 0, 0x1000 + 4 * queue, 4, in.take(1) % 40);
        break;
      }
      case 2: host.put(in.take(2), in.chunk(64)); break;
      case 3: {  // an entry of the admin queue, with memory that is there
        std::uint8_t entry[64] = {};
        const auto part = in.chunk(16);
        if (part.size() == 16) {
          entry[0] = part[0];
          entry[4] = part[1] % 3;
          const std::uint64_t prp1 = kMemory + part[2] * 0x100ull,
                              prp2 = kMemory + part[3] * 0x100ull;
          std::memcpy(entry + 24, &prp1, 8);
          std::memcpy(entry + 32, &prp2, 8);
          std::memcpy(entry + 40, part.data() + 4, 12);
        }
        host.put(in.take(1) % 16 * 64, entry);
        break;
      }
      case 4: send(Kind::MemRead, 0, in.take(2) & 0x3ffc, 4, 0); break;
      case 5: {
        const std::uint32_t bytes = 1u << in.take(1) % 4;
        send(Kind::MemWrite, 0, (in.take(2) & 0x3fff) / bytes * bytes, bytes, in.take(bytes));
        break;
      }
      case 6:
        for (int i = 0; i < 4; ++i) link.fire_timer(0, ++timer, clock.now_ns(), 0);
        break;
      default:
        link.reset_function({.value = in.take(1) % 2});
        timer = 0;
        send(Kind::CfgWrite, kBarConfig, 4, 2, 6);
        break;
    }
  }
  link.close();
  return 0;
}
