// A replay's bus: the functions stand on this kernel's own PCI bus, and the recorded accesses are
// made as a driver in userspace makes them, through sysfs (config, resourceN). They trap into the
// module, come out of its ring, and are answered through it.
//
// The requester is a thread of this process: it waits in its access while the replay answers it. No
// kernel driver may be bound: then it would be a second one.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "core/host/access_bus.hpp"
#include "core/host/kmod/kmod_function.hpp"
#include "core/link/link.hpp"

namespace pcilens::kmod {

class KmodBus final : public AccessBus {
 public:
  // Puts every function of the link on the bus; needs root. Errors: no module, no root, a driver
  // that took one of them at once.
  static Result<std::unique_ptr<AccessBus>> open(const Link& link);
  ~KmodBus() override;

  Result<Arrived> make(const Transaction& access) override;
  Result<std::uint64_t> complete(const Arrived& arrived, std::uint64_t value,
                                 Status status) override;
  Result<void> set_up(std::uint8_t function, std::span<const std::byte> config) override;
  bool place(std::uint8_t function, std::uint64_t iova, std::span<const std::byte> bytes) override;
  bool look(std::uint8_t function, std::uint64_t iova, std::span<std::byte> bytes) const override;

 private:
  class Requester;
  struct Card;
  struct Waiting {
    std::uint64_t token;
    std::uint8_t function;
    Requester* requester;
    pcilens_event event;
  };

  KmodBus();
  Result<void> plug(std::uint8_t index, const ConfigSpace& config);
  Result<void> open_files(Card& card, const ConfigSpace& config, const std::string& place);
  Requester& idle_requester();
  void refuse(Card& card, const pcilens_event& event);
  void refuse_all(Card& card);

  std::vector<std::unique_ptr<Card>> cards_;            // by function
  std::vector<std::unique_ptr<Requester>> requesters_;  // gone before the cards are
  std::vector<Waiting> waiting_;
  std::uint64_t next_token_ = 1;
};

}  // namespace pcilens::kmod
