#include "core/link/expression_parser.hpp"

#include <fmt/format.h>

namespace pcilens::expression {
namespace {

using Type = Token::Type;

// Counts how deep a text nests, on every way out.
struct Deeper {
  explicit Deeper(int& depth) : depth_(++depth) {}
  ~Deeper() { --depth_; }
  int& depth_;
};

}  // namespace

// ---- tokens
// --------------------------------------------------------------------------------------

const Token& Parser::token(std::size_t ahead) const {
  return tokens_[std::min(at_ + ahead, tokens_.size() - 1)];
}

bool Parser::is(std::string_view text, std::size_t ahead) const {
  const Token& t = token(ahead);
  return (t.type == Type::Word || t.type == Type::Symbol) && t.text == text;
}

bool Parser::accept(std::string_view text) {
  if (!is(text)) return false;
  ++at_;
  return true;
}

bool Parser::starts_place(std::size_t ahead) const {
  const Token& t = token(ahead);
  if (t.type == Type::Quoted) return true;
  if (t.type != Type::Word) return false;
  const std::string_view head = t.text.substr(0, t.text.find('['));
  if ((head == "config" || head == "cfg") && (head != t.text || is("+", ahead + 1))) return true;
  return !is_reserved(t.text);
}

std::nullopt_t Parser::fail(const Token& at, std::string what) {
  if (!problem_) problem_ = Problem{at.begin, at.end, std::move(what)};
  return std::nullopt;
}

std::nullopt_t Parser::expected(std::string_view what) {
  const Token& t = token();
  if (t.type == Type::End) return fail(t, fmt::format("the text ends here; expected {}", what));
  return fail(t, fmt::format("expected {} before {}", what, printable(t.text)));
}

// ---- the program
// ---------------------------------------------------------------------------------

Parser::Index Parser::add(Node node) {
  if (program_.nodes.size() > kMaxNodes)
    return fail(token(), fmt::format("more than {} conditions; split the expression", kMaxNodes));
  program_.nodes.push_back(node);
  return static_cast<std::uint32_t>(program_.nodes.size() - 1);
}

Parser::Index Parser::combine(Op op, const std::vector<std::uint32_t>& children) {
  if (children.size() == 1 && op != Op::Not) return children.front();
  for (std::size_t i = 0; i + 1 < children.size(); ++i)
    program_.nodes[children[i]].next = children[i + 1];
  Node node;
  node.op = op;
  node.child = children.front();
  return add(node);
}

bool Parser::add_targets(const std::vector<Target>& targets, std::uint32_t& first,
                         std::uint32_t& count, const Token& at) {
  if (program_.targets.size() + targets.size() > kMaxTargets) {
    fail(at, fmt::format("more than {} registers match; name fewer", kMaxTargets));
    return false;
  }
  first = static_cast<std::uint32_t>(program_.targets.size());
  count = static_cast<std::uint32_t>(targets.size());
  program_.targets.insert(program_.targets.end(), targets.begin(), targets.end());
  return true;
}

// ---- expressions
// ---------------------------------------------------------------------------------

std::optional<Problem> Parser::parse() {
  program_.nodes.assign(1, Node{});
  Index root;
  if (token().type == Type::End) {
    root = add(Node{});  // an empty text matches everything
  } else {
    root = either();
    if (root && token().type != Type::End) {
      if (is(")")) {
        root = fail(token(), "this parenthesis closes none");
      } else if (token().type == Type::Symbol) {
        root = expected("`and`, `or` or the end");
      } else {
        root = fail(token(), fmt::format("put `and` or `or` before {}", printable(token().text)));
      }
    }
  }
  if (!root) return problem_;
  program_.root = *root;
  return std::nullopt;
}

Parser::Index Parser::either() {
  std::vector<std::uint32_t> children;
  do {
    const Index child = both();
    if (!child) return child;
    children.push_back(*child);
  } while (accept("or") || accept("||"));
  return combine(Op::Any, children);
}

Parser::Index Parser::both() {
  std::vector<std::uint32_t> children;
  do {
    const Index child = negation();
    if (!child) return child;
    children.push_back(*child);
  } while (accept("and") || accept("&&"));
  return combine(Op::All, children);
}

Parser::Index Parser::negation() {
  const Deeper deeper(depth_);
  if (depth_ > kMaxDepth)
    return fail(token(), fmt::format("nested deeper than {}; split the expression", kMaxDepth));
  if (accept("not") || accept("!")) {
    const Index child = negation();
    if (!child) return child;
    return combine(Op::Not, {*child});
  }
  return prefixed();
}

// edu0:STATUS, BAR2:CTRL, edu0:(irq or reset).
Parser::Index Parser::prefixed() {
  const bool prefix = (token().type == Type::Word || token().type == Type::Quoted) && is(":", 1);
  if (!prefix) return with_origin_symbol(condition());
  const Deeper deeper(depth_);
  if (depth_ > kMaxDepth)
    return fail(token(), fmt::format("nested deeper than {}; split the expression", kMaxDepth));

  const Token& name = token();
  const Scope outer = scope_;
  Node restriction;
  restriction.op = Op::Attribute;
  restriction.test = Test::Equal;
  if (const int f = function_named(name.text, names_); f >= 0) {
    restriction.attribute = Attribute::Function;
    restriction.a = static_cast<std::uint64_t>(f);
    scope_.function = f;
  } else if (const int bar = bar_named(name.text); bar >= 0 && name.type == Type::Word) {
    restriction.attribute = Attribute::Bar;
    restriction.a = static_cast<std::uint64_t>(bar);
    scope_.bar = bar;
  } else if (name.text == "config" && name.type == Type::Word) {
    restriction.op = Op::Kinds;
    restriction.kinds = kConfigKinds;
    scope_.config = true;
  } else {
    std::string text = fmt::format("no function {} on this link", printable(name.text));
    const std::string near = nearest(name.text, value_names(Attribute::Function, names_));
    if (!near.empty()) text += fmt::format("; did you mean {}:?", near);
    return fail(name, text);
  }
  at_ += 2;
  const Index inner = prefixed();
  scope_ = outer;
  if (!inner) return inner;
  const Node& node = program_.nodes[*inner];
  // A register carries its function and BAR already.
  if (node.op == Op::Touch || node.op == Op::Register) return inner;
  const Index restricted = add(restriction);
  if (!restricted) return restricted;
  return combine(Op::All, {*restricted, *inner});
}

Parser::Index Parser::with_origin_symbol(Index condition) {
  if (!condition || !is("from")) return condition;
  const Index symbol = symbol_condition();
  if (!symbol) return symbol;
  return combine(Op::All, {*condition, *symbol});
}

Parser::Index Parser::condition() {
  const Token& t = token();
  if (accept("(")) {
    const Index inner = either();
    if (!inner) return inner;
    if (!accept(")")) return expected("`)`, `and` or `or`");
    return inner;
  }
  if (t.type == Type::Quoted || (t.type == Type::Word && starts_place()))
    return place_condition({});
  if (t.type == Type::Word) {
    if (accept("any")) return add(Node{});
    if (t.text == "last") return last_condition();
    if (t.text == "from" || t.text == "symbol") return symbol_condition();
    if (kind_word(t.text)) return kinds_condition();
    if (attribute_word(t.text)) return attribute_condition();
  }
  if (t.type == Type::Number)
    return fail(t, "a condition begins with what is compared, as in CC == 5 or value == 5");
  return expected("a condition, such as `write CC`, CC.EN 0->1 or value == 5");
}

std::optional<Problem> problem_of(std::string_view text, const Names& names) {
  auto tokens = tokenize(text);
  if (!tokens) return tokens.error();
  Program program;
  return Parser(std::move(*tokens), names, program).parse();
}

}  // namespace pcilens::expression
