// How far to run from a stop before the next.
#pragma once

#include <cstdint>
#include <string>

namespace pcilens {

struct Step {
  enum class Until : std::uint8_t {
    NextAccess,      // the next config or memory access by the host
    RegisterChange,  // the next transaction that changes a register's value
    Interrupt,       // the next interrupt message
    Expression,      // the next transaction that matches
    Any,             // the next transaction of any kind
  } until = Until::NextAccess;
  std::string expression = {};  // for Expression
};

}  // namespace pcilens
