// Takes a snapshot of a link for the screens. Under the link's lock; peeks only.
#pragma once

#include <memory>
#include <string_view>

#include "core/link/link.hpp"
#include "core/target/target.hpp"

namespace pcilens {

// `before`: the last snapshot, for what has not changed and for the version. The caller fills host,
// trace and driver.
std::shared_ptr<Snapshot> take_snapshot(const Link& link, const Snapshot& before);

// `by`: the driver's function that mapped it.
DmaMapping to_show(const DmaMappings::Mapping& mapping, std::string_view by);

}  // namespace pcilens
