#include "core/registers/map_json.hpp"

#include <deque>
#include <limits>
#include <nlohmann/json.hpp>
#include <vector>

#include "core/printable.hpp"

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
  if (region.direct) to["direct"] = true;
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

// Reads members and keeps the first error: after it, what comes out is not used any more. `where`
// stands before the member's name: "register CTRL: ".
class Reader {
 public:
  bool failed() const { return !error_.empty(); }
  const std::string& error() const { return error_; }
  void fail(std::string error) {
    if (error_.empty()) error_ = std::move(error);
  }

  template <typename T>
  T number(const Json& from, const char* name, T otherwise, const std::string& where) {
    const Json* value = member(from, name);
    if (!value) return otherwise;
    constexpr T kMax = std::numeric_limits<T>::max();
    if (value->is_number_unsigned() && value->get<std::uint64_t>() <= std::uint64_t{kMax})
      return static_cast<T>(value->get<std::uint64_t>());
    fail(where + name + " must be a whole number from 0 to " + std::to_string(kMax));
    return otherwise;
  }

  std::string_view text(const Json& from, const char* name, const std::string& where) {
    const Json* value = member(from, name);
    if (!value) return {};
    if (value->is_string()) return value->get_ref<const std::string&>();
    fail(where + name + " must be a string");
    return {};
  }

  bool truth(const Json& from, const char* name, const std::string& where) {
    const Json* value = member(from, name);
    if (!value) return false;
    if (value->is_boolean()) return value->get<bool>();
    fail(where + name + " must be true or false");
    return false;
  }

  // The objects of an array; none if there is no such member.
  const Json& list(const Json& from, const char* name, const std::string& where) {
    static const Json none = Json::array();
    const Json* value = member(from, name);
    if (!value) return none;
    if (!value->is_array()) {
      fail(where + name + " must be an array");
      return none;
    }
    for (const Json& item : *value)
      if (!item.is_object()) {
        fail(where + name + " must hold objects");
        return none;
      }
    return *value;
  }

  Access access(const Json& from, const std::string& where) {
    const std::string_view name = text(from, "access", where);
    if (name.empty()) return Access::RW;
    if (const auto found = access_named(name)) return *found;
    fail(where + "access \"" + std::string(name) +
         "\" is none of RO, RW, W1C, RC, RW1S, WO, reserved");
    return Access::RW;
  }

  std::string named(const char* what, const Json& item, const std::string& where) {
    return where + what + std::string(text(item, "name", where)) + ": ";
  }

 private:
  static const Json* member(const Json& from, const char* name) {
    const auto found = from.find(name);
    return found == from.end() ? nullptr : &*found;
  }

  std::string error_;
};

// The storage of named values must outlive the fields until the builder has copied them.
struct Fields {
  std::vector<Field> fields;
  std::deque<std::vector<EnumValue>> values;
};

Fields fields_of(Reader& reader, const Json& from, const std::string& owner) {
  Fields read;
  for (const Json& item : reader.list(from, "fields", owner)) {
    const std::string where = reader.named("field ", item, owner);
    Field f{.name = reader.text(item, "name", where),
            .high = reader.number<std::uint8_t>(item, "high", 0, where),
            .low = reader.number<std::uint8_t>(item, "low", 0, where),
            .access = reader.access(item, where),
            .doc = reader.text(item, "doc", where),
            .spec = reader.text(item, "spec", where)};
    auto& values = read.values.emplace_back();
    for (const Json& v : reader.list(item, "values", where))
      values.push_back({.value = reader.number<std::uint64_t>(v, "value", 0, where),
                        .name = reader.text(v, "name", where),
                        .doc = reader.text(v, "doc", where)});
    f.values = values;
    read.fields.push_back(f);
  }
  return read;
}

void add_register(Reader& reader, RegisterMapBuilder& builder, const Json& from) {
  const std::string where = reader.named("register ", from, "");
  const Fields read = fields_of(reader, from, where);
  builder.add(Register{.name = reader.text(from, "name", where),
                       .offset = reader.number<std::uint64_t>(from, "offset", 0, where),
                       .width = reader.number<std::uint8_t>(from, "width", 4, where),
                       .reset = reader.number<std::uint64_t>(from, "reset", 0, where),
                       .access = reader.access(from, where),
                       .fields = read.fields,
                       .doc = reader.text(from, "doc", where),
                       .spec = reader.text(from, "spec", where),
                       .count = reader.number<std::uint32_t>(from, "count", 1, where),
                       .stride = reader.number<std::uint32_t>(from, "stride", 0, where),
                       .element_name = reader.text(from, "element_name", where),
                       .peek_has_effect = reader.truth(from, "peek_has_effect", where)});
}

void add_region(Reader& reader, RegisterMapBuilder& builder, const Json& from) {
  const std::string where = reader.named("memory region ", from, "");
  builder.add(MemoryRegion{.name = reader.text(from, "name", where),
                           .offset = reader.number<std::uint64_t>(from, "offset", 0, where),
                           .size = reader.number<std::uint64_t>(from, "size", 0, where),
                           .doc = reader.text(from, "doc", where),
                           .direct = reader.truth(from, "direct", where)});
}

void add_structure(Reader& reader, RegisterMapBuilder& builder, const Json& from) {
  const std::string where = reader.named("structure ", from, "");
  std::deque<Fields> reads;
  std::vector<StructureField> members;
  for (const Json& item : reader.list(from, "members", where)) {
    const std::string inner = reader.named("member ", item, where);
    reads.push_back(fields_of(reader, item, inner));
    members.push_back({.name = reader.text(item, "name", inner),
                       .offset = reader.number<std::uint16_t>(item, "offset", 0, inner),
                       .width = reader.number<std::uint8_t>(item, "width", 4, inner),
                       .fields = reads.back().fields,
                       .doc = reader.text(item, "doc", inner)});
  }
  builder.add(Structure{.name = reader.text(from, "name", where),
                        .size = reader.number<std::uint32_t>(from, "size", 0, where),
                        .members = members,
                        .doc = reader.text(from, "doc", where),
                        .spec = reader.text(from, "spec", where)});
}

// Names and texts go to terminals, and a name into one line of a message.
void make_printable(Json& json) {
  for (auto it = json.begin(); it != json.end(); ++it) {
    if (it->is_structured()) make_printable(*it);
    if (!it->is_string()) continue;
    auto& text = it->get_ref<std::string&>();
    const bool name = json.is_object() && it.key().ends_with("name");
    text = printable(text, name ? kLongestName : ~std::size_t{0});
  }
}

// The library tells the place of an error only by throwing; it stays in here.
Json parsed(Reader& reader, std::string_view json) {
  bool too_deep = false;
  const auto shallow = [&](int depth, Json::parse_event_t, Json&) {
    too_deep |= depth > kMaxDepth;
    return !too_deep;  // false: what is deeper is not kept
  };
  try {
    Json from = Json::parse(json, shallow);
    if (too_deep) reader.fail("register map: its JSON is nested too deep");
    if (!too_deep && !from.is_object()) reader.fail("register map: the JSON must be an object");
    make_printable(from);
    return from;
  } catch (const Json::parse_error& error) {
    reader.fail(too_deep ? "register map: its JSON is nested too deep"
                         : "register map: byte " + std::to_string(error.byte) +
                               " of its JSON is not what it should be; is it cut off?");
    return {};
  }
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
  Reader reader;
  const Json from = parsed(reader, json);
  RegisterMapBuilder builder;
  for (const Json& item : reader.list(from, "registers", where))
    add_register(reader, builder, item);
  for (const Json& item : reader.list(from, "regions", where)) add_region(reader, builder, item);
  for (const Json& item : reader.list(from, "structures", where))
    add_structure(reader, builder, item);
  const auto name = reader.text(from, "name", where);
  const auto bar = reader.number<std::int8_t>(from, "bar", 0, where);
  const auto size = reader.number<std::uint64_t>(from, "size", 0, where);
  if (reader.failed()) return fail(reader.error() + "; correct the JSON");
  return builder.finish(name, bar, size);
}

}  // namespace pcilens
