// read, write, force, edit: what a person does to values by hand.
#include <fmt/format.h>

#include <algorithm>

#include "inspector-ui/commands/describe.hpp"
#include "inspector-ui/commands/groups.hpp"
#include "inspector-ui/commands/values.hpp"
#include "inspector-ui/commands/wait.hpp"
#include "inspector-ui/commands/words.hpp"

namespace pcilens::ui {
namespace {

Result<Spot> spot_argument(const Snapshot& s, const Arguments& a) {
  auto spot = find_place(s, a.text("place"));
  if (!spot) return spot;
  if (a.has("size")) {
    auto size = a.number("size");
    if (!size) return tl::unexpected(size.error());
    if (*size != 1 && *size != 2 && *size != 4 && *size != 8)
      return fail(fmt::format("size {}: an access has 1, 2, 4 or 8 bytes", *size));
    if (spot->field != nullptr)
      return fail(fmt::format("{} is a field; leave out the size", spot->name));
    spot->place.size = static_cast<std::uint32_t>(*size);
  }
  return spot;
}

constexpr Argument kReadArguments[] = {
    {.name = "place",
     .type = ArgumentType::Place,
     .doc = "a register, a field, BAR0+0x98 or config+0x4"},
    {.name = "size",
     .type = ArgumentType::Size,
     .doc = "bytes: 1, 2, 4 or 8; the register's width unless given",
     .optional = true},
};
constexpr Action kReadActions[] = {{"Read register…"}};

Result<Output> read(Context& c, const Arguments& a) {
  auto spot = spot_argument(*c.target.snapshot(), a);
  if (!spot) return tl::unexpected(spot.error());
  auto value = ask<std::uint64_t>([&](auto done) { c.target.poke_read(spot->place, done); });
  if (!value) return tl::unexpected(value.error());
  return value_output(*spot, *value);
}

constexpr Argument kWriteArguments[] = {
    {.name = "place",
     .type = ArgumentType::Place,
     .doc = "a register, a field, BAR0+0x98 or config+0x4"},
    {.name = "value",
     .type = ArgumentType::Value,
     .doc = "a number, or the name of a field's value"},
    {.name = "size",
     .type = ArgumentType::Size,
     .doc = "bytes: 1, 2, 4 or 8; the register's width unless given",
     .optional = true},
};
constexpr Action kWriteActions[] = {{"Write register…"}};
constexpr Action kForceActions[] = {{"Force register…"}};

// What stands in the other bits when one field is written: what they are, but 0 where writing a 1
// would act (W1C, RW1S).
std::uint64_t beside(const Spot& spot, std::uint64_t value, bool as_driver) {
  if (!as_driver) return value;
  for (const Field& f : spot.fields)
    if (f.access == Access::W1C || f.access == Access::RW1S) value &= ~f.mask();
  return value;
}

Result<std::uint64_t> value_argument(const Snapshot& s, const Spot& spot, const std::string& text,
                                     bool as_driver) {
  auto value = parse_value(text, spot.field);
  if (!value) return tl::unexpected(Error{fmt::format("{}: {}", spot.name, value.error().message)});
  if (auto r = fits(spot, *value); !r) return tl::unexpected(r.error());
  if (spot.field == nullptr) return value;
  const auto now = peek(s, spot);
  if (!now)
    return fail(
        fmt::format("{}: its register's value is not known; write the whole register", spot.name));
  return spot.field->insert(beside(spot, *now, as_driver), *value);
}

// "STATUS" of "STATUS.IRQ".
std::string_view register_of(const Spot& spot) {
  return std::string_view(spot.name).substr(0, spot.name.rfind('.'));
}

// What was asked for: of a field its own value, whatever stands beside it.
std::string shown(const Spot& spot, std::uint64_t value) {
  return spot.field != nullptr ? field_value(*spot.field, value) : hex(value, spot.place.size);
}

std::string whole_text(const Spot& spot, std::uint64_t value) {
  return fmt::format("  with the rest of {}: {}", register_of(spot), hex(value, spot.place.size));
}

std::string written_json(const Spot& spot, std::uint64_t value) {
  if (spot.field == nullptr)
    return fmt::format("{{\"place\":{},\"value\":{}}}", json_string(spot.name), value);
  return fmt::format("{{\"place\":{},\"value\":{},\"register\":{},\"register_value\":{}}}",
                     json_string(spot.name), spot.field->extract(value),
                     json_string(register_of(spot)), value);
}

Result<Output> write(Context& c, const Arguments& a) {
  const auto s = c.target.snapshot();
  auto spot = spot_argument(*s, a);
  if (!spot) return tl::unexpected(spot.error());
  auto value = value_argument(*s, *spot, a.text("value"), true);
  if (!value) return tl::unexpected(value.error());
  if (auto r = ask<void>([&](auto done) { c.target.poke_write(spot->place, *value, done); }); !r)
    return tl::unexpected(r.error());
  const auto after = peek(*c.target.snapshot(), *spot);
  Line line;
  line.add("wrote ")
      .add(shown(*spot, *value), Style::Strong)
      .add(" to ")
      .add(spot->name, Style::Name);
  if (spot->field != nullptr) line.add(whole_text(*spot, *value), Style::Dim);
  if (after && *after != *value)
    line.add(fmt::format("  {}now reads {}",
                         spot->field != nullptr ? std::string(register_of(*spot)) + " " : "it ",
                         hex(*after, spot->place.size)),
             Style::Dim);
  Output out(std::move(line));
  out.json = written_json(*spot, *value);
  return out;
}

Result<Output> force(Context& c, const Arguments& a) {
  const auto s = c.target.snapshot();
  auto spot = spot_argument(*s, a);
  if (!spot) return tl::unexpected(spot.error());
  auto value = value_argument(*s, *spot, a.text("value"), false);
  if (!value) return tl::unexpected(value.error());
  if (auto r = ask<void>([&](auto done) { c.target.force(spot->place, *value, done); }); !r)
    return tl::unexpected(r.error());
  Output out{Line()
                 .add("forced ")
                 .add(spot->name, Style::Name)
                 .add(" to ")
                 .add(shown(*spot, *value), Style::Strong)
                 .add(spot->field != nullptr ? whole_text(*spot, *value) : "", Style::Dim)};
  out.json = written_json(*spot, *value);
  return out;
}

constexpr Argument kEditArguments[] = {
    {.name = "value",
     .type = ArgumentType::Assignment,
     .doc = "the new value, or FIELD=VALUE, several apart by blanks"}};
constexpr Action kEditActions[] = {{"Edit held value…", "", Key{KeyCode::E, true, false, false}}};

std::string_view nothing_held(const Snapshot& s) {
  return s.stop ? "" : "no transaction is held; set a breakpoint, or \"step\" or \"pause\" first";
}

Result<Output> edit(Context& c, const Arguments& a) {
  const auto s = c.target.snapshot();
  if (!s->stop) return fail("edit: no transaction is held any more");
  const Transaction& t = s->stop->transaction;
  const Spot spot = spot_of(*s, t);
  std::uint64_t value = t.value;
  auto words = split_words(a.text("value"));
  if (!words) return tl::unexpected(words.error());
  for (const Word& word : *words) {
    const std::size_t equals = word.text.find('=');
    if (equals == std::string::npos) {
      if (words->size() != 1)
        return fail(fmt::format("edit: \"{}\" is no FIELD=VALUE; give one number or fields only",
                                word.text));
      auto whole = parse_value(word.text);
      if (!whole) return tl::unexpected(whole.error());
      value = *whole;
      continue;
    }
    const std::string_view name = std::string_view(word.text).substr(0, equals);
    const auto field = std::find_if(spot.fields.begin(), spot.fields.end(),
                                    [&](const Field& f) { return f.name == name; });
    if (field == spot.fields.end()) {
      std::string names;
      for (const Field& f : spot.fields) names += (names.empty() ? "" : ", ") + std::string(f.name);
      return fail(names.empty()
                      ? fmt::format("edit: {} has no fields; give the whole value", spot.name)
                      : fmt::format("edit: {} has no field \"{}\"; its fields are {}", spot.name,
                                    name, names));
    }
    auto part = parse_value(std::string_view(word.text).substr(equals + 1), &*field);
    if (!part) return tl::unexpected(part.error());
    if (*part > field->mask() >> field->low)
      return fail(fmt::format("edit: {:#x} does not fit {}, which has {}", *part, field->name,
                              count_of(field->bits(), "bit")));
    value = field->insert(value, *part);
  }
  if ((value & ~mask_of_size(t.size)) != 0)
    return fail(fmt::format("edit: {:#x} does not fit the {} of this access", value,
                            count_of(t.size, "byte")));
  if (auto r = ask<void>([&](auto done) { c.target.edit(value, done); }); !r)
    return tl::unexpected(r.error());
  Line line;
  line.add(fmt::format("#{} ", t.seq)).add(spot.name, Style::Name);
  line.add(fmt::format(": {} ", hex(t.value, t.size)), Style::Dim)
      .add("→ " + hex(value, t.size), Style::Changed);
  if (spot.place.size == t.size) line.add("  " + decode(spot.fields, value), Style::Dim);
  Output out(std::move(line));
  out.json = fmt::format("{{\"seq\":{},\"before\":{},\"value\":{}}}", t.seq, t.value, value);
  return out;
}

}  // namespace

void add_poke_commands(CommandTable& table) {
  table.add({.id = "read",
             .group = "Registers",
             .summary = "read from the device yourself (a poke: effects and all)",
             .help = "A real transaction with origin \"poke\": the device acts on it and the trace "
                     "keeps it. It hits\n"
                     "no breakpoint during a stop. \"registers\" only looks.\n"
                     "  read STATUS\n  read BAR0+0x98 4\n  read config+0x4:2\n",
             .arguments = kReadArguments,
             .actions = kReadActions,
             .run = read});
  table.add({.id = "write",
             .aliases = "poke",
             .group = "Registers",
             .summary = "write to the device yourself (a poke: effects and all)",
             .help = "A field is written with the other bits as they are, and 0 where a 1 would "
                     "act (W1C, RW1S).\n"
                     "  write FACTORIAL 5\n  write CC.EN 1\n  write BAR0+0x98 4 1\n",
             .arguments = kWriteArguments,
             .actions = kWriteActions,
             .run = write});
  table.add({.id = "force",
             .group = "Registers",
             .summary = "set stored state that no write may set, such as a read-only bit",
             .help = "No transaction: the stored value changes and nothing acts on it. The trace "
                     "keeps it as a force.\n"
                     "  force CSTS.CFS 1\n  force STATUS 0x0\n",
             .arguments = kWriteArguments,
             .actions = kForceActions,
             .run = force});
  table.add({.id = "edit",
             .aliases = "e",
             .group = "Run",
             .summary = "change the value of the held transaction before it is delivered",
             .help = "Held before the device sees a write: the device gets your value. Held after "
                     "a read was\n"
                     "answered (\"break ... after\"): the driver gets your value.\n"
                     "  edit 0x5\n  edit EN=0 MPS=1\n",
             .arguments = kEditArguments,
             .actions = kEditActions,
             .disabled = nothing_held,
             .run = edit});
}

}  // namespace pcilens::ui
