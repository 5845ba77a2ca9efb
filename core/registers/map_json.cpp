#include "core/registers/map_json.hpp"

#include <deque>
#include <limits>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <vector>

namespace pcilens {
namespace {

using Json = nlohmann::ordered_json;

// Parsed JSON takes some twenty times its text: these keep a hostile one below half a gigabyte.
constexpr std::size_t kMaxBytes = 16u << 20;
constexpr int kMaxDepth = 16;

// ---- to JSON -----------------------------------------------------------------------------------

void put(Json& to, const char* name, std::string_view value) {
  if (!value.empty()) to[name] = std::string(value);
}

Json json_of(const Field& f) {
  Json to{{"name", std::string(f.name)}, {"high", f.high}, {"low", f.low}};
  if (f.access != Access::RW) to["access"] = std::string(name_of(f.access));
  put(to, "doc", f.doc);
  put(to, "spec", f.spec);
  for (const EnumValue& v : f.values) {
    Json value{{"value", v.value}, {"name", std::string(v.name)}};
    put(value, "doc", v.doc);
    to["values"].push_back(std::move(value));
  }
  return to;
}

void put(Json& to, std::span<const Field> fields) {
  for (const Field& f : fields) to["fields"].push_back(json_of(f));
}

Json json_of(const Register& r) {
  Json to{{"name", std::string(r.name)}, {"offset", r.offset}, {"width", r.width}};
  if (r.reset != 0) to["reset"] = r.reset;
  if (r.access != Access::RW) to["access"] = std::string(name_of(r.access));
  put(to, "doc", r.doc);
  put(to, "spec", r.spec);
  if (r.count != 1) to["count"] = r.count;
  if (r.stride != 0) to["stride"] = r.stride;
  put(to, "element_name", r.element_name);
  if (r.peek_has_effect) to["peek_has_effect"] = true;
  put(to, r.fields);
  return to;
}

Json json_of(const MemoryRegion& region) {
  Json to{{"name", std::string(region.name)}, {"offset", region.offset}, {"size", region.size}};
  put(to, "doc", region.doc);
  return to;
}

Json json_of(const Structure& s) {
  Json to{{"name", std::string(s.name)}, {"size", s.size}};
  put(to, "doc", s.doc);
  put(to, "spec", s.spec);
  for (const StructureField& f : s.members) {
    Json member{{"name", std::string(f.name)}, {"offset", f.offset}, {"width", f.width}};
    put(member, "doc", f.doc);
    put(member, f.fields);
    to["members"].push_back(std::move(member));
  }
  return to;
}

// ---- from JSON ---------------------------------------------------------------------------------

// A member that is not what it should be; leaves the reader as an Error.
struct Wrong : std::runtime_error {
  using std::runtime_error::runtime_error;
};

const Json* member(const Json& from, const char* name) {
  const auto found = from.find(name);
  return found == from.end() ? nullptr : &*found;
}

template <typename T>
T number(const Json& from, const char* name, T otherwise, const std::string& where) {
  const Json* value = member(from, name);
  if (!value) return otherwise;
  if (!value->is_number_unsigned() ||
      value->get<std::uint64_t>() > static_cast<std::uint64_t>(std::numeric_limits<T>::max()))
    throw Wrong(where + name + " must be a whole number from 0 to " +
                std::to_string(std::numeric_limits<T>::max()));
  return static_cast<T>(value->get<std::uint64_t>());
}

std::string_view text(const Json& from, const char* name, const std::string& where) {
  const Json* value = member(from, name);
  if (!value) return {};
  if (!value->is_string()) throw Wrong(where + name + " must be a string");
  return value->get_ref<const std::string&>();
}

const Json& list(const Json& from, const char* name, const std::string& where) {
  static const Json none = Json::array();
  const Json* value = member(from, name);
  if (!value) return none;
  if (!value->is_array()) throw Wrong(where + name + " must be an array");
  for (const Json& item : *value)
    if (!item.is_object()) throw Wrong(where + name + " must hold objects");
  return *value;
}

Access access(const Json& from, const std::string& where) {
  const std::string_view name = text(from, "access", where);
  if (name.empty()) return Access::RW;
  if (const auto found = access_named(name)) return *found;
  throw Wrong(where + "access \"" + std::string(name) +
              "\" is none of RO, RW, W1C, RC, RW1S, WO, reserved");
}

// The storage of named values must outlive the fields until the builder has copied them.
struct Fields {
  std::vector<Field> fields;
  std::deque<std::vector<EnumValue>> values;
};

Fields fields_of(const Json& from, const std::string& owner) {
  Fields read;
  for (const Json& item : list(from, "fields", owner)) {
    const std::string where = owner + "field " + std::string(text(item, "name", owner)) + ": ";
    Field f{.name = text(item, "name", where),
            .high = number<std::uint8_t>(item, "high", 0, where),
            .low = number<std::uint8_t>(item, "low", 0, where),
            .access = access(item, where),
            .doc = text(item, "doc", where),
            .spec = text(item, "spec", where)};
    auto& values = read.values.emplace_back();
    for (const Json& v : list(item, "values", where))
      values.push_back({.value = number<std::uint64_t>(v, "value", 0, where),
                        .name = text(v, "name", where),
                        .doc = text(v, "doc", where)});
    f.values = values;
    read.fields.push_back(f);
  }
  return read;
}

void add_register(RegisterMapBuilder& builder, const Json& from) {
  const std::string where = "register " + std::string(text(from, "name", "register: ")) + ": ";
  const Fields read = fields_of(from, where);
  bool peek_has_effect = false;
  if (const Json* value = member(from, "peek_has_effect")) {
    if (!value->is_boolean()) throw Wrong(where + "peek_has_effect must be true or false");
    peek_has_effect = value->get<bool>();
  }
  builder.add(Register{.name = text(from, "name", where),
                       .offset = number<std::uint64_t>(from, "offset", 0, where),
                       .width = number<std::uint8_t>(from, "width", 4, where),
                       .reset = number<std::uint64_t>(from, "reset", 0, where),
                       .access = access(from, where),
                       .fields = read.fields,
                       .doc = text(from, "doc", where),
                       .spec = text(from, "spec", where),
                       .count = number<std::uint32_t>(from, "count", 1, where),
                       .stride = number<std::uint32_t>(from, "stride", 0, where),
                       .element_name = text(from, "element_name", where),
                       .peek_has_effect = peek_has_effect});
}

void add_structure(RegisterMapBuilder& builder, const Json& from) {
  const std::string where = "structure " + std::string(text(from, "name", "structure: ")) + ": ";
  std::deque<Fields> reads;
  std::vector<StructureField> members;
  for (const Json& item : list(from, "members", where)) {
    const std::string inner = where + "member " + std::string(text(item, "name", where)) + ": ";
    reads.push_back(fields_of(item, inner));
    members.push_back({.name = text(item, "name", inner),
                       .offset = number<std::uint16_t>(item, "offset", 0, inner),
                       .width = number<std::uint8_t>(item, "width", 4, inner),
                       .fields = reads.back().fields,
                       .doc = text(item, "doc", inner)});
  }
  builder.add(Structure{.name = text(from, "name", where),
                        .size = number<std::uint32_t>(from, "size", 0, where),
                        .members = members,
                        .doc = text(from, "doc", where),
                        .spec = text(from, "spec", where)});
}

}  // namespace

std::string map_to_json(const RegisterMap& map) {
  Json to{{"name", std::string(map.name)}, {"bar", map.bar}, {"size", map.size}};
  Json registers = Json::array();
  for (const Register* r : map.registers) registers.push_back(json_of(*r));
  to["registers"] = std::move(registers);
  for (const MemoryRegion* region : map.regions) to["regions"].push_back(json_of(*region));
  for (const Structure* s : map.structures) to["structures"].push_back(json_of(*s));
  return to.dump(-1, ' ', false, Json::error_handler_t::replace);
}

Result<std::shared_ptr<const OwnedRegisterMap>> map_from_json(std::string_view json) {
  const std::string where = "register map: ";
  if (json.size() > kMaxBytes)
    return fail(where + "its JSON has more than 16 MiB; it is not one that pcilens wrote");
  try {
    const auto shallow = [&](int depth, Json::parse_event_t, Json&) {
      if (depth > kMaxDepth) throw Wrong(where + "its JSON is nested too deep");
      return true;
    };
    const Json from = Json::parse(json, shallow);
    if (!from.is_object()) throw Wrong(where + "the JSON must be an object");
    RegisterMapBuilder builder;
    for (const Json& item : list(from, "registers", where)) add_register(builder, item);
    for (const Json& item : list(from, "regions", where))
      builder.add(MemoryRegion{.name = text(item, "name", "region: "),
                               .offset = number<std::uint64_t>(item, "offset", 0, "region: "),
                               .size = number<std::uint64_t>(item, "size", 0, "region: "),
                               .doc = text(item, "doc", "region: ")});
    for (const Json& item : list(from, "structures", where)) add_structure(builder, item);
    return builder.finish(text(from, "name", where), number<std::int8_t>(from, "bar", 0, where),
                          number<std::uint64_t>(from, "size", 0, where));
  } catch (const Wrong& wrong) {
    return fail(std::string(wrong.what()) + "; correct the JSON");
  } catch (const Json::parse_error& error) {
    return fail(where + "byte " + std::to_string(error.byte) +
                " of its JSON is not what it should be; it may be cut off or no JSON at all");
  }
}

}  // namespace pcilens
