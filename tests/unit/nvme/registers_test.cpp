// Controller registers, enabling, resetting and shutting down (NVMe 1.4, chapters 3 and 7).
#include "nvme/rig.hpp"

using namespace pcilens;
using namespace pcilens::nvme;
using namespace pcilens::nvme::test;

TEST_CASE("nvme: the function has the class code of an NVMe controller and MSI-X in BAR0") {
  Rig rig;
  CHECK(rig.config_read(cfg::kClass - 1, 4) >> 8 == 0x010802);
  const auto msix = rig.link.function(0)->config().msix();
  REQUIRE(msix.has_value());
  CHECK(msix->vectors == 65);
  CHECK(rig.link.function(0)->config().find_capability(0x01).has_value());
  CHECK(rig.link.function(0)->config().find_capability(0x10).has_value());
}

TEST_CASE("nvme: CAP and VS read as those of a 1.4 controller, whole and in halves") {
  Rig rig;
  const std::uint64_t cap = rig.read(kCap);
  CHECK((cap & 0xffff) == 2047);      // MQES
  CHECK((cap >> 16 & 1) == 1);        // CQR
  CHECK((cap >> 32 & 0xf) == 0);      // DSTRD
  CHECK((cap >> 37 & 0xff) == 0xc1);  // CSS: NVM, by identifier, admin only
  CHECK((cap >> 48 & 0xf) == 0);      // MPSMIN
  CHECK(rig.read(kVs) == 0x00010400);
}

TEST_CASE("nvme: CSTS.RDY follows CC.EN up and down") {
  Rig rig;
  CHECK((rig.read(kCsts) & 1) == 0);
  rig.enable();
  CHECK(rig.read(kCsts) == 1);
  rig.write(kCc, 0x0046'0000);
  CHECK(rig.read(kCsts) == 0);
}

TEST_CASE("nvme: disabling keeps AQA, ASQ and ACQ and takes the doorbells back") {
  Rig rig;
  rig.up();
  const auto aqa = rig.read(kAqa), asq = rig.read(kAsq), acq = rig.read(kAcq);
  CHECK(rig.read(kSqTail<0>, 0) != 0);
  rig.write(kCc, 0);
  CHECK(rig.read(kAqa) == aqa);
  CHECK(rig.read(kAsq) == asq);
  CHECK(rig.read(kAcq) == acq);
  CHECK(rig.read(kSqTail<0>, 0) == 0);
}

TEST_CASE("nvme: a page size that CAP does not offer sets CSTS.CFS in place of CSTS.RDY") {
  Rig rig;
  rig.enable(32, 0x0046'0001 | 5 << 7);
  CHECK(rig.read(kCsts) == 2);
}

TEST_CASE("nvme: writing NVMe to NSSR resets everything and says so in CSTS.NSSRO") {
  Rig rig;
  rig.up();
  rig.write(kNssr, 0x4e56'4d65);
  CHECK(rig.read(kCsts) == 0x10);
  CHECK(rig.read(kAsq) == 0);
  rig.write(kCsts, 0x10);
  CHECK(rig.read(kCsts) == 0);
}

TEST_CASE("nvme: another value in NSSR does nothing") {
  Rig rig;
  rig.up();
  rig.write(kNssr, 0x4e56'4d66);
  CHECK(rig.read(kCsts) == 1);
}

TEST_CASE("nvme: a normal shutdown completes and no command is fetched afterwards") {
  Rig rig;
  rig.up();
  rig.write(kCc, 0x0046'4001);
  CHECK(rig.read(kCsts) == 0x9);  // RDY, shutdown complete
  Submission s(kIdentify);
  rig.put(0, s);
  rig.ring(0);
  CHECK_FALSE(rig.take(0).has_value());
}

TEST_CASE("nvme: after a shutdown a reset makes the controller usable again") {
  Rig rig;
  rig.up();
  rig.write(kCc, 0x0046'4001);
  rig.write(kCc, 0);
  rig.up();
  CHECK(rig.read(kCsts) == 1);
}

TEST_CASE("nvme: INTMS sets and INTMC clears bits of one mask that both show") {
  Rig rig;
  rig.write(kIntms, 0x5);
  CHECK(rig.read(kIntmc) == 0x5);
  rig.write(kIntmc, 0x1);
  CHECK(rig.read(kIntms) == 0x4);
  rig.write(kIntms, 0x2);
  CHECK(rig.read(kIntms) == 0x6);
}

TEST_CASE("nvme: FLR in the middle of traffic leaves a controller that comes up again") {
  Rig rig;
  rig.up();
  rig.link.reset_function({.value = static_cast<std::uint64_t>(ResetKind::Flr)});
  CHECK(rig.link.function(0)->peek(0, kCsts.offset, 4) == 0u);
  rig.config_write(cfg::kCommand, 2, cfg::kCommandMemory | cfg::kCommandMaster);
  rig.up();
  CHECK(rig.read(kCsts) == 1);
}

TEST_CASE("nvme: the doorbells lie at the stride that CAP.DSTRD tells") {
  Rig rig(DeviceOptions{{"stride", "16"}});
  CHECK((rig.read(kCap) >> 32 & 0xf) == 2);
  rig.enable();
  Submission s(kIdentify);
  s.set(part(kSqe, "PRP1"), rig.alloc(4096)).set(part(kIdentifyEntry, "CDW10.CNS"), 1);
  rig.put(0, s);
  rig.write(kSqTail<2>, 1, 0);
  CHECK(load(rig.bytes(rig.queues[0].cq, 16), part(kCqe, "STATUS.P")) == 1);
  CHECK(kCqHead<2>.offset_of(1) == 0x1030);
}
