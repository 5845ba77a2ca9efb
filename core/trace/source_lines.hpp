// Who knows the source lines of a driver's code, for a trace that is told symbols only.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace pcilens {

// A place in a kernel module's code as the kernel tells it.
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

using SourceLines = std::function<std::optional<SourceLine>(const ModulePlace&)>;

}  // namespace pcilens
