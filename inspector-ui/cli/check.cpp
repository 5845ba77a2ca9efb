// pcilens check: whether a trace holds what is asserted of it.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <iostream>
#include <iterator>

#include "core/target/recording.hpp"
#include "core/target/trace_target.hpp"
#include "core/trace/assertion_check.hpp"
#include "core/trace/reader.hpp"
#include "inspector-ui/cli/junit.hpp"
#include "inspector-ui/cli/register_files.hpp"
#include "inspector-ui/cli/subcommands.hpp"
#include "inspector-ui/commands/describe.hpp"
#include "inspector-ui/terminal/screen.hpp"

namespace pcilens::cli {
namespace {

using ui::json_string;
using ui::Style;

struct CheckArguments {
  std::string trace, junit;
  std::vector<std::string> files, assertions, registers;
  bool json = false;
};

Result<std::string> read_assertions(const std::string& file) {
  std::string text;
  if (file == "-") {
    text.assign(std::istreambuf_iterator<char>(std::cin), {});
    return text;
  }
  std::ifstream in(file, std::ios::binary);
  if (!in) return fail(fmt::format("{}: {}", file, std::strerror(errno)));
  // One byte more than is accepted, so that a device file cannot fill the memory.
  text.resize(kMostAssertionBytes + 1);
  in.read(text.data(), static_cast<std::streamsize>(text.size()));
  if (in.bad()) return fail(fmt::format("{}: {}", file, std::strerror(EIO)));
  text.resize(static_cast<std::size_t>(in.gcount()));
  return text;
}

Result<std::vector<Assertion>> all_assertions(const CheckArguments& a, TraceReader& trace) {
  std::vector<Assertion> all;
  const auto add = [&](std::string_view text, const std::string& file) -> Result<void> {
    auto some = parse_assertions(text, file, trace.names());
    if (!some) return tl::unexpected(some.error());
    std::move(some->begin(), some->end(), std::back_inserter(all));
    return {};
  };
  for (const std::string& file : a.files) {
    const auto text = read_assertions(file);
    if (!text) return tl::unexpected(text.error());
    if (auto added = add(*text, file == "-" ? "standard input" : file); !added)
      return tl::unexpected(added.error());
  }
  for (const std::string& text : a.assertions)
    if (auto added = add(text, "--assert"); !added) return tl::unexpected(added.error());
  return all;
}

// The transactions that decide, as `query` shows them.
Result<ui::Table> table_of(TraceReader& trace, const Snapshot& snapshot,
                           const AssertionResult& result) {
  ui::Table table;
  table.columns = ui::transaction_columns();
  for (auto& column : table.columns) column.title.clear();
  table.columns.push_back({});
  for (const auto& shown : result.shown) {
    auto event = trace.event(shown.seq);
    if (!event) return tl::unexpected(event.error());
    if (!*event) continue;
    table.rows.push_back(ui::transaction_row(snapshot, row_of(**event)));
    table.rows.back().resize(table.columns.size() - 1);
    table.rows.back().push_back({.text = "← " + shown.what, .style = Style::Dim});
  }
  return table;
}

std::string json_of(const Assertion& a, const AssertionResult& r) {
  std::string shown;
  for (const auto& s : r.shown)
    shown += fmt::format("{}{{\"seq\":{},\"what\":{}}}", shown.empty() ? "" : ",", s.seq,
                         json_string(s.what));
  return fmt::format(
      "{{\"name\":{},\"held\":{},\"vacuous\":{},\"why\":{},\"assertion\":{},\"file\":{},"
      "\"line\":{},\"transactions\":[{}]}}",
      json_string(a.name), r.held, r.vacuous, json_string(r.why), json_string(a.text),
      json_string(a.file), a.line, shown);
}

class Report {
 public:
  Report(TraceReader& trace, bool json)
      : trace_(trace), snapshot_(snapshot_of(trace)), screen_(json) {}

  Result<void> add(const Assertion& a, const AssertionResult& r) {
    (r.held ? held_ : failed_) += 1;
    if (r.vacuous) ++vacuous_;
    json_ += (json_.empty() ? "" : ",") + json_of(a, r);
    auto table = table_of(trace_, *snapshot_, r);
    if (!table) return tl::unexpected(table.error());
    if (suites_.empty() || suites_.back().name != a.file) suites_.push_back({a.file, {}});
    const ui::Output rows(*table);
    suites_.back().cases.push_back(
        {.name = a.name,
         .file = a.file,
         .line = a.line,
         .failure = r.held ? "" : r.why,
         .details = fmt::format("{}\n{}{}", a.text, r.held ? r.why + "\n" : "",
                                table->rows.empty() ? "" : ui::render(rows, {.width = 0}))});
    if (screen_.json()) return {};
    ui::Output out;
    ui::Line line;
    line.add(r.held ? "held    " : "FAILED  ", r.held ? Style::Good : Style::Bad);
    line.add(a.name, Style::Strong);
    if (r.held) {
      line.add(fmt::format("  ({}{})", r.why, r.vacuous ? ": nothing to look at" : ""), Style::Dim);
      out.add(std::move(line));
    } else {
      out.add(std::move(line));
      out.add(ui::Line(
          fmt::format("        {}:{}{}", a.file, a.line, a.name == a.text ? "" : ": " + a.text),
          Style::Dim));
      out.add(ui::Line().add("        ").add(r.why, Style::Bad));
      if (!table->rows.empty()) out.add(std::move(*table));
    }
    screen_.print(out);
    return {};
  }

  void end(const CheckReport& report) {
    ui::Output out;
    ui::Line line;
    line.add(fmt::format("{} held", held_), failed_ == 0 ? Style::Good : Style::Plain);
    line.add(", ").add(fmt::format("{} failed", failed_), failed_ == 0 ? Style::Plain : Style::Bad);
    line.add(fmt::format("; {} transactions looked at", report.looked_at), Style::Dim);
    out.add(std::move(line));
    if (vacuous_ != 0)
      out.add(ui::Line(
          fmt::format("{} of these held because nothing matched what it is about", vacuous_),
          Style::Dim));
    if (report.lost != 0)
      out.add(ui::Line(fmt::format("the trace lost {} events: what they were is not known; "
                                   "\"pcilens query TRACE gap\" shows where",
                                   report.lost),
                       Style::Bad));
    out.json = fmt::format(
        "{{\"held\":{},\"failed\":{},\"vacuous\":{},\"looked_at\":{},\"lost\":{},"
        "\"assertions\":[{}]}}",
        held_, failed_, vacuous_, report.looked_at, report.lost, json_);
    screen_.print(out);
  }

  bool failed() const { return failed_ != 0; }

  Result<void> write_junit(const std::string& file, const JunitRun& run) const {
    const std::string text = junit(suites_, run);
    std::FILE* out = std::fopen(file.c_str(), "w");
    bool written = out != nullptr && std::fwrite(text.data(), 1, text.size(), out) == text.size();
    int error = errno;
    if (out != nullptr && std::fclose(out) != 0) {
      written = false;
      error = errno;
    }
    if (!written) return fail(fmt::format("--junit {}: {}", file, std::strerror(error)));
    return {};
  }

 private:
  TraceReader& trace_;
  const std::shared_ptr<const Snapshot> snapshot_;
  const ui::Screen screen_;
  std::vector<JunitSuite> suites_;
  std::string json_;
  unsigned held_ = 0, failed_ = 0, vacuous_ = 0;
};

int check(const CheckArguments& a) {
  if (a.files.empty() && a.assertions.empty())
    return cannot("nothing is asserted; -x FILE or -e ASSERTION says what the trace must hold");
  auto trace = TraceReader::open(a.trace);
  if (!trace) return cannot(trace.error().message);
  auto registers = read_register_files(a.registers);
  if (!registers) return cannot(registers.error().message);
  put_registers(**trace, *registers);
  const auto assertions = all_assertions(a, **trace);
  if (!assertions) return cannot(assertions.error().message);
  JunitRun run{.began = std::chrono::system_clock::now()};
  const auto from = std::chrono::steady_clock::now();
  const auto result = check_assertions(**trace, *assertions);
  run.took = std::chrono::steady_clock::now() - from;
  if (!result) return cannot(result.error().message);

  Report report(**trace, a.json);
  for (std::size_t i = 0; i < assertions->size(); ++i)
    if (auto added = report.add((*assertions)[i], result->results[i]); !added)
      return cannot(added.error().message);
  report.end(*result);
  if (!a.junit.empty())
    if (auto written = report.write_junit(a.junit, run); !written)
      return cannot(written.error().message);
  return report.failed() ? kDiffers : kOk;
}

}  // namespace

Run declare_check(CLI::App& app) {
  auto a = std::make_shared<CheckArguments>();
  app.add_option("trace", a->trace, "The trace")->type_name("TRACE")->required();
  app.add_option("-x,--assertions", a->files,
                 "A file with one assertion a line, as docs/ci.md describes; - is standard "
                 "input;\nmay be repeated")
      ->type_name("FILE")
      ->take_all()
      ->allow_extra_args(false);
  app.add_option("-e,--assert", a->assertions, "This assertion too; may be repeated")
      ->type_name("ASSERTION")
      ->take_all()
      ->allow_extra_args(false);
  app.add_option("--junit", a->junit, "Write the results for a CI system, as JUnit's XML")
      ->type_name("FILE");
  add_registers_option(app, a->registers);
  app.add_flag("--json", a->json, "A JSON object");
  return [a] { return check(*a); };
}

}  // namespace pcilens::cli
