// A device model that never returns: the session says so when it ends, and who.
#include <atomic>

#include "catch.hpp"
#include "core/function/device.hpp"
#include "core/host/sim/device.hpp"
#include "session_fixture.hpp"

using namespace pcilens;
using namespace pcilens::test;

namespace {

constexpr Register kGo{.name = "GO", .offset = 0x4, .width = 4, .doc = "never ends"};
constexpr const Register* kRegisters[] = {&kGo};
constexpr RegisterMap kMap{.name = "endless", .bar = 0, .size = 4096, .registers = kRegisters};
constexpr const RegisterMap* kMaps[] = {&kMap};
constexpr Bar kBars[] = {Bar{.index = 0, .size = 4096}};

std::atomic<bool> entered, released;  // the handler's

class Endless final : public Function {
 public:
  Endless() : Function(ConfigSpace({.vendor = 0x1234, .device = 0x0001}, kBars), kMaps) {
    bank(0).on_write(kGo, [](const RegisterWrite&) {
      entered = true;
      entered.notify_all();
      released.wait(false);
    });
  }
};

const Device kEndless{.name = "endless",
                      .summary = "does not return",
                      .create = [](const DeviceOptions&) -> Result<std::unique_ptr<Function>> {
                        return std::make_unique<Endless>();
                      },
                      .drive = [](sim::Device& device) -> Result<void> {
                        device.enable();
                        device.map(0).write(kGo, 1);
                        return {};
                      }};
const detail::BuiltIn kRegistration{kEndless};

}  // namespace

TEST_CASE("a session that ends while a handler never returns is told which function's it is") {
  std::string said;
  SessionOptions options;
  options.devices = {{"edu", {}}, {"endless", {}}};
  options.hold_at_first_access = false;
  options.stuck_after = std::chrono::milliseconds(1);
  options.stuck = [&](std::string why) {
    said = std::move(why);
    released = true;
    released.notify_all();
  };
  auto target = open_session(options);
  REQUIRE(target.has_value());
  entered.wait(false);
  target->reset();
  INFO(said);
  CHECK(said.find("endless0: its model's handler of #") == 0);
  CHECK(said.find("write endless0:GO, does not return") != std::string::npos);
}

TEST_CASE("a session whose devices return ends without a word") {
  bool said = false;
  SessionOptions options;
  options.devices = {{"edu", {}}};
  options.stuck_after = std::chrono::milliseconds(1);
  options.stuck = [&](const std::string&) { said = true; };
  auto target = open_session(options);
  REQUIRE(target.has_value());
  target->reset();
  CHECK_FALSE(said);
}
