#include "core/function/function.hpp"

#include <stdexcept>
#include <string>

namespace pcilens {
namespace {

bool one_aligned_access(const Transaction& t) {
  const bool size_ok = t.size == 1 || t.size == 2 || t.size == 4 || t.size == 8;
  return size_ok && t.offset % t.size == 0;
}

const Bar* find_bar(const ConfigSpace& config, std::int8_t index) {
  for (const Bar& bar : config.bars())
    if (bar.index == index && bar.size != 0) return &bar;
  return nullptr;
}

}  // namespace

Function::Function(ConfigSpace config, std::span<const RegisterMap* const> maps)
    : config_(std::move(config)) {
  for (const RegisterMap* map : maps) {
    const Bar* bar = find_bar(config_, map->bar);
    if (bar == nullptr || map->size > bar->size)
      throw std::logic_error("register map " + std::string(map->name) +
                             " does not fit its BAR: declare a BAR of its size");
    auto& bank = banks_[static_cast<unsigned>(map->bar)];
    if (bank) throw std::logic_error("two register maps for one BAR: merge them");
    bank = std::make_unique<RegisterBank>(*map);
    bank->on_change(
        [this, index = map->bar](const RegisterRef& ref, std::uint64_t, std::uint64_t now) {
          if (port_ != nullptr) port_->state_changed(index, ref.offset(), ref.reg->width, now);
        });
  }
  if (const auto where = config_.msix()) msix_.emplace(*where);
}

Function::~Function() = default;

void Function::deliver(const Transaction& request, Reply reply) {
  if (is_config(request.kind)) return deliver_config(request, reply);
  const Bar* bar = find_bar(config_, request.bar);
  // PCIe 5.0, 2.3.1: no BAR claims it, so nobody supports it. A crossing access is one that a root
  // complex would have split; nothing here can serve it as one.
  if (bar == nullptr || !config_.memory_enabled() || !one_aligned_access(request) ||
      request.offset >= bar->size || request.size > bar->size - request.offset)
    return reply.complete(0, Status::UR);
  if (msix_ && !port_->host_keeps_msix() &&
      msix_->covers(request.bar, request.offset, request.size)) {
    if (request.kind == Kind::MemRead)
      return reply.complete(msix_->read(request.bar, request.offset, request.size));
    msix_->write(request.bar, request.offset, request.size, request.value);
    reply.complete(0);
    return send_pending_interrupts();
  }
  if (request.kind == Kind::MemRead)
    read(request, reply);
  else
    write(request, reply);
}

void Function::deliver_config(const Transaction& request, Reply reply) {
  const auto offset = static_cast<std::uint16_t>(request.offset);
  const bool size_ok = request.size == 1 || request.size == 2 || request.size == 4;
  if (!size_ok || request.offset % request.size != 0 || request.offset >= kConfigSize)
    return reply.complete(0, Status::UR);
  if (request.kind == Kind::CfgRead) return reply.complete(config_.read(offset, request.size));

  const auto change =
      config_.write(offset, request.size, static_cast<std::uint32_t>(request.value));
  reply.complete(0);
  if (change.flr) reset(ResetKind::Flr);
  on_config(change);
  if (change.interrupts) send_pending_interrupts();
}

void Function::read(const Transaction& request, Reply reply) {
  RegisterBank* bank = banks_[static_cast<unsigned>(request.bar)].get();
  if (bank == nullptr) return reply.complete(0, Status::UR);
  reply.complete(bank->read(request.offset, request.size));
}

void Function::write(const Transaction& request, Reply reply) {
  RegisterBank* bank = banks_[static_cast<unsigned>(request.bar)].get();
  if (bank == nullptr) return reply.complete(0, Status::UR);
  reply.complete(0);
  bank->write(request.offset, request.size, request.value);
}

void Function::reset(ResetKind kind) {
  tasks_.cancel();
  config_.reset(kind == ResetKind::Flr);
  if (msix_) msix_->reset();
  intx_level_ = false;
  for (auto& bank : banks_)
    if (bank) bank->reset();
  on_reset(kind);
}

bool Function::force(std::int8_t bar, std::uint64_t offset, std::uint32_t size,
                     std::uint64_t value) {
  if (bar == kBarConfig) {
    if (size > 4 || offset + size > kConfigSize) return false;
    config_.set(static_cast<std::uint16_t>(offset), size, static_cast<std::uint32_t>(value));
    return true;
  }
  if (bar < 0 || bar > 5 || !banks_[static_cast<unsigned>(bar)]) return false;
  return banks_[static_cast<unsigned>(bar)]->force(offset, size, value);
}

std::optional<std::uint64_t> Function::peek(std::int8_t bar, std::uint64_t offset,
                                            std::uint32_t size) const {
  if (bar == kBarConfig) {
    if (size > 4 || offset % size != 0 || offset + size > kConfigSize) return std::nullopt;
    return config_.read(static_cast<std::uint16_t>(offset), size);
  }
  if (bar < 0 || bar > 5) return std::nullopt;
  if (msix_ && msix_->covers(bar, offset, size)) return msix_->read(bar, offset, size);
  const RegisterBank* bank = banks_[static_cast<unsigned>(bar)].get();
  if (bank == nullptr || offset + size > bank->map().size) return std::nullopt;
  return bank->peek(offset, size);
}

void Function::share(int bar, std::span<std::byte> memory) {
  if (auto& bank = banks_[static_cast<unsigned>(bar)]) bank->share(memory);
}

Function::Wait Function::delay(std::chrono::nanoseconds duration) {
  return Wait(*port_,
              {.kind = Kind::Timer, .delay_ns = static_cast<std::uint64_t>(duration.count())});
}

Function::Wait Function::dma_read(std::uint64_t iova, std::span<std::byte> data) {
  return Wait(*port_, {.kind = Kind::DmaRead, .offset = iova, .data = data});
}

Function::Wait Function::dma_write(std::uint64_t iova, std::span<const std::byte> data) {
  // The port only reads the bytes of a DMA write.
  const std::span<std::byte> bytes(const_cast<std::byte*>(data.data()), data.size());
  return Wait(*port_, {.kind = Kind::DmaWrite, .offset = iova, .data = bytes});
}

Function::Wait Function::outside(std::uint64_t what, std::span<std::byte> bytes) {
  return Wait(*port_, {.kind = Kind::Input, .offset = what, .data = bytes});
}

void Function::interrupt(std::uint32_t vector) {
  if (port_->host_keeps_msix()) return port_->interrupt(vector);
  const auto msix = config_.msix();
  if (msix && msix->enabled) {
    if (msix_->raise(vector, config_)) port_->interrupt(vector);
    return;
  }
  const auto msi = config_.msi();
  if (!msi || !msi->enabled) return;
  // PCIe 5.0, 7.7.1.4: with fewer messages granted than asked for, they share the ones there are.
  const std::uint32_t message = msi->vectors_enabled == 0 ? 0 : vector % msi->vectors_enabled;
  if ((msi->mask >> message & 1) == 0) port_->interrupt(message);
}

void Function::intx(bool asserted) {
  if (asserted == intx_level_) return;
  intx_level_ = asserted;
  const auto msix = config_.msix();
  const auto msi = config_.msi();
  if ((msix && msix->enabled) || (msi && msi->enabled) || config_.intx_disabled()) return;
  port_->intx(asserted);
}

void Function::send_pending_interrupts() {
  if (!msix_ || port_->host_keeps_msix()) return;
  for (const std::uint32_t vector : msix_->take_unmasked(config_)) port_->interrupt(vector);
}

}  // namespace pcilens
