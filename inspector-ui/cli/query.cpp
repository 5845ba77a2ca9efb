// pcilens query: the transactions of a trace that an expression matches.
#include <fmt/format.h>

#include <CLI/CLI.hpp>

#include "core/target/recording.hpp"
#include "core/target/trace_target.hpp"
#include "core/trace/reader.hpp"
#include "inspector-ui/cli/json_lines.hpp"
#include "inspector-ui/cli/register_files.hpp"
#include "inspector-ui/cli/subcommands.hpp"
#include "inspector-ui/cli/whole_number.hpp"
#include "inspector-ui/commands/describe.hpp"
#include "inspector-ui/terminal/screen.hpp"

namespace pcilens::cli {
namespace {

struct QueryArguments {
  std::string file, expression;
  std::vector<std::string> registers;
  std::uint64_t from = 1, limit = 0;
  bool count = false, check = false, json = false;
};

int query(const QueryArguments& a) {
  const ui::Screen screen(a.json);
  auto reader = TraceReader::open(a.file);
  if (!reader) return cannot(reader.error().message);
  auto files = read_register_files(a.registers);
  if (!files) return cannot(files.error().message);
  put_registers(**reader, *files);
  auto expression = Expression::compile(a.expression, (*reader)->names());
  if (!expression) return cannot(expression.error().message);
  const auto snapshot = snapshot_of(**reader);

  // A page at a time, so that a long trace begins to show at once and takes no memory.
  TraceWindow window{.from = a.from, .limit = 4096, .backward = false, .filter = &*expression};
  std::uint64_t found = 0;
  for (bool more = true; more && (a.limit == 0 || found < a.limit);) {
    if (a.limit != 0)
      window.limit = static_cast<std::uint32_t>(std::min<std::uint64_t>(4096, a.limit - found));
    auto page = (*reader)->window(window);
    if (!page) return cannot(page.error().message);
    ui::Table table;
    table.columns = ui::transaction_columns();
    if (found != 0)
      for (auto& column : table.columns) column.title.clear();
    for (TraceEvent& e : page->events) {
      ++found;
      window.from = e.t.seq + 1;
      if (a.count) continue;
      table.rows.push_back(ui::transaction_row(*snapshot, row_of(e)));
    }
    if (a.json) {
      for (auto& row : table.rows) print_json_line(table.columns, row);
    } else {
      screen.print(ui::Output(std::move(table)));
    }
    more = page->more && !page->events.empty();
  }
  if (a.count) fmt::print("{}\n", found);
  return a.check && found != 0 ? kDiffers : kOk;
}

}  // namespace

Run declare_query(CLI::App& app) {
  auto a = std::make_shared<QueryArguments>();
  app.add_option("trace", a->file, "The trace")->type_name("TRACE")->required();
  app.add_option("expression", a->expression,
                 "What to look for, as docs/expressions.md describes. Default: everything")
      ->type_name("EXPRESSION");
  add_registers_option(app, a->registers);
  app.add_option("--from", a->from, "Begin at this transaction")
      ->type_name("SEQ")
      ->check(whole_number(0));
  app.add_option("--limit", a->limit, "Stop after this many matches. Default, and 0: all")
      ->type_name("N")
      ->check(whole_number(0));
  app.add_flag("--count", a->count, "Print only how many match");
  app.add_flag("--check", a->check,
               "For scripts: exit code 1 if anything matches. Without it the exit code is "
               "0,\nwhatever was found");
  app.add_flag("--json", a->json, "One JSON object a line");
  return [a] { return query(*a); };
}

}  // namespace pcilens::cli
