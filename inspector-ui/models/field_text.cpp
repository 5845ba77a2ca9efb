#include "inspector-ui/models/field_text.hpp"

#include <fmt/format.h>

namespace pcilens::gui {

std::string field_text(const Field& field, std::uint64_t register_value) {
  const std::uint64_t v = field.extract(register_value);
  std::string text = field.bits() <= 3 ? fmt::format("{}", v) : fmt::format("0x{:x}", v);
  for (const EnumValue& e : field.values)
    if (e.value == v) text += fmt::format(" {}", e.name);
  return text;
}

std::string bits_text(const Field& field) {
  return field.high == field.low ? fmt::format("{}", field.high)
                                 : fmt::format("{}:{}", field.high, field.low);
}

}  // namespace pcilens::gui
