// The files of a starting folder for a device, as `pcilens new` writes them.
#pragma once

#include <span>
#include <string_view>

namespace pcilens::cli {

struct Template {
  std::string_view path;  // in the new folder; "@" stands for the name, here and in the text
  std::string_view text;
};
// A card that doubles a number: something that works, to be changed.
std::span<const Template> new_templates();
// The same around a `@_registers.hpp` that is written from a file (register_source.hpp).
std::span<const Template> new_templates_of_registers();

}  // namespace pcilens::cli
