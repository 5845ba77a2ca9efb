#include "core/link/expression_resolve.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <functional>

#include "core/link/expression_lexer.hpp"
#include "core/link/expression_words.hpp"

namespace pcilens::expression {
namespace {

// A register of a BAR or of config space, as both are looked up.
struct Candidate {
  std::int16_t function;
  std::int8_t bar;
  std::string pattern;     // "CC", "SQ[%].TDBL"
  std::string_view plain;  // the declared name
  std::uint64_t offset;
  std::uint8_t width;
  std::uint32_t count, stride;
  std::span<const Field> fields;
  Access access;
  std::optional<std::uint64_t> reset;
};

}  // namespace

tl::expected<Path, std::string> split_index(std::string_view path) {
  Path out;
  const auto open = path.find('[');
  if (open == std::string_view::npos) return Path{std::string(path), {}};
  const auto close = path.find(']', open);
  if (close == std::string_view::npos || path.find('[', close) != std::string_view::npos)
    return tl::unexpected(
        fmt::format("{} has more than one index; a register takes one, as in "
                    "SQ[3].TDBL",
                    printable(path)));
  std::string_view inside = path.substr(open + 1, close - open - 1);
  while (!inside.empty() && inside.front() == ' ') inside.remove_prefix(1);
  while (!inside.empty() && inside.back() == ' ') inside.remove_suffix(1);
  out.pattern = std::string(path.substr(0, open)) + "[%]" + std::string(path.substr(close + 1));
  if (inside == "*") return out;
  out.selection.given = true;
  const auto dots = inside.find("..");
  const auto first = parse_number(inside.substr(0, dots));
  const auto last = dots == std::string_view::npos ? first : parse_number(inside.substr(dots + 2));
  if (!first || !last || *last < *first)
    return tl::unexpected(
        fmt::format("[{}] is no index; write [3], [1..4] or [*]", printable(inside)));
  out.selection.first = *first;
  out.selection.last = *last;
  return out;
}

namespace {

std::string pattern_of(const Register& r) {
  if (r.count <= 1) return std::string(r.name);
  if (r.element_name.empty()) return std::string(r.name) + "[%]";
  const auto place = r.element_name.find('%');
  if (place == std::string_view::npos) return std::string(r.element_name);
  // "SQ[%].TDBL" as it stands; "SQ%TDBL" is looked up in the same way, index in brackets.
  if (place > 0 && r.element_name[place - 1] == '[') return std::string(r.element_name);
  return std::string(r.element_name.substr(0, place)) + "[%]" +
         std::string(r.element_name.substr(place + 1));
}

void each_candidate(const Scope& scope, const Names& names, bool config,
                    const std::function<void(const Candidate&)>& use) {
  for (std::size_t f = 0; f < names.functions.size() && f < 256; ++f) {
    if (scope.function >= 0 && scope.function != static_cast<int>(f)) continue;
    const auto function = static_cast<std::int16_t>(f);
    if (config) {
      const ConfigNames& items = names.config(static_cast<std::uint8_t>(f));
      for (const ConfigItem& i : items.items())
        use({function, kBarConfig, i.name, i.name, i.offset, i.width, 1, 0, i.fields, Access::RW,
             items.first_value(i.offset, i.width)});
      continue;
    }
    for (const auto& lookup : names.functions[f].bars) {
      if (!lookup || (scope.bar >= 0 && scope.bar != lookup->map().bar)) continue;
      for (const Register* r : lookup->map().registers)
        use({function, lookup->map().bar, pattern_of(*r), r->name, r->offset, r->width, r->count,
             r->stride, r->fields, r->access, r->reset});
    }
  }
  if (config && names.functions.empty() && scope.function < 0)
    for (const ConfigItem& i : ConfigNames::standard_header().items())
      use({-1, kBarConfig, i.name, i.name, i.offset, i.width, 1, 0, i.fields, Access::RW,
           std::nullopt});
}

bool names_it(const Path& path, const Candidate& c) {
  if (path.pattern == c.pattern || path.pattern == c.plain) return true;
  if (path.pattern == std::string(c.plain) + "[%]") return true;
  return path.pattern.find_first_of("*?") != std::string::npos &&
         matches_pattern(c.pattern, path.pattern);
}

bool driver_writes(Access a) {
  return a == Access::RW || a == Access::W1C || a == Access::RW1S || a == Access::WO;
}
bool driver_reads(Access a) {
  return a != Access::WO && a != Access::Reserved;
}

class Collector {
 public:
  Collector(const Scope& scope, const Names& names, Operand& out)
      : scope_(scope), names_(names), out_(out) {
    out_.readable = out_.writable = false;
    out_.bits = 0;
  }

  // Adds what `path` names in BARs or in config space; `field` may be empty.
  void collect(const Path& path, std::string_view field, bool config) {
    each_candidate(scope_, names_, config, [&](const Candidate& c) {
      if (!names_it(path, c)) return;
      found_register_ = true;
      register_fields_ = c.fields;
      if (path.selection.given && (c.count <= 1 || path.selection.first >= c.count)) {
        out_of_range_ = c;
        return;
      }
      const Field* f = nullptr;
      if (!field.empty()) {
        for (const Field& declared : c.fields)
          if (declared.name == field) f = &declared;
        if (!f) return;
      }
      add(c, path.selection, f);
    });
  }

  bool found_register() const { return found_register_; }
  const std::optional<Candidate>& out_of_range() const { return out_of_range_; }
  std::span<const Field> register_fields() const { return register_fields_; }

 private:
  void add(const Candidate& c, const Selection& selection, const Field* field) {
    Target t;
    t.function = c.function;
    t.bar = c.bar;
    t.length = c.width;
    t.offset = c.offset;
    t.stride = c.stride;
    t.count = c.count;
    if (selection.given) {
      const std::uint64_t last = std::min<std::uint64_t>(selection.last, c.count - 1);
      t.offset += selection.first * c.stride;
      t.count = static_cast<std::uint32_t>(last - selection.first + 1);
    }
    t.bits = field ? field->mask() : mask_of_size(c.width);
    t.shift = field ? field->low : 0;
    t.reset = c.reset.value_or(0);
    t.has_reset = c.reset.has_value();
    out_.targets.push_back(t);
    out_.fields.push_back(field);
    out_.bits = std::max(out_.bits, field ? field->bits() : c.width * 8u);
    if (field) {
      out_.readable |= driver_reads(field->access);
      out_.writable |= driver_writes(field->access);
      return;
    }
    // A register can be read or written if any of its bits can.
    bool covered = false;
    for (const Field& f : c.fields) {
      out_.readable |= driver_reads(f.access);
      out_.writable |= driver_writes(f.access);
      covered = true;
    }
    if (!covered) {
      out_.readable |= driver_reads(c.access);
      out_.writable |= driver_writes(c.access);
    }
  }

  const Scope& scope_;
  const Names& names_;
  Operand& out_;
  bool found_register_ = false;
  std::optional<Candidate> out_of_range_;
  std::span<const Field> register_fields_;
};

std::string who(const Scope& scope, const Names& names) {
  const auto space = [&]() -> std::string {
    if (scope.config) return " in config space";
    return scope.bar >= 0 ? fmt::format(" in BAR{}", scope.bar) : "";
  };
  if (scope.function >= 0)
    return space() + (space().empty() ? " on " : " of ") +
           names.functions[static_cast<std::size_t>(scope.function)].instance;
  if (names.functions.empty()) return space() + " on this link";
  std::string all;
  for (std::size_t i = 0; i < names.functions.size(); ++i) {
    if (i == 4) {
      all += " ...";
      break;
    }
    all += (i == 0 ? "" : " or ") + names.functions[i].instance;
  }
  return space() + (space().empty() ? " on " : " of ") + all;
}

std::string not_found(std::string_view path, const Path& split, const Scope& scope,
                      const Names& names) {
  const std::vector<std::string> known = register_names(scope, names);
  bool maps = false;
  for (const FunctionNames& f : names.functions) maps |= !f.bars.empty();
  std::string text = fmt::format("no {}register {}{}", scope.config ? "config " : "",
                                 printable(path), who(scope, names));
  // The register may be right and its field wrong, or both a little wrong.
  const auto dot = split.pattern.rfind('.');
  std::string suggestion = nearest(path, known);
  if (suggestion.empty() && dot != std::string::npos) {
    const std::string head = nearest(split.pattern.substr(0, dot), known);
    if (!head.empty()) suggestion = head + split.pattern.substr(dot);
  }
  if (suggestion.empty() && !scope.config) {
    Scope config = scope;
    config.config = true;
    suggestion = nearest(path, register_names(config, names));
    if (!suggestion.empty()) suggestion = "config " + suggestion;
  }
  if (!suggestion.empty()) return text + "; did you mean " + suggestion + "?";
  if (!maps && !scope.config)
    return text + "; no register names are known, write BAR0+0x1c instead";
  return text + "; `registers` lists them, BAR0+0x1c names a place without one";
}

}  // namespace

std::optional<std::uint64_t> Operand::value_named(std::string_view value) const {
  std::optional<std::uint64_t> found;
  for (const Field* f : fields) {
    if (!f) continue;
    for (const EnumValue& v : f->values) {
      if (v.name != value) continue;
      if (found && *found != v.value) return std::nullopt;
      found = v.value;
    }
  }
  return found;
}

std::vector<std::string> Operand::value_names() const {
  std::vector<std::string> out;
  for (const Field* f : fields)
    if (f)
      for (const EnumValue& v : f->values)
        if (std::find(out.begin(), out.end(), v.name) == out.end()) out.emplace_back(v.name);
  return out;
}

tl::expected<Operand, std::string> resolve(std::string_view path, const Scope& scope,
                                           const Names& names) {
  const auto split = split_index(path);
  if (!split) return tl::unexpected(split.error());
  Operand out;
  out.name = std::string(path);
  Collector collector(scope, names, out);

  // A whole register, then a field of one; in BARs, then in config space.
  std::string_view field;
  Path head = *split;
  const auto dot = head.pattern.rfind('.');
  const auto percent = head.pattern.find('%');
  const bool may_have_field =
      dot != std::string::npos && (percent == std::string::npos || dot > percent);
  if (may_have_field) {
    field = std::string_view(split->pattern).substr(dot + 1);
    head.pattern.resize(dot);
  }
  for (const bool config : {false, true}) {
    if (config ? scope.bar >= 0 : scope.config) continue;
    collector.collect(*split, {}, config);
    if (out.targets.empty() && may_have_field) collector.collect(head, field, config);
    if (!out.targets.empty()) return out;
    if (collector.out_of_range()) {
      const Candidate& c = *collector.out_of_range();
      if (c.count <= 1)
        return tl::unexpected(fmt::format("{} is one register, it takes no index", c.plain));
      return tl::unexpected(fmt::format("{} has the elements 0..{}", c.plain, c.count - 1));
    }
    if (collector.found_register()) {
      std::vector<std::string> known;
      for (const Field& f : collector.register_fields()) known.emplace_back(f.name);
      const std::string near = nearest(field, known);
      std::string text =
          fmt::format("{} has no field {}", printable(path.substr(0, path.rfind('.'))), field);
      if (!near.empty())
        text += "; did you mean " + near + "?";
      else if (known.empty())
        text += "; it has no fields, write CC & 0xf0 == 0x40";
      else
        text += "; it has " + fmt::format("{}", fmt::join(known, ", "));
      return tl::unexpected(text);
    }
  }
  return tl::unexpected(not_found(path, *split, scope, names));
}

std::vector<std::string> register_names(const Scope& scope, const Names& names) {
  std::vector<std::string> out;
  const auto add = [&](const Candidate& c) {
    std::string name = c.pattern;
    if (const auto place = name.find("[%]"); place != std::string::npos)
      name.replace(place, 3, "[*]");
    out.push_back(std::move(name));
  };
  if (!scope.config) each_candidate(scope, names, false, add);
  if (scope.config) each_candidate(scope, names, true, add);
  std::sort(out.begin(), out.end());
  out.erase(std::unique(out.begin(), out.end()), out.end());
  return out;
}

std::vector<std::string> field_names(std::string_view register_path, const Scope& scope,
                                     const Names& names) {
  std::vector<std::string> out;
  const auto path = split_index(register_path);
  if (!path) return out;
  for (const bool config : {false, true}) {
    if (config ? scope.bar >= 0 : scope.config) continue;
    each_candidate(scope, names, config, [&](const Candidate& c) {
      if (!names_it(*path, c)) return;
      for (const Field& f : c.fields)
        if (std::find(out.begin(), out.end(), f.name) == out.end()) out.emplace_back(f.name);
    });
    if (!out.empty()) break;
  }
  return out;
}

}  // namespace pcilens::expression
