#include "core/host/kmod/kmod_host.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <ctime>

namespace pcilens::kmod {
namespace {

constexpr std::int64_t kWaitNs = 100'000'000;  // how soon a thread sees that it shall end
constexpr std::uint32_t kSpinNs = 20'000;      // about two context switches

std::int64_t monotonic_ns() {
  timespec now{};
  ::clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * 1'000'000'000ll + now.tv_nsec;
}

DmaDirection direction_of(std::uint64_t aux) {
  const bool to = (aux & PCILENS_DMA_TO_DEVICE) != 0, from = (aux & PCILENS_DMA_FROM_DEVICE) != 0;
  if (to == from) return DmaDirection::Bidirectional;
  return to ? DmaDirection::ToDevice : DmaDirection::FromDevice;
}

std::uint32_t status_for_kernel(Status status) {
  switch (status) {
    case Status::SC: return PCILENS_STATUS_SC;
    case Status::UR: return PCILENS_STATUS_UR;
    case Status::CA: return PCILENS_STATUS_CA;
    default: return PCILENS_STATUS_TIMEOUT;
  }
}

std::string hex(const std::uint8_t* bytes, std::size_t count) {
  std::string text;
  for (std::size_t i = 0; i < count; ++i) text += fmt::format("{:02x}", bytes[i]);
  return text;
}

}  // namespace

Result<std::unique_ptr<KmodHost>> KmodHost::open(Link& link) {
  std::unique_ptr<KmodHost> host(new KmodHost(link));
  host->epoch_ns_ = monotonic_ns() - static_cast<std::int64_t>(link.now_ns());
  for (std::size_t i = 0; i < link.functions(); ++i) {
    auto function = KmodFunction::create(link.function(static_cast<std::uint8_t>(i))->config());
    if (!function) return tl::unexpected(function.error());
    auto served = std::make_unique<Served>();
    served->function = std::move(*function);
    host->served_.push_back(std::move(served));
  }
  link.connect(*host);
  return host;
}

Result<void> KmodHost::plug_all(std::function<void(std::string)> said) {
  said_ = std::move(said);
  for (std::size_t i = 0; i < served_.size(); ++i) {
    const auto index = static_cast<std::uint8_t>(i);
    served_[i]->deliverer = std::thread([this, index] { deliver_all(index); });
    served_[i]->collector = std::thread([this, index] { collect_while_held(index); });
  }
  plugger_ = std::thread([this] {
    for (const auto& served : served_) {
      const auto place = served->function->plug();
      said_(place ? "on the bus at " + *place : place.error().message);
    }
  });
  return {};
}

KmodHost::~KmodHost() {
  shut_down();
}

void KmodHost::shut_down() {
  ending_ = true;
  // Held accesses were released when the link closed; unplugging lets remove() of the drivers run
  // while the threads still answer it.
  for (const auto& served : served_)
    if (plugger_.joinable()) served->function->unplug();
  if (plugger_.joinable()) plugger_.join();
  for (const auto& served : served_) {
    if (served->deliverer.joinable()) served->deliverer.join();
    if (served->collector.joinable()) served->collector.join();
  }
}

// ---- from the kernel to the link ---------------------------------------------------------------

void KmodHost::deliver_all(std::uint8_t index) {
  Served& served = *served_[index];
  pcilens_answer answer{};
  bool owed = false;
  for (;;) {
    const bool alive = served.function->wait({&answer, owed ? 1u : 0u}, kWaitNs, kSpinNs);
    owed = false;
    served.delivering = true;
    pcilens_event event, stack;
    while (take(served, event, &stack)) {
      // An answer waits for the next call only if nothing comes between.
      if (owed) served.function->wait({&answer, 1}, 0, 0);
      owed = deliver(index, event, (event.flags & PCILENS_F_STACK) != 0 ? &stack : nullptr, answer);
    }
    served.delivering = false;
    if (!alive || (ending_ && !owed)) return;
  }
}

void KmodHost::collect_while_held(std::uint8_t index) {
  Served& served = *served_[index];
  std::vector<pcilens_event> fresh;
  while (!ending_) {
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
    if (!served.delivering || !link_.halted()) continue;
    const std::lock_guard lock(served.queue_mutex);
    fresh.clear();
    served.function->collect(fresh);
    served.queue.insert(served.queue.end(), fresh.begin(), fresh.end());
  }
}

// The next event and, where there is one, its stack. False if nothing has come.
bool KmodHost::take(Served& served, pcilens_event& event, pcilens_event* stack) {
  const std::lock_guard lock(served.queue_mutex);
  const auto refill = [&] {
    std::vector<pcilens_event> fresh;
    served.function->collect(fresh);
    served.queue.insert(served.queue.end(), fresh.begin(), fresh.end());
  };
  if (served.queue.empty()) refill();
  if (served.queue.empty()) return false;
  event = served.queue.front();
  if ((event.flags & PCILENS_F_STACK) != 0) {
    // The module publishes both together; a reader between the two waits for the second.
    if (served.queue.size() < 2) refill();
    if (served.queue.size() < 2) return false;
    *stack = served.queue[1];
    served.queue.pop_front();
  }
  served.queue.pop_front();
  return true;
}

// Whether the driver has gone on without the answer, at the kernel's cap for those that may not
// sleep: then with the value that it got. Looks among what was collected meanwhile.
std::optional<std::uint64_t> KmodHost::expired(Served& served, const pcilens_event& event) {
  const std::lock_guard lock(served.queue_mutex);
  for (auto it = served.queue.begin(); it != served.queue.end(); ++it) {
    if (it->kind != PCILENS_EXPIRED || it->aux != event.seq) continue;
    const std::uint64_t value = it->value;
    served.queue.erase(it);
    return value;
  }
  return std::nullopt;
}

Transaction KmodHost::transaction_of(std::uint8_t index, const pcilens_event& event) {
  Transaction t{.offset = event.offset,
                .value = event.value,
                .size = event.size,
                .thread = event.tid,
                .cpu = event.cpu,
                .bar = event.bar,
                .function = index};
  const std::int64_t since = static_cast<std::int64_t>(event.time_ns) - epoch_ns_;
  t.t_ns = since > 0 ? static_cast<std::uint64_t>(since) : 1;
  t.site = site_of(index, event.driver_ip != 0 ? event.driver_ip : event.ip, &event);
  if ((event.flags & PCILENS_F_PASSED_STOP) != 0)
    t.answered_by = AnsweredBy::PassedStop;
  else if ((event.flags & (PCILENS_F_SHADOWED | PCILENS_F_KERNEL)) != 0)
    t.answered_by = AnsweredBy::Shadow;
  return t;
}

bool KmodHost::deliver(std::uint8_t index, const pcilens_event& event, const pcilens_event* stack,
                       pcilens_answer& answer) {
  Served& served = *served_[index];
  Transaction t = transaction_of(index, event);
  switch (event.kind) {
    case PCILENS_CFG_READ: t.kind = Kind::CfgRead; break;
    case PCILENS_CFG_WRITE: t.kind = Kind::CfgWrite; break;
    case PCILENS_MEM_READ: t.kind = Kind::MemRead; break;
    case PCILENS_MEM_WRITE: t.kind = Kind::MemWrite; break;
    case PCILENS_DMA_MAP:
    case PCILENS_DMA_UNMAP: {
      const DmaDirection direction = direction_of(event.aux);
      if (event.kind == PCILENS_DMA_MAP)
        served.mappings.map(event.offset, event.value, direction);
      else
        served.mappings.unmap(event.offset);
      t.kind = event.kind == PCILENS_DMA_MAP ? Kind::DmaMap : Kind::DmaUnmap;
      t.size = static_cast<std::uint32_t>(event.value);
      t.value = static_cast<std::uint64_t>(direction);
      break;
    }
    case PCILENS_GAP:
      t.kind = Kind::Gap;
      t.bar = kBarNone;
      break;
    case PCILENS_REFUSED:
      link_.host_note(fmt::format("the module cannot emulate the instruction {} at this BAR access",
                                  hex(event.code, event.code_bytes)));
      return false;
    case PCILENS_EXPIRED:
      link_.host_note(fmt::format(
          "an answer came too late: the driver could not wait (BAR{}+{:#x}) and went on with {:#x}",
          event.bar, event.offset, event.value));
      return false;
    default: return false;  // the link has these by other ways: interrupts, resets, BAR changes
  }
  if (is_config(t.kind) && t.answered_by == AnsweredBy::Function &&
      (event.flags & PCILENS_F_ANSWER) == 0)
    t.answered_by = AnsweredBy::Shadow;
  std::string frames;
  if (stack != nullptr) {
    const auto& record = reinterpret_cast<const pcilens_stack&>(*stack);
    for (unsigned i = 0; i < record.count && i < PCILENS_STACK_FRAMES; ++i)
      frames += fmt::format("{}{}", i == 0 ? "[" : ",", site_of(index, record.frame[i], nullptr));
    if (!frames.empty()) frames += "]";
  }
  bool waits = (event.flags & PCILENS_F_ANSWER) != 0;
  if (const auto value = waits ? expired(served, event) : std::nullopt) {
    t.value = *value;
    t.answered_by = AnsweredBy::PassedStop;
    waits = false;
  }
  const Completion completion = link_.request(t, frames);
  if (!waits) return false;
  answer = {.slot = event.slot,
            .generation = event.generation,
            .value = completion.value,
            .status = status_for_kernel(completion.status),
            .result = 0};
  return true;
}

std::uint32_t KmodHost::site_of(std::uint8_t index, std::uint64_t ip, const pcilens_event* event) {
  if (ip == 0) return 0;
  std::uint32_t site = 0;
  {
    const std::lock_guard lock(sites_mutex_);
    if (event != nullptr && !threads_.contains(event->tid))
      threads_[event->tid].assign(reinterpret_cast<const char*>(event->comm),
                                  ::strnlen(reinterpret_cast<const char*>(event->comm), 16));
    if (const auto it = sites_.find(ip); it != sites_.end()) return it->second;
    site = static_cast<std::uint32_t>(sites_.size() + 1);
    sites_.emplace(ip, site);
  }
  const auto symbol = served_[index]->function->symbolise(ip);
  const std::string name = symbol ? symbol->symbol : "";
  const std::string code =
      event != nullptr && event->ip == ip ? hex(event->code, event->code_bytes) : std::string();
  link_.name_site(
      site, name,
      fmt::format(
          R"({{"module":"{}","build_id":"{}","symbol":"{}","displacement":{},)"
          R"("code":"{}","file":"","line":0}})",
          symbol ? symbol->module : "",
          symbol ? hex(symbol->build_id, std::min<std::uint32_t>(symbol->build_id_bytes, 32)) : "",
          name, symbol ? symbol->displacement : 0, code));
  return site;
}

// ---- from the link to the kernel ---------------------------------------------------------------

namespace {

// The part of the pool behind an IOVA range; empty outside.
std::span<std::byte> in_pool(const KmodFunction& function, std::uint64_t iova, std::size_t length) {
  const std::uint64_t base = function.iova_base();
  const std::span<std::byte> pool = function.pool();
  if (iova < base || iova - base > pool.size() || length > pool.size() - (iova - base)) return {};
  return pool.subspan(iova - base, length);
}

}  // namespace

Status KmodHost::dma_read(std::uint8_t function, std::uint64_t iova, std::span<std::byte> data) {
  Served& served = *served_[function];
  const Status status = served.mappings.allows(iova, data.size(), DmaDirection::ToDevice);
  const auto memory = in_pool(*served.function, iova, data.size());
  if (status != Status::SC || memory.empty()) return status == Status::SC ? Status::UR : status;
  std::memcpy(data.data(), memory.data(), data.size());
  return Status::SC;
}

Status KmodHost::dma_write(std::uint8_t function, std::uint64_t iova,
                           std::span<const std::byte> data) {
  Served& served = *served_[function];
  const Status status = served.mappings.allows(iova, data.size(), DmaDirection::FromDevice);
  const auto memory = in_pool(*served.function, iova, data.size());
  if (status != Status::SC || memory.empty()) return status == Status::SC ? Status::UR : status;
  std::memcpy(memory.data(), data.data(), data.size());
  return Status::SC;
}

Status KmodHost::interrupt(std::uint8_t function, std::uint64_t vector, std::uint64_t value) {
  const bool intx = vector == kIntxVector;
  const auto sent = served_[function]->function->inject(
      intx ? 0 : static_cast<std::uint32_t>(vector), intx && value == 0);
  return sent ? Status::SC : Status::UR;
}

// Ranges that a breakpoint, a rule or a step can match wait for us; all others go on as they are.
void KmodHost::synchronous(std::span<const Range> ranges) {
  for (std::size_t i = 0; i < served_.size(); ++i) {
    Served& served = *served_[i];
    std::vector<Range> wanted;
    for (const Range& range : ranges)
      if (range.function == i && range.bar >= kBarConfig && range.begin < range.end)
        wanted.push_back(range);
    const auto same = [](const Range& a, const Range& b) {
      return a.bar == b.bar && a.begin == b.begin && a.end == b.end;
    };
    for (const Range& old : served.held)
      if (std::none_of(wanted.begin(), wanted.end(), [&](const Range& w) { return same(w, old); }))
        served.function->set_policy(old.bar, old.begin, old.end, false);
    // A range that was taken back may have overlapped one that stays: so all are set again.
    for (const Range& range : wanted)
      served.function->set_policy(range.bar, range.begin, range.end, true);
    served.held = std::move(wanted);
  }
}

std::string KmodHost::thread_name(std::uint32_t thread) const {
  const std::lock_guard lock(sites_mutex_);
  const auto it = threads_.find(thread);
  return it == threads_.end() ? std::string() : it->second;
}

}  // namespace pcilens::kmod
