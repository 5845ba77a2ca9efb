#include "core/host/sim/sim_host.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "core/thread_name.hpp"

namespace pcilens::sim {
namespace {

// Thrown into a driver that still runs when the session ends: unwinds it from wherever it is.
struct Ended {};

std::string_view file_name(std::string_view path) {
  const auto slash = path.rfind('/');
  return slash == std::string_view::npos ? path : path.substr(slash + 1);
}

}  // namespace

// The one implementation of sim::Device: the driver's hold on one function.
class SimDevice final : public Device {
 public:
  SimDevice(SimHost& host, std::uint8_t function, const DeviceOptions& options,
            std::function<void(std::string)> said, std::shared_ptr<DriverStacks> stacks)
      : host_(host),
        function_(function),
        options_(options),
        said_(std::move(said)),
        stacks_(std::move(stacks)) {}

  std::uint32_t config_read(std::uint16_t offset, std::uint32_t size, Where w) override {
    stacks_->enter(__builtin_return_address(0), __builtin_frame_address(0));
    const auto completion =
        host_.config(function_, Kind::CfgRead, offset, size, 0, host_.site_of(w));
    stacks_->leave(completion.seq);
    end_if_asked();
    return static_cast<std::uint32_t>(completion.value);
  }
  void config_write(std::uint16_t offset, std::uint32_t size, std::uint32_t value,
                    Where w) override {
    stacks_->enter(__builtin_return_address(0), __builtin_frame_address(0));
    stacks_->leave(
        host_.config(function_, Kind::CfgWrite, offset, size, value, host_.site_of(w)).seq);
    end_if_asked();
  }

  Result<DmaBuffer> alloc_dma(std::uint64_t size, DmaDirection direction, unsigned address_bits,
                              Where w) override {
    const auto memory = host_.memory_.allocate(function_, size, direction, address_bits);
    if (!memory)
      return fail(
          fmt::format("no {} bytes of DMA memory below 2^{}; ask for less", size, address_bits));
    stacks_->enter(__builtin_return_address(0), __builtin_frame_address(0));
    stacks_->leave(tell(Kind::DmaMap, memory->iova, size, direction, w));
    return DmaBuffer(*this, memory->iova, memory->bytes);
  }
  void free_dma(std::uint64_t iova, std::span<std::byte> bytes) override {
    stacks_->enter(__builtin_return_address(0), __builtin_frame_address(0));
    stacks_->leave(tell(Kind::DmaUnmap, iova, bytes.size(), DmaDirection::Bidirectional, {}));
    host_.memory_.release(iova);
  }

  Result<unsigned> enable_interrupts(unsigned vectors, Where w) override;
  bool wait_interrupt(unsigned vector, std::chrono::milliseconds timeout) override;

  void sleep(std::chrono::nanoseconds duration) override {
    constexpr std::chrono::nanoseconds kSlice = std::chrono::milliseconds(20);
    while (duration.count() > 0) {
      end_if_asked();
      const auto slice = std::min(duration, kSlice);
      std::this_thread::sleep_for(slice);
      duration -= slice;
    }
  }
  void log(std::string_view line) override {
    host_.link_.host_note(line);
    said_(std::string(line));
  }
  bool running() const override { return !host_.stopping_; }
  std::string_view option(std::string_view name) const override {
    for (const DeviceOption& option : options_)
      if (option.name == name) return option.value;
    return {};
  }

 protected:
  std::uint64_t mmio_read(std::uint8_t bar, std::uint64_t offset, std::uint32_t size,
                          Where w) override {
    Transaction t = access(Kind::MemRead, bar, offset, size, w);
    stacks_->enter(__builtin_return_address(0), __builtin_frame_address(0));
    const Completion completion = host_.link_.request(t);
    stacks_->leave(completion.seq);
    end_if_asked();
    return completion.value;
  }
  void mmio_write(std::uint8_t bar, std::uint64_t offset, std::uint32_t size, std::uint64_t value,
                  Where w) override {
    Transaction t = access(Kind::MemWrite, bar, offset, size, w);
    t.value = value & mask_of_size(size);
    stacks_->enter(__builtin_return_address(0), __builtin_frame_address(0));
    stacks_->leave(host_.link_.request(t).seq);
    end_if_asked();
  }

 private:
  Transaction access(Kind kind, std::uint8_t bar, std::uint64_t offset, std::uint32_t size,
                     const Where& w) {
    return {.offset = offset,
            .size = size,
            .thread = thread(),
            .site = site_of(w),
            .kind = kind,
            .bar = static_cast<std::int8_t>(bar),
            .function = function_};
  }
  std::uint32_t thread() const { return function_ + 1u; }
  // A driver comes back to the same few places: they are found without the host's lock.
  std::uint32_t site_of(const Where& w) {
    KnownSite& known = known_sites_[w.line() % known_sites_.size()];
    if (known.file != w.file_name() || known.line != w.line())
      known = {w.file_name(), w.line(), host_.site_of(w)};
    return known.site;
  }
  // Its number. `w`: none where the driver's own code is not known, as of a buffer's end.
  std::uint64_t tell(Kind kind, std::uint64_t iova, std::uint64_t size, DmaDirection direction,
                     const std::optional<Where>& w) {
    return host_.link_
        .request({.offset = iova,
                  .value = static_cast<std::uint64_t>(direction),
                  .size = static_cast<std::uint32_t>(size),
                  .thread = thread(),
                  .site = w ? host_.site_of(*w) : 0,
                  .kind = kind,
                  .bar = kBarDma,
                  .function = function_})
        .seq;
  }
  std::uint16_t find_capability(std::uint8_t id, const Where& w);
  void end_if_asked() const {
    if (host_.stopping_ && std::uncaught_exceptions() == 0) throw Ended{};
  }

  struct KnownSite {
    const char* file = nullptr;
    std::uint32_t line = 0;
    std::uint32_t site = 0;
  };
  SimHost& host_;
  std::uint8_t function_;
  DeviceOptions options_;
  std::function<void(std::string)> said_;
  std::shared_ptr<DriverStacks> stacks_;
  std::array<KnownSite, 64> known_sites_;
};

std::uint16_t SimDevice::find_capability(std::uint8_t id, const Where& w) {
  std::uint32_t at = config_read(cfg::kCapabilities, 1, w) & 0xfc;
  // At most one capability per dword: a chain that runs longer goes in circles.
  for (int i = 0; at >= 0x40 && i < 48; ++i) {
    const std::uint32_t head = config_read(static_cast<std::uint16_t>(at), 2, w);
    if ((head & 0xff) == id) return static_cast<std::uint16_t>(at);
    at = head >> 8 & 0xfc;
  }
  return 0;
}

Result<unsigned> SimDevice::enable_interrupts(unsigned vectors, Where w) {
  constexpr std::uint8_t kMsiId = 0x05, kMsixId = 0x11;
  constexpr std::uint32_t kMessageAddress = 0xfee0'0000;  // x86: the local APICs' window
  constexpr std::uint32_t kFirstData = 0x40;
  if (vectors == 0) return fail("ask for one interrupt vector at least");
  if (const std::uint16_t cap = find_capability(kMsixId, w)) {
    const auto at = [cap](unsigned n) { return static_cast<std::uint16_t>(cap + n); };
    const std::uint32_t control = config_read(at(2), 2, w);
    const unsigned granted = std::min(vectors, (control & 0x7ff) + 1);
    const std::uint32_t table = config_read(at(4), 4, w);
    // Masked as a whole while the entries are written, as the kernel does (PCIe 5.0, 7.7.2.2).
    config_write(at(2), 2, control | 0xc000, w);
    Mmio bar = map(static_cast<std::uint8_t>(table & 7));
    for (unsigned i = 0; i < granted; ++i) {
      const std::uint64_t entry = (table & ~7u) + 16ull * i;
      bar.write32(entry, kMessageAddress, w);
      bar.write32(entry + 4, 0, w);
      bar.write32(entry + 8, kFirstData + i, w);
      bar.write32(entry + 12, 0, w);
    }
    config_write(at(2), 2, (control & 0x3fff) | 0x8000, w);
    return granted;
  }
  if (const std::uint16_t cap = find_capability(kMsiId, w)) {
    const auto at = [cap](unsigned n) { return static_cast<std::uint16_t>(cap + n); };
    const std::uint32_t control = config_read(at(2), 2, w);
    const bool wide = (control & 0x80) != 0;
    unsigned log2 = 0;  // 7.7.1.2: powers of two only, as far as the function asks for
    while (2u << log2 <= vectors && log2 < (control >> 1 & 7)) ++log2;
    config_write(at(4), 4, kMessageAddress, w);
    if (wide) config_write(at(8), 4, 0, w);
    config_write(at(wide ? 12 : 8), 2, kFirstData, w);
    config_write(at(2), 2, (control & ~0x70u) | log2 << 4 | 1, w);
    return 1u << log2;
  }
  if (config_read(cfg::kInterruptPin, 1, w) == 0)
    return fail("the function has no MSI-X, no MSI and no interrupt pin; poll it");
  return 1u;
}

bool SimDevice::wait_interrupt(unsigned vector, std::chrono::milliseconds timeout) {
  constexpr std::chrono::milliseconds kSlice{5};
  std::unique_lock lock(host_.mutex_);
  for (auto left = timeout;;) {
    auto& vectors = host_.vectors_[function_];
    if (auto it = vectors.signalled.find(vector); it != vectors.signalled.end()) {
      vectors.signalled.erase(it);
      return true;
    }
    if (vectors.intx && vector == 0) return true;
    if (host_.stopping_) throw Ended{};
    if (left.count() <= 0) return false;
    const auto from = std::chrono::steady_clock::now();
    const auto came = host_.signalled_.wait_for(lock, kSlice);
    if (came == std::cv_status::timeout && !host_.link_.halted())
      left -= std::chrono::duration_cast<std::chrono::milliseconds>(
          std::chrono::steady_clock::now() - from);
  }
}

// ---- the host ----------------------------------------------------------------------------------

Status SimHost::dma_read(std::uint8_t function, std::uint64_t iova, std::span<std::byte> data) {
  return memory_.read(function, iova, data);
}

Status SimHost::dma_write(std::uint8_t function, std::uint64_t iova,
                          std::span<const std::byte> data) {
  return memory_.write(function, iova, data);
}

Status SimHost::interrupt(std::uint8_t function, std::uint64_t vector, std::uint64_t value) {
  {
    const std::lock_guard lock(mutex_);
    Vectors& vectors = vectors_[function];
    if (vector == kIntxVector)
      vectors.intx = value != 0;
    else
      ++vectors.signalled[vector];
  }
  signalled_.notify_all();
  return Status::SC;
}

std::string SimHost::thread_name(std::uint32_t thread) const {
  return thread == 0 ? std::string() : "driver";
}

std::vector<std::uintptr_t> SimHost::stack_of(std::uint8_t function, std::uint64_t seq) const {
  std::shared_ptr<DriverStacks> stacks;
  {
    const std::lock_guard lock(mutex_);
    if (const auto it = stacks_.find(function); it != stacks_.end()) stacks = it->second;
  }
  return stacks ? stacks->of(seq) : std::vector<std::uintptr_t>();
}

std::uint32_t SimHost::site_of(const Where& where) {
  const std::pair<std::string_view, std::uint32_t> key(where.file_name(), where.line());
  std::uint32_t site = 0;
  std::string symbol = where.function_name();
  // "pcilens::Result<void> pcilens::edu::drive(pcilens::sim::Device&)" -> "drive"
  if (const auto end = symbol.find('('); end != std::string::npos) symbol.resize(end);
  {
    const std::lock_guard lock(mutex_);
    if (const auto it = sites_.find(key); it != sites_.end()) return it->second;
    site = static_cast<std::uint32_t>(sites_.size() + 1);
    sites_.emplace(key, site);
    if (const auto space = symbol.find_last_of(" :"); space != std::string::npos)
      symbol = symbol.substr(space + 1);
  }
  link_.name_site(site, symbol,
                  fmt::format(R"({{"module":"","build_id":"","symbol":"{}","displacement":0,)"
                              R"("code":"","file":"{}","line":{}}})",
                              symbol, file_name(where.file_name()), where.line()));
  return site;
}

Completion SimHost::config(std::uint8_t function, Kind kind, std::uint16_t offset,
                           std::uint32_t size, std::uint32_t value, std::uint32_t site) {
  return link_.request({.offset = offset,
                        .value = value,
                        .size = size,
                        .thread = function + 1u,
                        .site = site,
                        .kind = kind,
                        .bar = kBarConfig,
                        .function = function});
}

bool SimHost::enumerate(std::uint8_t function) {
  const auto read = [&](std::uint16_t offset, std::uint32_t size) {
    return static_cast<std::uint32_t>(config(function, Kind::CfgRead, offset, size, 0).value);
  };
  const auto write = [&](std::uint16_t offset, std::uint32_t size, std::uint32_t value) {
    config(function, Kind::CfgWrite, offset, size, value);
  };
  const std::uint32_t id = read(cfg::kVendor, 4);
  if (id == 0xffff'ffff || id == 0) return false;
  read(cfg::kHeaderType, 1);
  // PCIe 5.0, 7.5.1.2.1: write all ones, read back, the bits that stayed 0 tell the size.
  for (unsigned bar = 0; bar < 6; ++bar) {
    const auto at = static_cast<std::uint16_t>(cfg::kBar0 + 4 * bar);
    write(at, 4, ~0u);
    const std::uint32_t low = read(at, 4);
    if (low == 0) continue;
    const bool wide = (low & 0x6) == 0x4;
    std::uint64_t mask = low & ~0xfu;
    if (wide) {
      const auto high_at = static_cast<std::uint16_t>(at + 4);
      write(high_at, 4, ~0u);
      mask |= static_cast<std::uint64_t>(read(high_at, 4)) << 32;
    } else {
      mask |= 0xffff'ffffull << 32;
    }
    const std::uint64_t size = ~mask + 1;
    next_bar_ = (next_bar_ + size - 1) / size * size;
    write(at, 4, static_cast<std::uint32_t>(next_bar_));
    if (wide) {
      write(static_cast<std::uint16_t>(at + 4), 4, static_cast<std::uint32_t>(next_bar_ >> 32));
      ++bar;
    }
    next_bar_ += size;
  }
  return true;
}

void SimHost::drive(std::uint8_t function, Result<void> (*driver)(Device&), DeviceOptions options,
                    std::function<void(std::string)> said,
                    std::function<void(Result<void>)> ended) {
  threads_.emplace_back([this, function, driver, options = std::move(options),
                         said = std::move(said), ended = std::move(ended)] {
    name_thread("driver");
    link_.name_requester(function + 1u, thread_name(function + 1u));
    try {
      const auto stacks = std::make_shared<DriverStacks>(__builtin_frame_address(0), last_seq_);
      {
        const std::lock_guard lock(mutex_);
        stacks_[function] = stacks;
      }
      SimDevice device(*this, function, options, said, stacks);
      ended(driver(device));
    } catch (const Ended&) {
    } catch (const std::exception& e) {
      ended(fail(fmt::format("the example driver threw: {}", e.what())));
    }
  });
}

void SimHost::stop() {
  stopping_ = true;
  signalled_.notify_all();
  for (std::thread& thread : threads_)
    if (thread.joinable()) thread.join();
  threads_.clear();
  stopping_ = false;
}

}  // namespace pcilens::sim
