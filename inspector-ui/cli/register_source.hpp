// A register map as C++ declarations: what a device's author would have typed.
#pragma once

#include <string>

#include "core/registers/register.hpp"

namespace pcilens::cli {

// The header `DEVICE_registers.hpp` in namespace `device`: fields, registers, kRegisters, kMap, and
// the assertion that the map is well-formed.
std::string registers_header(const RegisterMap& map, const std::string& device);

}  // namespace pcilens::cli
