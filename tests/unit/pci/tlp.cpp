#include "core/pci/tlp.hpp"

#include "catch.hpp"

using namespace pcilens;

namespace {

// The worked examples of "Down to the TLP: How PCI express devices talk" (Eli Billauer,
// xillybus.com), which follow the specification's figures byte by byte.
constexpr std::uint64_t kExampleAddress = 0xfdaff040;

Transaction access(Kind kind, std::uint64_t offset, std::uint32_t size) {
  return {.offset = offset, .size = size, .kind = kind, .status = Status::SC, .bar = 0};
}

std::string field(const Tlp& tlp, const std::string& name) {
  for (const TlpField& f : tlp.fields)
    if (f.name == name) return f.value;
  return "none";
}

}  // namespace

TEST_CASE("a write of one dword below 4 GiB has the header of the worked example") {
  const auto x = tlp_exchange(access(Kind::MemWrite, 0x40, 4),
                              {.root = 0, .function = 0x100, .bar_address = 0xfdaff000});
  REQUIRE(x.packets.size() == 1);  // posted: no completion
  CHECK(x.packets[0].name == "MWr");
  CHECK(x.packets[0].count == 3);
  CHECK(x.packets[0].words[0] == 0x40000001);
  CHECK(x.packets[0].words[1] == 0x0000000f);
  CHECK(x.packets[0].words[2] == kExampleAddress);
}

TEST_CASE("a read of one dword and its completion have the headers of the worked example") {
  const auto x = tlp_exchange(access(Kind::MemRead, 0x40, 4),
                              {.root = 0, .function = 0x100, .bar_address = 0xfdaff000});
  REQUIRE(x.packets.size() == 2);
  CHECK(x.packets[0].words[0] == 0x00000001);
  CHECK(x.packets[0].words[1] == 0x0000000f);  // the example's tag is 0x0c; ours is not recorded
  CHECK(x.packets[0].words[2] == kExampleAddress);
  CHECK(x.packets[1].name == "CplD");
  CHECK(x.packets[1].words[0] == 0x4a000001);
  CHECK(x.packets[1].words[1] == 0x01000004);
  CHECK(x.packets[1].words[2] == 0x00000040);
}

TEST_CASE("an address above 4 GiB takes a fourth word") {
  const auto x = tlp_exchange({.offset = 0x1'2345'6780,
                               .size = 64,
                               .kind = Kind::DmaWrite,
                               .status = Status::SC,
                               .bar = kBarDma},
                              {.function = 0x0208});
  REQUIRE(x.packets.size() == 1);
  CHECK(x.packets[0].count == 4);
  CHECK(x.packets[0].words[0] == 0x60000010);  // Fmt 011, 16 dwords
  CHECK(x.packets[0].words[1] == 0x020800ff);
  CHECK(x.packets[0].words[2] == 0x00000001);
  CHECK(x.packets[0].words[3] == 0x23456780);
}

TEST_CASE("byte enables say which bytes of the first and last dword count") {
  // 2.2.5: 6 bytes from offset 3: the last of the first dword, one whole, the first of the third.
  const auto x = tlp_exchange(access(Kind::MemRead, 3, 6), {});
  CHECK(x.packets[0].words[0] == 3);
  CHECK((x.packets[0].words[1] & 0xff) == 0x18);
  CHECK(field(x.packets[0], "First DW BE") == "0b1000");
  CHECK(field(x.packets[0], "Last DW BE") == "0b0001");
  CHECK((x.packets[1].words[1] & 0xfff) == 6);
  CHECK((x.packets[1].words[2] & 0x7f) == 3);
}

TEST_CASE("one dword has no last byte enables") {
  const auto x = tlp_exchange(access(Kind::MemWrite, 2, 1), {});
  CHECK((x.packets[0].words[1] & 0xff) == 0x04);
}

TEST_CASE("a config read names bus, device, function and register of its completer") {
  // 2.2.7.1, figure 2-19: 00:04.0, byte 0x100 = extended register 1, register 0.
  Transaction t = access(Kind::CfgRead, 0x102, 2);
  t.bar = kBarConfig;
  const auto x = tlp_exchange(t, {.function = *routing_id("00:04.0")});
  REQUIRE(x.packets.size() == 2);
  CHECK(x.packets[0].words[0] == 0x04000001);
  CHECK(x.packets[0].words[1] == 0x0000000c);
  CHECK(x.packets[0].words[2] == 0x00200100);
  CHECK(x.packets[1].words[0] == 0x4a000001);
  CHECK(x.packets[1].words[1] == 0x00200004);
}

TEST_CASE("a config write completes without data") {
  Transaction t = access(Kind::CfgWrite, 4, 2);
  t.bar = kBarConfig;
  const auto x = tlp_exchange(t, {.function = 0x20});
  CHECK(x.packets[0].words[0] == 0x44000001);
  CHECK(x.packets[1].name == "Cpl");
  CHECK(x.packets[1].words[0] == 0x0a000000);
}

TEST_CASE("an unsupported request is a completion without data and status 001") {
  Transaction t = access(Kind::MemRead, 0, 4);
  t.status = Status::UR;
  const auto x = tlp_exchange(t, {.function = 0x20});
  CHECK(x.packets[1].name == "Cpl");
  CHECK((x.packets[1].words[1] >> 13 & 7) == 1);
}

TEST_CASE("a transfer is cut at the largest payload and at 4 KiB boundaries") {
  const Transaction t{.offset = 0x10'0f80,
                      .size = 4096,
                      .kind = Kind::DmaWrite,
                      .status = Status::SC,
                      .bar = kBarDma};
  const auto x = tlp_exchange(t, {.max_payload = 256});
  CHECK(field(x.packets[0], "Length") == "32 dwords");  // 128 bytes up to the boundary
  CHECK(x.requests == 17);                              // 128, 15 of 256, 128
  CHECK(tlp_exchange({.offset = 0x10'0000,
                      .size = 1u << 20,
                      .kind = Kind::DmaRead,
                      .status = Status::SC,
                      .bar = kBarDma},
                     {.max_read_request = 512})
            .requests == 2048);
}

TEST_CASE("a length of 1024 dwords is written as 0") {
  const auto x = tlp_exchange({.offset = 0x10'0000,
                               .size = 4096,
                               .kind = Kind::DmaWrite,
                               .status = Status::SC,
                               .bar = kBarDma},
                              {.max_payload = 4096});
  CHECK(x.packets[0].words[0] == 0x40000000);
}

TEST_CASE("an INTx level is a message of four words") {
  const auto x = tlp_exchange({.offset = 0x10000,
                               .value = 1,
                               .kind = Kind::Irq,
                               .status = Status::SC,
                               .bar = kBarInterrupt},
                              {.function = 0x0100});
  REQUIRE(x.packets.size() == 1);
  CHECK(x.packets[0].count == 4);
  CHECK(x.packets[0].words[0] == 0x34000000);
  CHECK(x.packets[0].words[1] == 0x01000020);
}

TEST_CASE("an MSI is a write of one dword to the address that the driver gave") {
  const Transaction t{.offset = 2, .kind = Kind::Irq, .status = Status::SC, .bar = kBarInterrupt};
  const auto x = tlp_exchange(
      t, {.function = 0x0100, .msi = TlpEnds::Message{.address = 0xfee01004, .data = 0x4022}});
  REQUIRE(x.packets.size() == 1);
  CHECK(x.packets[0].name == "MWr");
  CHECK(x.packets[0].count == 3);
  CHECK(x.packets[0].words[0] == 0x40000001);
  CHECK(x.packets[0].words[1] == 0x0100000f);
  CHECK(x.packets[0].words[2] == 0xfee01004);
  CHECK(x.packets[0].fields.back().value == "0x00004022");
}

TEST_CASE("an MSI-X message says which entry of its table the driver wrote its address to") {
  const auto x =
      tlp_exchange({.offset = 2, .kind = Kind::Irq, .status = Status::SC, .bar = kBarInterrupt},
                   {.msix_entry = "BAR0+0x2020"});
  CHECK(x.packets.empty());
  CHECK(x.note.find("BAR0+0x2020, the vector's entry") != std::string::npos);
}

TEST_CASE("what is no packet says so") {
  CHECK(tlp_exchange({.kind = Kind::DmaMap}, {}).packets.empty());
  CHECK_FALSE(tlp_exchange({.kind = Kind::DmaMap}, {}).note.empty());
  CHECK_FALSE(tlp_exchange({.kind = Kind::Control}, {}).note.empty());
}

TEST_CASE("a routing ID is read from its usual spelling") {
  CHECK(routing_id("00:1f.7") == 0x00ff);
  CHECK(routing_id("0000:02:01.0") == 0x0208);
  CHECK_FALSE(routing_id("02:20.0").has_value());
  CHECK_FALSE(routing_id("02:01").has_value());
  CHECK_FALSE(routing_id("").has_value());
  CHECK(routing_id_text(0x0208) == "02:01.0");
}
