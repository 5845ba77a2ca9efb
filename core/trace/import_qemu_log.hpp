// QEMU's trace log ("-trace memory_region_ops_* -trace pci_cfg_* -D file"): what firmware and
// driver did to an emulated or passed-through device.
#pragma once

#include "core/trace/import_session.hpp"

namespace pcilens {

Result<void> import_qemu_log(ImportSession& session);

}  // namespace pcilens
