#include "core/link/expression.hpp"

#include "core/link/expression_lexer.hpp"
#include "core/link/expression_parser.hpp"
#include "core/link/expression_program.hpp"

namespace pcilens {

struct Expression::Program : expression::Program {
  std::string text;
  Reach reach;
  bool needs_completion = false;
};

Result<Expression> Expression::compile(std::string_view text,
                                       const std::shared_ptr<const Names>& names) {
  auto program = std::make_shared<Program>();
  program->text = text;
  const Names nothing;
  auto tokens = expression::tokenize(text);
  if (!tokens) return fail(expression::tell(text, tokens.error()));
  expression::Parser parser(std::move(*tokens), names ? *names : nothing, *program);
  if (const auto problem = parser.parse()) return fail(expression::tell(text, *problem));
  program->reach = expression::derive_reach(*program);
  program->needs_completion = expression::needs_completion(*program);
  Expression out;
  out.program_ = std::move(program);
  return out;
}

Expression::Expression() {
  static const std::shared_ptr<const Program> everything = [] {
    auto program = std::make_shared<Program>();
    program->nodes.assign(2, expression::Node{});
    program->root = 1;
    return program;
  }();
  program_ = everything;
}

Expression::Expression(const Expression&) = default;
Expression& Expression::operator=(const Expression&) = default;
// A moved-from expression matches everything: it never has no program.
Expression::Expression(Expression&& other) noexcept : Expression() {
  program_.swap(other.program_);
}
Expression& Expression::operator=(Expression&& other) noexcept {
  program_.swap(other.program_);
  return *this;
}
Expression::~Expression() = default;

Verdict Expression::verdict(const EventView& event) const {
  return expression::evaluate(*program_, event);
}
const Reach& Expression::reach() const {
  return program_->reach;
}
const std::string& Expression::text() const {
  return program_->text;
}
bool Expression::needs_completion() const {
  return program_->needs_completion;
}

}  // namespace pcilens
