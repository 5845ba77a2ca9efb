// The files of a starting folder for a device, as `pcilens new` writes them.
#pragma once

#include <span>
#include <string_view>

namespace pcilens::cli {

struct Template {
  std::string_view path;  // in the new folder; "@" stands for the name, here and in the text
  std::string_view text;
};
std::span<const Template> new_templates();

}  // namespace pcilens::cli
