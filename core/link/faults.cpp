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
    ActionName{FaultAction::Replug, "replug", ""},
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

constexpr std::array<std::pair<std::string_view, std::uint64_t>, 4> kUnits = {
    {{"s", 1'000'000'000}, {"ms", 1'000'000}, {"us", 1'000}, {"ns", 1}}};

std::optional<std::uint64_t> parse_duration(std::string_view& text) {
  const auto number = parse_number(text);
  if (!number) return std::nullopt;
  for (const auto& [unit, ns] : kUnits)
    if (text == unit && *number <= 3'600'000'000'000ull / ns) {
      text = {};
      return *number * ns;
    }
  return std::nullopt;
}

// More would hold the link for longer than a person waits.
constexpr std::uint64_t kMostRepeats = 10'000;

bool bits_of_a_value(FaultAction a) {
  return a == FaultAction::FlipBits || a == FaultAction::ReplaceBits;
}

// In the largest unit that tells it exactly, as parse_duration reads it.
std::string duration(std::uint64_t ns) {
  for (const auto& [unit, size] : kUnits)
    if (ns != 0 && ns % size == 0) return fmt::format("{}{}", ns / size, unit);
  return "0ns";
}

}  // namespace

std::string_view name_of(FaultAction action) {
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
      if (good && a.action == FaultAction::RepeatInterrupt &&
          (fault.amount == 0 || fault.amount > kMostRepeats))
        return fail(fmt::format("fault action `repeat` takes 1 to {}", kMostRepeats));
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
    case FaultAction::Delay: text += " " + duration(fault.amount); break;
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

namespace {

constexpr std::uint32_t bit(Kind kind) {
  return 1u << static_cast<unsigned>(kind);
}

// The kinds that an action can do anything to.
std::uint32_t kinds_for(FaultAction action) {
  constexpr std::uint32_t kRequests =
      bit(Kind::CfgRead) | bit(Kind::CfgWrite) | bit(Kind::MemRead) | bit(Kind::MemWrite);
  constexpr std::uint32_t kDma = bit(Kind::DmaRead) | bit(Kind::DmaWrite);
  switch (action) {
    case FaultAction::CutDma:
    case FaultAction::CorruptDma: return kDma;
    case FaultAction::RepeatInterrupt: return bit(Kind::Irq);
    case FaultAction::AllOnes: return bit(Kind::CfgRead) | bit(Kind::MemRead);
    case FaultAction::FlipBits:
    case FaultAction::ReplaceBits: return kRequests | kDma;
    default: return kRequests | kDma | bit(Kind::Irq);
  }
}

std::string_view words_for(FaultAction action) {
  switch (action) {
    case FaultAction::CutDma:
    case FaultAction::CorruptDma: return "DMA";
    case FaultAction::RepeatInterrupt: return "interrupts";
    case FaultAction::AllOnes: return "the driver's reads";
    case FaultAction::FlipBits:
    case FaultAction::ReplaceBits: return "accesses and DMA";
    default: return "accesses, DMA and interrupts";
  }
}

Result<Expression> compile(const Fault& fault, const std::shared_ptr<const Names>& names) {
  auto expression = Expression::compile(fault.expression, names);
  if (!expression) return expression;
  if (expression->needs_completion() && !bits_of_a_value(fault.action) &&
      fault.action != FaultAction::AllOnes)
    return fail(
        fmt::format("`{}` looks at the answer, so only flip, replace and all-ones can "
                    "follow it; name the place without its value",
                    fault.expression));
  if ((expression->reach().kinds & kinds_for(fault.action)) == 0)
    return fail(fmt::format("`{}` is for {}, and `{}` matches none of those; name others",
                            name_of(fault.action), words_for(fault.action), fault.expression));
  return expression;
}

}  // namespace

std::vector<std::string> FaultTable::rename(const std::shared_ptr<const Names>& names) {
  return compile_again([&](FaultState& state) { return compile(state.fault, names); });
}

Result<std::uint32_t> FaultTable::add(Fault fault, std::shared_ptr<const Names> names) {
  auto expression = compile(fault, names);
  if (!expression) return tl::unexpected(expression.error());
  return insert({.fault = std::move(fault), .synchronous = {}}, std::move(*expression));
}

const FaultState* FaultTable::match(const EventView& event) {
  const FaultState* acts = nullptr;
  each_candidate(event.t, [&](Item& item) {
    FaultState& state = item.state;
    if (state.acted >= state.fault.times) return true;
    if ((kinds_for(state.fault.action) >> static_cast<unsigned>(event.t.kind) & 1) == 0)
      return true;
    // Bits of a read are changed once it has them; everything else happens before the delivery.
    const bool late = item.expression.needs_completion() ||
                      (bits_of_a_value(state.fault.action) && is_read(event.t.kind));
    if (late != (event.phase == Phase::After) || !item.expression.matches(event)) return true;
    if (item.passed < state.fault.skip) {
      ++item.passed;
      return true;
    }
    ++state.acted;
    acts = &state;
    return false;
  });
  return acts;
}

}  // namespace pcilens
