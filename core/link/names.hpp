// The names that a person may use on one link: its functions and their registers. Expressions,
// decode and completion look here; it is built from live functions or from a trace.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/link/transaction.hpp"
#include "core/registers/lookup.hpp"

namespace pcilens {

struct FunctionNames {
  std::string instance;  // "edu0": device name and a number
  std::string bdf;       // "00:01.0"
  std::vector<std::shared_ptr<const RegisterLookup>> bars;  // those that have a map; maps outlive it
};

class Names {
 public:
  std::vector<FunctionNames> functions;  // by Transaction::function
  std::shared_ptr<const void> keeps;     // whatever owns the maps, when they are not static

  const RegisterLookup* bar(std::uint8_t function, std::int8_t bar) const;
  // The register that a memory access touches first; none for other kinds.
  RegisterRef at(const Transaction& t) const;
  // "CSTS", "SQ[3].TDBL", "BAR0+0x40", "COMMAND", "MSI-X vector 3", "IOVA 0x1000": how every screen
  // writes the place of a transaction. With several functions the instance stands before it.
  std::string place(const Transaction& t) const;
  // "EN=1 IOSQES=6": the fields of a register's value, the enum name where there is one.
  static std::string decode(const Register& r, std::uint64_t value);
};

}  // namespace pcilens
