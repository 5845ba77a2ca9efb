// Transactions turned back into commands.
#include "core/trace/reader.hpp"
#include "devices/nvme/nvme_decoder.hpp"
#include "nvme/rig.hpp"

using namespace pcilens;
using namespace pcilens::nvme;
using namespace pcilens::nvme::test;

namespace {

// Everything that crossed the rig's link so far, decoded.
std::unique_ptr<ProtocolDecoder> decode(const Rig& rig) {
  auto decoder = make_decoder();
  for (const Collector::Event& e : rig.trace.events) {
    Transaction t = e.t;
    t.payload = e.payload;
    decoder->look(t);
  }
  return decoder;
}

const ProtocolCommand& last(const ProtocolDecoder& decoder) {
  const ProtocolCommand* command = decoder.command(decoder.last_number());
  REQUIRE(command != nullptr);
  return *command;
}

std::vector<std::string> steps(const ProtocolCommand& command) {
  std::vector<std::string> names;
  for (const ProtocolStep& s : command.steps) names.push_back(s.what);
  return names;
}

std::string field(const ProtocolCommand& command, std::string_view name) {
  for (const ProtocolField& f : command.fields)
    if (f.name == name) return f.value;
  return "(none)";
}

using Steps = std::vector<std::string>;

}  // namespace

TEST_CASE("decoder: a read is one command from its doorbell to its acknowledgement") {
  Rig rig;
  rig.up();
  const std::uint64_t page = rig.alloc(4096);
  Submission s = rig.rw(kRead, 0x10, 8, page);
  const std::uint16_t cid = rig.put(1, s);
  const std::uint64_t doorbell = rig.write(kSqTail<0>, rig.queues[1].tail, 1);
  REQUIRE(rig.take(1).has_value());
  const auto decoder = decode(rig);
  const ProtocolCommand& read = last(*decoder);
  CHECK(read.name == "READ");
  CHECK(read.queue == "SQ 1");
  CHECK(read.summary == "nsid 0x1 lba 0x10, 8 blocks, cid " + std::to_string(cid));
  CHECK(read.status == "success");
  CHECK(read.state == ProtocolCommand::State::Succeeded);
  CHECK(read.completed_ns > read.submitted_ns);
  CHECK(steps(read) ==
        Steps{"doorbell", "fetch", "data", "completion", "interrupt", "acknowledged"});
  // The doorbell, and after it one transaction for each step.
  for (std::size_t i = 0; i < 5; ++i) CHECK(read.steps[i].seq == doorbell + i);
  CHECK(field(read, "PRP1") == fmt::format("{:#x}", page));
  CHECK(field(read, "SLBA") == "0x10");
  CHECK(field(read, "NLB") == "0x7");
}

TEST_CASE("decoder: a PRP list is told from the data that it names") {
  Rig rig;
  rig.up();
  const std::uint64_t data = rig.alloc(3 * 4096), list = rig.alloc(4096);
  rig.put64(list, data + 4096);
  rig.put64(list + 8, data + 8192);
  CHECK(rig.status_of(1, rig.rw(kWrite, 0, 24, data).set(part(kSqe, "PRP2"), list)) == kSuccess);
  const auto decoder = decode(rig);
  CHECK(steps(last(*decoder)) == Steps{"doorbell", "fetch", "data", "PRP list", "data", "data",
                                       "completion", "interrupt", "acknowledged"});
}

TEST_CASE("decoder: commands at once keep their own data apart") {
  Rig rig;
  rig.up();
  std::vector<std::uint64_t> pages;
  for (unsigned i = 0; i < 4; ++i) {
    pages.push_back(rig.alloc(4096));
    Submission s = rig.rw(i % 2 == 0 ? kRead : kWrite, 8 * i, 8, pages.back());
    rig.put(1, s);
  }
  rig.ring(1);
  for (unsigned i = 0; i < 4; ++i) REQUIRE(rig.take(1).has_value());
  const auto decoder = decode(rig);
  for (unsigned i = 0; i < 4; ++i) {
    const ProtocolCommand* command = decoder->command(decoder->last_number() - 3 + i);
    REQUIRE(command != nullptr);
    CHECK(command->name == (i % 2 == 0 ? "READ" : "WRITE"));
    const auto found = std::ranges::find(command->steps, std::string("data"), &ProtocolStep::what);
    REQUIRE(found != command->steps.end());
    const auto event = std::ranges::find_if(
        rig.trace.events, [&](const Collector::Event& e) { return e.t.seq == found->seq; });
    CHECK(event->t.offset == pages[i]);
    CHECK(command->state == ProtocolCommand::State::Succeeded);
  }
}

TEST_CASE("decoder: a failed command shows its status by name and code") {
  Rig rig;
  rig.up();
  rig.run(1, Submission(kRead, 1).set(part(kRwEntry, "SLBA"), ~0ull));
  const auto decoder = decode(rig);
  CHECK(last(*decoder).state == ProtocolCommand::State::Failed);
  CHECK(last(*decoder).status == "LBA out of range (0/80)");
}

TEST_CASE("decoder: admin commands say what they ask for") {
  Rig rig;
  rig.up();
  rig.identify(1, 0);
  const auto decoder = decode(rig);
  CHECK(decoder->command(1)->name == "CREATE_CQ");
  CHECK(decoder->command(1)->summary == "CQ 1, 32 entries, vector 1, cid 1");
  CHECK(decoder->command(2)->name == "CREATE_SQ");
  CHECK(last(*decoder).name == "IDENTIFY");
  CHECK(last(*decoder).summary == "controller, cid 3");
  CHECK(field(last(*decoder), "CNS") == "0x1 controller");
}

TEST_CASE("decoder: an event request stays outstanding until a reset takes it away") {
  Rig rig;
  rig.up();
  Submission request(kAsyncEvent);
  rig.put(0, request);
  rig.ring(0);
  CHECK(last(*decode(rig)).state == ProtocolCommand::State::Outstanding);
  rig.write(kCc, 0);
  const auto decoder = decode(rig);
  CHECK(last(*decoder).name == "ASYNC_EVENT");
  CHECK(last(*decoder).state == ProtocolCommand::State::Lost);
  CHECK(last(*decoder).status == "the controller was disabled");
}

TEST_CASE("decoder: data and completions count after the queues were made anew") {
  Rig rig;
  rig.up();
  rig.write(kCc, 0);
  rig.up();
  CHECK(rig.status_of(1, Submission(kFlush, 1)) == kSuccess);
  const auto decoder = decode(rig);
  CHECK(last(*decoder).name == "FLUSH");
  CHECK(last(*decoder).status == "success");
}

TEST_CASE("decoder: transactions of no sense make no command and no crash") {
  auto decoder = make_decoder();
  std::uint32_t state = 12345;
  const auto dice = [&] { return state = state * 1664525 + 1013904223; };
  std::vector<std::byte> payload(64);
  for (std::uint64_t seq = 1; seq < 200'000; ++seq) {
    for (std::size_t i = 0; i < 8; ++i) payload[dice() % 64] = static_cast<std::byte>(dice() >> 16);
    Transaction t{.seq = seq,
                  .t_ns = seq,
                  .offset = dice() >> 12 & 0x3fff,
                  .value = dice() >> (dice() >> 27),
                  .cause = seq - (dice() >> 28),
                  .size = 1u << (dice() >> 30),
                  .kind = static_cast<Kind>(dice() >> 28),
                  .status = Status::SC,
                  .bar = 0};
    if (is_dma(t.kind)) {
      t.size = (dice() >> 31) != 0 ? 64 : 16;
      t.payload = std::span(payload).first(t.size);
    }
    decoder->look(t);
  }
  SUCCEED();
}
