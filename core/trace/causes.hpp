// What a transaction follows from.
#pragma once

#include <cstdint>
#include <optional>

#include "core/link/transaction.hpp"
#include "core/result.hpp"

namespace pcilens {

class TraceReader;

// The driver's access that made the function do it, by the chain of causes; of an access by a
// driver that one itself. Nothing where no driver is behind it: a poke, an input. An error where
// the trace has no such transaction.
Result<std::optional<Transaction>> driver_access(TraceReader& trace, std::uint64_t seq);

}  // namespace pcilens
