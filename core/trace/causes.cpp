#include "core/trace/causes.hpp"

#include <fmt/format.h>

#include "core/trace/reader.hpp"

namespace pcilens {

Result<std::optional<Transaction>> driver_access(TraceReader& trace, std::uint64_t seq) {
  for (std::uint64_t at = seq;;) {
    const auto event = trace.event(at);
    if (!event) return tl::unexpected(event.error());
    if (!*event && at == seq) return fail(fmt::format("transaction {} is not in the trace", seq));
    if (!*event) return std::nullopt;  // it was lost
    const Transaction& t = (*event)->t;
    if (t.origin == Origin::Driver) return t;
    // A cause comes first; a damaged file may say otherwise.
    if (t.cause == 0 || t.cause >= at) return std::nullopt;
    at = t.cause;
  }
}

}  // namespace pcilens
