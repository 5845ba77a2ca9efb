// Doorbells, queues and interrupts, with what a faulty driver does to them.
#include "nvme/rig.hpp"

using namespace pcilens;
using namespace pcilens::nvme;
using namespace pcilens::nvme::test;

TEST_CASE("nvme: each completion queue signals the vector it was created with") {
  Rig rig;
  rig.enable();
  rig.make_queue(1);
  rig.make_queue(2);
  rig.interrupts.clear();
  CHECK(rig.status_of(2, Submission(kFlush, 1)) == kSuccess);
  CHECK(rig.interrupts == std::vector<std::uint64_t>{2});
  CHECK(rig.status_of(1, Submission(kFlush, 1)) == kSuccess);
  CHECK(rig.interrupts == std::vector<std::uint64_t>{2, 1});
}

TEST_CASE("nvme: without MSI-X the pin is asserted until the completions are taken") {
  Rig rig;
  rig.enable();
  rig.config_write(*rig.link.function(0)->config().find_capability(0x11) + 2u, 2, 0);
  Submission s(kIdentify);
  s.set(part(kSqe, "PRP1"), rig.alloc(4096)).set(part(kIdentifyEntry, "CDW10.CNS"), 1);
  rig.put(0, s);
  rig.ring(0);
  CHECK(rig.pin);
  rig.write(kIntms, 1);
  CHECK_FALSE(rig.pin);
  rig.write(kIntmc, 1);
  CHECK(rig.pin);
  CHECK(rig.take(0).has_value());
  CHECK_FALSE(rig.pin);
}

TEST_CASE("nvme: the phase bit changes with each turn of a queue") {
  Rig rig;
  rig.enable();
  rig.make_queue(1, 4);
  for (int i = 0; i < 21; ++i) CHECK(rig.status_of(1, Submission(kFlush, 1)) == kSuccess);
  CHECK(rig.queues[1].head == 21 % 4);
}

TEST_CASE("nvme: completions wait for room in a full queue and lose none") {
  Rig rig;
  rig.enable();
  const std::uint64_t sq = rig.alloc(64 * 32);
  rig.queues[1] = {.sq = sq, .cq = rig.alloc(4096), .entries = 4};
  REQUIRE(rig.status_of(0, rig.create_cq(1, rig.queues[1].cq, 4, 1)) == kSuccess);
  REQUIRE(rig.status_of(0, rig.create_sq(1, sq, 32, 1)) == kSuccess);
  for (unsigned i = 0; i < 10; ++i) {
    Submission s(kFlush, 1);
    s.set(part(kSqe, "CDW0.CID"), 100 + i);
    std::ranges::copy(s.bytes(), rig.bytes(sq + 64 * i, 64).begin());
  }
  rig.write(kSqTail<0>, 10, 1);
  for (unsigned i = 0; i < 10; ++i) {
    const auto answer = rig.take(1);
    REQUIRE(answer.has_value());
    CHECK(answer->cid == 100 + i);
  }
  CHECK_FALSE(rig.take(1).has_value());
}

namespace {

// Whether an event request is answered with this error event (NVMe 1.4, 5.2).
void check_event(Rig& rig, std::uint32_t info) {
  const auto answer = rig.take(0);
  REQUIRE(answer.has_value());
  CHECK(answer->status == kSuccess);
  CHECK((answer->dw0 & 7) == 0);  // error
  CHECK((answer->dw0 >> 8 & 0xff) == info);
  CHECK((answer->dw0 >> 16 & 0xff) == 1);  // look at the error log
}

}  // namespace

TEST_CASE("nvme: a doorbell past the queue's end raises an invalid doorbell value event") {
  Rig rig;
  rig.up();
  Submission request(kAsyncEvent);
  rig.put(0, request);
  rig.ring(0);
  rig.write(kSqTail<0>, 32, 1);
  check_event(rig, 1);
  REQUIRE_FALSE(rig.trace.notes.empty());
  CHECK(rig.trace.notes.back() ==
        "nvme: 32 in SQ[1].TDBL changes nothing: the queue has 32 entries");
  CHECK(rig.read(kCsts) == 1);
  CHECK(rig.status_of(1, Submission(kFlush, 1)) == kSuccess);
}

TEST_CASE("nvme: a doorbell of a queue that is not there raises an invalid register event") {
  Rig rig;
  rig.up();
  Submission request(kAsyncEvent);
  rig.put(0, request);
  rig.ring(0);
  rig.write(kSqTail<0>, 1, 7);
  check_event(rig, 0);
}

TEST_CASE("nvme: a completion doorbell that passes the tail raises an event") {
  Rig rig;
  rig.up();
  Submission request(kAsyncEvent);
  rig.put(0, request);
  rig.ring(0);
  rig.write(kCqHead<0>, 9, 1);
  check_event(rig, 1);
  REQUIRE_FALSE(rig.trace.notes.empty());
  CHECK(rig.trace.notes.back() ==
        "nvme: 9 in CQ[1].HDBL changes nothing: the driver has taken all up to 0, and none lies "
        "past 0");
}

TEST_CASE("nvme: after an event of a type the next one waits until the log was read") {
  Rig rig;
  rig.up();
  for (int i = 0; i < 2; ++i) {
    Submission request(kAsyncEvent);
    rig.put(0, request);
  }
  rig.ring(0);
  rig.write(kSqTail<0>, 99, 1);
  CHECK(rig.take(0).has_value());
  rig.write(kSqTail<0>, 99, 1);
  CHECK_FALSE(rig.take(0).has_value());
  const auto log = Submission(kGetLogPage)
                       .set(part(kSqe, "PRP1"), rig.alloc(4096))
                       .set(part(kLogEntry, "CDW10.LID"), 1)
                       .set(part(kLogEntry, "CDW10.NUMDL"), 15);
  CHECK(rig.status_of(0, log) == kSuccess);
  rig.write(kSqTail<0>, 99, 1);
  CHECK(rig.take(0).has_value());
}

TEST_CASE("nvme: a fifth event request exceeds the limit") {
  Rig rig;
  rig.up();
  for (int i = 0; i < 5; ++i) {
    Submission request(kAsyncEvent);
    rig.put(0, request);
  }
  rig.ring(0);
  const auto answer = rig.take(0);
  REQUIRE(answer.has_value());
  CHECK(answer->status == 0x105);
}

TEST_CASE("nvme: queue memory outside any mapping sets CSTS.CFS") {
  Rig rig;
  rig.enable_msix();
  rig.write(kAqa, 31 << 16 | 31);
  rig.write(kAsq, 0xdead'0000);
  rig.write(kAcq, 0xdeae'0000);
  rig.write(kCc, 0x0046'0001);
  CHECK(rig.read(kCsts) == 1);
  rig.write(kSqTail<0>, 1, 0);
  CHECK(rig.read(kCsts) == 3);
  CHECK_FALSE(rig.trace.notes.empty());
  rig.write(kCc, 0);
  rig.up();  // a reset helps
  CHECK(rig.read(kCsts) == 1);
}

TEST_CASE("nvme: a completion queue outside any mapping sets CSTS.CFS") {
  Rig rig;
  rig.enable();
  rig.queues[1] = {.sq = rig.alloc(4096), .cq = 0xdead'0000, .entries = 32};
  REQUIRE(rig.status_of(0, rig.create_cq(1, 0xdead'0000, 32, 1)) == kSuccess);
  REQUIRE(rig.status_of(0, rig.create_sq(1, rig.queues[1].sq, 32, 1)) == kSuccess);
  Submission s(kFlush, 1);
  rig.put(1, s);
  rig.ring(1);
  CHECK(rig.read(kCsts) == 3);
}

TEST_CASE("nvme: creating queues refuses what the specification refuses, with its status") {
  Rig rig;
  rig.up();
  const std::uint64_t page = rig.alloc(4096);
  CHECK(rig.status_of(0, rig.create_cq(0, page, 32, 0)) == 0x101);      // identifier 0
  CHECK(rig.status_of(0, rig.create_cq(65, page, 32, 0)) == 0x101);     // more than there are
  CHECK(rig.status_of(0, rig.create_cq(1, page, 32, 0)) == 0x101);      // exists
  CHECK(rig.status_of(0, rig.create_cq(2, page, 1, 0)) == 0x102);       // one entry
  CHECK(rig.status_of(0, rig.create_cq(2, page, 2049, 0)) == 0x102);    // more than MQES
  CHECK(rig.status_of(0, rig.create_cq(2, page, 32, 65)) == 0x108);     // vector
  CHECK(rig.status_of(0, rig.create_cq(2, page + 8, 32, 0)) == 0x013);  // PRP offset
  CHECK(rig.status_of(0, rig.create_cq(2, page, 32, 0).set(part(kCreateCqEntry, "CDW11.PC"), 0)) ==
        0x002);
  CHECK(rig.status_of(0, rig.create_sq(2, page, 32, 9)) == 0x100);  // no such CQ
  CHECK(rig.status_of(0, rig.create_sq(2, page, 32, 0)) == 0x101);
  CHECK(rig.status_of(0, rig.create_sq(1, page, 32, 1)) == 0x101);  // exists
}

TEST_CASE("nvme: a completion queue goes only after its submission queues") {
  Rig rig;
  rig.up();
  const auto drop = [&](std::uint8_t opcode) {
    return rig.status_of(0, Submission(opcode).set(part(kDeleteEntry, "CDW10.QID"), 1));
  };
  CHECK(drop(kDeleteCq) == 0x10c);
  CHECK(drop(kDeleteSq) == kSuccess);
  CHECK(drop(kDeleteSq) == 0x101);
  CHECK(drop(kDeleteCq) == kSuccess);
  CHECK(drop(kDeleteCq) == 0x101);
}

TEST_CASE("nvme: an unknown opcode gets Invalid Opcode, on both kinds of queue") {
  Rig rig;
  rig.up();
  CHECK(rig.status_of(0, Submission(0x7f)) == 0x001);
  CHECK(rig.status_of(0, Submission(kDoorbellBuffer)) == 0x001);  // off unless asked for
  CHECK(rig.status_of(1, Submission(0x7f, 1)) == 0x001);
}

TEST_CASE("nvme: an event request can be aborted, a command that is not there cannot") {
  Rig rig;
  rig.up();
  Submission request(kAsyncEvent);
  const std::uint16_t cid = rig.put(0, request);
  rig.ring(0);
  Submission abort(kAbort);
  abort.set(part(kAbortEntry, "CDW10.CID"), cid);
  rig.put(0, abort);
  rig.ring(0);
  const auto first = rig.take(0), second = rig.take(0);
  REQUIRE(first.has_value());
  REQUIRE(second.has_value());
  CHECK(first->cid == cid);
  CHECK(first->status == 0x007);
  CHECK((second->dw0 & 1) == 0);
  CHECK(rig.run(0, abort).dw0 == 1);
}

TEST_CASE("nvme: more commands than the controller works on at once are all completed") {
  Rig rig;
  rig.enable();
  rig.make_queue(1, 1024);
  rig.make_queue(2, 1024);
  const std::uint64_t page = rig.alloc(4096);
  for (const std::uint16_t id : {1, 2}) {
    for (int i = 0; i < 900; ++i) {
      Submission s = rig.rw(kRead, static_cast<std::uint64_t>(i), 1, page);
      rig.put(id, s);
    }
    rig.ring(id);
  }
  for (const std::uint16_t id : {1, 2}) {
    int done = 0;
    while (const auto answer = rig.take(id)) {
      CHECK(answer->status == kSuccess);
      ++done;
    }
    CHECK(done == 900);
  }
}

TEST_CASE("nvme: with doorbell buffers the controller finds commands that nobody rang for") {
  Rig rig(DeviceOptions{{"dbbuf", "on"}});
  rig.up();
  const std::uint64_t shadow = rig.alloc(4096), index = rig.alloc(4096);
  CHECK(rig.status_of(0, Submission(kDoorbellBuffer)
                             .set(part(kSqe, "PRP1"), shadow)
                             .set(part(kSqe, "PRP2"), index)) == kSuccess);
  Submission first(kFlush, 1), second(kFlush, 1);
  rig.put(1, first);
  rig.put(1, second);
  rig.put64(shadow + 8, 2);  // SQ 1's tail; the register is told of the first only
  rig.write(kSqTail<0>, 1, 1);
  CHECK(rig.take(1).has_value());
  CHECK(rig.take(1).has_value());
  CHECK(load(rig.bytes(index + 8, 4), StructureField{.name = "EVENTIDX", .width = 4}) == 2);
}
