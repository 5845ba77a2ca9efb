// The part of an example driver's handles that is the same on every host. It is linked into the
// device (also into a plug-in), while the host behind the virtual calls is the program's.
#include "core/host/sim/device.hpp"

#include <utility>

#include "core/pci/config_space.hpp"

namespace pcilens::sim {

void Device::enable(Where w) {
  const std::uint32_t command = config_read(cfg::kCommand, 2, w);
  config_write(cfg::kCommand, 2, command | cfg::kCommandMemory | cfg::kCommandMaster, w);
}

DmaBuffer::DmaBuffer(DmaBuffer&& other) noexcept
    : device_(std::exchange(other.device_, nullptr)), iova_(other.iova_), bytes_(other.bytes_) {}

DmaBuffer& DmaBuffer::operator=(DmaBuffer&& other) noexcept {
  std::swap(device_, other.device_);
  std::swap(iova_, other.iova_);
  std::swap(bytes_, other.bytes_);
  return *this;
}

DmaBuffer::~DmaBuffer() {
  if (device_ != nullptr) device_->free_dma(iova_, bytes_);
}

}  // namespace pcilens::sim
