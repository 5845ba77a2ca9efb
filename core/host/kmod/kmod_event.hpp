// What a record of the module's ring is in the link's words.
#pragma once

#include "core/link/transaction.hpp"
#include "kmod/uapi/pcilens.h"

namespace pcilens::kmod {

// Gap for those that are no transactions.
Kind kind_of(const pcilens_event& event);
// PCILENS_STATUS_* of a completion.
std::uint32_t status_for_kernel(Status status);

}  // namespace pcilens::kmod
