#include "inspector-ui/cli/new_templates.hpp"

namespace pcilens::cli {
namespace {

constexpr std::string_view kCMake = R"(cmake_minimum_required(VERSION 3.25)
project(@ LANGUAGES CXX)

# Of an installed pcilens; -DCMAKE_PREFIX_PATH=PREFIX where it is not in /usr or /usr/local.
find_package(pcilens REQUIRED)

add_library(@ MODULE @.cpp @_driver.cpp)
target_link_libraries(@ PRIVATE pcilens::device)
set_target_properties(@ PROPERTIES PREFIX "")

# ctest runs the example driver on the model and checks the registers (@_test.pcilens).
enable_testing()
find_program(PCILENS pcilens HINTS ${pcilens_DIR}/../../../../bin ${pcilens_DIR}/../../../bin ${pcilens_DIR}/bin)
add_test(NAME @ COMMAND ${PCILENS} console --device $<TARGET_FILE:@>
  -x ${CMAKE_CURRENT_SOURCE_DIR}/@_test.pcilens)
)";

constexpr std::string_view kRegisters =
    R"(// The registers of @: declared once, used by the model, the driver and every screen.
#pragma once

#include <core/registers/register.hpp>

namespace @ {

using namespace pcilens;

inline constexpr Register kInput{
    .name = "INPUT", .offset = 0x0, .width = 4, .doc = "writing it starts the work"};
inline constexpr Register kOutput{
    .name = "OUTPUT", .offset = 0x4, .width = 4, .access = Access::RO, .doc = "twice INPUT"};

inline constexpr Field kStatusFields[] = {
    {.name = "BUSY", .high = 0, .low = 0, .access = Access::RO, .doc = "at work"},
    {.name = "DONE", .high = 1, .low = 1, .access = Access::W1C,
     .doc = "OUTPUT is ready; writing 1 clears it"},
};
inline constexpr Register kStatus{.name = "STATUS", .offset = 0x8, .width = 4,
                                  .access = Access::Reserved, .fields = kStatusFields,
                                  .doc = "how far it is"};

inline constexpr const Register* kRegisters[] = {&kInput, &kOutput, &kStatus};
inline constexpr RegisterMap kMap{
    .name = "@", .bar = 0, .size = 0x1000, .registers = kRegisters};
static_assert(well_formed(kMap));

}  // namespace @
)";

constexpr std::string_view kModel =
    R"(// The model: what the card does when its registers are written.
#include "@_registers.hpp"

#include <chrono>
#include <core/function/device.hpp>
#include <string>

namespace @ {

Result<void> drive(sim::Device& device);  // @_driver.cpp

namespace {

constexpr const RegisterMap* kMaps[] = {&kMap};

ConfigSpace config_space() {
  constexpr Bar kBars[] = {{.index = 0, .size = 0x1000}, {.index = 1, .size = 0x1000}};
  // Ids of your own go here; 1234 is nobody's.
  ConfigSpace config({.vendor = 0x1234, .device = 0x0001, .class_code = 0xff0000}, kBars);
  config.add_msix(/*vectors=*/1, /*table in BAR*/ 1, 0x0, /*pending bits in BAR*/ 1, 0x800);
  config.add_pcie_endpoint();
  return config;
}

class Card final : public Function {
 public:
  explicit Card(std::chrono::microseconds takes) : Function(config_space(), kMaps), takes_(takes) {
    bank(0).on_write(kInput, [this](const RegisterWrite&) { start(work()); });
  }

 private:
  // Runs over more than one event; at each co_await the driver goes on.
  Task<> work() {
    bank(0).set(kStatus["BUSY"], 1);
    co_await delay(takes_);
    bank(0).set(kOutput, (bank(0).get(kInput) * 2) & kOutput.mask());
    bank(0).set(kStatus["BUSY"], 0);
    bank(0).set(kStatus["DONE"], 1);
    interrupt(0);
  }

  std::chrono::microseconds takes_;
};

constexpr OptionDescription kOptions[] = {
    {"takes", "500", "how long the work takes, in microseconds: 0 to 1000000"}};

Result<std::unique_ptr<Function>> create(const DeviceOptions& options) {
  unsigned long takes = 500;
  for (const DeviceOption& o : options) {
    if (o.name != "takes") return fail("@ has no option \"" + o.name + "\"; it has: takes");
    char* end = nullptr;
    takes = std::strtoul(o.value.c_str(), &end, 10);
    if (*end != '\0' || takes > 1000000) return fail("takes: give 0 to 1000000 microseconds");
  }
  return std::make_unique<Card>(std::chrono::microseconds(takes));
}

}  // namespace
}  // namespace @

PCILENS_DEVICE(pcilens::Device{.name = "@",
                               .summary = "doubles what is written to INPUT",
                               .options = @::kOptions,
                               .create = &@::create,
                               .drive = &@::drive})
)";

constexpr std::string_view kDriver =
    R"(// The example driver: what a kernel driver would do, as plain sequential code. Each access crosses the
// link; a breakpoint holds it right here.
#include <core/function/device.hpp>
#include <core/host/sim/device.hpp>
#include <string>

#include "@_registers.hpp"

namespace @ {

using namespace std::chrono_literals;

Result<void> drive(sim::Device& device) {
  device.enable();
  sim::Mmio card = device.map(0);
  if (auto vectors = device.enable_interrupts(1); !vectors) return tl::unexpected(vectors.error());
  card.write(kInput, 21);
  if (!device.wait_interrupt(0, 2000ms)) return fail("@: no interrupt came within 2 s");
  card.write(kStatus, kStatus["DONE"].field->mask());
  const auto output = card.read(kOutput);
  device.log("OUTPUT is " + std::to_string(output));
  if (output != 42) return fail("@: OUTPUT should be 42");
  return {};
}

}  // namespace @
)";

constexpr std::string_view kTest =
    R"(# What ctest runs: a script for `pcilens console -x`. Exit code 0 when all of it holds.
break write INPUT once
run
wait stop
expect stopped
registers
run
wait end
expect INPUT=21
expect OUTPUT=42
expect STATUS.DONE=0
)";

constexpr std::string_view kReadme = R"(# @

A PCIe device model for pcilens.

| file | what it is |
|---|---|
| `@_registers.hpp` | the registers, declared once |
| `@.cpp` | the model: config space, behaviour, options |
| `@_driver.cpp` | the example driver that runs on it |
| `@_test.pcilens` | a console script that ctest runs |

Build it and look at it:

    cmake -S . -B build -G Ninja
    cmake --build build
    pcilens console --device build/@.so

Leave pcilens running with `--watch`, change the model and build again: pcilens loads it anew, with
the same breakpoints.

    pcilens gui --device build/@.so --watch

Test it:

    ctest --test-dir build --output-on-failure

Does a recording still get the same answers after a change of the model?

    pcilens console --device build/@.so --trace good.trace --no-hold -e 'wait end'
    pcilens replay good.trace --device build/@.so
)";

// ---- a folder that begins with somebody's registers ---------------------------------------------
constexpr std::string_view kModelOfRegisters =
    R"(// The model. Its registers answer as @_registers.hpp declares; what they do is yours to write.
#include "@_registers.hpp"

#include <core/function/device.hpp>

namespace @ {

Result<void> drive(sim::Device& device);  // @_driver.cpp

namespace {

constexpr const RegisterMap* kMaps[] = {&kMap};
constexpr int kMsixBar = kMap.bar == 5 ? 0 : 5;

ConfigSpace config_space() {
  constexpr Bar kBars[] = {{.index = kMap.bar, .size = kMap.size}, {.index = kMsixBar, .size = 0x1000}};
  // Ids of your own go here; 1234 is nobody's.
  ConfigSpace config({.vendor = 0x1234, .device = 0x0001, .class_code = 0xff0000}, kBars);
  config.add_msix(/*vectors=*/1, /*table in BAR*/ kMsixBar, 0x0, /*pending bits in BAR*/ kMsixBar, 0x800);
  config.add_pcie_endpoint();
  return config;
}

class Card final : public Function {
 public:
  Card() : Function(config_space(), kMaps) {
    // What a write starts: bank(kMap.bar).on_write(kControl, [this](const RegisterWrite& w) { ... });
    // What a read computes: bank(kMap.bar).on_read(kStatus, ...). docs/writing-a-device.md has more.
  }
};

Result<std::unique_ptr<Function>> create(const DeviceOptions& options) {
  if (!options.empty()) return fail("@ has no option \"" + options.front().name + "\"");
  return std::make_unique<Card>();
}

}  // namespace
}  // namespace @

PCILENS_DEVICE(pcilens::Device{
    .name = "@", .summary = "a device of its registers alone", .create = &@::create, .drive = &@::drive})
)";

constexpr std::string_view kDriverOfRegisters =
    R"(// The example driver: reads each register that can be read without harm, and compares it with its
// reset value.
#include <core/function/device.hpp>
#include <core/host/sim/device.hpp>
#include <string>

#include "@_registers.hpp"

namespace @ {

namespace {

bool read_has_effect(const Register& r) {
  bool effect = r.access == Access::RC;
  for (const Field& field : r.fields) effect |= field.access == Access::RC;
  return effect;
}

// The bits that read as they are stored: WO and reserved ones read 0.
std::uint64_t readable(const Register& r) {
  const auto shows = [](Access access) { return access != Access::WO && access != Access::Reserved; };
  std::uint64_t covered = 0, mask = 0;
  for (const Field& field : r.fields) {
    covered |= field.mask();
    if (shows(field.access)) mask |= field.mask();
  }
  if (shows(r.access)) mask |= r.mask() & ~covered;
  return mask;
}

}  // namespace

Result<void> drive(sim::Device& device) {
  device.enable();
  sim::Mmio card = device.map(kMap.bar);
  unsigned registers = 0;
  for (const Register* r : kRegisters) {
    if (read_has_effect(*r)) continue;
    const auto value = card.read(*r);
    if (value != (r->reset & readable(*r)))
      return fail("@: " + std::string(r->name) + " does not read its reset value");
    ++registers;
  }
  device.log(std::to_string(registers) + " registers read");
  return {};
}

}  // namespace @
)";

constexpr std::string_view kTestOfRegisters =
    R"(# What ctest runs: a script for `pcilens console -x`. Exit code 0 when all of it holds.
run
wait end
registers
transactions last 5
)";

constexpr std::string_view kIgnore = "build/\n";

constexpr Template kTemplates[] = {
    {"CMakeLists.txt", kCMake}, {"@_registers.hpp", kRegisters}, {"@.cpp", kModel},
    {"@_driver.cpp", kDriver},  {"@_test.pcilens", kTest},       {"README.md", kReadme},
    {".gitignore", kIgnore},
};

constexpr Template kTemplatesOfRegisters[] = {
    {"CMakeLists.txt", kCMake},
    {"@.cpp", kModelOfRegisters},
    {"@_driver.cpp", kDriverOfRegisters},
    {"@_test.pcilens", kTestOfRegisters},
    {"README.md", kReadme},
    {".gitignore", kIgnore},
};

}  // namespace

std::span<const Template> new_templates() {
  return kTemplates;
}

std::span<const Template> new_templates_of_registers() {
  return kTemplatesOfRegisters;
}

}  // namespace pcilens::cli
