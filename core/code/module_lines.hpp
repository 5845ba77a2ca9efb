// Source lines of kernel modules, from the debug information in their files (libdw): what the
// kernel names by symbol and displacement only.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "core/trace/source_lines.hpp"

namespace pcilens {

// Not thread-safe. Reads a file's debug information when it is first asked of it.
class ModuleLines {
 public:
  ModuleLines();
  ~ModuleLines();

  // A module's file; one of no use, without debug information for one, is kept and never answers.
  void add(const std::string& path);

  // The line in the module's own sources: of an accessor that was inlined from elsewhere, such as
  // the kernel's readl(), the line that called it. Nothing where no added file is that module,
  // built as the kernel has it, or where it tells no line.
  std::optional<SourceLine> find(const ModulePlace& place);

 private:
  struct File;
  struct Files;
  std::unique_ptr<Files> files_;
};

}  // namespace pcilens
