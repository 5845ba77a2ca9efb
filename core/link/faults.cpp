#include "core/link/faults.hpp"

#include <fmt/format.h>

#include <array>
#include <charconv>
#include <optional>
#include <utility>

namespace pcilens {
namespace {

struct ActionName {
  FaultAction action;
  std::string_view name;
  std::string_view argument;  // what follows; empty: nothing
};

constexpr std::array kActions = {
    ActionName{FaultAction::Delay, "delay", "a duration such as 5ms"},
    ActionName{FaultAction::Drop, "drop", ""},
    ActionName{FaultAction::AllOnes, "all-ones", ""},
    ActionName{FaultAction::UnsupportedRequest, "ur", ""},
    ActionName{FaultAction::CompleterAbort, "ca", ""},
    ActionName{FaultAction::FlipBits, "flip", "a mask such as 0x1"},
    ActionName{FaultAction::ReplaceBits, "replace", "value/mask such as 0x0/0xff"},
    ActionName{FaultAction::RepeatInterrupt, "repeat", "how often, such as 1"},
    ActionName{FaultAction::CutDma, "cut", "a number of bytes such as 512"},
    ActionName{FaultAction::CorruptDma, "corrupt", "a pattern such as 0xff"},
    ActionName{FaultAction::SurpriseRemove, "remove", ""},
};

std::optional<std::uint64_t> parse_number(std::string_view& text) {
  int base = 10;
  if (text.starts_with("0x") || text.starts_with("0X")) {
    base = 16;
    text.remove_prefix(2);
  }
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, base);
  if (error != std::errc{}) return std::nullopt;
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  return value;
}

std::optional<std::uint64_t> parse_duration(std::string_view& text) {
  const auto number = parse_number(text);
  if (!number) return std::nullopt;
  constexpr std::array<std::pair<std::string_view, std::uint64_t>, 4> units = {
      {{"ns", 1}, {"us", 1'000}, {"ms", 1'000'000}, {"s", 1'000'000'000}}};
  for (const auto& [unit, ns] : units)
    if (text == unit && *number <= 3'600'000'000'000ull / ns) {
      text = {};
      return *number * ns;
    }
  return std::nullopt;
}

bool bits_of_a_value(FaultAction a) {
  return a == FaultAction::FlipBits || a == FaultAction::ReplaceBits;
}

Error no_fault(std::uint32_t number) {
  return {fmt::format("there is no fault rule {}; `faults` lists them", number)};
}

}  // namespace

std::string_view name_of(FaultAction action) {
  if (action == FaultAction::Replug) return "replug";
  for (const ActionName& a : kActions)
    if (a.action == action) return a.name;
  return "?";
}

Result<Fault> parse_fault_action(std::string_view text, Fault fault) {
  const auto space = text.find(' ');
  const std::string_view word = text.substr(0, space);
  std::string_view rest =
      space == std::string_view::npos ? std::string_view{} : text.substr(space + 1);
  while (rest.starts_with(' ')) rest.remove_prefix(1);
  for (const ActionName& a : kActions) {
    if (a.name != word) continue;
    fault.action = a.action;
    bool good = true;
    if (a.action == FaultAction::Delay) {
      const auto ns = parse_duration(rest);
      good = ns.has_value();
      fault.amount = ns.value_or(0);
    } else if (!a.argument.empty()) {
      const auto number = parse_number(rest);
      good = number.has_value();
      fault.amount = number.value_or(0);
      if (good && a.action == FaultAction::ReplaceBits && rest.starts_with('/')) {
        rest.remove_prefix(1);
        const auto mask = parse_number(rest);
        good = mask.has_value();
        fault.mask = mask.value_or(0);
      }
    }
    if (good && rest.empty()) return fault;
    if (a.argument.empty()) return fail(fmt::format("fault action `{}` takes nothing more", word));
    return fail(fmt::format("fault action `{}` wants {} after it", word, a.argument));
  }
  std::string names;
  for (const ActionName& a : kActions) names += (names.empty() ? "" : ", ") + std::string(a.name);
  return fail(fmt::format("no fault action is called `{}`; there are {}", word, names));
}

std::string describe(const Fault& fault) {
  std::string text = fmt::format("{} => {}", fault.expression, name_of(fault.action));
  switch (fault.action) {
    case FaultAction::Delay: text += fmt::format(" {}ns", fault.amount); break;
    case FaultAction::FlipBits:
    case FaultAction::CorruptDma: text += fmt::format(" {:#x}", fault.amount); break;
    case FaultAction::ReplaceBits:
      text += fmt::format(" {:#x}/{:#x}", fault.amount, fault.mask);
      break;
    case FaultAction::RepeatInterrupt:
    case FaultAction::CutDma: text += fmt::format(" {}", fault.amount); break;
    default: break;
  }
  return text;
}

void FaultTable::rearm() {
  std::vector<const Reach*> reaches;
  armed_items_.clear();
  for (std::size_t i = 0; i < items_.size(); ++i) {
    if (!items_[i].state.enabled) continue;
    reaches.push_back(&items_[i].expression.reach());
    armed_items_.push_back(i);
  }
  armed_.rebuild(reaches);
}

Result<std::uint32_t> FaultTable::add(Fault fault, std::shared_ptr<const Names> names) {
  auto expression = Expression::compile(fault.expression, std::move(names));
  if (!expression) return tl::unexpected(expression.error());
  if (expression->needs_completion() && !bits_of_a_value(fault.action) &&
      fault.action != FaultAction::AllOnes)
    return fail(
        fmt::format("`{}` looks at the answer, so only flip, replace and all-ones can "
                    "follow it; name the place without its value",
                    fault.expression));
  Item item{.state = {.number = next_++, .fault = fault}, .expression = std::move(*expression)};
  item.state.synchronous = describe(item.expression.reach());
  items_.push_back(std::move(item));
  rearm();
  return items_.back().state.number;
}

Result<void> FaultTable::enable(std::uint32_t number, bool enabled) {
  for (Item& item : items_) {
    if (item.state.number != number) continue;
    item.state.enabled = enabled;
    rearm();
    return {};
  }
  return tl::unexpected(no_fault(number));
}

Result<void> FaultTable::remove(std::uint32_t number) {
  if (std::erase_if(items_, [&](const Item& i) { return i.state.number == number; }) == 0)
    return tl::unexpected(no_fault(number));
  rearm();
  return {};
}

std::vector<FaultState> FaultTable::list() const {
  std::vector<FaultState> states;
  for (const Item& item : items_) states.push_back(item.state);
  return states;
}

std::vector<Reach> FaultTable::reaches() const {
  std::vector<Reach> all;
  for (const Item& item : items_)
    if (item.state.enabled) all.push_back(item.expression.reach());
  return all;
}

const FaultState* FaultTable::match(const EventView& event) {
  const Transaction& t = event.t;
  for (const std::uint32_t candidate :
       armed_.candidates(t.kind, t.function, t.bar, t.offset, t.size)) {
    Item& item = items_[armed_items_[candidate]];
    if (item.state.acted >= item.state.fault.times) continue;
    // Bits of a read are changed once it has them; everything else happens before the delivery.
    const bool late = item.expression.needs_completion() ||
                      (bits_of_a_value(item.state.fault.action) && is_read(t.kind));
    if (late != (event.phase == Phase::After) || !item.expression.matches(event)) continue;
    if (item.seen++ < item.state.fault.skip) continue;
    ++item.state.acted;
    return &item.state;
  }
  return nullptr;
}

}  // namespace pcilens
