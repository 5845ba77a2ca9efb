// From a path such as "SQ[3].TDBL" or "CC.EN" to the registers and fields that it means.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <vector>

#include "core/link/expression_program.hpp"

namespace pcilens::expression {

// Where names are looked up, as the prefixes before a condition say.
struct Scope {
  int function = -1;    // -1: every function
  int bar = -1;         // 0..5; -1: every BAR, then config space
  bool config = false;  // config space only
};

// A register, a field or a range of bytes, on each function that has it.
struct Operand {
  std::string name;                  // as it was written
  std::vector<Target> targets;       // one at least
  std::vector<const Field*> fields;  // parallel to targets; null for a whole register
  unsigned bits = 64;                // of the widest target
  bool readable = true;              // the driver can read it and gets what is stored
  bool writable = true;              // a write by the driver can change it
  bool whole_space = false;          // BAR0 or config without an offset

  bool has_value() const { return !targets.empty() && targets.front().bits != 0; }
  bool in_config() const { return targets.front().bar == kBarConfig; }
  // The value that has this name; nothing if no field names it, or two give it different values.
  std::optional<std::uint64_t> value_named(std::string_view name) const;
  std::vector<std::string> value_names() const;
};

// Which elements of an array a path means.
struct Selection {
  std::uint64_t first = 0, last = ~0ull;  // inclusive
  bool given = false;
};

// A path with its index apart: "SQ[3].TDBL" is the pattern "SQ[%].TDBL" and 3.
struct Path {
  std::string pattern;
  Selection selection;
};
tl::expected<Path, std::string> split_index(std::string_view path);

// What stands there by name. The error is a sentence without its place.
tl::expected<Operand, std::string> resolve(std::string_view path, const Scope& scope,
                                           const Names& names);
// Bytes of a BAR or of config space: "BAR0[0x10..0x1f]", "config[4]", "BAR0"; `plus` is what
// stands after "BAR0+". Null where the path begins with neither.
std::optional<tl::expected<Operand, std::string>> resolve_bytes(std::string_view path,
                                                                std::optional<std::uint64_t> plus,
                                                                const Scope& scope,
                                                                const Names& names);

// Names as completion and near-miss suggestions need them: "CC", "SQ[*].TDBL".
std::vector<std::string> register_names(const Scope& scope, const Names& names);
std::vector<std::string> field_names(std::string_view register_path, const Scope& scope,
                                     const Names& names);

}  // namespace pcilens::expression
