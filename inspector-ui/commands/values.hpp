// A value that a command takes or answers.
#pragma once

#include "core/result.hpp"
#include "inspector-ui/commands/output.hpp"
#include "inspector-ui/commands/place.hpp"

namespace pcilens::ui {

// Whether the field or the access has room for it.
Result<void> fits(const Spot& spot, std::uint64_t value);
// "STATUS = 0x00000081  BUSY=1 ..."; `value` is the whole register's, also for a field.
Output value_output(const Spot& spot, std::uint64_t value);

}  // namespace pcilens::ui
