// The Linux kernel's mmiotrace (Documentation/trace/mmiotrace.rst): what a driver on real hardware
// read and wrote.
#pragma once

#include "core/trace/import_session.hpp"

namespace pcilens {

Result<void> import_mmiotrace(ImportSession& session);

}  // namespace pcilens
