#include <algorithm>
#include <random>

#include "catch.hpp"
#include "core/pci/config_space.hpp"
#include "pci/sample_function.hpp"

using namespace pcilens;

namespace {

const ConfigItem* named(const std::vector<ConfigItem>& items, std::string_view name) {
  const auto found =
      std::find_if(items.begin(), items.end(), [&](const ConfigItem& i) { return i.name == name; });
  return found == items.end() ? nullptr : &*found;
}

}  // namespace

TEST_CASE("config space is described by the names a person would use") {
  ConfigSpace config = sample::full();
  const auto items = describe_config(config.bytes());
  REQUIRE(named(items, "COMMAND"));
  CHECK(named(items, "COMMAND")->offset == cfg::kCommand);
  CHECK(named(items, "COMMAND")->capability == "header");
  const std::uint16_t msix = *config.find_capability(0x11);
  REQUIRE(named(items, "MSIX.CTRL"));
  CHECK(named(items, "MSIX.CTRL")->offset == msix + 2);
  CHECK(named(items, "MSIX.CTRL")->capability == "MSI-X");
  CHECK(named(items, "PCIE.DEVCTL2"));
  CHECK(named(items, "MSI.PENDING"));
  CHECK(named(items, "DSN.HIGH"));
  REQUIRE(named(items, "BAR1"));
  CHECK(named(items, "BAR1")->fields.empty());  // the upper half of BAR0
  CHECK_FALSE(named(items, "BAR2")->fields.empty());
}

TEST_CASE("fields that are described as writable are those the function lets be written") {
  ConfigSpace config = sample::full();
  for (const ConfigItem& item : describe_config(config.bytes()))
    for (const Field& field : item.fields) {
      const auto bits = [&](std::span<const std::byte, kConfigSize> mask) {
        std::uint64_t value = 0;
        for (unsigned i = 0; i < item.width; ++i)
          value |= std::to_integer<std::uint64_t>(mask[item.offset + i]) << (i * 8);
        return field.extract(value);
      };
      INFO(item.name << "." << field.name);
      if (field.access == Access::RO) CHECK(bits(config.write_mask()) == 0);
      if (field.access != Access::W1C) CHECK(bits(config.w1c_mask()) == 0);
    }
}

TEST_CASE("two capabilities of one kind are told apart") {
  ConfigSpace config({.vendor = 1}, {});
  config.add_vendor({});
  const auto second = config.add_vendor({});
  REQUIRE(second == 0x44);
  const auto items = describe_config(config.bytes());
  CHECK(named(items, "VENDOR_CAP.ID"));
  CHECK(named(items, "VENDOR_CAP@44.ID"));
}

TEST_CASE("a list that loops, leads outside or is all ones ends the walk") {
  ConfigSpace config = sample::full();
  const std::uint16_t pm = *config.find_capability(0x01);
  config.set(pm + 1, 1, pm);
  CHECK(named(describe_config(config.bytes()), "PM.ID"));
  config.set(0x102, 2, 0x1001);  // points to itself
  CHECK(describe_config(config.bytes()).size() < 100);
  CHECK(config.find_capability(0x77) == std::nullopt);
  const std::vector<std::byte> ones(kConfigSize, std::byte{0xff});
  CHECK(describe_config(ones).size() < 50);
  for (std::size_t size : {0u, 1u, 63u, 64u, 255u, 256u, 257u, 4095u, 5000u})
    CHECK_NOTHROW(describe_config(std::vector<std::byte>(size, std::byte{0x48})));
}

TEST_CASE("any bytes are described without overlap") {
  std::mt19937 random(7);
  std::vector<std::byte> bytes(kConfigSize);
  for (int round = 0; round < 300; ++round) {
    for (std::byte& b : bytes) b = static_cast<std::byte>(random());
    bytes[cfg::kStatus] |= std::byte{0x10};
    bytes[cfg::kHeaderType] &= std::byte{0x80};
    std::size_t end = 0;
    for (const ConfigItem& item : describe_config(bytes)) {
      REQUIRE(item.offset >= end);
      end = item.offset + item.width;
    }
    REQUIRE(end <= kConfigSize);
  }
}
