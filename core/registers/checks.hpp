// Generic checks that any register map must pass over a plain bank: what each access type means,
// that accesses of every size agree, that a peek changes nothing, that a reset restores. For the
// tests of a device, in this tree or in its own:
//
//   for (const std::string& failure : check_semantics(mycard::kMap)) FAIL(failure);
#pragma once

#include <string>
#include <vector>

#include "core/registers/register.hpp"

namespace pcilens {

// What failed, each a sentence that names register, field and values; empty if all is well. Of a
// long array the first elements and the last are looked at. At most 100 failures.
std::vector<std::string> check_semantics(const RegisterMap& map);

}  // namespace pcilens
