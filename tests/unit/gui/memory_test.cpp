#include "inspector-ui/models/memory.hpp"

#include <numeric>

#include "catch.hpp"

using namespace pcilens;
using namespace pcilens::gui;

namespace {

constexpr Field kFlagFields[] = {{.name = "LAST", .high = 0, .low = 0},
                                 {.name = "TAG", .high = 15, .low = 8}};
constexpr StructureField kMembers[] = {{.name = "ADDRESS", .offset = 0, .width = 8},
                                       {.name = "FLAGS", .offset = 8, .fields = kFlagFields},
                                       {.name = "LENGTH", .offset = 12, .width = 2}};
constexpr Structure kDescriptor{.name = "DESC", .size = 16, .members = kMembers};
constexpr Structure kOther{.name = "OTHER", .size = 64};
constexpr Structure kThird{.name = "THIRD", .size = 64};

std::vector<std::byte> bytes(std::initializer_list<int> values) {
  std::vector<std::byte> all;
  for (const int v : values) all.push_back(static_cast<std::byte>(v));
  return all;
}

}  // namespace

TEST_CASE("a hex row has its bytes in two groups and what can be printed of them") {
  // The golden is what `printf 'pcilens\x00\x01\x02\xff' | xxd -g1` shows.
  const auto row =
      hex_row(0x100040, bytes({0x70, 0x63, 0x69, 0x6c, 0x65, 0x6e, 0x73, 0x00, 0x01, 0x02, 0xff}));
  CHECK(row.address == "0x00100040");
  CHECK(row.bytes == "70 63 69 6c 65 6e 73 00  01 02 ff               ");
  CHECK(row.text == "pcilens....");
}

TEST_CASE("a structure shows its members in little-endian, with their fields") {
  const auto data = bytes({0x00, 0x10, 0, 0, 0, 0, 0, 0, 0x01, 0x2a, 0, 0, 0x00, 0x02, 0, 0});
  const auto rows = member_rows(kDescriptor, data);
  REQUIRE(rows.size() == 3);
  CHECK(rows[0].value == "0x0000000000001000");
  CHECK(rows[1].offset == "+0x08");
  CHECK(rows[1].meaning == "LAST=1 TAG=0x2a");
  CHECK(rows[2].value == "0x0200");
  CHECK(entry_line(kDescriptor, data) == "ADDRESS=0x1000 LAST=1 TAG=0x2a LENGTH=0x200");
}

TEST_CASE("members that memory does not reach are left out") {
  CHECK(member_rows(kDescriptor, bytes({1, 2, 3, 4, 5, 6, 7, 8})).size() == 1);
}

TEST_CASE("an entry without a set bit says so") {
  CHECK(entry_line(kDescriptor, std::vector<std::byte>(16)) == "all 0");
}

TEST_CASE("a transfer's size names a structure only when one alone has it") {
  CHECK(structure_of_size({&kDescriptor, &kOther}, 64) == &kOther);
  CHECK(structure_of_size({&kThird, &kOther}, 64) == nullptr);
  CHECK(structure_of_size({&kDescriptor}, 17) == nullptr);
}

TEST_CASE("sizes are told in the unit that fits") {
  CHECK(size_text(16) == "16 B");
  CHECK(size_text(4096) == "4 KiB");
  CHECK(size_text(6144) == "6 KiB");
  CHECK(size_text(1536) == "1.5 KiB");
  CHECK(size_text(1u << 20) == "1 MiB");
}
