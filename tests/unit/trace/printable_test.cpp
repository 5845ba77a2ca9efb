#include "core/printable.hpp"

#include <filesystem>

#include "catch.hpp"
#include "core/registers/map_json.hpp"
#include "core/trace/reader.hpp"
#include "core/trace/store.hpp"
#include "trace/support.hpp"

using namespace pcilens;
using pcilens::test::ask;

TEST_CASE("printable text keeps UTF-8") {
  CHECK(printable("Müller µs → 寄存器 \xf0\x9f\x98\x80") == "Müller µs → 寄存器 \xf0\x9f\x98\x80");
}

TEST_CASE("printable text has no escapes, controls or ends of lines") {
  CHECK(printable("\x1b[2J") == "?[2J");
  CHECK(printable(std::string_view("a\0b\x7f", 4)) == "a?b?");
  CHECK(printable("a\nb\tc\rd") == "a b c d");
  CHECK(printable("\xc2\x9b"
                  "2J") == "??2J");  // CSI as one character
  CHECK(printable("\xe2\x80\xae"
                  "abc") == "???abc");  // writes from right to left
}

TEST_CASE("bytes that are no UTF-8 do not pass") {
  CHECK(printable("\xc3") == "?");
  CHECK(printable("\xc0\x9b") == "??");       // too long a form of ESC
  CHECK(printable("\xed\xa0\x80") == "???");  // a surrogate
  CHECK(printable("\xf5\x80\x80\x80") == "????");
}

TEST_CASE("printable text is cut between characters") {
  CHECK(printable("abcdef", 6) == "abcdef");
  CHECK(printable("abcdef", 5) == "abcde...");
  CHECK(printable("abcµ", 4) == "abc...");
}

TEST_CASE("what a trace calls its functions and places is printable") {
  test::Folder folder;
  const auto path = folder / "hostile.trace";
  REQUIRE(TraceStore::create(path));
  CHECK(ask(path,
            "INSERT INTO function(id, instance, device, bdf, config, bars, maps, options) VALUES"
            "(0, char(27)||'[2J'||char(10)||printf('%.*c', 10000000, 'x'), 'a'||char(7), '', x'', "
            "'[]', '[]', '{}');"
            "INSERT INTO site(id, module, build_id, symbol, displacement, code, file, line) VALUES"
            "(1, 'm'||char(27), '', 's'||char(27), 0, x'', 'f'||char(155), 1)") == "");
  auto trace = TraceReader::open(path);
  REQUIRE(trace);
  REQUIRE((*trace)->functions().size() == 1);
  const auto& function = (*trace)->functions().front();
  CHECK(function.instance == "?[2J " + std::string(75, 'x') + "...");
  CHECK((*trace)->names()->functions.front().instance == function.instance);
  CHECK(function.device == "a?");
  const auto site = (*trace)->site(1);
  REQUIRE(site);
  REQUIRE(*site);
  CHECK((*site)->module == "m?");
  CHECK((*site)->symbol == "s?");
  CHECK((*site)->file == "f??");
}

TEST_CASE("a register's name in JSON cannot clear the screen") {
  const auto map = map_from_json(
      R"({"name":"card","bar":0,"size":4096,"registers":[{"name":"\u001b[2J","offset":0,)"
      R"("doc":"two\nlines"}]})");
  REQUIRE(map);
  CHECK((*map)->map().registers.front()->name == "?[2J");
  CHECK((*map)->map().registers.front()->doc == "two lines");
}

TEST_CASE("to ask whether a file is a trace leaves no file beside it") {
  test::Folder folder;
  const auto path = folder / "finished.trace";
  REQUIRE(TraceStore::create(path));
  REQUIRE(TraceStore::is_trace(path));
  CHECK(!std::filesystem::exists(path + "-wal"));
  CHECK(!std::filesystem::exists(path + "-shm"));
}
