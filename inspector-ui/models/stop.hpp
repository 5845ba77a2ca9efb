// What is held, as the Stop panel and the tool bar say it.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/target/target.hpp"

namespace pcilens::gui {

struct StopField {
  std::string name, bits, access;
  std::string old_value, new_value;  // numbers, with the enum name where there is one
  std::string doc;
  bool changes = false;
  const Field* field = nullptr;  // lives as long as the StopModel
};

struct StopModel {
  std::string headline;    // "write CMD"
  std::string phase;       // "held before edu0 sees it", "held after the host refused it"
  std::string reason;      // "breakpoint 1: write CMD"
  std::string where;       // "edu0  BAR0+0x020, 4 bytes"
  std::string when;        // "transaction 42 at 1.234 ms"
  std::string who;         // "driver, thread edu (1234), CPU 1"
  std::string held;        // "Held for 65 s; ..."; empty in the first second
  bool has_value = false;  // a value that can be shown and edited
  bool foreseen = false;   // a read held before: new_value is what the answer would be
  bool has_old = false;    // the register's value before is known
  std::uint64_t old_value = 0, new_value = 0;
  std::string old_text, new_text;
  std::string edited;   // "the driver sent 0x05; you changed it"; empty if nobody did
  std::string waiting;  // of a read held before: that it has no answer yet, and how to get one
  std::string
      refused;  // "Refused: COMMAND.BME is 0; unsupported request (UR)"; empty if it was not
  std::string becomes;  // "Stays 0x010000ed (read-only)", where it does not become new_value
  std::vector<StopField> fields;
  std::vector<Field> field_storage;  // config items keep their fields here
  unsigned bytes = 4;
};

// Only where snapshot.stop is set.
StopModel stop_model(const Snapshot& snapshot);

// One sentence of the state for the tool bar, and what to do for an empty Stop panel.
std::string state_text(const Snapshot& snapshot);
std::string what_to_do(const Snapshot& snapshot);

}  // namespace pcilens::gui
