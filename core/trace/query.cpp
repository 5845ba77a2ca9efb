#include "core/trace/query.hpp"

#include <fmt/format.h>

#include <map>
#include <nlohmann/json.hpp>

#include "core/printable.hpp"

namespace pcilens {
namespace {

std::string instance_of(const Transaction& t, const Names& names) {
  if (t.function < names.functions.size() && !names.functions[t.function].instance.empty())
    return names.functions[t.function].instance;
  return fmt::format("{}", t.function);
}

bool is_text(const Transaction& t) {
  return t.kind == Kind::Control || t.kind == Kind::Gap;
}

std::string text_of(const Transaction& t) {
  if (!is_text(t)) return {};
  return printable({reinterpret_cast<const char*>(t.payload.data()), t.payload.size()});
}

std::string hex(std::uint64_t value, std::uint32_t size) {
  return fmt::format("0x{:0{}x}", value, size != 0 && size <= 8 ? size * 2 : 1);
}

std::string table_row(const Transaction& t, const Names& names, std::string_view site) {
  // What is as usual is not said.
  std::string rest = is_text(t) ? text_of(t) : names.decode(t);
  const auto add = [&](std::string_view word) {
    if (!word.empty()) rest += fmt::format("{}{}", rest.empty() ? "" : "  ", word);
  };
  if (t.status != Status::SC) add(name_of(t.status));
  if (t.origin != Origin::Driver && t.origin != Origin::Function) add(name_of(t.origin));
  if (t.answered_by != AnsweredBy::Function) add(fmt::format("by {}", name_of(t.answered_by)));
  if (!t.payload.empty() && !is_text(t)) add(fmt::format("{} bytes", t.payload.size()));
  if (!site.empty()) add(fmt::format("at {}", site));
  const auto value = t.size > 8 ? std::string() : hex(t.value, t.size);
  auto row =
      fmt::format("{:>9}  {:>13.6f}  {:<12}  {:<24}  {:>18}  {}", t.seq,
                  static_cast<double>(t.t_ns) / 1e9, in_words(t.kind), names.place(t), value, rest);
  row.erase(row.find_last_not_of(' ') + 1);
  return row;
}

std::string json_row(const Transaction& t, const Names& names, std::string_view site) {
  nlohmann::ordered_json row{{"seq", t.seq}, {"t_ns", t.t_ns}};
  if (t.status != Status::Pending) row["done_ns"] = t.done_ns;
  row["kind"] = name_of(t.kind);
  row["function"] = instance_of(t, names);
  row["bar"] = t.bar;
  row["offset"] = fmt::format("{:#x}", t.offset);
  row["place"] = names.place(t);
  row["size"] = t.size;
  row["value"] = fmt::format("{:#x}", t.value);
  if (auto decoded = names.decode(t); !decoded.empty()) row["decoded"] = decoded;
  row["status"] = name_of(t.status);
  row["origin"] = name_of(t.origin);
  row["answered_by"] = name_of(t.answered_by);
  if (t.cause != 0) row["cause"] = t.cause;
  if (t.thread != 0) row["thread"] = t.thread;
  row["cpu"] = t.cpu;
  if (!site.empty()) row["site"] = site;
  if (is_text(t))
    row["text"] = text_of(t);
  else if (!t.payload.empty())
    row["payload_bytes"] = t.payload.size();
  return row.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

std::string csv_field(std::string_view text) {
  if (text.find_first_of(",\"\r\n") == std::string_view::npos) return std::string(text);
  std::string quoted = "\"";
  for (const char c : text) {
    if (c == '"') quoted += '"';
    quoted += c;
  }
  return quoted + '"';
}

std::string csv_row(const Transaction& t, const Names& names, std::string_view site) {
  return fmt::format(
      "{},{},{},{},{},{},{:#x},{},{},{:#x},{},{},{},{},{},{},{},{},{}", t.seq, t.t_ns,
      t.status == Status::Pending ? std::string() : fmt::format("{}", t.done_ns), name_of(t.kind),
      csv_field(instance_of(t, names)), t.bar, t.offset, csv_field(names.place(t)), t.size, t.value,
      csv_field(names.decode(t)), name_of(t.status), name_of(t.origin), name_of(t.answered_by),
      t.cause == 0 ? std::string() : fmt::format("{}", t.cause), t.thread, t.cpu, csv_field(site),
      csv_field(text_of(t)));
}

class Sites {
 public:
  explicit Sites(TraceReader& reader) : reader_(reader) {}
  struct Site {
    std::string symbol, place;
  };
  const Site& of(std::uint32_t id) {
    static const Site kNone;
    if (id == 0) return kNone;
    const auto [it, fresh] = known_.try_emplace(id);
    if (fresh) {
      if (const auto site = reader_.site(id); site && *site)
        it->second = {(*site)->symbol,
                      fmt::format("{}+{:#x}", (*site)->symbol, (*site)->displacement)};
    }
    return it->second;
  }

 private:
  TraceReader& reader_;
  std::map<std::uint32_t, Site> known_;
};

}  // namespace

std::optional<RowFormat> row_format_named(std::string_view name) {
  if (name == "table") return RowFormat::Table;
  if (name == "json") return RowFormat::JsonLines;
  if (name == "csv") return RowFormat::Csv;
  return {};
}

std::string format_header(RowFormat format) {
  switch (format) {
    case RowFormat::Table:
      return fmt::format("{:>9}  {:>13}  {:<12}  {:<24}  {:>18}  {}", "seq", "time s", "kind",
                         "place", "value", "meaning");
    case RowFormat::Csv:
      return "seq,t_ns,done_ns,kind,function,bar,offset,place,size,value,decoded,status,origin,"
             "answered_by,cause,thread,cpu,site,text";
    case RowFormat::JsonLines: break;
  }
  return {};
}

std::string format_row(const Transaction& t, const Names& names, RowFormat format,
                       std::string_view site) {
  switch (format) {
    case RowFormat::JsonLines: return json_row(t, names, site);
    case RowFormat::Csv: return csv_row(t, names, site);
    case RowFormat::Table: break;
  }
  return table_row(t, names, site);
}

Result<QueryStats> query(TraceReader& reader, const Expression& expression,
                         const QueryOptions& options,
                         const std::function<bool(std::string_view line)>& sink) {
  QueryStats stats;
  const auto names = reader.names();
  Sites sites(reader);
  LastValues last;
  if (options.header && options.format != RowFormat::JsonLines &&
      !sink(format_header(options.format)))
    return stats;
  const auto done = reader.for_each(0, options.to, [&](const Transaction& t) {
    ++stats.looked_at;
    const auto& site = sites.of(t.site);
    const bool match =
        t.seq >= options.from && expression.matches({t, Phase::After, last, *names, site.symbol});
    last.record(t, *names);
    if (!match) return true;
    if (options.limit != 0 && stats.matches == options.limit) {
      stats.more = true;
      return false;
    }
    ++stats.matches;
    return sink(format_row(t, *names, options.format, site.place));
  });
  if (!done) return tl::unexpected(done.error());
  return stats;
}

}  // namespace pcilens
