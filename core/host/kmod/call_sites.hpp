// Where in the driver an access was made, and by which thread: instruction addresses become the
// trace's numbers of sites, each symbolised by the kernel and told to the trace once.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "core/host/kmod/event_queue.hpp"
#include "core/host/kmod/kmod_function.hpp"
#include "core/link/link.hpp"

namespace pcilens::kmod {

class CallSites {
 public:
  // What one thread of the host was told last. A driver has few places from which it reaches its
  // device, and comes from the same ones again: most are found here, without a lock.
  class Recent {
    friend class CallSites;
    struct Site {
      std::uint64_t ip = 0;
      std::uint32_t thread = 0, site = 0;
    };
    struct Stack {
      std::array<std::uint64_t, PCILENS_STACK_FRAMES> frames{};
      unsigned count = 0;
      std::string text;
    };
    std::array<Site, 16> sites{};
    std::array<Stack, 8> stacks{};
  };

  explicit CallSites(Link& link) : link_(link) {}

  // The site of an access: of the first frame inside of the driver, where that is known.
  std::uint32_t site_of(const KmodFunction& function, const pcilens_event& event, Recent& recent);
  // The sites of its call stack as the trace has them, a JSON array, innermost first; empty without
  // one. Valid until the next call with the same `recent`.
  const std::string& stack_of(const KmodFunction& function, const Reported& reported,
                              Recent& recent);
  // The name of a thread that made an access; empty for others.
  std::string thread_name(std::uint32_t thread) const;

 private:
  std::uint32_t site_at(const KmodFunction& function, std::uint64_t ip, const pcilens_event* event);
  void tell_thread(const pcilens_event& event);

  Link& link_;
  mutable std::mutex mutex_;                      // held alone
  std::map<std::uint64_t, std::uint32_t> sites_;  // by instruction address
  std::map<std::uint32_t, std::string> threads_;  // names by tid
};

}  // namespace pcilens::kmod
