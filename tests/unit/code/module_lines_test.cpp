#include "core/code/module_lines.hpp"

#include <array>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <map>

#include "catch.hpp"

using namespace pcilens;

namespace {

// module/fixture.c, linked as the kernel links its modules.
constexpr const char* kObject = PCILENS_FIXTURE;
constexpr const char* kSource = PCILENS_SOURCE_DIR "/tests/unit/code/module/fixture.c";

// The line that has this remark.
std::uint32_t line_of(const std::string& remark) {
  std::ifstream file(kSource);
  std::string text;
  for (std::uint32_t line = 1; std::getline(file, text); ++line)
    if (text.find("/* " + remark + " */") != std::string::npos) return line;
  return 0;
}

// What objdump says: bytes from the function's start to each instruction, with its text.
std::map<std::uint64_t, std::string> instructions(const std::string& function) {
  const std::string command =
      std::string("objdump -d -w --no-show-raw-insn --disassemble=") + function + " " + kObject;
  std::map<std::uint64_t, std::string> found;
  FILE* pipe = ::popen(command.c_str(), "r");
  REQUIRE(pipe != nullptr);
  std::array<char, 512> line{};
  std::optional<std::uint64_t> first;
  while (std::fgets(line.data(), line.size(), pipe) != nullptr) {
    unsigned long at = 0;
    int after = 0;
    if (line[0] != ' ' || std::sscanf(line.data(), " %lx:\t%n", &at, &after) != 1) continue;
    if (!first) first = at;
    found[at - *first] = line.data() + after;
  }
  ::pclose(pipe);
  return found;
}

// What readelf says.
std::string build_id() {
  FILE* pipe = ::popen((std::string("readelf -n ") + kObject).c_str(), "r");
  REQUIRE(pipe != nullptr);
  std::array<char, 512> line{};
  char id[128] = "";
  while (std::fgets(line.data(), line.size(), pipe) != nullptr)
    std::sscanf(line.data(), " Build ID: %127s", id);
  ::pclose(pipe);
  return id;
}

std::optional<SourceLine> find(const std::string& symbol, std::uint64_t displacement, bool returns,
                               const std::string& build_id = {}) {
  ModuleLines lines;
  lines.add("/nowhere/module_fixture.ko");
  lines.add(kObject);
  return lines.find({.module = "module_fixture",
                     .build_id = build_id,
                     .symbol = symbol,
                     .displacement = displacement,
                     .returns = returns});
}

}  // namespace

TEST_CASE("an access of a module is found in its source file") {
  unsigned accesses = 0;
  for (const auto& [at, text] : instructions("one_register")) {
    if (text.find("(%rdi") == std::string::npos) continue;
    const auto line = find("one_register", at, false);
    REQUIRE(line.has_value());
    CHECK(line->file == kSource);
    CHECK(line->line == line_of("the access itself"));
    ++accesses;
  }
  CHECK(accesses == 1);
}

TEST_CASE("of a return address the call's line is meant") {
  const auto code = instructions("module_fixture_sum");
  unsigned calls = 0;
  for (auto i = code.begin(); i != code.end(); ++i) {
    if (!i->second.starts_with("call")) continue;
    const auto line = find("module_fixture_sum", std::next(i)->first, true);
    REQUIRE(line.has_value());
    CHECK(line->line == line_of("the call"));
    ++calls;
  }
  CHECK(calls >= 1);
}

TEST_CASE("an accessor of the kernel's that was inlined stands where the module calls it") {
  bool seen = false;
  for (const auto& [at, text] : instructions("module_fixture_sum")) {
    const auto line = find("module_fixture_sum", at, false);
    REQUIRE(line.has_value());
    CHECK(line->file == kSource);
    seen |= line->line == line_of("by the kernel's accessor");
  }
  CHECK(seen);
}

TEST_CASE("a module that was built otherwise, and what it has not, have no lines") {
  CHECK(find("one_register", 0, false, build_id()).has_value());
  CHECK_FALSE(find("one_register", 0, false, "00112233").has_value());
  CHECK_FALSE(find("nobody", 0, false).has_value());
  CHECK_FALSE(find("one_register", 100'000, false).has_value());
  CHECK_FALSE(find("one_register", 0, true).has_value());
  ModuleLines none;
  none.add("/dev/null");
  CHECK_FALSE(none.find({.module = "null", .build_id = {}, .symbol = "x"}).has_value());
}
