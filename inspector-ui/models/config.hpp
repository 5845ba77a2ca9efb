// Config space as a person reads it: the header, then each capability in the order of its chain.
#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include "core/pci/config_space.hpp"
#include "core/target/target.hpp"

namespace pcilens::gui {

struct ConfigRow {
  enum class Kind : std::uint8_t { Capability, Item, Field };
  Kind kind = Kind::Item;
  int depth = 0;
  std::string id;  // "COMMAND", "COMMAND.MEM", "cap.MSI-X"
  std::string name;
  std::string where;    // "0x004"; of a field its bits
  std::string value;    // hex
  std::string meaning;  // fields in one line, BAR size and address, what a field is for
  std::string spec;
  bool expandable = false, expanded = false;
};

// `closed` holds capabilities folded away, `open` the items that show their fields.
std::vector<ConfigRow> config_rows(const FunctionState& function, const std::set<std::string>& open,
                                   const std::set<std::string>& closed);

}  // namespace pcilens::gui
