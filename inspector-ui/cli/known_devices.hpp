// Register names for a recording, from the devices that are built in.
#pragma once

#include <cstdint>

#include "core/trace/import.hpp"

namespace pcilens::cli {

KnownDevice known_device(std::uint16_t vendor, std::uint16_t device);

}  // namespace pcilens::cli
