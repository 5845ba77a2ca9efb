#include "inspector-ui/commands/values.hpp"

#include <fmt/format.h>

#include "inspector-ui/commands/describe.hpp"
#include "inspector-ui/commands/wait.hpp"

namespace pcilens::ui {

Result<void> fits(const Spot& spot, std::uint64_t value) {
  if (spot.field != nullptr) {
    const std::uint64_t max = spot.field->mask() >> spot.field->low;
    if (value > max)
      return fail(fmt::format("{:#x} does not fit {}: it has {}, {:#x} at most", value, spot.name,
                              count_of(spot.field->bits(), "bit"), max));
  } else if ((value & ~mask_of_size(spot.place.size)) != 0) {
    return fail(fmt::format("{:#x} does not fit {}: it has {}", value, spot.name,
                            count_of(spot.place.size, "byte")));
  }
  return {};
}

Output value_output(const Spot& spot, std::uint64_t value) {
  Line line;
  const bool whole = (spot.ref && spot.ref.reg->width == spot.place.size) ||
                     (spot.item && spot.item->width == spot.place.size);
  line.add(spot.name, Style::Name).add(" = ");
  if (spot.field != nullptr) {
    line.add(field_value(*spot.field, value), Style::Strong);
    line.add("  of " + hex(value, spot.place.size), Style::Dim);
  } else {
    line.add(hex(value, spot.place.size), Style::Strong);
    if (whole) line.add("  " + decode(spot.fields, value), Style::Dim);
  }
  Output out(std::move(line));
  const std::uint64_t shown = spot.field != nullptr ? spot.field->extract(value) : value;
  out.json = fmt::format("{{\"place\":{},\"value\":{}}}", json_string(spot.name), shown);
  return out;
}

}  // namespace pcilens::ui
