#include "core/host/kmod/kmod_bus.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <condition_variable>
#include <cstring>
#include <mutex>
#include <optional>
#include <thread>

#include "core/host/kmod/kmod_event.hpp"
#include "core/host/kmod/placed_memory.hpp"
#include "core/thread_name.hpp"

namespace pcilens::kmod {
namespace {

using namespace std::chrono_literals;
constexpr auto kPatience = 30s;  // for what takes microseconds, on a machine that is busy
constexpr std::int64_t kWaitNs = 1'000'000;

template <typename Word>
std::uint64_t touch(std::byte* at, bool write, std::uint64_t value) {
  auto* const word = reinterpret_cast<volatile Word*>(at);
  if (!write) return *word;
  *word = static_cast<Word>(value);
  return 0;
}

}  // namespace

// One function as sysfs shows it.
struct KmodBus::Card {
  std::unique_ptr<KmodFunction> function;
  std::unique_ptr<PlacedMemory> memory;
  std::string folder;  // /sys/bus/pci/devices/...
  int config = -1;
  std::array<std::span<std::byte>, PCILENS_BARS> bars;

  ~Card() {
    for (const auto& bar : bars)
      if (!bar.empty()) ::munmap(bar.data(), bar.size());
    if (config >= 0) ::close(config);
    if (function) function->unplug();
  }
};

// A thread that makes one access at a time, and waits in it.
class KmodBus::Requester {
 public:
  Requester() : thread_([this] { run(); }) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return tid_ != 0; });
  }
  ~Requester() {
    {
      const std::lock_guard lock(mutex_);
      ending_ = true;
    }
    changed_.notify_all();
    thread_.join();
  }

  std::uint32_t tid() const { return tid_; }
  bool idle() const { return !busy_.load(std::memory_order_acquire); }
  void start(Card& card, const Transaction& access) {
    {
      const std::lock_guard lock(mutex_);
      card_ = &card;
      access_ = access;
      busy_ = true;
    }
    changed_.notify_all();
  }
  // What the access brought; nothing: it did not come back in time.
  std::optional<std::uint64_t> result() {
    std::unique_lock lock(mutex_);
    if (!changed_.wait_for(lock, kPatience, [this] { return !busy_; })) return std::nullopt;
    return value_;
  }
  int error() const { return error_; }

 private:
  void run() {
    name_thread("requester");
    std::unique_lock lock(mutex_);
    tid_ = static_cast<std::uint32_t>(::gettid());
    changed_.notify_all();
    for (;;) {
      changed_.wait(lock, [this] { return ending_ || busy_; });
      if (!busy_) return;
      const Transaction access = access_;
      Card& card = *card_;
      lock.unlock();
      errno = 0;
      const std::uint64_t value = make(card, access);
      lock.lock();
      value_ = value;
      error_ = errno;
      busy_.store(false, std::memory_order_release);
      changed_.notify_all();
    }
  }

  static std::uint64_t make(Card& card, const Transaction& t) {
    const bool write = !is_read(t.kind);
    std::uint64_t value = write ? t.value : 0;
    if (is_config(t.kind)) {
      const auto at = static_cast<off_t>(t.offset);
      const ssize_t done = write ? ::pwrite(card.config, &value, t.size, at)
                                 : ::pread(card.config, &value, t.size, at);
      if (done == static_cast<ssize_t>(t.size)) errno = 0;
      return value;
    }
    std::byte* const at = card.bars[static_cast<std::uint8_t>(t.bar)].data() + t.offset;
    switch (t.size) {
      case 1: return touch<std::uint8_t>(at, write, value);
      case 2: return touch<std::uint16_t>(at, write, value);
      case 4: return touch<std::uint32_t>(at, write, value);
      default: return touch<std::uint64_t>(at, write, value);
    }
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  std::uint32_t tid_ = 0;
  std::atomic<bool> busy_{false};
  bool ending_ = false;
  Card* card_ = nullptr;
  Transaction access_;
  std::uint64_t value_ = 0;
  int error_ = 0;
  std::thread thread_;  // the last: it uses the others
};

KmodBus::KmodBus() = default;

Result<std::unique_ptr<AccessBus>> KmodBus::open(const Link& link) {
  std::unique_ptr<KmodBus> bus(new KmodBus);
  for (std::size_t i = 0; i < link.functions(); ++i) {
    const auto index = static_cast<std::uint8_t>(i);
    if (auto plugged = bus->plug(index, link.function(index)->config()); !plugged)
      return tl::unexpected(plugged.error());
  }
  return std::unique_ptr<AccessBus>(std::move(bus));
}

// Who still waits has to be let go first: sysfs does not take a file away that somebody is in.
KmodBus::~KmodBus() {
  while (!waiting_.empty())
    static_cast<void>(complete({.t = {}, .token = waiting_.back().token}, 0, Status::Timeout));
  const auto until = std::chrono::steady_clock::now() + kPatience;
  const auto idle = [](const auto& requester) { return requester->idle(); };
  while (!std::ranges::all_of(requesters_, idle) && std::chrono::steady_clock::now() < until)
    for (const auto& card : cards_) refuse_all(*card);
}

Result<void> KmodBus::plug(std::uint8_t, const ConfigSpace& config) {
  auto function = KmodFunction::create(config, {}, false);
  if (!function) return tl::unexpected(function.error());
  cards_.push_back(std::make_unique<Card>());
  Card& card = *cards_.back();
  card.function = std::move(*function);
  card.memory = std::make_unique<PlacedMemory>(card.function->pool(), card.function->iova_base());
  // The kernel's quirks may read the BARs while it scans: so somebody has to answer.
  std::optional<Result<std::string>> place;
  std::atomic<bool> done{false};
  std::thread scan([&] {
    place = card.function->plug();
    done = true;
  });
  while (!done || card.function->events().has_events()) refuse_all(card);
  scan.join();
  if (!*place) return tl::unexpected(place->error());
  return open_files(card, config, **place);
}

Result<void> KmodBus::open_files(Card& card, const ConfigSpace& config, const std::string& place) {
  card.folder = "/sys/bus/pci/devices/" + place;
  const auto cannot = [&](const std::string& file) {
    return fail(fmt::format("{}/{}: {}", card.folder, file, std::strerror(errno)));
  };
  if (::access((card.folder + "/driver").c_str(), F_OK) == 0)
    return fail(card.folder + ": a driver is bound; unload it, for the recorded one has its place");
  card.config = ::open((card.folder + "/config").c_str(), O_RDWR | O_CLOEXEC);
  if (card.config < 0) return cannot("config");
  for (const Bar& bar : config.bars()) {
    if (bar.size == 0) continue;
    const std::string file = fmt::format("resource{}", bar.index);
    const int fd = ::open((card.folder + "/" + file).c_str(), O_RDWR | O_SYNC | O_CLOEXEC);
    if (fd < 0) return cannot(file);
    void* memory = ::mmap(nullptr, bar.size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    const int error = errno;
    ::close(fd);
    errno = error;
    if (memory == MAP_FAILED) return cannot(file);
    card.bars[bar.index] = {static_cast<std::byte*>(memory), bar.size};
  }
  return {};
}

Result<void> KmodBus::set_up(std::uint8_t function, std::span<const std::byte> config) {
  Card& card = *cards_[function];
  const auto cannot = [&] {
    return fail(fmt::format("{}/config: {}", card.folder, std::strerror(errno)));
  };
  const auto put = [&](std::size_t offset, std::size_t size) {
    const ssize_t done =
        ::pwrite(card.config, config.data() + offset, size, static_cast<off_t>(offset));
    return done == static_cast<ssize_t>(size);
  };
  std::vector<std::byte> now(config.size());
  const ssize_t there = ::pread(card.config, now.data(), now.size(), 0);
  if (there < 0 || !put(cfg::kCommand, 2)) return cannot();
  constexpr std::size_t kCapabilities = 0x40, kWord = 4;
  for (std::size_t at = kCapabilities; at + kWord <= static_cast<std::size_t>(there); at += kWord)
    if (!std::ranges::equal(config.subspan(at, kWord), std::span(now).subspan(at, kWord)) &&
        !put(at, kWord))
      return cannot();
  return {};
}

KmodBus::Requester& KmodBus::idle_requester() {
  for (const auto& requester : requesters_)
    if (requester->idle()) return *requester;
  requesters_.push_back(std::make_unique<Requester>());
  return *requesters_.back();
}

// Somebody else's access: there is nobody for it at this end.
void KmodBus::refuse(Card& card, const pcilens_event& event) {
  if ((event.flags & PCILENS_F_ANSWER) == 0) return;
  pcilens_answer answer = {.slot = event.slot,
                           .generation = event.generation,
                           .value = 0,
                           .status = PCILENS_STATUS_UR,
                           .result = 0};
  card.function->wait({&answer, 1}, 0);
}

// All that is there; else it waits for a moment.
void KmodBus::refuse_all(Card& card) {
  pcilens_event event;
  pcilens_stack stack;
  if (!card.function->events().has_events()) card.function->wait({}, kWaitNs);
  while (const auto records = card.function->events().peek(event, stack)) {
    card.function->events().consume(records);
    refuse(card, event);
  }
}

Result<AccessBus::Arrived> KmodBus::make(const Transaction& access) {
  Card& card = *cards_[access.function];
  const auto lost = [&](std::string_view why) {
    return fail(fmt::format(
        "#{}: {} of {} bytes at {}+{:#x}: {}", access.seq, name_of(access.kind), access.size,
        is_config(access.kind) ? std::string("config") : fmt::format("BAR{}", access.bar),
        access.offset, why));
  };
  if (is_memory(access.kind)) {
    const auto index = static_cast<std::uint8_t>(access.bar);
    const auto bar = index < card.bars.size() ? card.bars[index] : std::span<std::byte>();
    if (access.offset > bar.size() || access.size > bar.size() - access.offset)
      return lost("the bus has no such place");
  }
  Requester& requester = idle_requester();
  requester.start(card, access);
  pcilens_event event;
  pcilens_stack stack;
  const auto until = std::chrono::steady_clock::now() + kPatience;
  while (std::chrono::steady_clock::now() < until) {
    const auto records = card.function->events().peek(event, stack);
    if (records == 0) {
      if (!card.function->wait({}, kWaitNs)) return lost("the function is gone from the bus");
      continue;
    }
    card.function->events().consume(records);
    const Kind kind = kind_of(event);
    if (event.tid != requester.tid() || !(is_memory(kind) || is_config(kind))) {
      refuse(card, event);
      continue;
    }
    const std::uint64_t token = next_token_++;
    waiting_.push_back({token, access.function, &requester, event});
    Arrived arrived;
    arrived.t.kind = kind;
    arrived.t.function = access.function;
    arrived.t.bar = event.bar;
    arrived.t.offset = event.offset;
    arrived.t.size = event.size;
    arrived.t.value = is_read(kind) ? 0 : event.value;
    arrived.token = token;
    return arrived;
  }
  return lost("it did not come out of the bus");
}

Result<std::uint64_t> KmodBus::complete(const Arrived& arrived, std::uint64_t value,
                                        Status status) {
  for (std::size_t i = 0; i < waiting_.size(); ++i) {
    if (waiting_[i].token != arrived.token) continue;
    const Waiting waiting = waiting_[i];
    waiting_.erase(waiting_.begin() + static_cast<std::ptrdiff_t>(i));
    if ((waiting.event.flags & PCILENS_F_ANSWER) != 0) {
      pcilens_answer answer = {.slot = waiting.event.slot,
                               .generation = waiting.event.generation,
                               .value = value,
                               .status = status_for_kernel(status),
                               .result = 0};
      if (!cards_[waiting.function]->function->wait({&answer, 1}, 0) || answer.result != 0)
        return fail(fmt::format("the module refuses the answer to #{}", arrived.t.seq));
    }
    const auto got = waiting.requester->result();
    if (!got) return fail(fmt::format("the access #{} never came back", arrived.t.seq));
    if (const int error = waiting.requester->error(); error != 0)
      return fail(fmt::format("the access #{}: {}", arrived.t.seq, std::strerror(error)));
    return *got;
  }
  return fail("an access was completed twice");
}

bool KmodBus::place(std::uint8_t function, std::uint64_t iova, std::span<const std::byte> bytes) {
  return cards_[function]->memory->place(iova, bytes);
}

bool KmodBus::look(std::uint8_t function, std::uint64_t iova, std::span<std::byte> bytes) const {
  return cards_[function]->memory->look(iova, bytes);
}

}  // namespace pcilens::kmod
