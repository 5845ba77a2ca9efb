// Places by number: BAR0+0x1c, BAR0[0x10..0x1f], config[4].
#include <fmt/format.h>

#include "core/link/expression_lexer.hpp"
#include "core/link/expression_resolve.hpp"
#include "core/link/expression_words.hpp"

namespace pcilens::expression {
namespace {

// Whether function `f` is meant.
bool in_scope(const Scope& scope, std::size_t f) {
  return scope.function < 0 || scope.function == static_cast<int>(f);
}

// As wide as the register that begins there; else as the alignment lets it be, 4 at most.
std::uint64_t width_at(std::int8_t bar, std::uint64_t offset, const Scope& scope,
                       const Names& names) {
  for (std::size_t f = 0; f < names.functions.size() && f < 256; ++f) {
    if (!in_scope(scope, f)) continue;
    const auto function = static_cast<std::uint8_t>(f);
    if (bar == kBarConfig) {
      const ConfigItem* item = names.config(function).at(offset);
      if (item && item->offset == offset) return item->width;
    } else if (const RegisterLookup* lookup = names.bar(function, bar)) {
      const RegisterRef r = lookup->at(offset);
      if (r && r.offset() == offset) return r.reg->width;
    }
  }
  return offset % 4 == 0 ? 4 : offset % 2 == 0 ? 2 : 1;
}

// What these bytes hold on function `f` before anybody accessed them.
void set_reset(Target& t, std::uint8_t f, const Names& names) {
  if (t.bar == kBarConfig) {
    const auto first = names.config(f).first_value(t.offset, static_cast<std::uint32_t>(t.length));
    t.has_reset = first.has_value();
    t.reset = first.value_or(0);
    return;
  }
  const RegisterLookup* lookup = names.bar(f, t.bar);
  t.has_reset = lookup != nullptr;
  for (std::uint64_t i = 0; lookup && i < t.length; ++i) {
    const RegisterRef r = lookup->at(t.offset + i);
    if (r)
      t.reset |= (r.reg->reset >> ((t.offset + i - r.offset()) * 8) & 0xff) << (i * 8);
    else
      t.has_reset = false;
  }
}

}  // namespace

std::optional<tl::expected<Operand, std::string>> resolve_bytes(std::string_view path,
                                                                std::optional<std::uint64_t> plus,
                                                                const Scope& scope,
                                                                const Names& names) {
  const auto bracket = path.find('[');
  const std::string_view head = path.substr(0, bracket);
  const bool is_config = head == "config" || head == "cfg";
  const int named = bar_named(head);
  if (!is_config && named < 0) return std::nullopt;
  const std::int8_t bar = is_config ? kBarConfig : static_cast<std::int8_t>(named);
  if (scope.config && bar != kBarConfig)
    return tl::unexpected(fmt::format("{} is not in config space", head));
  if (scope.bar >= 0 && scope.bar != bar)
    return tl::unexpected(fmt::format("{} is not in BAR{}", head, scope.bar));

  Operand out;
  out.name = std::string(path);
  Target t;
  t.bar = bar;
  t.function = static_cast<std::int16_t>(scope.function);
  const std::uint64_t end = is_config ? kConfigSize : ~0ull;
  if (plus && bracket != std::string_view::npos)
    return tl::unexpected(std::string("either + or a range in brackets, not both"));
  if (plus) {
    out.name += fmt::format("+{:#x}", *plus);
    t.offset = *plus;
    t.length = width_at(t.bar, t.offset, scope, names);
  } else if (bracket == std::string_view::npos) {
    t.length = end;
  } else {
    const auto range = split_index(path);
    if (!range) return tl::unexpected(range.error());
    if (!range->selection.given || !range->pattern.ends_with("[%]"))
      return tl::unexpected(
          fmt::format("write bytes as {}[0x1000..0x10ff] or {}+0x1c", head, head));
    t.offset = range->selection.first;
    const std::uint64_t last = range->selection.last;
    t.length = last - t.offset == ~0ull ? ~0ull : last - t.offset + 1;
  }
  if (t.offset >= end || t.length > end - t.offset)
    return tl::unexpected(is_config ? fmt::format("config space ends at {:#x}", end)
                                    : fmt::format("{:#x} lies past any BAR", t.offset));
  const bool has_value = t.length == 1 || t.length == 2 || t.length == 4 || t.length == 8;
  if (has_value) {
    t.bits = mask_of_size(static_cast<std::uint32_t>(t.length));
    out.bits = static_cast<unsigned>(t.length) * 8;
    // Each function has its own reset value.
    for (std::size_t f = 0; f < names.functions.size() && f < 256; ++f) {
      if (!in_scope(scope, f)) continue;
      Target mine = t;
      mine.function = static_cast<std::int16_t>(f);
      set_reset(mine, static_cast<std::uint8_t>(f), names);
      out.targets.push_back(mine);
    }
  }
  if (out.targets.empty()) out.targets.push_back(t);
  out.fields.assign(out.targets.size(), nullptr);
  return out;
}

}  // namespace pcilens::expression
