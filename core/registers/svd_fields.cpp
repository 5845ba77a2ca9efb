#include "core/registers/svd_fields.hpp"

#include <algorithm>
#include <cstring>

#include "core/registers/svd_values.hpp"

namespace pcilens::svd {

std::string_view Texts::keep(std::string text) {
  if (text.empty()) return {};
  bytes += text.size();
  return strings.emplace_back(std::move(text));
}

Properties Properties::refined(Document& document, const View& view) const {
  Properties mine = *this;
  mine.bits = document.number(view, "size", bits);
  mine.reset = document.number(view, "resetValue", reset);
  mine.reset_mask = document.number(view, "resetMask", reset_mask);
  if (const auto text = view.text("access"); !text.empty()) mine.access = text;
  if (const auto text = view.text("modifiedWriteValues"); !text.empty()) mine.write = text;
  if (const auto text = view.text("readAction"); !text.empty()) mine.read = text;
  return mine;
}

AccessRead FieldReader::access_of(const Properties& properties, const View& view,
                                  const std::string& where) {
  const auto note = [&](std::string_view what, const char* becomes) {
    document_.note(view.node(), where + ": " + std::string(what) +
                                    " has no counterpart; it is taken as " + becomes);
  };
  AccessRead result;
  const std::string_view access = properties.access;
  if (access == "read-only") {
    result.access = Access::RO;
  } else if (access == "write-only" || access == "writeOnce") {
    result.access = Access::WO;
  } else if (access != "read-write" && access != "read-writeOnce") {
    document_.fail(view.child("access") ? view.child("access") : view.node(),
                   "access \"" + one_line(access).substr(0, 64) +
                       "\" is none of read-only, write-only, read-write, writeOnce, "
                       "read-writeOnce");
    return result;
  }
  if (result.access == Access::RW && !properties.write.empty() && properties.write != "modify") {
    if (properties.write == "oneToClear")
      result.access = Access::W1C;
    else if (properties.write == "oneToSet")
      result.access = Access::RW1S;
    else
      note(one_line(properties.write).substr(0, 64), "read-write");
  }
  if (properties.read == "clear") {
    if (result.access == Access::RO)
      result.access = Access::RC;
    else if (result.access != Access::WO)
      note("a readAction of clear beside writing", "one without it");
  } else if (!properties.read.empty()) {
    result.read_has_effect = true;
  }
  return result;
}

bool FieldReader::range_of(const View& field, const std::string& where, std::uint64_t& high,
                           std::uint64_t& low) {
  if (field.child("bitRange")) {
    const auto range = bit_range(field.text("bitRange"));
    if (!range) {
      document_.fail(field.child("bitRange"), where + ": its bitRange is none; write [7:4]");
      return false;
    }
    high = range->high;
    low = range->low;
  } else if (field.child("lsb") || field.child("msb")) {
    low = document_.required_number(field, "lsb");
    high = document_.required_number(field, "msb");
  } else {
    low = document_.required_number(field, "bitOffset");
    const std::uint64_t bits = document_.number(field, "bitWidth", 1);
    if (bits == 0 || bits > 64) {
      document_.fail(field.node(), where + ": its bitWidth must be 1 to 64");
      return false;
    }
    high = low > 64 ? low : low + bits - 1;
  }
  return !document_.failed();
}

std::span<const EnumValue> FieldReader::values_of(const View& field, unsigned bits,
                                                  const std::string& where) {
  // There may be one for reading and one for writing: what a read gives is what a decode shows.
  pugi::xml_node chosen;
  for (const pugi::xml_node& holder : field.chain()) {
    for (const pugi::xml_node& one : holder.children("enumeratedValues"))
      if (!chosen || trimmed(chosen.child("usage").text().get()) == "write") chosen = one;
    if (chosen) break;
  }
  if (!chosen) return {};
  for (int steps = 0; const auto from = chosen.attribute("derivedFrom"); ++steps) {
    const pugi::xml_node base = document_.values_named(chosen, trimmed(from.value()));
    if (!base || steps > 16) {
      document_.fail(chosen, where + ": derivedFrom=\"" + one_line(from.value()).substr(0, 64) +
                                 "\": no enumeratedValues of this name, or a circle; correct it");
      return {};
    }
    chosen = base;
  }
  auto& values = texts_.values.emplace_back();
  for (const pugi::xml_node& one : chosen.children("enumeratedValue")) {
    if (!document_.spend(1, one)) return {};
    const std::string_view text = trimmed(one.child("value").text().get());
    if (text.empty()) continue;  // isDefault: the name of all other values
    if (text.find_first_of("xX") != std::string_view::npos &&
        (text.starts_with('#') || text.starts_with("0b"))) {
      document_.note(one, where + ": a value with bits that do not matter is left out");
      continue;
    }
    const auto value = svd::number(text);
    if (!value || (bits < 64 && *value >> bits != 0)) {
      document_.fail(one, where + ": the value " + one_line(text).substr(0, 64) +
                              " is no number of its " + std::to_string(bits) + " bits");
      return {};
    }
    std::string name = one_line(one.child("name").text().get());
    if (name.empty()) name = std::to_string(*value);
    values.push_back({.value = *value,
                      .name = texts_.keep(std::move(name)),
                      .doc = texts_.keep(one_line(one.child("description").text().get()))});
  }
  return values;
}

void FieldReader::add(std::vector<Field>& fields, const Field& field, pugi::xml_node node,
                      unsigned width, const std::string& where) {
  const std::string what = where + "." + std::string(field.name) + ": bits " +
                           std::to_string(field.high) + ':' + std::to_string(field.low);
  if (field.high < field.low || field.high >= width)
    return document_.fail(
        node, what + " lie outside its register's " + std::to_string(width) + "; correct them");
  for (const Field& other : fields) {
    if (other.name == field.name)
      return document_.fail(
          node, where + ": two fields are called " + std::string(field.name) + "; rename one");
    if ((other.mask() & field.mask()) == 0) continue;
    // One meaning for reading and one for writing of the same bits is legal; a decode shows reads.
    if ((other.access == Access::RO || other.access == Access::RC) && field.access == Access::WO) {
      document_.note(node, what + " are read as another field; this one is left out");
      return;
    }
    return document_.fail(node,
                          what + " overlap those of " + std::string(other.name) + "; correct one");
  }
  fields.push_back(field);
}

std::span<const Field> FieldReader::read(const View& reg, const Properties& properties,
                                         const std::string& where, bool& read_has_effect) {
  auto& fields = texts_.fields.emplace_back();
  for (const pugi::xml_node& node : document_.members(reg, "fields", "field", "field")) {
    const View view = document_.view(node, reg);
    const std::string name = document_.name(view);
    const std::string place = where + '.' + name;
    std::uint64_t high = 0, low = 0;
    if (document_.failed() || !range_of(view, place, high, low)) return {};
    if (high < low || high > 63) {
      document_.fail(node, place + ": bits " + std::to_string(high) + ':' + std::to_string(low) +
                               " lie outside its register's " + std::to_string(properties.bits) +
                               "; correct them");
      return {};
    }
    // A size is of registers; a field inherits the rest.
    const AccessRead access = access_of(properties.refined(document_, view), view, place);
    read_has_effect |= access.read_has_effect;
    Field field{.high = static_cast<std::uint8_t>(high),
                .low = static_cast<std::uint8_t>(low),
                .access = access.access,
                .doc = texts_.keep(one_line(view.text("description")))};
    field.values = values_of(view, field.bits(), place);
    const std::uint64_t dim = view.child("dim") ? document_.required_number(view, "dim") : 1;
    const std::uint64_t step = dim > 1 ? document_.required_number(view, "dimIncrement") : 0;
    const auto mark = name.find("%s");
    if (dim == 0 || dim > 64 || step > 64 || (view.child("dim") && mark == std::string::npos)) {
      document_.fail(node, place +
                               ": an array of fields needs a dim and a dimIncrement of 1 to 64 "
                               "and %s in its name");
      return {};
    }
    const auto names = indices(view.text("dimIndex"), 64);
    for (std::uint64_t i = 0; i < dim && !document_.failed(); ++i) {
      std::string one = name;
      if (view.child("dim"))
        one.replace(mark, 2, names.size() == dim ? names[i] : std::to_string(i));
      Field copy = field;
      copy.name = texts_.keep(std::move(one));
      // 64 steps of 64 bits pass 255: the check below must see it.
      copy.high = static_cast<std::uint8_t>(std::min<std::uint64_t>(high + i * step, 255));
      copy.low = static_cast<std::uint8_t>(std::min<std::uint64_t>(low + i * step, 255));
      add(fields, copy, node, static_cast<unsigned>(properties.bits), where);
    }
    if (document_.failed()) return {};
  }
  // Fields are declared from bit 0 up, as they are shown.
  std::sort(fields.begin(), fields.end(),
            [](const Field& a, const Field& b) { return a.low < b.low; });
  return fields;
}

}  // namespace pcilens::svd
