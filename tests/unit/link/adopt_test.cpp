// A rebuilt plug-in: what was set for the earlier function's registers means the fresh one's.
#include "link/link_fixture.hpp"

using namespace road;

namespace {

constexpr Register kCmdBefore{.name = "CMD", .offset = 0x10};
constexpr Register kOld{.name = "OLD", .offset = 0x20};
constexpr const Register* kBefore[] = {&kCmdBefore, &kOld};
constexpr RegisterMap kMapBefore{.name = "card", .bar = 0, .size = 0x100, .registers = kBefore};
constexpr Register kCmdAfter{.name = "CMD", .offset = 0x14};
constexpr const Register* kAfter[] = {&kCmdAfter};
constexpr RegisterMap kMapAfter{.name = "card", .bar = 0, .size = 0x100, .registers = kAfter};
constexpr const RegisterMap* kMapsBefore[] = {&kMapBefore};
constexpr const RegisterMap* kMapsAfter[] = {&kMapAfter};

class Card final : public Function {
 public:
  explicit Card(std::span<const RegisterMap* const> maps) : Function(config_space(), maps) {}

 private:
  static ConfigSpace config_space() {
    constexpr Bar kBars[] = {{.index = 0, .size = 0x100}};
    return ConfigSpace({.vendor = 0x1234, .device = 1}, kBars);
  }
};

struct Notes final : Recorder {
  void event(const Transaction&) override {}
  void completion(const Transaction&) override {}
  void edit(std::uint64_t, std::uint64_t, std::uint64_t, std::uint64_t, std::uint64_t,
            std::uint32_t) override {}
  void blob(BlobKind what, std::uint64_t, std::span<const std::byte> bytes) override {
    if (what == BlobKind::Note)
      notes.emplace_back(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  }
  std::vector<std::string> notes;
};

}  // namespace

TEST_CASE("breakpoints and rules follow their registers into a rebuilt plug-in") {
  SteadyClock clock;
  Notes notes;
  Link before(clock, notes, {.threaded = false}), after(clock, notes, {.threaded = false});
  before.plug(std::make_unique<Card>(kMapsBefore), "card0", "card", "00:01.0");
  after.plug(std::make_unique<Card>(kMapsAfter), "card0", "card", "00:01.0");
  const auto write = [](const Register& r) {
    return Transaction{.offset = r.offset, .size = 4, .kind = Kind::MemWrite, .bar = 0};
  };
  REQUIRE(before.add_breakpoint({.expression = "write OLD"}) == 1);
  REQUIRE(before.add_breakpoint({.expression = "write CMD", .log_only = true}) == 2);
  REQUIRE(before.add_breakpoint({.expression = "read CMD", .posted = true}) == 3);
  REQUIRE(before.enable_breakpoint(3, false));
  REQUIRE(before.add_fault({.expression = "write CMD", .action = FaultAction::Drop}) == 1);
  REQUIRE(before.add_fault({.expression = "write OLD", .action = FaultAction::Drop}) == 2);
  before.request(write(kCmdBefore));

  after.adopt(before);
  const auto breakpoints = after.breakpoints().list();
  REQUIRE(breakpoints.size() == 3);
  CHECK(breakpoints[1].number == 2);
  CHECK(breakpoints[1].enabled);
  CHECK(breakpoints[1].hits == 1);
  CHECK(breakpoints[1].breakpoint.log_only);
  CHECK(breakpoints[1].synchronous == "BAR0+0x14..0x17");
  CHECK_FALSE(breakpoints[2].enabled);
  CHECK(breakpoints[2].breakpoint.posted);
  CHECK(after.breakpoints().may_match(write(kCmdAfter)));
  CHECK_FALSE(after.breakpoints().may_match(write(kCmdBefore)));
  CHECK(after.faults().may_match(write(kCmdAfter)));
  CHECK_FALSE(after.faults().may_match(write(kCmdBefore)));

  // What names a register that is gone does nothing, and says so.
  CHECK_FALSE(breakpoints[0].enabled);
  CHECK_FALSE(after.breakpoints().may_match(write(kOld)));
  CHECK_FALSE(after.faults().find(2)->enabled);
  REQUIRE(notes.notes.size() >= 2);
  const std::vector<std::string> told(notes.notes.end() - 2, notes.notes.end());
  CHECK(told[0].starts_with("breakpoint 1 is disabled: column 7: no register OLD"));
  CHECK(told[1].starts_with("fault rule 2 is disabled: column 7: no register OLD"));
  const auto enabled = after.enable_breakpoint(1, true);
  REQUIRE_FALSE(enabled);
  CHECK(enabled.error().message.starts_with("column 7: no register OLD"));
  CHECK(after.remove_breakpoint(1));
}
