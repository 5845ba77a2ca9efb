#include "core/registers/map_json.hpp"

#include <random>

#include "catch.hpp"
#include "core/registers/lookup.hpp"
#include "registers/sample_map.hpp"

using namespace pcilens;

namespace {

// Every member of every type at a value that is not its default.
constexpr EnumValue kValues[] = {{3, "THREE", "the third"}, {0, "NONE"}};
constexpr Field kFields[] = {
    {.name = "MODE",
     .high = 7,
     .low = 4,
     .access = Access::W1C,
     .doc = "a \"mode\"\\",
     .spec = "section 1",
     .values = kValues},
    {.name = "LOW", .high = 3, .low = 0, .access = Access::RO},
};
constexpr Register kAll{.name = "ALL",
                        .offset = 0x18,
                        .width = 8,
                        .reset = 0xfedc'ba98'7654'3210,
                        .access = Access::Reserved,
                        .fields = kFields,
                        .doc = "doc \xc3\xa9",
                        .spec = "spec",
                        .count = 3,
                        .stride = 24,
                        .element_name = "A[%].ALL",
                        .peek_has_effect = true};
constexpr Register kPlain{.name = "PLAIN", .offset = 0x100};
constexpr Register kByte{.name = "B", .offset = 0x105, .width = 1, .access = Access::WO};
constexpr MemoryRegion kRegion{.name = "MEM", .offset = 0x200, .size = 0x80, .doc = "bytes"};
constexpr MemoryRegion kDirect{.name = "PLAIN", .offset = 0x1000, .size = 0x1000, .direct = true};
constexpr StructureField kMembers[] = {
    {.name = "OPC", .offset = 0, .width = 1, .doc = "opcode"},
    {.name = "CDW", .offset = 8, .width = 8, .fields = kFields},
};
constexpr Structure kStructure{
    .name = "SQE", .size = 64, .members = kMembers, .doc = "an entry", .spec = "4.2"};
constexpr const Register* kRegisters[] = {&kAll, &kPlain, &kByte};
constexpr const MemoryRegion* kRegions[] = {&kRegion, &kDirect};
constexpr const Structure* kStructures[] = {&kStructure};
constexpr RegisterMap kMap{.name = "every",
                           .bar = 4,
                           .size = 0x2000,
                           .registers = kRegisters,
                           .regions = kRegions,
                           .structures = kStructures};
static_assert(well_formed(kMap));

void same(std::span<const Field> a, std::span<const Field> b) {
  REQUIRE(a.size() == b.size());
  for (std::size_t i = 0; i < a.size(); ++i) {
    CHECK(a[i].name == b[i].name);
    CHECK(a[i].high == b[i].high);
    CHECK(a[i].low == b[i].low);
    CHECK(a[i].access == b[i].access);
    CHECK(a[i].doc == b[i].doc);
    CHECK(a[i].spec == b[i].spec);
    REQUIRE(a[i].values.size() == b[i].values.size());
    for (std::size_t v = 0; v < a[i].values.size(); ++v) {
      CHECK(a[i].values[v].value == b[i].values[v].value);
      CHECK(a[i].values[v].name == b[i].values[v].name);
      CHECK(a[i].values[v].doc == b[i].values[v].doc);
    }
  }
}

void same(const RegisterMap& a, const RegisterMap& b) {
  CHECK(a.name == b.name);
  CHECK(a.bar == b.bar);
  CHECK(a.size == b.size);
  REQUIRE(a.registers.size() == b.registers.size());
  for (std::size_t i = 0; i < a.registers.size(); ++i) {
    const Register &x = *a.registers[i], &y = *b.registers[i];
    INFO(x.name);
    CHECK(x.name == y.name);
    CHECK(x.offset == y.offset);
    CHECK(x.width == y.width);
    CHECK(x.reset == y.reset);
    CHECK(x.access == y.access);
    same(x.fields, y.fields);
    CHECK(x.doc == y.doc);
    CHECK(x.spec == y.spec);
    CHECK(x.count == y.count);
    CHECK(x.stride == y.stride);
    CHECK(x.element_name == y.element_name);
    CHECK(x.peek_has_effect == y.peek_has_effect);
  }
  REQUIRE(a.regions.size() == b.regions.size());
  for (std::size_t i = 0; i < a.regions.size(); ++i) {
    CHECK(a.regions[i]->name == b.regions[i]->name);
    CHECK(a.regions[i]->offset == b.regions[i]->offset);
    CHECK(a.regions[i]->size == b.regions[i]->size);
    CHECK(a.regions[i]->doc == b.regions[i]->doc);
    CHECK(a.regions[i]->direct == b.regions[i]->direct);
  }
  REQUIRE(a.structures.size() == b.structures.size());
  for (std::size_t i = 0; i < a.structures.size(); ++i) {
    const Structure &x = *a.structures[i], &y = *b.structures[i];
    CHECK(x.name == y.name);
    CHECK(x.size == y.size);
    CHECK(x.doc == y.doc);
    CHECK(x.spec == y.spec);
    REQUIRE(x.members.size() == y.members.size());
    for (std::size_t m = 0; m < x.members.size(); ++m) {
      CHECK(x.members[m].name == y.members[m].name);
      CHECK(x.members[m].offset == y.members[m].offset);
      CHECK(x.members[m].width == y.members[m].width);
      CHECK(x.members[m].doc == y.members[m].doc);
      same(x.members[m].fields, y.members[m].fields);
    }
  }
}

std::string error_of(const std::string& json) {
  const auto map = map_from_json(json);
  return map ? "accepted" : map.error().message;
}

std::string with(const std::string& reg) {
  return R"({"name":"m","bar":0,"size":4096,"registers":[)" + reg + "]}";
}

}  // namespace

TEST_CASE("a register map comes back from JSON as it went") {
  for (const RegisterMap* map : {&kMap, &sample::kMap}) {
    const std::string json = map_to_json(*map);
    CHECK(json.find('\n') == std::string::npos);
    const auto back = map_from_json(json);
    INFO(json << (back ? "" : back.error().message));
    REQUIRE(back);
    same((*back)->map(), *map);
    CHECK(map_to_json(**back) == json);
  }
}

TEST_CASE("a copied map is the same and outlives the first") {
  std::shared_ptr<const OwnedRegisterMap> copy;
  {
    const auto first = copy_map(kMap);
    REQUIRE(first);
    const auto second = copy_map(**first);
    REQUIRE(second);
    copy = *second;
  }
  same(copy->map(), kMap);
  CHECK(RegisterLookup(*copy).find("A[2].ALL")->offset() == 0x48);
}

TEST_CASE("a builder sorts registers by offset") {
  RegisterMapBuilder builder;
  builder.add(Register{.name = std::string("LATE"), .offset = 8});
  builder.add(Register{.name = std::string("EARLY"), .offset = 0});
  const auto map = builder.finish("m", 0, 16);
  REQUIRE(map);
  CHECK((*map)->map().registers[0]->name == "EARLY");
  CHECK((*map)->map().registers[1]->name == "LATE");
}

TEST_CASE("bytes that are no UTF-8 do not break the JSON") {
  RegisterMapBuilder builder;
  builder.add(Register{.name = "A\xff", .offset = 0});
  const auto map = builder.finish("m\xc3", 0, 16);
  REQUIRE(map);
  CHECK(map_from_json(map_to_json(**map)).has_value());
}

TEST_CASE("JSON that is none, or no register map, is refused with one sentence") {
  const auto expect = [](const std::string& json, const std::string& reason) {
    const std::string error = error_of(json);
    INFO(json.substr(0, 200));
    INFO(error);
    CHECK(error.find(reason) != std::string::npos);
    CHECK(error.find('\n') == std::string::npos);
  };
  CHECK(error_of(with(R"({"name":"A"})")) == "accepted");
  expect("", "byte 1");
  expect("{", "byte 2");
  expect(std::string("\xff\xfe\0", 3), "byte 1");
  expect("[]", "must be an object");
  expect("{}", "power of two");
  expect(R"({"size":4096,"registers":{}})", "must be an array");
  expect(R"({"size":4096,"registers":[1]})", "must hold objects");
  expect(R"({"size":4096,"bar":6})", "BAR 6");
  expect(R"({"size":4096,"bar":-1})", "bar must be a whole number");
  expect(R"({"size":4095})", "power of two");
  expect(R"({"size":1e3})", "size must be a whole number");
  expect(with(R"({"name":1})"), "name must be a string");
  expect(with(R"({})"), "no name");
  expect(with(R"({"name":"A","access":"rw"})"), "none of RO, RW");
  expect(with(R"({"name":"A","width":3})"), "width of 3");
  expect(with(R"({"name":"A","width":300})"), "from 0 to 255");
  expect(with(R"({"name":"A","width":0})"), "width of 0");
  expect(with(R"({"name":"A","offset":18446744073709551612})"), "ends past");
  expect(with(R"({"name":"A","offset":18446744073709551616})"), "offset must be");
  expect(with(R"({"name":"A","count":4294967295,"stride":4})"), "ends past");
  expect(with(R"({"name":"A","count":4,"stride":0})"), "stride of 0");
  expect(with(R"({"name":"A","count":0})"), "no elements");
  expect(with(R"({"name":"A"},{"name":"B","offset":0})"), "overlap");
  expect(with(R"({"name":"A"},{"name":"A","offset":4})"), "same name");
  expect(with(R"({"name":"A","fields":[{"name":"F","high":32,"low":0}]})"), "outside");
  expect(with(R"({"name":"A","fields":[{"name":"F","high":0,"low":1}]})"), "outside");
  expect(with(R"({"name":"A","peek_has_effect":1})"), "true or false");
  expect(with(R"({"name":"A","fields":[{"name":"F","values":[{"value":2,"name":"X"}]}]})"),
         "cannot hold");
  expect(R"({"size":4096,"regions":[{"name":"R","offset":4095,"size":2}]})", "ends past");
  expect(R"({"size":8192,"regions":[{"name":"R","size":512,"direct":true}]})",
         "memory region R is direct, so it must begin and end at a multiple of 0x1000");
  expect(R"({"size":8192,"regions":[{"name":"R","size":4096,"direct":true},)"
         R"({"name":"S","offset":4096,"size":4096,"direct":true}]})",
         "memory region R and S are both direct");
  expect(R"({"size":4096,"regions":[{"name":"R","size":8},{"name":"S","offset":4,"size":8}]})",
         "shares bytes");
  expect(
      R"({"size":4096,"structures":[{"name":"S","size":4,"members":[{"name":"M","offset":1}]}]})",
      "ends past");
  expect(std::string(200'000, '['), "nested too deep");
  expect(R"({"size":4294967296,"registers":[{"name":"A","count":2000000,"stride":4}]})",
         "more than 1048576 registers");
}

TEST_CASE("any damage to a map's JSON is an error or a well-formed map, never a crash") {
  const std::string good = map_to_json(kMap);
  std::mt19937 random(5);
  int refused = 0;
  for (int round = 0; round < 3000; ++round) {
    std::string bad = good;
    for (int edits = 1 + static_cast<int>(random() % 3); edits > 0; --edits) {
      const std::size_t at = random() % bad.size(), n = random() % 12;
      switch (random() % 3) {
        case 0: bad.erase(at, n); break;
        case 1: bad[at] = static_cast<char>(random()); break;
        default: bad.insert(at, bad.substr(random() % bad.size(), n));
      }
    }
    const auto map = map_from_json(bad);
    if (map)
      REQUIRE(well_formed((*map)->map()));
    else
      ++refused;
  }
  CHECK(refused > 1000);
}

TEST_CASE("find_fault and well_formed agree on random maps") {
  std::mt19937 random(3);
  int good = 0, bad = 0;
  for (int round = 0; round < 20'000; ++round) {
    Register registers[3];
    const Register* pointers[3];
    static const char* const kNames[] = {"A", "B", "C", "A", ""};
    std::uint64_t offset = 0;
    for (int i = 0; i < 3; ++i) {
      registers[i] = {.name = kNames[random() % 12 == 0 ? random() % 5 : static_cast<unsigned>(i)],
                      .offset = offset,
                      .width = static_cast<std::uint8_t>(1u << random() % 3),
                      .count = 1 + static_cast<std::uint32_t>(random() % 4),
                      .stride = 4 * (1 + static_cast<std::uint32_t>(random() % 3))};
      offset += random() % 9 == 0 ? random() % 8 : 16 * (random() % 3) + 4;
      pointers[i] = &registers[i];
    }
    const RegisterMap map{.name = "m", .size = 64, .registers = pointers};
    const bool fault = find_fault(map).has_value();
    REQUIRE(fault == !well_formed(map));
    (fault ? bad : good) += 1;
  }
  CHECK(good > 500);
  CHECK(bad > 500);
}
