// Where a person means: the name of a register, a field or config item, or a BAR and an offset.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/pci/config_space.hpp"
#include "core/result.hpp"
#include "core/target/target.hpp"

namespace pcilens::ui {

struct Spot {
  Place place;
  RegisterRef ref = {};            // where there is a register
  std::optional<ConfigItem> item;  // where it is in config space and has a name
  const Field* field = nullptr;    // for "STATUS.IRQ"; lives as long as the snapshot's names
  std::string name;                // as screens write it: "STATUS.IRQ", "BAR0+0x98"
  std::vector<Field> fields = {};  // of the register or item, for decoding
};

// "CMD" "STATUS.IRQ" "SQ[3].TDBL" "BAR0+0x98" "BAR0+0x98:2" "config+0x4" "COMMAND" "edu1:CMD".
// An error says what comes near, or which names there are.
Result<Spot> find_place(const Snapshot& snapshot, std::string_view text);
// The register or config item that a transaction touches first; no ref and no item elsewhere.
Spot spot_of(const Snapshot& snapshot, const Transaction& t);
// All names that find_place takes, functions' prefixes only where there are several.
struct PlaceName {
  std::string name;
  std::string doc;
  bool has_fields = false;
};
std::vector<PlaceName> place_names(const Snapshot& snapshot, bool fields);

// The value on screen: a register's from the snapshot, config space from its bytes. Nothing where
// no register is known.
std::optional<std::uint64_t> peek(const Snapshot& snapshot, const Spot& spot);

// What it holds after all of it was written with `value`, as its access rules have it. `before`:
// what it holds now. Of bits that only writes reach it is what was written.
std::uint64_t after_write(const Snapshot& snapshot, const Spot& spot, std::uint64_t before,
                          std::uint64_t value);

// The same with what is known of it; null where there is no register.
const RegisterState* register_state(const Snapshot& snapshot, const Spot& spot);

// All elements of an array, as an expression means them: "SQ[*].TDBL", "GPR".
std::string array_name(const Register& r);

// "reset" where a recording has told none of these bits and their value is what the register map
// declares, "partly" where that is so of some; empty where all are facts.
std::string_view assumed(const RegisterState& state, std::uint64_t bits);

// 10, 0x10, 0b101, with _ between digits. For a field also the name of one of its values.
Result<std::uint64_t> parse_value(std::string_view text, const Field* field = nullptr);
// "500ms" "2s" "1min": nanoseconds. A bare number is seconds.
Result<std::uint64_t> parse_duration(std::string_view text);

// "0x1234" with as many digits as `bytes` needs.
std::string hex(std::uint64_t value, unsigned bytes);
// "1.234 ms": a time since the trace began or a duration.
std::string format_time(std::uint64_t ns);

}  // namespace pcilens::ui
