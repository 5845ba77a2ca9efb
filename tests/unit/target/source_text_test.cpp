#include "core/target/source_text.hpp"

#include <unistd.h>

#include <cstdlib>
#include <fstream>

#include "catch.hpp"

using namespace pcilens;

namespace {

// Twenty lines, each with its number; gone with the object.
struct File {
  std::string path = "/tmp/pcilens-source-XXXXXX";
  File() {
    ::close(::mkstemp(path.data()));
    std::ofstream out(path);
    for (int i = 1; i <= 20; ++i) out << "line " << i << '\n';
  }
  ~File() { ::unlink(path.c_str()); }
};

CodeView standing_at(const std::string& file, std::uint32_t line) {
  CodeView view;
  view.stack.push_back({.symbol = "probe+0x10", .file = file, .line = line});
  add_source(view);
  return view;
}

}  // namespace

TEST_CASE("the source around the innermost frame's line comes from its file") {
  const File file;
  const CodeView view = standing_at(file.path, 10);
  CHECK(view.source_file == file.path);
  REQUIRE(view.source.size() == 9);
  CHECK(view.source.front().text == "line 6");
  CHECK(view.source[4].accessing);
  CHECK(view.source[4].text == "line 10");
  CHECK(view.source.back().line == 14);
  CHECK(standing_at(file.path, 1).source.front().accessing);
  CHECK(standing_at(file.path, 20).source.back().accessing);
}

TEST_CASE("a source file that is not there, or a line behind its end, shows nothing") {
  const File file;
  CHECK(standing_at("/nowhere/driver.c", 10).source.empty());
  CHECK(standing_at("/", 10).source.empty());
  CHECK(standing_at("", 10).source.empty());
  CHECK(standing_at(file.path, 0).source.empty());
  CHECK(standing_at(file.path, 100).source.empty());
  CHECK(standing_at(file.path, 100).source_file.empty());
}
