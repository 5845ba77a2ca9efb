#include "core/trace/query.hpp"

#include "catch.hpp"
#include "core/trace/import.hpp"
#include "trace/support.hpp"

using namespace pcilens;
using pcilens::test::ask;
using pcilens::test::output_of;

namespace {

const std::string kNvme = PCILENS_SOURCE_DIR "/tests/data/recordings/nvme-q72-linux61/";

struct Imported {
  test::Folder folder;
  std::string path = folder / "t.db";
  std::unique_ptr<TraceReader> reader;
  Imported() {
    REQUIRE(import_file("qemu-log", kNvme + "qemu-trace.log.gz", path, {}));
    reader = std::move(*TraceReader::open(path));
  }
};

std::string lines_of(TraceReader& reader, const std::string& expression, QueryOptions options,
                     QueryStats* stats = nullptr) {
  const auto compiled = Expression::compile(expression, reader.names());
  REQUIRE(compiled);
  std::string text;
  const auto done = query(reader, *compiled, options, [&](std::string_view line) {
    text.append(line).append("\n");
    return true;
  });
  REQUIRE(done);
  if (stats) *stats = *done;
  return text;
}

}  // namespace

TEST_CASE("a query finds as many events as sqlite3 counts") {
  Imported trace;
  QueryStats stats;
  lines_of(*trace.reader, "mem_write", {}, &stats);
  CHECK(std::to_string(stats.matches) ==
        ask(trace.path, "SELECT count(*) FROM event WHERE kind=3"));
  CHECK(stats.looked_at == 1703);
  lines_of(*trace.reader, "irq and vector == 1", {}, &stats);
  CHECK(stats.matches == 12);
}

TEST_CASE("a table row shows place, value and meaning") {
  Imported trace;
  const auto text = lines_of(*trace.reader, "write COMMAND.BME 0->1", {.limit = 1});
  CHECK(
      text ==
      "      seq         time s  kind          place                                  value  "
      "meaning\n"
      "       57       0.059342  config write  nvme0:COMMAND                         0x0107  IO=1 "
      "MEM=1 BME=1 PERR=0 SERR=1 INTXDIS=0\n");
}

TEST_CASE("JSON lines hold what the trace holds, as Python's parser reads them") {
  Imported trace;
  const auto text =
      lines_of(*trace.reader, "any", {.format = RowFormat::JsonLines, .from = 10, .to = 1000});
  const auto file = trace.folder / "rows.json";
  std::FILE* out = std::fopen(file.c_str(), "w");
  std::fputs(text.c_str(), out);
  std::fclose(out);
  const auto python = output_of(
      "python3 -c \"import json,sys\n"
      "for l in open('" +
      file +
      "'):\n"
      "  r = json.loads(l)\n"
      "  print(r['seq'], r['t_ns'], r['kind'], int(r['offset'],16), r['size'], int(r['value'],16), "
      "sep='|')\"");
  CHECK(test::first_difference(python,
                               ask(trace.path,
                                   "SELECT e.seq, e.t_ns, a.kind, e.offset, e.size, e.value FROM "
                                   "event e JOIN accesses a USING(seq) WHERE seq BETWEEN 10 AND "
                                   "1000")) == "");
}

TEST_CASE("CSV goes into sqlite3 and comes out the same") {
  Imported trace;
  const auto file = trace.folder / "rows.csv";
  std::FILE* out = std::fopen(file.c_str(), "w");
  std::fputs(lines_of(*trace.reader, "any", {.format = RowFormat::Csv}).c_str(), out);
  std::fclose(out);
  const std::string sums = "count(*), sum(seq), sum(size), sum(kind = 'cfg_read')";
  CHECK(output_of("sqlite3 :memory: '.import --csv " + file + " r' \"SELECT " + sums +
                  " FROM r\"") == ask(trace.path, "SELECT " + sums + " FROM accesses"));
}

TEST_CASE("a limit cuts, and says that there was more") {
  Imported trace;
  QueryStats stats;
  lines_of(*trace.reader, "read", {.limit = 5}, &stats);
  CHECK(stats.matches == 5);
  CHECK(stats.more);
}

TEST_CASE("text with quotes and commas stays one CSV field") {
  Names names;
  Transaction t;
  t.kind = Kind::Control;
  t.status = Status::SC;
  const std::string text = "breakpoint 1, \"write CC\"\nadded";
  t.payload = std::as_bytes(std::span(text));
  const auto row = format_row(t, names, RowFormat::Csv);
  CHECK(row.substr(row.size() - 34) == "\"breakpoint 1, \"\"write CC\"\" added\"");
}
