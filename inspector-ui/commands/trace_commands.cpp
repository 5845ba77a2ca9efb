// transactions, show, where: what has crossed the link, and who sent it.
#include <fmt/format.h>

#include "inspector-ui/commands/describe.hpp"
#include "inspector-ui/commands/groups.hpp"
#include "inspector-ui/commands/wait.hpp"

namespace pcilens::ui {
namespace {

constexpr Argument kTransactionsArguments[] = {
    {.name = "filter",
     .type = ArgumentType::Expression,
     .doc = "an expression; all unless given",
     .optional = true},
    {.name = "last",
     .type = ArgumentType::Number,
     .doc = "how many of the newest, 20 unless given",
     .optional = true,
     .keyword = "last"},
    {.name = "since",
     .type = ArgumentType::Number,
     .doc = "begin at this number and go on from there",
     .optional = true,
     .keyword = "since"},
};

Result<TracePage> page_of(Context& c, TraceRequest request) {
  return ask<TracePage>([&](auto done) { c.target.trace_page(request, done); });
}

Result<Output> transactions(Context& c, const Arguments& a) {
  auto last = a.number("last", 20), from = a.number("since");
  if (!last) return tl::unexpected(last.error());
  if (!from) return tl::unexpected(from.error());
  if (*last == 0 || *last > 1'000'000) return fail("transactions: last takes 1 to 1000000");
  TraceRequest request{.from = *from,
                       .limit = static_cast<std::uint32_t>(*last),
                       .direction = a.has("since") ? TraceRequest::Direction::Forward
                                                   : TraceRequest::Direction::Backward,
                       .filter = a.text("filter")};
  auto page = page_of(c, request);
  if (!page) return tl::unexpected(page.error());
  const auto s = c.target.snapshot();
  Table table;
  table.columns = transaction_columns();
  table.empty = request.filter.empty()
                    ? "no transactions yet; \"run\" or \"step\" lets the driver go on"
                    : fmt::format("none of {} matches {}", count_of(page->last_seq, "transaction"),
                                  request.filter);
  for (const TraceRow& row : page->rows)
    table.rows.push_back(transaction_row(*s, as_held(*s, row)));
  Output out;
  if (page->more && !table.rows.empty() && !a.has("since"))
    out.add(Line(fmt::format("  … earlier ones; \"transactions last {}\" shows more", *last * 5),
                 Style::Dim));
  out.add(std::move(table));
  if (page->more && a.has("since"))
    out.add(Line(fmt::format("  … further ones; \"transactions since {}\" goes on",
                             page->rows.back().transaction.seq + 1),
                 Style::Dim));
  return out;
}

constexpr Argument kShowArguments[] = {
    {.name = "seq",
     .type = ArgumentType::Number,
     .doc = "the number of a transaction; the held one or the newest unless given",
     .optional = true}};

Table hex_dump(std::span<const std::byte> bytes) {
  Table table;
  table.columns = {{"", "", true}, {"", "bytes"}, {"", "text"}};
  constexpr std::size_t kMost = 512;
  for (std::size_t at = 0; at < bytes.size() && at < kMost; at += 16) {
    std::string hex_text, text;
    for (std::size_t i = at; i < at + 16; ++i) {
      if (i == at + 8) hex_text += ' ';
      if (i >= bytes.size()) {
        hex_text += "   ";
        continue;
      }
      const auto b = std::to_integer<unsigned>(bytes[i]);
      hex_text += fmt::format("{:02x} ", b);
      text += b >= 0x20 && b < 0x7f ? static_cast<char>(b) : '.';
    }
    hex_text.pop_back();
    table.rows.push_back(
        {{fmt::format("  {:04x}", at), Style::Dim}, {hex_text, Style::Value}, {text, Style::Dim}});
  }
  if (bytes.size() > kMost)
    table.rows.push_back({{"  …", Style::Dim},
                          {fmt::format("{} in all", count_of(bytes.size(), "byte")), Style::Dim},
                          {""}});
  return table;
}

// "by hand: sent 0x0000000a, delivered 0x00000005"
std::string edit_text(const Edit& edit, const Transaction& t) {
  const std::string who = edit.rule == 0 ? "by hand" : fmt::format("by fault rule {}", edit.rule);
  return is_read(t.kind) ? fmt::format("{}: answered {}, returned {}", who,
                                       hex(edit.answered, t.size), hex(edit.returned, t.size))
                         : fmt::format("{}: sent {}, delivered {}", who, hex(edit.sent, t.size),
                                       hex(edit.delivered, t.size));
}

// ", took 4.120 s, 4.119 s of it held".
std::string took_text(const Transaction& t, std::span<const TraceRow> later) {
  if (t.done_ns <= t.t_ns) return {};
  std::string text = ", took " + format_time(t.done_ns - t.t_ns);
  if (const std::uint64_t held = held_ns(t, later); held != 0)
    text += fmt::format(", {} of it held", format_time(held));
  return text;
}

Result<Output> show(Context& c, const Arguments& a) {
  const auto s = c.target.snapshot();
  auto seq = a.number("seq", s->stop ? s->stop->transaction.seq : s->seq);
  if (!seq) return tl::unexpected(seq.error());
  auto page = page_of(
      c, {.from = *seq, .limit = 200, .direction = TraceRequest::Direction::Forward, .filter = {}});
  if (!page) return tl::unexpected(page.error());
  if (page->rows.empty() || page->rows.front().transaction.seq != *seq)
    return fail(
        fmt::format("there is no transaction #{}; the newest is #{}", *seq, page->last_seq));
  const TraceRow row = as_held(*s, page->rows.front());
  const Transaction& t = row.transaction;
  const Spot spot = spot_of(*s, t);
  Output out;
  out.add(Line()
              .add(fmt::format("#{} ", t.seq), Style::Strong)
              .add(std::string(in_words(t.kind)) + " ", Style::Strong)
              .add(place_text(*s, t), Style::Name)
              .add(row.text.empty() ? "" : "  " + row.text));
  Table facts;
  facts.columns = {{"", "name"}, {"", "value", false, true}};
  const auto fact = [&](std::string name, std::string value, Style style = Style::Plain) {
    if (!value.empty())
      facts.rows.push_back({{"  " + std::move(name), Style::Dim}, {std::move(value), style}});
  };
  const bool data =
      is_config(t.kind) || is_memory(t.kind) || t.kind == Kind::State || t.kind == Kind::Force;
  if (data)
    fact("value",
         is_read(t.kind) && t.status == Status::Pending ? "not answered yet" : hex(t.value, t.size),
         Style::Strong);
  if (t.size != 0) fact("size", count_of(t.size, "byte"));
  if (t.bar >= 0) fact("place", fmt::format("BAR{}+{:#x}", t.bar, t.offset));
  fact("origin", std::string(name_of(t.origin)));
  const bool held = s->stop && !is_recording(*s) && s->stop->transaction.seq == t.seq;
  const bool failed = t.status != Status::SC && t.status != Status::Pending;
  fact("status", (held ? "held, " : "") + status_text(t.status),
       t.status == Status::SC ? Style::Plain : Style::Bad);
  const std::string refusal = refusal_text(t, is_dma(t.kind) ? row.finding : "");
  if (failed) fact("refused", refusal, Style::Bad);
  if (refusal != row.finding) fact("finding", row.finding, Style::Bad);
  if (is_read(t.kind) && !failed && t.status != Status::Pending)
    fact("answered by", is_dma(t.kind) && t.answered_by == AnsweredBy::Function
                            ? "host memory"
                            : std::string(name_of(t.answered_by)));
  fact("time", format_time(t.t_ns) + took_text(t, page->rows));
  if (t.thread != 0)
    fact("thread", fmt::format("{} on CPU {}", thread_text(row.thread, t.thread), t.cpu));
  if (row.edit) fact("edited", edit_text(*row.edit, t), Style::Changed);
  if (t.cause != 0) fact("caused by", fmt::format("#{}", t.cause));
  out.add(std::move(facts));
  const bool whole =
      (spot.ref || spot.item) && spot.place.offset == t.offset && spot.place.size == t.size;
  if (data && whole && !spot.fields.empty() && (t.status != Status::Pending || !is_read(t.kind))) {
    Table fields = field_table(spot.fields, t.value);
    for (auto& r : fields.rows) r.front().text.insert(0, "  ");
    for (auto& column : fields.columns) column.title.clear();
    out.add(std::move(fields));
  }
  if (row.payload_bytes != 0 && row.text.empty()) {
    auto bytes =
        ask<std::vector<std::byte>>([&](auto done) { c.target.trace_payload(*seq, done); });
    if (!bytes) return tl::unexpected(bytes.error());
    out.add(hex_dump(*bytes));
  }
  Table effects;
  effects.columns = transaction_columns();
  for (auto& column : effects.columns) column.title.clear();
  for (const TraceRow& later : page->rows)
    if (later.transaction.cause == *seq)
      effects.rows.push_back(transaction_row(*s, as_held(*s, later)));
  if (!effects.rows.empty()) {
    out.add(Line("  what it made the device do:", Style::Dim));
    out.add(std::move(effects));
  }
  Table self;
  self.columns = transaction_columns();
  self.rows.push_back(transaction_row(*s, row));
  out.json = render_json(Output(std::move(self)));
  return out;
}

Result<Transaction> transaction_at(Context& c, std::uint64_t seq) {
  auto page = page_of(c, {.from = seq, .limit = 1, .filter = {}});
  if (!page) return tl::unexpected(page.error());
  if (page->rows.empty() || page->rows.front().transaction.seq != seq)
    return fail(fmt::format("there is no transaction #{}", seq));
  return page->rows.front().transaction;
}

constexpr Argument kWhereArguments[] = {
    {.name = "seq",
     .type = ArgumentType::Number,
     .doc = "the number of a transaction; the held one or the newest unless given",
     .optional = true}};

Result<Output> where(Context& c, const Arguments& a) {
  const auto s = c.target.snapshot();
  auto seq = a.number("seq", s->stop ? s->stop->transaction.seq : s->seq);
  if (!seq) return tl::unexpected(seq.error());
  auto view = ask<CodeView>([&](auto done) { c.target.code_at(*seq, done); });
  if (!view) return tl::unexpected(view.error());
  if (view->stack.empty() && view->instructions.empty())
    return Output{Line(fmt::format("#{}: nobody told where the driver stood", *seq), Style::Dim)};
  Output out;
  if (view->of != *seq && view->of != 0) {
    auto of = transaction_at(c, *seq), from = transaction_at(c, view->of);
    if (!of) return tl::unexpected(of.error());
    if (!from) return tl::unexpected(from.error());
    out.add(Line(follows_text(*s, *of, *from), Style::Dim));
  }
  Output code = describe_code(*view);
  for (auto& block : code.blocks) out.blocks.push_back(std::move(block));
  if (s->stop && *seq == s->stop->transaction.seq)
    if (const std::string held = held_text(*s); !held.empty())
      out.add(Line(held, time_goes_on(*s) ? Style::Bad : Style::Dim));
  return out;
}

}  // namespace

void add_trace_commands(CommandTable& table) {
  table.add({.id = "transactions",
             .aliases = "t trace",
             .group = "Trace",
             .summary = "list what has crossed the link, newest last",
             .help = "  transactions\n  transactions last 100\n  transactions write STATUS last "
                     "5\n  transactions irq since 1\n",
             .arguments = kTransactionsArguments,
             .run = transactions,
             .where = kConsole});
  table.add({.id = "show",
             .group = "Trace",
             .summary = "show one transaction with its fields, data and what it caused",
             .help = "  show 42\n  show\n",
             .arguments = kShowArguments,
             .run = show,
             .where = kConsole});
  table.add({.id = "where",
             .aliases = "w bt stack",
             .group = "Trace",
             .summary = "show where the driver stands: call stack and the accessing instruction",
             .help = "  where\n  where 42\n",
             .arguments = kWhereArguments,
             .run = where,
             .where = kConsole});
}

}  // namespace pcilens::ui
