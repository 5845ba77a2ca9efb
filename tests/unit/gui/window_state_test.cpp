// What the window remembers: settings from one time to the next, lines of the console, counts.
#include <unistd.h>

#include <filesystem>

#include "catch.hpp"
#include "inspector-ui/models/history.hpp"
#include "inspector-ui/models/live_count.hpp"
#include "inspector-ui/models/settings.hpp"

using namespace pcilens;
using namespace pcilens::gui;

namespace {

constexpr double now = 100;  // seconds of some clock

}  // namespace

TEST_CASE("settings that were kept come back as they were") {
  const auto folder =
      std::filesystem::temp_directory_path() / ("pcilens-settings-" + std::to_string(::getpid()));
  const std::string path = (folder / "deep" / "window").string();
  Settings s;
  s.light = true;
  s.width = 1280;
  s.height = 800;
  s.layout = "columns 0.5 (registers) (transactions)";
  REQUIRE(s.save(path));
  const Settings back = Settings::load(path);
  std::filesystem::remove_all(folder);
  CHECK(back.light);
  CHECK(back.width == 1280);
  CHECK(back.height == 800);
  CHECK(back.layout == s.layout);
}

TEST_CASE("settings that are damaged, absurd or not there are the defaults") {
  for (const char* text : {"", "size", "size 3 4\ntheme pink\n", "size 99999999999 -5\n\n\n"}) {
    const Settings s = Settings::from_text(text);
    CAPTURE(text);
    CHECK_FALSE(s.light);
    CHECK(s.width == 0);
    CHECK(s.layout.empty());
  }
  CHECK(Settings::load("/nowhere/at/all").layout.empty());
}

TEST_CASE("Up walks to older lines and Down back to what was being typed") {
  History h;
  h.add("regs");
  h.add("break write CMD");
  h.add("break write CMD");
  CHECK(h.older("st") == "break write CMD");
  CHECK(h.older("break write CMD") == "regs");
  CHECK(h.older("regs") == "regs");  // there is nothing older
  CHECK(h.newer("regs") == "break write CMD");
  CHECK(h.newer("break write CMD") == "st");
  CHECK(h.newer("st") == "st");
}

TEST_CASE("a count goes on until the whole trace was looked at, one question at a time") {
  std::vector<std::string> asked;
  LiveCounts counts([&](const std::string& e) { asked.push_back(e); });
  CHECK(counts.of("write", 100, now).text.empty());
  counts.of("write", 100, now);
  counts.of("read", 100, now);
  REQUIRE(asked.size() == 1);  // the first is not answered yet
  counts.answer("write", MatchCount{.matches = 3, .looked_at = 40, .of = 100});
  CHECK(counts.of("write", 100, now).text == "3 in the first 40%…");
  REQUIRE(asked.size() == 2);
  counts.answer("write", MatchCount{.matches = 5, .looked_at = 100, .of = 100});
  CHECK(counts.of("write", 100, now).text == "5 so far");
  CHECK(asked.size() == 2);
  counts.of("write", 101, now);  // the trace has grown, but not for long
  CHECK(asked.size() == 2);
  counts.of("write", 150, now + 1);
  CHECK(asked.size() == 3);
}

TEST_CASE("a refused expression is not asked about again") {
  int asked = 0;
  LiveCounts counts([&](const std::string&) { ++asked; });
  counts.of("write nothing", 10, now);
  counts.answer("write nothing", fail("column 7: there is no register \"nothing\""));
  CHECK(counts.of("write nothing", 20, now).error.find("column 7") == 0);
  CHECK(asked == 1);
}

TEST_CASE("a count that nobody looks at any more is forgotten") {
  int asked = 0;
  LiveCounts counts([&](const std::string&) { ++asked; });
  counts.of("read", 10, now);
  counts.answer("read", MatchCount{.matches = 1, .looked_at = 10, .of = 10});
  counts.end_frame();
  counts.end_frame();
  CHECK(counts.of("read", 10, now).text.empty());
  CHECK(asked == 2);
}
