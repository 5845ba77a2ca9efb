// How places and values are written on every screen.
#include "core/host/host.hpp"
#include "expression_fixture.hpp"

using namespace example;

namespace {

Names only(std::size_t function) {
  Names n;
  n.functions.push_back(names()->functions[function]);
  return n;
}

Transaction memory(std::uint64_t offset, std::uint32_t size = 4) {
  Transaction t;
  t.kind = Kind::MemWrite;
  t.bar = 0;
  t.offset = offset;
  t.size = size;
  return t;
}

Transaction config(std::uint64_t offset, std::uint32_t size) {
  Transaction t = memory(offset, size);
  t.kind = Kind::CfgRead;
  t.bar = kBarConfig;
  return t;
}

Transaction other(Kind kind, std::uint64_t offset, std::uint64_t value = 0) {
  Transaction t;
  t.kind = kind;
  t.offset = offset;
  t.value = value;
  return t;
}

}  // namespace

TEST_CASE("a memory access is placed by its register, a part of one, or its offset") {
  const Names n = only(kNvme0);
  CHECK(n.place(memory(0x14)) == "CC");
  CHECK(n.place(memory(0x1018)) == "SQ[3].TDBL");
  CHECK(n.place(memory(0x88)) == "GPR[2]");
  CHECK(n.place(memory(0x16, 2)) == "CC+2");
  CHECK(n.place(memory(0x2c)) == "ASQ+4");
  CHECK(n.place(memory(0x10, 8)) == "INTMC+CC");
  CHECK(n.place(memory(0x0c, 12)) == "INTMS..CC");
  CHECK(n.place(memory(0x40)) == "BAR0+0x40");
  Transaction t = memory(0x40);
  t.bar = 2;
  CHECK(n.place(t) == "BAR2+0x40");
  CHECK(only(kEdu0).place(memory(0x40010)) == "BUFFER+0x10");
}

TEST_CASE("a config access is placed by the header's and the capabilities' names") {
  const Names n = only(kNvme0);
  CHECK(n.place(config(4, 2)) == "COMMAND");
  CHECK(n.place(config(4, 4)) == "COMMAND+STATUS");
  CHECK(n.place(config(0x40, 1)).substr(0, 3) == "PM.");
  CHECK(n.place(config(0xf00, 4)) == "config+0xf00");
  CHECK(only(kEdu0).place(config(0x40, 1)) == "config+0x40");
}

TEST_CASE("what is no access is placed by its number") {
  const Names n = only(kNvme0);
  CHECK(n.place(other(Kind::Irq, 3)) == "vector 3");
  CHECK(n.place(other(Kind::Irq, kIntxVector)) == "INTx");
  CHECK(n.place(other(Kind::DmaWrite, 0x1000)) == "IOVA 0x1000");
  CHECK(n.place(other(Kind::Timer, 2)) == "timer 2");
  CHECK(n.place(other(Kind::Reset, 0, 1)) == "FLR");
  CHECK(n.place(other(Kind::Gap, 0)).empty());
}

TEST_CASE("with several functions the instance stands before the place") {
  Transaction t = memory(0x20);
  t.function = kEdu0;
  CHECK(names()->place(t) == "edu0:STATUS");
  t.function = 9;
  CHECK(names()->place(t) == "BAR0+0x20");
}

TEST_CASE("the place of an access to one register is an expression that matches it") {
  for (std::uint64_t offset : {0x14, 0x1018, 0x88, 0x40}) {
    const Transaction t = memory(offset);
    const Expression e = compiled(names()->place(t));
    CHECK(e.matches({t, Phase::Before, LastValues(), *names()}));
  }
}

TEST_CASE("a value is written field by field, by name where a value has one") {
  CHECK(Names::decode(kCc, 0x464001) == "EN=1 CSS=0 SHN=NORMAL IOSQES=6 IOCQES=4");
  CHECK(Names::decode(kAqa, 0x1f001f) == "0x1f001f");
  CHECK(Names::decode(kSq, 0x10) == "TAIL=0x10");
}

TEST_CASE("a part of a register is decoded with the fields of the bits that it carries") {
  const Names n = only(kNvme0);
  const auto carrying = [](std::uint64_t offset, std::uint32_t size, std::uint64_t value) {
    Transaction t = memory(offset, size);
    t.value = value;
    return t;
  };
  CHECK(n.decode(carrying(0x14, 4, 0x464001)) == "EN=1 CSS=0 SHN=NORMAL IOSQES=6 IOCQES=4");
  CHECK(n.decode(carrying(0x16, 2, 0x46)) == "IOSQES=6 IOCQES=4");
  CHECK(n.decode(carrying(0x14, 1, 0x01)) == "EN=1 CSS=0");
  CHECK(n.decode(carrying(0x10, 8, 0x0046400100000000)).empty());  // two registers
  CHECK(n.decode(carrying(kAqa.offset, 4, 0x1f001f)).empty());     // no fields
}

TEST_CASE("the register at a transaction is the first that it touches") {
  const Names n = only(kNvme0);
  CHECK(n.at(memory(0x14)) == RegisterRef{&kCc, 0});
  CHECK(n.at(memory(0x12, 8)) == RegisterRef{&kIntmc, 0});
  CHECK(n.at(memory(0x20, 8)) == RegisterRef{&kAqa, 0});
  CHECK_FALSE(n.at(memory(0x20, 4)));
  CHECK_FALSE(n.at(config(0x14, 4)));
}

TEST_CASE("an access is ignored by the register map alone, whatever its value") {
  const Names n = only(kNvme0);
  const auto write = [&](std::uint64_t offset, std::uint32_t size = 4) {
    return n.ignored(memory(offset, size));
  };
  const auto read = [&](std::uint64_t offset, std::uint32_t size = 4) {
    Transaction t = memory(offset, size);
    t.kind = Kind::MemRead;
    return n.ignored(t);
  };
  CHECK(write(0x14) == Ignored::No);           // CC
  CHECK(write(0x10) == Ignored::No);           // INTMC clears by ones
  CHECK(write(0x0c) == Ignored::No);           // INTMS sets by ones
  CHECK(write(0x1000) == Ignored::No);         // a doorbell
  CHECK(write(0x1c) == Ignored::ReadOnly);     // CSTS
  CHECK(write(0x00, 8) == Ignored::ReadOnly);  // CAP
  CHECK(write(0x1d, 1) == Ignored::ReadOnly);  // a part of CSTS: a register counts as a whole
  CHECK(write(0x17, 1) == Ignored::No);        // a part of CC
  CHECK(write(0x40) == Ignored::NoRegister);
  CHECK(write(0x2000, 8) == Ignored::NoRegister);
  CHECK(write(0x1c, 8) == Ignored::ReadOnly);  // CSTS, and nothing behind it
  CHECK(write(0x20, 8) == Ignored::No);        // nothing, and AQA
  CHECK(read(0x1c) == Ignored::No);
  CHECK(read(0x1004) == Ignored::WriteOnly);  // CQ[0].HDBL
  CHECK(read(0x17, 1) == Ignored::No);
  CHECK(read(0x40) == Ignored::NoRegister);
  CHECK(only(kEdu0).ignored(memory(0x40010)) == Ignored::No);  // BUFFER
}

TEST_CASE("either way of access is ignored where all bits of a register are reserved") {
  static constexpr Register kReserved{.name = "RSVD", .access = Access::Reserved};
  static constexpr const Register* kOnly[] = {&kReserved};
  static constexpr RegisterMap kMap{.name = "card", .bar = 0, .size = 4096, .registers = kOnly};
  Names n;
  n.functions.push_back({"card0", "00:01.0", {std::make_shared<RegisterLookup>(kMap)}});
  Transaction t = memory(0);
  CHECK(n.ignored(t) == Ignored::Reserved);
  t.kind = Kind::MemRead;
  CHECK(n.ignored(t) == Ignored::Reserved);
}

TEST_CASE("nothing is said of config space, of a BAR without registers, of what is no access") {
  const Names n = only(kNvme0);
  CHECK_FALSE(n.ignored(memory(0x2000, 0xffff'ffff)).has_value());
  CHECK_FALSE(n.ignored(config(0, 4)).has_value());
  Transaction t = memory(0);
  t.bar = 2;
  CHECK_FALSE(n.ignored(t).has_value());
}

TEST_CASE("the MSI-X table and its pending bits are no bytes without a register") {
  std::vector<std::byte> image(kConfigSize);
  image[6] = std::byte{0x10};
  image[0x34] = std::byte{0x40};
  image[0x40] = std::byte{0x11};
  image[0x42] = std::byte{3};     // four vectors
  image[0x45] = std::byte{0x20};  // the table at BAR0+0x2000
  image[0x49] = std::byte{0x30};  // the pending bits at BAR0+0x3000
  Names n = only(kNvme0);
  n.functions[0].config = std::make_shared<ConfigNames>(image);
  CHECK(n.ignored(memory(0x2000)) == Ignored::No);
  CHECK(n.ignored(memory(0x203c)) == Ignored::No);
  CHECK(n.ignored(memory(0x2040)) == Ignored::NoRegister);
  CHECK(n.ignored(memory(0x3004)) == Ignored::No);
  CHECK(n.ignored(memory(0x3008)) == Ignored::NoRegister);
}
