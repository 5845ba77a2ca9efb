// registers, decode: looking at registers, without an effect on the device.
#include <fmt/format.h>

#include <algorithm>

#include "inspector-ui/commands/describe.hpp"
#include "inspector-ui/commands/groups.hpp"
#include "inspector-ui/commands/values.hpp"
#include "inspector-ui/commands/wait.hpp"

namespace pcilens::ui {
namespace {

// "SQ*" and the like: * stands for any text.
bool globs(std::string_view pattern, std::string_view name) {
  if (pattern.empty()) return name.empty();
  if (pattern.front() == '*') {
    for (std::size_t i = 0; i <= name.size(); ++i)
      if (globs(pattern.substr(1), name.substr(i))) return true;
    return false;
  }
  return !name.empty() &&
         std::toupper(static_cast<unsigned char>(pattern.front())) ==
             std::toupper(static_cast<unsigned char>(name.front())) &&
         globs(pattern.substr(1), name.substr(1));
}

constexpr Argument kRegistersArguments[] = {
    {.name = "name",
     .type = ArgumentType::Register,
     .doc = "a register, or a pattern such as SQ*; all unless given",
     .optional = true}};

Output register_detail(const Snapshot& s, const Spot& spot) {
  const auto value = peek(s, spot);
  Output out;
  const Register& r = *spot.ref.reg;
  const RegisterState* state = register_state(s, spot);
  const std::string_view mark = state != nullptr ? assumed(*state, r.mask()) : "";
  Line head;
  head.add(spot.name, Style::Name)
      .add(" = ")
      .add(value ? hex(*value, r.width) : "unknown", mark == "reset" ? Style::Dim : Style::Strong);
  head.add(fmt::format("  BAR{}+{:#x}, {}, reset {}", spot.place.bar, spot.place.offset,
                       count_of(r.width, "byte"), hex(r.reset, r.width)),
           Style::Dim);
  out.add(std::move(head));
  if (!r.doc.empty())
    out.add(Line("  " + std::string(r.doc) + (r.spec.empty() ? "" : fmt::format(" ({})", r.spec))));
  if (value && !r.fields.empty()) {
    Table t = field_table(r.fields, *value);
    for (std::size_t i = 0; i < r.fields.size() && state != nullptr; ++i)
      if (!assumed(*state, r.fields[i].mask()).empty()) {
        t.rows[i][2].text += "  reset";
        t.rows[i][2].style = Style::Dim;
      }
    for (auto& row : t.rows) row.front().text.insert(0, "  ");
    t.columns.front().title.insert(0, "  ");
    out.add(std::move(t));
  }
  if (!mark.empty())
    out.add(Line(mark == "reset" ? "  not in the recording so far: as the register map declares it "
                                   "after reset"
                                 : "  reset: not in the recording so far, as the register map "
                                   "declares it",
                 Style::Dim));
  std::string fields;
  for (const Field& f : r.fields)
    fields += fmt::format("{}{}:{}", fields.empty() ? "" : ",", json_string(f.name),
                          value ? f.extract(*value) : 0);
  out.json =
      fmt::format("{{\"name\":{},\"bar\":{},\"offset\":{},\"value\":{},{}\"fields\":{{{}}}}}",
                  json_string(spot.name), spot.place.bar, spot.place.offset,
                  value ? fmt::format("{}", *value) : "null",
                  is_recording(s) ? fmt::format("\"assumed\":{},", json_string(mark)) : "", fields);
  return out;
}

Result<Output> registers(Context& c, const Arguments& a) {
  const auto s = c.target.snapshot();
  const std::string& wanted = a.text("name");
  if (!wanted.empty() && wanted.find('*') == std::string::npos) {
    auto spot = find_place(*s, wanted);
    if (!spot) return tl::unexpected(spot.error());
    if (spot->ref) return register_detail(*s, *spot);
    const auto value = peek(*s, *spot);
    if (!value)
      return fail(fmt::format("{}: no register is known there; \"read {}\" asks the device",
                              spot->name, wanted));
    return value_output(*spot, *value);
  }
  Table table;
  table.columns = {{"register", "name"},
                   {"offset", "offset", true},
                   {"value", "value", true},
                   {"", "fields", false, true},
                   {is_recording(*s) ? "as of" : "last written", "changed_seq", true}};
  // A value that no event has told of must not pass for one that is recorded.
  if (is_recording(*s)) table.columns.push_back({"", "assumed"});
  bool any_assumed = false;
  table.empty = wanted.empty()
                    ? "no register map is known for this device; \"read BAR0+0x0\" asks it"
                    : fmt::format("no register matches {}; \"registers\" lists them", wanted);
  for (std::size_t f = 0; f < s->functions.size() && f < s->names->functions.size(); ++f) {
    const std::string prefix = s->functions.size() > 1 ? s->functions[f].instance + ":" : "";
    for (const auto& bank : s->functions[f].banks) {
      const RegisterLookup* bar = s->names->bar(static_cast<std::uint8_t>(f), bank.bar);
      if (bar == nullptr) continue;
      std::size_t index = 0;
      for (const Register* r : bar->map().registers) {
        std::uint32_t quiet = 0;  // elements of a long array that still have their reset value
        for (std::uint32_t i = 0; i < r->count; ++i, ++index) {
          if (index >= bank.registers.size()) continue;
          const RegisterState& state = bank.registers[index];
          const std::string name = prefix + name_of(RegisterRef{r, i});
          if (!wanted.empty() && !globs(wanted, name)) continue;
          const std::string_view mark = assumed(state, r->mask());
          if (r->count > 8 && state.value == r->reset && state.changed_seq == 0 && wanted.empty()) {
            ++quiet;
            continue;
          }
          table.rows.push_back(
              {{name, Style::Name},
               {fmt::format("BAR{}+{:#x}", bank.bar, r->offset_of(i)), Style::Dim,
                fmt::format("{}", r->offset_of(i))},
               {hex(state.value, r->width), mark == "reset" ? Style::Dim : Style::Value,
                fmt::format("{}", state.value)},
               {decode(r->fields, state.value), Style::Dim},
               {state.changed_seq == 0
                    ? ""
                    : fmt::format("#{} {}", state.changed_seq, name_of(state.changed_by)),
                Style::Dim, fmt::format("{}", state.changed_seq)},
               {std::string(mark), Style::Dim}});
          any_assumed |= !mark.empty();
        }
        if (quiet != 0)
          table.rows.push_back(
              {{prefix + array_name(*r), Style::Dim},
               {fmt::format("BAR{}+{:#x}", bank.bar, r->offset), Style::Dim,
                fmt::format("{}", r->offset)},
               {hex(r->reset, r->width), Style::Dim, fmt::format("{}", r->reset)},
               {fmt::format("{} untouched; \"registers {}\" shows all", quiet,
                            r->element_name.empty() ? array_name(*r) + "*" : array_name(*r)),
                Style::Dim}});
      }
    }
  }
  Output out(std::move(table));
  if (any_assumed)
    out.add(
        Line("reset: not in the recording so far; the value is what the register map declares "
             "after reset (partly: of some bits)",
             Style::Dim));
  return out;
}

constexpr Argument kDecodeArguments[] = {
    {.name = "name", .type = ArgumentType::Register, .doc = "a register or config item"},
    {.name = "value", .type = ArgumentType::Value, .doc = "the value to take apart"},
};

Result<Output> decode_value(Context& c, const Arguments& a) {
  auto spot = find_place(*c.target.snapshot(), a.text("name"));
  if (!spot) return tl::unexpected(spot.error());
  auto value = parse_value(a.text("value"));
  if (!value) return tl::unexpected(value.error());
  if (auto r = fits(*spot, *value); !r) return tl::unexpected(r.error());
  if (spot->fields.empty()) return fail(fmt::format("{} has no fields to decode", spot->name));
  Output out{Line().add(spot->name, Style::Name).add(" = " + hex(*value, spot->place.size))};
  return out.add(field_table(spot->fields, *value));
}

}  // namespace

void add_register_commands(CommandTable& table) {
  table.add({.id = "registers",
             .aliases = "reg regs",
             .group = "Registers",
             .summary = "show the registers and their fields, without touching the device",
             .help = "The values are looked at from outside: nothing is read on the link and "
                     "nothing changes.\n"
                     "  registers\n  registers STATUS\n  registers SQ*\n",
             .arguments = kRegistersArguments,
             .run = registers,
             .where = kConsole});
  table.add({.id = "decode",
             .group = "Registers",
             .summary = "take a value apart into a register's fields",
             .help = "  decode STATUS 0x81\n",
             .arguments = kDecodeArguments,
             .run = decode_value,
             .where = kConsole});
}

}  // namespace pcilens::ui
