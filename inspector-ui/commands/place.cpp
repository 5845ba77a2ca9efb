#include "inspector-ui/commands/place.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "core/registers/access_rules.hpp"
#include "inspector-ui/commands/words.hpp"

namespace pcilens::ui {
namespace {

std::string upper(std::string_view text) {
  std::string out(text);
  std::transform(out.begin(), out.end(), out.begin(),
                 [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
  return out;
}

std::span<const std::byte> config_of(const Snapshot& snapshot, std::size_t function) {
  if (function >= snapshot.functions.size() || !snapshot.functions[function].config) return {};
  return *snapshot.functions[function].config;
}

const Field* field_named(std::span<const Field> fields, std::string_view name) {
  for (const Field& f : fields)
    if (f.name == name) return &f;
  for (const Field& f : fields)
    if (upper(f.name) == upper(name)) return &f;
  return nullptr;
}

std::string instance_prefix(const Snapshot& snapshot, std::size_t function) {
  return snapshot.functions.size() > 1 ? snapshot.functions[function].instance + ":" : "";
}

Spot of_register(const Snapshot& snapshot, std::size_t function, const RegisterLookup& bar,
                 const RegisterRef& ref) {
  Spot spot;
  spot.place = {.function = static_cast<std::uint8_t>(function),
                .bar = bar.map().bar,
                .offset = ref.offset(),
                .size = ref.reg->width};
  spot.ref = ref;
  spot.name = instance_prefix(snapshot, function) + name_of(ref);
  spot.fields.assign(ref.reg->fields.begin(), ref.reg->fields.end());
  return spot;
}

Spot of_item(const Snapshot& snapshot, std::size_t function, ConfigItem item) {
  Spot spot;
  spot.place = {.function = static_cast<std::uint8_t>(function),
                .bar = kBarConfig,
                .offset = item.offset,
                .size = item.width};
  spot.name = instance_prefix(snapshot, function) + item.name;
  spot.fields.assign(item.fields.begin(), item.fields.end());
  spot.item = std::move(item);
  return spot;
}

// A name without its field, exact first, then whatever its case.
std::optional<Spot> named(const Snapshot& snapshot, std::size_t function, std::string_view name,
                          bool config_only) {
  const auto& bars = snapshot.names->functions;
  if (!config_only && function < bars.size()) {
    for (const auto& bar : bars[function].bars)
      if (const auto ref = bar->find(name)) return of_register(snapshot, function, *bar, *ref);
    for (const auto& bar : bars[function].bars)
      if (const auto ref = bar->find(upper(name)))
        return of_register(snapshot, function, *bar, *ref);
  }
  const auto config = config_of(snapshot, function);
  if (config.empty()) return std::nullopt;
  for (const ConfigItem& item : describe_config(config))
    if (item.name == name || item.name == upper(name)) return of_item(snapshot, function, item);
  return std::nullopt;
}

std::optional<std::uint64_t> number(std::string_view text) {
  const auto value = parse_value(text);
  return value ? std::optional(*value) : std::nullopt;
}

// "BAR0+0x98:2" and "config+0x4": a raw place.
Result<std::optional<Spot>> raw(const Snapshot& snapshot, std::size_t function,
                                std::string_view text) {
  const std::size_t plus = text.find('+');
  const std::string head = upper(text.substr(0, plus));
  std::int8_t bar = 0;
  if (head == "CONFIG" || head == "CFG")
    bar = kBarConfig;
  else if (head.size() == 4 && head.starts_with("BAR") && head[3] >= '0' && head[3] <= '5')
    bar = static_cast<std::int8_t>(head[3] - '0');
  else
    return std::optional<Spot>();
  std::uint64_t offset = 0;
  std::uint32_t size = 0;
  if (plus != std::string_view::npos) {
    std::string_view rest = text.substr(plus + 1);
    if (const std::size_t colon = rest.find(':'); colon != std::string_view::npos) {
      const auto n = number(rest.substr(colon + 1));
      if (!n || (*n != 1 && *n != 2 && *n != 4 && *n != 8))
        return fail(fmt::format("{}: an access has 1, 2, 4 or 8 bytes", text));
      size = static_cast<std::uint32_t>(*n);
      rest = rest.substr(0, colon);
    }
    const auto at = number(rest);
    if (!at) return fail(fmt::format("{}: \"{}\" is not an offset; write BAR0+0x98", text, rest));
    offset = *at;
  }
  const std::uint8_t f = static_cast<std::uint8_t>(function);
  Spot spot;
  if (const RegisterLookup* map = bar >= 0 ? snapshot.names->bar(f, bar) : nullptr) {
    const RegisterRef ref = map->at(offset);
    if (ref && ref.offset() == offset && (size == 0 || size == ref.reg->width))
      spot = of_register(snapshot, function, *map, ref);
  } else if (bar == kBarConfig) {
    for (const ConfigItem& item : describe_config(config_of(snapshot, function)))
      if (item.offset == offset && (size == 0 || size == item.width)) {
        spot = of_item(snapshot, function, item);
        break;
      }
  }
  if (!spot.ref && !spot.item) {
    spot.place = {.function = f, .bar = bar, .offset = offset, .size = size == 0 ? 4u : size};
    spot.name =
        instance_prefix(snapshot, function) +
        fmt::format("{}+{:#x}", bar == kBarConfig ? "config" : fmt::format("BAR{}", bar), offset);
  }
  return std::optional<Spot>(std::move(spot));
}

}  // namespace

Result<Spot> find_place(const Snapshot& snapshot, std::string_view text) {
  std::size_t function = 0, functions = snapshot.functions.size();
  std::string_view rest = text;
  bool prefixed = false;
  for (std::size_t i = 0; i < functions; ++i) {
    const std::string& instance = snapshot.functions[i].instance;
    if (rest.starts_with(instance) && rest.size() > instance.size() &&
        rest[instance.size()] == ':') {
      rest.remove_prefix(instance.size() + 1);
      function = i;
      prefixed = true;
      break;
    }
  }
  bool config_only = false;
  if (const std::string head = upper(rest.substr(0, 7)); head == "CONFIG." || head == "CONFIG:") {
    rest.remove_prefix(7);
    config_only = true;
  }
  auto place = raw(snapshot, function, rest);
  if (!place) return tl::unexpected(place.error());
  if (*place) return std::move(**place);

  const std::size_t last = prefixed ? function + 1 : std::max<std::size_t>(functions, 1);
  for (std::size_t f = function; f < last; ++f) {
    if (auto spot = named(snapshot, f, rest, config_only)) return std::move(*spot);
    const std::size_t dot = rest.rfind('.');
    if (dot == std::string_view::npos) continue;
    auto spot = named(snapshot, f, rest.substr(0, dot), config_only);
    if (!spot) continue;
    const std::string_view wanted = rest.substr(dot + 1);
    const std::span<const Field> fields = spot->ref ? spot->ref.reg->fields : spot->item->fields;
    spot->field = field_named(fields, wanted);
    if (spot->field == nullptr) {
      std::string names;
      for (const Field& one : fields) names += (names.empty() ? "" : ", ") + std::string(one.name);
      return fail(names.empty()
                      ? fmt::format("{} has no fields; leave out \".{}\"", spot->name, wanted)
                      : fmt::format("{} has no field \"{}\"; its fields are {}", spot->name, wanted,
                                    names));
    }
    spot->name += "." + std::string(spot->field->name);
    return std::move(*spot);
  }
  std::vector<std::string> names;
  for (const PlaceName& n : place_names(snapshot, false)) names.push_back(n.name);
  const std::string near = nearest(upper(rest), names);
  return fail(
      near.empty()
          ? fmt::format("there is no register \"{}\"; \"registers\" lists them, or write BAR0+0x0",
                        text)
          : fmt::format("there is no register \"{}\"; did you mean {}?", text, near));
}

Spot spot_of(const Snapshot& snapshot, const Transaction& t) {
  const bool stored = t.kind == Kind::State || t.kind == Kind::Force;
  if (is_memory(t.kind) || (stored && t.bar >= 0)) {
    const RegisterLookup* map = snapshot.names->bar(t.function, t.bar);
    const RegisterRef ref = map != nullptr ? map->at(t.offset) : RegisterRef{};
    if (ref) return of_register(snapshot, t.function, *map, ref);
  } else if (is_config(t.kind) || (stored && t.bar == kBarConfig)) {
    for (const ConfigItem& item : describe_config(config_of(snapshot, t.function)))
      if (item.offset <= t.offset && t.offset < item.offset + item.width)
        return of_item(snapshot, t.function, item);
  }
  Spot spot;
  spot.place = {.function = t.function, .bar = t.bar, .offset = t.offset, .size = t.size};
  spot.name = snapshot.names->place(t);
  return spot;
}

std::string array_name(const Register& r) {
  const auto place = r.element_name.find('%');
  if (place == std::string_view::npos) return std::string(r.name);
  const bool bracketed = place > 0 && r.element_name[place - 1] == '[';
  return std::string(r.element_name).replace(place, 1, bracketed ? "*" : "[*]");
}

std::string_view assumed(const RegisterState& state, std::uint64_t bits) {
  if ((state.recorded & bits) == bits) return {};
  return (state.recorded & bits) == 0 ? "reset" : "partly";
}

std::vector<PlaceName> place_names(const Snapshot& snapshot, bool fields) {
  std::vector<PlaceName> out;
  const auto add = [&](const std::string& name, std::string_view doc, std::span<const Field> of) {
    out.push_back({name, std::string(doc), !of.empty()});
    if (fields)
      for (const Field& f : of)
        if (f.access != Access::Reserved)
          out.push_back({name + "." + std::string(f.name), std::string(f.doc)});
  };
  for (std::size_t f = 0; f < snapshot.functions.size(); ++f) {
    const std::string prefix = instance_prefix(snapshot, f);
    if (f < snapshot.names->functions.size())
      for (const auto& bar : snapshot.names->functions[f].bars)
        for (const Register* r : bar->map().registers) {
          // An array of a thousand doorbells is offered by its first elements.
          for (std::uint32_t i = 0; i < std::min(r->count, 4u); ++i)
            add(prefix + name_of(RegisterRef{r, i}), r->doc, r->fields);
        }
    for (const ConfigItem& item : describe_config(config_of(snapshot, f)))
      if (std::none_of(out.begin(), out.end(),
                       [&](const PlaceName& n) { return n.name == prefix + item.name; }))
        add(prefix + item.name, item.doc, item.fields);
  }
  return out;
}

const RegisterState* register_state(const Snapshot& snapshot, const Spot& spot) {
  const Place& p = spot.place;
  const RegisterLookup* bar = snapshot.names->bar(p.function, p.bar);
  if (!spot.ref || bar == nullptr || p.function >= snapshot.functions.size()) return nullptr;
  for (const auto& bank : snapshot.functions[p.function].banks) {
    if (bank.bar != p.bar) continue;
    std::size_t index = 0;
    for (const Register* r : bar->map().registers) {
      if (r == spot.ref.reg) {
        index += spot.ref.index;
        if (index < bank.registers.size()) return &bank.registers[index];
      }
      index += r->count;
    }
  }
  return nullptr;
}

namespace {

// The address bits of a BAR that its size leaves to software (PCIe 5.0, 7.5.1.2.1).
AccessRules rules_of_bar(const FunctionState& function, const ConfigItem& item) {
  const auto index = static_cast<unsigned>((item.offset - cfg::kBar0) / 4);
  std::uint64_t address = 0;
  for (const BarState& bar : function.bars) {
    if (bar.index == index) address = ~(bar.size - 1) & ~0xfull;
    if (bar.is_64bit && bar.index + 1u == index) address = ~(bar.size - 1) >> 32;
  }
  AccessRules rules;
  rules.add(Access::RW, address & 0xffff'ffff);
  rules.add(Access::RO, ~address & 0xffff'ffff);
  return rules;
}

}  // namespace

std::uint64_t after_write(const Snapshot& snapshot, const Spot& spot, std::uint64_t before,
                          std::uint64_t value) {
  AccessRules rules;
  if (spot.ref) {
    rules = rules_of(*spot.ref.reg);
  } else if (spot.item) {
    const bool bar = spot.item->offset >= cfg::kBar0 && spot.item->offset < cfg::kBar0 + 24 &&
                     spot.item->name.starts_with("BAR");
    // What a capability does not name is left as it comes.
    rules = bar && spot.place.function < snapshot.functions.size()
                ? rules_of_bar(snapshot.functions[spot.place.function], *spot.item)
                : rules_of(spot.fields, Access::RW, mask_of_size(spot.item->width));
  } else {
    return value;
  }
  return rules.written(before, value, mask_of_size(spot.place.size));
}

std::optional<std::uint64_t> peek(const Snapshot& snapshot, const Spot& spot) {
  const Place& p = spot.place;
  if (p.function >= snapshot.functions.size()) return std::nullopt;
  if (p.bar == kBarConfig) {
    const auto config = config_of(snapshot, p.function);
    if (p.offset + p.size > config.size()) return std::nullopt;
    std::uint64_t value = 0;
    for (std::uint32_t i = p.size; i-- > 0;)
      value = value << 8 | std::to_integer<std::uint64_t>(config[p.offset + i]);
    return value;
  }
  const RegisterState* state = register_state(snapshot, spot);
  return state != nullptr ? std::optional(state->value) : std::nullopt;
}

}  // namespace pcilens::ui
