// What a person may mean by a word typed into Ctrl-G: a register, a transaction, an address.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/target/target.hpp"

namespace pcilens::gui {

struct GoToItem {
  enum class Kind : std::uint8_t { Register, ConfigItem, Transaction, Memory };
  Kind kind = Kind::Register;
  std::string title;         // "STATUS", "Transaction 42", "Host memory at 0x100040"
  std::string detail;        // what it is
  std::string name;          // of a register or config item
  std::uint64_t number = 0;  // of a transaction, or an IOVA
};
// Best first, few of them. A decimal number is a transaction; a hexadecimal one an offset in a BAR
// or an address of host memory.
std::vector<GoToItem> go_to_items(const Snapshot& snapshot, std::string_view text);

}  // namespace pcilens::gui
