// Cap'n Proto 0.9 (Debian 12) leaves this comparison to C++20's reversed operators, which clang, as
// P2468 has it, does not form where there is an operator!= too. Included before its headers.
#pragma once

#include <kj/string.h>

namespace kj {
inline bool operator==(const char* a, const StringPtr& b) {
  return b == a;
}
}  // namespace kj
