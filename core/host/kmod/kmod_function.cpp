#include "core/host/kmod/kmod_function.hpp"

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstring>

#include "core/host/kmod/privileges.hpp"

namespace pcilens::kmod {
namespace {

constexpr const char* kNode = "/dev/pcilens";
constexpr std::uint64_t kPoolBytes = 16u << 20;
constexpr std::uint32_t kRingEvents = 1u << 14;

Error why_not_open(int error) {
  if (error == ENOENT)
    return {
        fmt::format("{} is not there: the pcilens kernel module is not loaded; `pcilens vm` "
                    "runs it in a VM, docs/kmod.md loads it here",
                    kNode)};
  if (error == EACCES || error == EPERM)
    return {fmt::format("{}: only root may put functions on the bus; start with sudo", kNode)};
  return {fmt::format("{}: {}", kNode, std::strerror(error))};
}

}  // namespace

Result<std::unique_ptr<KmodFunction>> KmodFunction::create(const ConfigSpace& config,
                                                           const Direct& direct, bool stacks) {
  std::unique_ptr<KmodFunction> made(new KmodFunction);
  made->fd_ = open_node(kNode);
  if (made->fd_ < 0) return tl::unexpected(why_not_open(errno));
  pcilens_info info{};
  if (::ioctl(made->fd_, PCILENS_IOC_INFO, &info) != 0 || info.abi_version != PCILENS_ABI_VERSION)
    return fail(
        fmt::format("{}: the loaded module speaks version {}, this pcilens {}; load the "
                    "module that came with it",
                    kNode, info.abi_version, PCILENS_ABI_VERSION));
  pcilens_create create{};
  create.config = reinterpret_cast<std::uint64_t>(config.bytes().data());
  create.write_mask = reinterpret_cast<std::uint64_t>(config.write_mask().data());
  create.w1c_mask = reinterpret_cast<std::uint64_t>(config.w1c_mask().data());
  create.config_bytes = kConfigSize;
  create.ring_events = kRingEvents;
  create.atomic_hold_ms = kAtomicHoldNs / 1'000'000;
  create.pool_bytes = kPoolBytes;
  for (const Bar& bar : config.bars()) {
    if (bar.size == 0) continue;
    made->bar_sizes_[bar.index] = bar.size;
    const MemoryRegion* const plain = direct[bar.index];
    const std::uint64_t copied = plain != nullptr ? plain->offset + plain->size : kPage;
    create.bar[bar.index] = {.size = bar.size,
                             .shadow_bytes = std::min(bar.size, std::max(copied, kPage)),
                             .flags = (bar.is_64bit ? PCILENS_BAR_64BIT : 0) |
                                      (bar.prefetchable ? PCILENS_BAR_PREFETCH : 0),
                             .reserved = 0};
  }
  if (::ioctl(made->fd_, PCILENS_IOC_CREATE, &create) != 0)
    return fail(fmt::format("{}: the module refuses this function ({}); the kernel's log says more",
                            kNode, std::strerror(errno)));
  made->iova_base_ = create.iova_base;
  for (int bar = 0; bar < PCILENS_BARS; ++bar) {
    const MemoryRegion* const plain = direct[static_cast<unsigned>(bar)];
    if (plain == nullptr) continue;
    pcilens_policy policy{};
    policy.bar = static_cast<std::int8_t>(bar);
    policy.offset = plain->offset;
    policy.length = plain->size;
    policy.read = policy.write = PCILENS_MODE_DIRECT;
    if (::ioctl(made->fd_, PCILENS_IOC_POLICY, &policy) != 0)
      return fail(fmt::format("{}: the module does not make {} plain memory: {}", kNode,
                              plain->name, std::strerror(errno)));
  }
  pcilens_limits limits{};
  limits.stack_kinds = 1u << PCILENS_DMA_MAP;
  if (stacks)
    for (const unsigned kind : {PCILENS_CFG_READ, PCILENS_CFG_WRITE, PCILENS_MEM_READ,
                                PCILENS_MEM_WRITE, PCILENS_DMA_UNMAP})
      limits.stack_kinds |= 1u << kind;
  if (::ioctl(made->fd_, PCILENS_IOC_LIMITS, &limits) != 0)
    return fail(
        fmt::format("{}: the module refuses to take call stacks: {}", kNode, std::strerror(errno)));
  const auto map = [&](std::uint64_t bytes, std::uint64_t at) -> std::span<std::byte> {
    void* memory = ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, made->fd_,
                          static_cast<off_t>(at));
    if (memory == MAP_FAILED) return {};
    return {static_cast<std::byte*>(memory), bytes};
  };
  made->ring_ = map(create.ring_bytes, PCILENS_MMAP_RING);
  made->pool_ = map(kPoolBytes, PCILENS_MMAP_POOL);
  made->slots_ = map(sizeof(pcilens_slot) * PCILENS_SLOTS, PCILENS_MMAP_SLOTS);
  if (made->ring_.empty() || made->pool_.empty() || made->slots_.empty())
    return fail(fmt::format("{}: cannot map the event ring, the answers or the DMA pool: {}", kNode,
                            std::strerror(errno)));
  for (int bar = 0; bar < PCILENS_BARS; ++bar)
    if (create.bar[bar].shadow_bytes != 0)
      made->shadow_[bar] = map(create.bar[bar].shadow_bytes, PCILENS_MMAP_SHADOW(bar));
  made->events_.emplace(made->ring_);
  return made;
}

KmodFunction::~KmodFunction() {
  if (!ring_.empty()) ::munmap(ring_.data(), ring_.size());
  if (!pool_.empty()) ::munmap(pool_.data(), pool_.size());
  if (!slots_.empty()) ::munmap(slots_.data(), slots_.size());
  for (const auto& shadow : shadow_)
    if (!shadow.empty()) ::munmap(shadow.data(), shadow.size());
  if (fd_ >= 0) ::close(fd_);
}

Result<std::string> KmodFunction::plug() {
  pcilens_plug plug{};
  if (::ioctl(fd_, PCILENS_IOC_PLUG, &plug) != 0)
    return fail(
        fmt::format("the kernel did not take the function onto its bus: {}", std::strerror(errno)));
  return fmt::format("{:04x}:{:02x}:{:02x}.{}", plug.domain, plug.bus, plug.devfn >> 3,
                     plug.devfn & 7);
}

void KmodFunction::unplug() {
  ::ioctl(fd_, PCILENS_IOC_UNPLUG);
}

void KmodFunction::set_present(bool present) {
  pcilens_presence presence{};
  presence.present = present ? 1 : 0;
  ::ioctl(fd_, PCILENS_IOC_PRESENCE, &presence);
}

bool KmodFunction::wait(std::span<pcilens_answer> answers, std::int64_t timeout_ns) {
  pcilens_wait wait{};
  wait.answers = reinterpret_cast<std::uint64_t>(answers.data());
  wait.answer_count = static_cast<std::uint32_t>(answers.size());
  wait.timeout_ns = timeout_ns;
  if (::ioctl(fd_, PCILENS_IOC_WAIT, &wait) == 0) return true;
  return errno == ETIMEDOUT || errno == EINTR;
}

bool KmodFunction::wait_for_spinning(std::int64_t timeout_ns) {
  pcilens_wait wait{};
  wait.flags = PCILENS_WAIT_STUCK;
  wait.timeout_ns = timeout_ns;
  return ::ioctl(fd_, PCILENS_IOC_WAIT, &wait) == 0 || errno != ENODEV;
}

void KmodFunction::answer_spinning(const pcilens_answer& answer) {
  auto* slot = reinterpret_cast<pcilens_slot*>(slots_.data()) + answer.slot;
  std::atomic_ref(slot->value).store(answer.value, std::memory_order_relaxed);
  std::atomic_ref(slot->status).store(answer.status, std::memory_order_relaxed);
  std::atomic_ref(slot->generation).store(answer.generation, std::memory_order_release);
  std::atomic_thread_fence(std::memory_order_seq_cst);
  if (sleeps(answer.slot)) ::ioctl(fd_, PCILENS_IOC_KICK);
}

bool KmodFunction::sleeps(std::uint32_t slot) const {
  auto* slots = reinterpret_cast<pcilens_slot*>(slots_.data());
  return std::atomic_ref(slots[slot].sleeping).load(std::memory_order_relaxed) != 0;
}

bool KmodFunction::set_policy(const Host::Range& range) {
  pcilens_policy policy{};
  policy.bar = range.bar;
  policy.offset = range.begin;
  policy.length = range.end - range.begin;
  policy.read = range.reads ? PCILENS_MODE_BREAK : PCILENS_MODE_DEFAULT;
  policy.write = range.writes ? PCILENS_MODE_BREAK : PCILENS_MODE_DEFAULT;
  policy.flags = range.reads || range.writes || range.posted ? PCILENS_POLICY_STACK : 0;
  return ::ioctl(fd_, PCILENS_IOC_POLICY, &policy) == 0;
}

std::optional<pcilens_inject> KmodFunction::inject(std::uint32_t vector, bool deassert) {
  pcilens_inject inject{};
  inject.vector = vector;
  inject.flags = PCILENS_INJECT_TRY | (deassert ? PCILENS_INJECT_DEASSERT : 0);
  if (::ioctl(fd_, PCILENS_IOC_INJECT, &inject) != 0) return std::nullopt;
  return inject;
}

std::optional<pcilens_symbol> KmodFunction::symbolise(std::uint64_t ip) const {
  pcilens_symbol symbol{};
  symbol.ip = ip;
  if (::ioctl(fd_, PCILENS_IOC_SYMBOLISE, &symbol) != 0) return std::nullopt;
  return symbol;
}

}  // namespace pcilens::kmod
