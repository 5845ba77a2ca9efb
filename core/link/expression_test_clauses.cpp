// The parser's tests: what stands after a register or an attribute.
#include <fmt/format.h>

#include <array>

#include "core/link/expression_parser.hpp"

namespace pcilens::expression {
namespace {

using Type = Token::Type;

constexpr std::array<std::pair<std::string_view, Test>, 7> kComparisons = {
    std::pair{std::string_view("=="), Test::Equal},
    std::pair{std::string_view("="), Test::Equal},
    std::pair{std::string_view("!="), Test::NotEqual},
    std::pair{std::string_view("<"), Test::Less},
    std::pair{std::string_view("<="), Test::LessEqual},
    std::pair{std::string_view(">"), Test::Greater},
    std::pair{std::string_view(">="), Test::GreaterEqual}};

}  // namespace

// `& 0xf0` binds tighter than a comparison.
bool Parser::mask(Node& node, Side& side) {
  if (!accept("&")) return true;
  if (token().type != Type::Number) {
    expected("a mask, as in CC & 0xf0 == 0x40");
    return false;
  }
  const std::uint64_t m = token().number;
  if (m == 0 || (m & side.most) == 0) {
    fail(token(), m == 0 ? std::string("a mask of 0 has no bits")
                         : fmt::format("{:#x} has no bits inside {}", m, printable(side.name)));
    return false;
  }
  ++at_;
  node.mask = side.mask = m;
  return true;
}

bool Parser::test(Node& node, const Side& side, bool& found) {
  const bool from = is("->", 1) && (token().type == Type::Number || token().type == Type::Word ||
                                    token().type == Type::Quoted);
  if (from || is("->")) {
    found = true;
    return transition(node, side);
  }
  if (is("changes")) {
    found = true;
    if (!side.has_old) {
      fail(token(), fmt::format("{} has no old value to change from", side.name));
      return false;
    }
    ++at_;
    node.test = Test::Changes;
    return true;
  }
  if (is("in") || (is("not") && is("in", 1))) {
    found = true;
    return ranges(node, side);
  }
  for (const auto& [symbol, test] : kComparisons) {
    if (!is(symbol)) continue;
    found = true;
    if (side.attribute && side.attribute->named &&
        side.attribute->attribute != Attribute::Function && test != Test::Equal &&
        test != Test::NotEqual) {
      fail(token(), fmt::format("{} has names, not an order; write ==, != or in", side.name));
      return false;
    }
    ++at_;
    node.test = test;
    return comparison(node, side);
  }
  if (found && node.mask != ~0ull) node.test = Test::NonZero;  // `CC & 0x10` alone
  return true;
}

bool Parser::fits(std::uint64_t value, const Side& side, const Token& at) {
  if ((value & ~side.mask) != 0) {
    fail(at, fmt::format("{:#x} has bits outside the mask {:#x}; this never matches", value,
                         side.mask));
    return false;
  }
  if (value <= side.most) return true;
  fail(at, fmt::format("{:#x} does not fit {}; its largest value is {:#x}", value,
                       printable(side.name), side.most));
  return false;
}

std::optional<std::uint64_t> Parser::constant(const Side& side) {
  const Token& t = token();
  if (t.type == Type::Number) {
    ++at_;
    return t.number;
  }
  if (t.type == Type::Word || t.type == Type::Quoted) {
    std::optional<std::uint64_t> value;
    std::vector<std::string> known;
    if (side.operand) {
      value = side.operand->value_named(t.text);
      known = side.operand->value_names();
    } else if (side.attribute && side.attribute->named) {
      value = value_named(side.attribute->attribute, t.text, names_);
      known = value_names(side.attribute->attribute, names_);
    }
    if (value) {
      ++at_;
      return value;
    }
    std::string text = fmt::format("{} is no value of {}", printable(t.text), printable(side.name));
    const std::string near = nearest(t.text, known);
    if (!near.empty())
      text += fmt::format("; did you mean {}?", near);
    else if (!known.empty() && known.size() <= 16)
      text += "; it has " + fmt::format("{}", fmt::join(known, ", "));
    else
      text += "; expected a number";
    return fail(t, text);
  }
  return expected("a value");
}

bool Parser::comparison(Node& node, const Side& side) {
  const Token& t = token();
  if (t.type == Type::Word) {
    const bool named_value = side.operand && side.operand->value_named(t.text).has_value();
    if (t.text == "last" && !named_value) {
      ++at_;
      node.right = Right::Last;
      const Token& name = token();
      const auto operand = last_operand();
      return operand && add_targets(operand->targets, node.right_target, node.right_targets, name);
    }
    const AttributeWord* attribute = attribute_word(t.text);
    if (attribute && !named_value && !(side.attribute && side.attribute->named)) {
      if (attribute->named || attribute->alone) {
        fail(t, attribute->named ? fmt::format("{} has names, not numbers", attribute->word)
                                 : fmt::format("{} is no number", attribute->word));
        return false;
      }
      ++at_;
      node.right = Right::Attribute;
      node.right_attribute = attribute->attribute;
      if (attribute->attribute == Attribute::Old && side.operand && side.has_old)
        node.right = Right::Old;
      return true;
    }
  }
  const auto value = constant(side);
  if (!value) return false;
  if ((node.test == Test::Equal || node.test == Test::NotEqual) && !fits(*value, side, t))
    return false;
  node.a = *value;
  return true;
}

// After `last`: one register, perhaps of another function.
std::optional<Operand> Parser::last_operand() {
  const Scope outer = scope_;
  if ((token().type == Type::Word || token().type == Type::Quoted) && is(":", 1)) {
    scope_.function = function_named(token().text, names_);
    if (scope_.function < 0)
      return fail(token(), fmt::format("no function {} on this link", printable(token().text)));
    at_ += 2;
  }
  const Token& name = token();
  std::optional<Operand> operand;
  if (starts_place()) operand = place({});
  scope_ = outer;
  if (!operand) return expected("a register, as in `last CC.EN == 1`");
  for (const Target& t : operand->targets)
    if (t.count > 1 || t.bits == 0)
      return fail(name, "`last` looks at one register, as in `last SQ[3].TDBL == 5`");
  return operand;
}

// in 0x1000..0x1fff, in {1, 3, 8..9}, in {IDLE, RUN}
bool Parser::ranges(Node& node, const Side& side) {
  node.test = accept("not") ? Test::NotIn : Test::In;
  ++at_;  // in
  node.a = program_.ranges.size();
  const bool set = accept("{");
  do {
    const Token& at = token();
    const auto low = constant(side);
    if (!low) return false;
    auto high = low;
    if (accept("..")) high = constant(side);
    if (!high) return false;
    if (*high < *low) {
      fail(at, fmt::format("the range {:#x}..{:#x} is empty; the smaller end comes first", *low,
                           *high));
      return false;
    }
    program_.ranges.push_back({*low, *high});
  } while (set && accept(","));
  if (set && !accept("}")) {
    expected("`,` or `}`");
    return false;
  }
  node.b = program_.ranges.size() - node.a;
  return true;
}

// 0->1, ->1, 0->, IDLE->RUN
bool Parser::transition(Node& node, const Side& side) {
  node.test = Test::Transition;
  if (!side.has_old) {
    fail(token(), fmt::format("{} has no old value; compare it with ==", printable(side.name)));
    return false;
  }
  if (!is("->")) {
    const Token& at = token();
    const auto from = constant(side);
    if (!from || !fits(*from, side, at)) return false;
    node.a = *from;
    node.has_from = true;
  }
  ++at_;  // ->
  const bool more = token().type == Type::Number || token().type == Type::Quoted ||
                    (token().type == Type::Word && !is_reserved(token().text));
  if (more) {
    const Token& at = token();
    const auto to = constant(side);
    if (!to || !fits(*to, side, at)) return false;
    node.b = *to;
    node.has_to = true;
  }
  if (!node.has_from && !node.has_to) {
    expected("a value before or after ->, as in 0->1");
    return false;
  }
  return true;
}

}  // namespace pcilens::expression
