// A field's value as every panel writes it.
#pragma once

#include <cstdint>
#include <string>

#include "core/registers/register.hpp"

namespace pcilens::gui {

// "3", "0x1f" from 4 bits on, with the enum name where there is one: "1 fast".
std::string field_text(const Field& field, std::uint64_t register_value);
// "7:4", "0".
std::string bits_text(const Field& field);

}  // namespace pcilens::gui
