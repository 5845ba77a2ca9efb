// Identify, features and log pages (NVMe 1.4, chapter 5). Offsets are written out here as the
// specification's figures have them, so that a wrong declaration shows.
#include "nvme/rig.hpp"

using namespace pcilens;
using namespace pcilens::nvme;
using namespace pcilens::nvme::test;

namespace {

std::uint64_t at(std::span<const std::byte> page, std::size_t offset, unsigned width) {
  std::uint64_t value = 0;
  std::memcpy(&value, page.data() + offset, width);
  return value;
}

std::string text(std::span<const std::byte> page, std::size_t offset, std::size_t size) {
  return {reinterpret_cast<const char*>(page.data()) + offset, size};
}

struct Features {
  Rig& rig;
  Answer set(std::uint32_t id, std::uint32_t value) {
    return rig.run(0, Submission(kSetFeatures)
                          .set(part(kSetFeaturesEntry, "CDW10.FID"), id)
                          .set(part(kSqe, "CDW11"), value));
  }
  Answer get(std::uint32_t id, std::uint32_t select = 0) {
    return rig.run(0, Submission(kGetFeatures)
                          .set(part(kGetFeaturesEntry, "CDW10.FID"), id)
                          .set(part(kGetFeaturesEntry, "CDW10.SEL"), select));
  }
};

Submission log(std::uint32_t id, std::uint64_t page, std::uint32_t bytes) {
  return Submission(kGetLogPage, 0xffff'ffff)
      .set(part(kSqe, "PRP1"), page)
      .set(part(kLogEntry, "CDW10.LID"), id)
      .set(part(kLogEntry, "CDW10.NUMDL"), bytes / 4 - 1);
}

}  // namespace

TEST_CASE("nvme: identify controller has each field where figure 247 puts it") {
  Rig rig;
  rig.up();
  const auto page = rig.identify(1, 0);
  CHECK(at(page, 0, 2) == 0x1234);  // VID
  CHECK(at(page, 2, 2) == 0x1af4);  // SSVID
  CHECK(text(page, 4, 20) == "PCILENS1            ");
  CHECK(text(page, 24, 24) == "pcilens NVMe controller ");
  CHECK(text(page, 64, 8) == "1.0     ");
  CHECK(at(page, 77, 1) == 7);         // MDTS
  CHECK(at(page, 80, 4) == 0x10400);   // VER
  CHECK(at(page, 111, 1) == 1);        // CNTRLTYPE
  CHECK((at(page, 256, 2) & 2) == 2);  // OACS: format
  CHECK(at(page, 512, 1) == 0x66);     // SQES
  CHECK(at(page, 513, 1) == 0x44);     // CQES
  CHECK(at(page, 516, 4) == 1);        // NN
  CHECK(at(page, 520, 2) == 0xdd);     // ONCS
  CHECK((at(page, 525, 1) & 1) == 1);  // VWC
  CHECK(text(page, 768, 4) == "nqn.");
}

TEST_CASE("nvme: identify namespace has each field where figure 245 puts it") {
  Rig rig(DeviceOptions{{"size", "8M"}});
  rig.up();
  const auto page = rig.identify(0, 1);
  CHECK(at(page, 0, 8) == 16384);  // NSZE
  CHECK(at(page, 8, 8) == 16384);  // NCAP
  CHECK(at(page, 25, 1) == 1);     // NLBAF
  CHECK(at(page, 26, 1) == 0);     // FLBAS
  CHECK((at(page, 128, 4) >> 16 & 0xff) == 9);
  CHECK((at(page, 132, 4) >> 16 & 0xff) == 12);
  CHECK(at(page, 120, 8) != 0);  // EUI64
}

TEST_CASE("nvme: the lists of namespaces and their descriptors name namespace 1") {
  Rig rig;
  rig.up();
  CHECK(at(rig.identify(2, 0), 0, 8) == 1);
  CHECK(at(rig.identify(2, 1), 0, 4) == 0);
  const auto page = rig.identify(3, 1);
  CHECK(at(page, 0, 2) == 0x0801);   // EUI64, 8 bytes
  CHECK(at(page, 12, 2) == 0x1002);  // NGUID, 16 bytes
  CHECK(at(page, 32, 2) == 0x0104);  // command set, 1 byte
}

TEST_CASE("nvme: identify refuses what there is not, with the specified status") {
  Rig rig;
  rig.up();
  const std::uint64_t page = rig.alloc(4096);
  const auto ask = [&](std::uint32_t cns, std::uint32_t nsid, std::uint32_t csi = 0) {
    return rig.status_of(0, Submission(kIdentify, nsid)
                                .set(part(kSqe, "PRP1"), page)
                                .set(part(kIdentifyEntry, "CDW10.CNS"), cns)
                                .set(part(kIdentifyEntry, "CDW11.CSI"), csi));
  };
  CHECK(ask(0, 0) == 0x00b);
  CHECK(ask(0, 2) == 0x00b);
  CHECK(ask(2, 0xffff'fffe) == 0x00b);
  CHECK(ask(3, 2) == 0x00b);
  CHECK(ask(4, 0) == 0x002);     // NVM sets: none
  CHECK(ask(0x12, 1) == 0x002);  // no namespace management
  CHECK(ask(6, 0, 2) == 0x002);  // zoned: not here
  CHECK(ask(6, 0, 0) == kSuccess);
}

TEST_CASE("nvme: the number of queues is granted as offered, and not after queues were made") {
  Rig rig(DeviceOptions{{"queues", "16"}});
  rig.enable();
  Features f{rig};
  CHECK(f.set(7, 0x003f'003f).dw0 == 0x000f'000f);
  CHECK(f.set(7, 0xffff).status == 0x002);
  rig.make_queue(1);
  CHECK(f.set(7, 0).status == 0x00c);
}

TEST_CASE("nvme: features keep what was set until a reset, with default and saved beside it") {
  Rig rig;
  rig.up();
  Features f{rig};
  CHECK(f.get(6).dw0 == 1);  // the write cache is on
  CHECK(f.set(6, 0).status == kSuccess);
  CHECK(f.get(6).dw0 == 0);
  CHECK(f.get(6, 1).dw0 == 1);
  CHECK(f.get(6, 2).dw0 == 1);
  CHECK((f.get(6, 3).dw0 & 4) == 4);
  CHECK(f.set(0x0b, 0x1ff).status == kSuccess);
  CHECK(f.get(0x0b).dw0 == 0x1ff);
  CHECK(f.get(0x7f).status == 0x002);
  CHECK(f.set(0x7f, 0).status == 0x002);
  CHECK(rig.status_of(0, Submission(kSetFeatures)
                             .set(part(kSetFeaturesEntry, "CDW10.FID"), 6)
                             .set(part(kSetFeaturesEntry, "CDW10.SV"), 1)) == 0x10d);
  rig.write(kCc, 0);
  rig.up();
  CHECK(f.get(6).dw0 == 1);
}

TEST_CASE("nvme: a timestamp goes on counting from what was set") {
  Rig rig;
  rig.up();
  const std::uint64_t page = rig.alloc(4096);
  rig.put64(page, 1'700'000'000'000);
  const auto with_page = [&](std::uint8_t opcode) {
    return Submission(opcode)
        .set(part(kSqe, "PRP1"), page)
        .set(part(kSetFeaturesEntry, "CDW10.FID"), 0x0e);
  };
  CHECK(rig.status_of(0, with_page(kSetFeatures)) == kSuccess);
  rig.clock.advance(5'000'000'000);
  rig.put64(page, 0);
  CHECK(rig.status_of(0, with_page(kGetFeatures)) == kSuccess);
  const std::uint64_t stamp = at(rig.bytes(page, 8), 0, 6);
  CHECK(stamp >= 1'700'000'005'000);
  CHECK(stamp < 1'700'000'005'010);
}

TEST_CASE("nvme: the error log names the command that failed") {
  Rig rig;
  rig.up();
  Submission wrong(kRead, 9);
  wrong.set(part(kRwEntry, "SLBA"), 0x123);
  const Answer answer = rig.run(1, wrong);
  REQUIRE(answer.status == 0x00b);
  const std::uint64_t page = rig.alloc(4096);
  CHECK(rig.status_of(0, log(1, page, 128)) == kSuccess);
  const auto entry = rig.bytes(page, 64);
  CHECK(at(entry, 0, 8) == 1);  // count
  CHECK(at(entry, 8, 2) == 1);  // queue
  CHECK(at(entry, 10, 2) == answer.cid);
  CHECK((at(entry, 12, 2) >> 1) == 0x0b);
  CHECK(at(entry, 16, 8) == 0x123);
  CHECK(at(entry, 24, 4) == 9);
  CHECK(at(rig.bytes(page + 64, 8), 0, 8) == 0);
}

TEST_CASE("nvme: the health log counts commands and data units") {
  Rig rig;
  rig.up();
  const std::uint64_t data = rig.alloc(8192), page = rig.alloc(4096);
  for (int i = 0; i < 3; ++i) CHECK(rig.status_of(1, rig.rw(kWrite, 0, 16, data)) == kSuccess);
  CHECK(rig.status_of(1, rig.rw(kRead, 0, 16, data)) == kSuccess);
  CHECK(rig.status_of(0, log(2, page, 512)) == kSuccess);
  const auto health = rig.bytes(page, 512);
  CHECK(at(health, 0, 1) == 0);
  CHECK(at(health, 1, 2) == 311);  // K
  CHECK(at(health, 32, 8) == 1);   // thousands of 512 bytes, rounded up
  CHECK(at(health, 48, 8) == 1);
  CHECK(at(health, 64, 8) == 1);
  CHECK(at(health, 80, 8) == 3);
  CHECK(at(health, 112, 8) == 1);  // power cycles
}

TEST_CASE("nvme: commands supported lists exactly the opcodes that are served") {
  Rig rig;
  rig.up();
  const std::uint64_t page = rig.alloc(4096);
  CHECK(rig.status_of(0, log(5, page, 4096)) == kSuccess);
  const auto effects = rig.bytes(page, 4096);
  for (std::uint32_t opcode = 0; opcode < 256; ++opcode) {
    INFO(opcode);
    const bool admin = (at(effects, 4 * opcode, 4) & 1) != 0;
    const bool io = (at(effects, 1024 + 4 * opcode, 4) & 1) != 0;
    if (opcode == kAsyncEvent || opcode == kDeleteSq || opcode == kDeleteCq || opcode == kFormat)
      CHECK(admin);
    else
      CHECK((rig.status_of(0, Submission(static_cast<std::uint8_t>(opcode))) != 0x001) == admin);
    CHECK((rig.status_of(1, Submission(static_cast<std::uint8_t>(opcode), 1)) != 0x001) == io);
  }
}

TEST_CASE("nvme: log pages refuse a wrong page, offset and length") {
  Rig rig;
  rig.up();
  const std::uint64_t page = rig.alloc(4096);
  CHECK(rig.status_of(0, log(0x7f, page, 512)) == 0x109);
  CHECK(rig.status_of(0, log(2, page, 512).set(part(kLogEntry, "LPO"), 512)) == 0x002);
  CHECK(rig.status_of(0, log(2, page, 512).set(part(kLogEntry, "LPO"), 3)) == 0x002);
  CHECK(rig.status_of(0, log(2, page, 512).set(part(kLogEntry, "CDW11.NUMDU"), 0xffff)) == 0x002);
  CHECK(rig.status_of(0, log(2, page, 512).set(part(kSqe, "NSID"), 1)) == 0x00b);
}

TEST_CASE("nvme: a temperature threshold below the temperature raises a health event") {
  Rig rig;
  rig.up();
  Features f{rig};
  Submission request(kAsyncEvent);
  rig.put(0, request);
  rig.ring(0);
  CHECK(f.set(0x0b, 0x2).status == kSuccess);
  Submission set(kSetFeatures);
  set.set(part(kSetFeaturesEntry, "CDW10.FID"), 4).set(part(kSqe, "CDW11"), 300);
  rig.put(0, set);
  rig.ring(0);
  const auto event = rig.take(0);
  REQUIRE(event.has_value());
  CHECK((event->dw0 & 7) == 1);           // SMART
  CHECK((event->dw0 >> 16 & 0xff) == 2);  // look at the health log
  CHECK(rig.take(0).has_value());
}
