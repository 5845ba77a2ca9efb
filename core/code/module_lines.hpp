// Source lines of kernel modules, from the debug information in their files (libdw): what the
// kernel names by symbol and displacement only.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace pcilens {

// A place in a module's code as the kernel tells it.
struct ModulePlace {
  std::string_view module;         // "nvme"
  std::string_view build_id;       // hex; empty: not known
  std::string_view symbol;         // "nvme_probe", "map.isra.0"
  std::uint64_t displacement = 0;  // bytes from there
  bool returns = false;            // it is where a call returns to: the call is meant
};

struct SourceLine {
  std::string file;  // as the compiler was given it
  std::uint32_t line = 0;
};

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
