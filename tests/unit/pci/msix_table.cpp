#include "core/pci/msix_table.hpp"

#include "catch.hpp"
#include "pci/sample_function.hpp"

using namespace pcilens;

namespace {

struct Fixture {
  ConfigSpace config = sample::full();
  MsixTable table{*config.msix()};
  void control(std::uint32_t value) { config.write(*config.find_capability(0x11) + 2, 2, value); }
  void unmask(std::uint32_t vector) { table.write(0, 0x2000 + vector * 16 + 12, 4, 0); }
};

}  // namespace

TEST_CASE("the table covers its entries and its pending bits, nothing else") {
  Fixture f;
  CHECK(f.table.covers(0, 0x2000, 4));
  CHECK(f.table.covers(0, 0x2000 + 65 * 16 - 4, 4));
  CHECK_FALSE(f.table.covers(0, 0x2000 + 65 * 16, 4));
  CHECK_FALSE(f.table.covers(0, 0x1ffc, 4));
  CHECK(f.table.covers(0, 0x3008, 8));  // 65 vectors: two quadwords
  CHECK_FALSE(f.table.covers(0, 0x3010, 4));
  CHECK_FALSE(f.table.covers(2, 0x2000, 4));
}

TEST_CASE("every vector begins masked") {
  Fixture f;
  CHECK(f.table.vectors() == 65);
  for (std::uint32_t v = 0; v < 65; ++v) CHECK(f.table.read(0, 0x200c + v * 16, 4) == 1);
}

TEST_CASE("an entry takes address, data and mask, by dword or quadword") {
  Fixture f;
  f.table.write(0, 0x2030, 8, 0x1'fee0'1003);
  f.table.write(0, 0x2038, 8, 0xffff'fffe'0000'4041);
  CHECK(f.table.address(3) == 0x1'fee0'1000);
  CHECK(f.table.data(3) == 0x4041);
  CHECK(f.table.read(0, 0x203c, 4) == 0);  // of vector control only the mask is kept
  CHECK(f.table.read(0, 0x2030, 8) == 0x1'fee0'1000);
  CHECK(f.table.read(0, 0x2038, 4) == 0x4041);
}

TEST_CASE("a vector goes out when enabled and unmasked, else it becomes pending") {
  Fixture f;
  CHECK_FALSE(f.table.raise(64, f.config));  // disabled
  CHECK(f.table.read(0, 0x3000, 8) == 0);
  CHECK(f.table.read(0, 0x3008, 8) == 1);
  f.control(0x8000);
  CHECK_FALSE(f.table.raise(2, f.config));  // masked
  CHECK(f.table.read(0, 0x3000, 4) == 4);
  f.unmask(2);
  CHECK(f.table.raise(2, f.config));
  f.control(0xc000);
  CHECK_FALSE(f.table.raise(2, f.config));  // function mask
  CHECK_FALSE(f.table.raise(65, f.config));
}

TEST_CASE("a pending vector goes out once when its mask is lifted") {
  Fixture f;
  f.control(0x8000);
  f.table.raise(1, f.config);
  f.table.raise(5, f.config);
  CHECK(f.table.take_unmasked(f.config).empty());
  f.unmask(5);
  CHECK(f.table.take_unmasked(f.config) == std::vector<std::uint32_t>{5});
  CHECK(f.table.take_unmasked(f.config).empty());
  CHECK(f.table.read(0, 0x3000, 8) == 2);
}

TEST_CASE("pending bits cannot be written") {
  Fixture f;
  f.table.write(0, 0x3000, 8, ~0ull);
  CHECK(f.table.read(0, 0x3000, 8) == 0);
}

TEST_CASE("a reset masks every vector and drops what is pending") {
  Fixture f;
  f.control(0x8000);
  f.table.raise(1, f.config);
  f.table.write(0, 0x2000, 8, 0xfee00000);
  f.table.reset();
  CHECK(f.table.address(0) == 0);
  CHECK(f.table.read(0, 0x3000, 8) == 0);
  CHECK(f.table.read(0, 0x200c, 4) == 1);
}
