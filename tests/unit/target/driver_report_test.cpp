// What a guest's report of its drivers comes to, in the lines of vm/guest/load-drivers.
#include "core/target/driver_report.hpp"

#include <sstream>

#include "catch.hpp"

using namespace pcilens;

namespace {

constexpr const char* kFree = "@function 10000:00:00.0 0x1234 0x11e8 0x00ff00  \n";

DriverReport report_of(const std::string& text) {
  DriverReport report;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) CHECK(report.add(line));
  return report;
}

std::string text_of(const std::string& text, const std::string& kernel = {}) {
  auto log = KernelLog::create("never");
  REQUIRE(log.has_value());
  std::istringstream lines(kernel);
  for (std::string line; std::getline(lines, line);) (*log)->add(line);
  return report_of(text).text(**log);
}

}  // namespace

TEST_CASE("a driver is being probed until the guest has reported everything") {
  CHECK(report_of("").binding() == Binding::Probing);
  CHECK(report_of("@module nvme 0\n").binding() == Binding::Probing);
  CHECK(text_of("@module nvme 0\n").empty());
  DriverReport report;
  CHECK_FALSE(report.add("pcilens: something else"));
}

TEST_CASE("a driver that has a function is bound, and the functions are told") {
  const std::string both =
      "@module my-card 0\n"
      "@function 10000:00:00.0 0x1234 0x11e8 0x00ff00 mycard my_card\n"
      "@function 10000:00:01.0 0x8086 0x5845 0x010802  \n@settled\n";
  CHECK(report_of(both).binding() == Binding::Bound);
  CHECK(text_of(both) == "mycard 10000:00:00.0, none 10000:00:01.0");
}

TEST_CASE(
    "a module that cannot be loaded is told with modprobe's message and the kernel's reason") {
  const std::string report =
      "@module mycard 1 modprobe: can't load module mycard: invalid module format\n" +
      std::string(kFree) + "@settled\n";
  CHECK(report_of(report).binding() == Binding::NotLoaded);
  CHECK(text_of(report, "[    4.2] mycard: version magic 'a' should be 'b'\n") ==
        "mycard could not be loaded: modprobe: can't load module mycard: invalid module format; "
        "the kernel says: mycard: version magic 'a' should be 'b'");
  CHECK(text_of("@module mycard 1\n@settled\n") ==
        "mycard could not be loaded: modprobe ended with code 1");
}

TEST_CASE("a driver that took no function is told with what there was to take") {
  const std::string report = "@module mycard 0\n" + std::string(kFree) + "@settled\n";
  CHECK(report_of(report).binding() == Binding::Unbound);
  CHECK(text_of(report) ==
        "mycard is loaded and has bound to no function: there is 10000:00:00.0 (1234:11e8, class "
        "00ff00); does its table of ids have it?");
  CHECK(text_of(report, "[ 5.0] mycard: probe of 10000:00:00.0 failed with error -5\n") ==
        "mycard is loaded and has bound to no function: there is 10000:00:00.0 (1234:11e8, class "
        "00ff00); the kernel says: mycard: probe of 10000:00:00.0 failed with error -5");
}

TEST_CASE("a function that somebody else's driver has is none of those that were asked for") {
  const std::string report =
      "@module mycard 0\n@function 10000:00:00.0 0x1234 0x11e8 0x00ff00 other other_module\n"
      "@settled\n";
  CHECK(report_of(report).binding() == Binding::Unbound);
  CHECK(text_of(report).find("which other has") != std::string::npos);
}
