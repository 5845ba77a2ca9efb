// Recursive descent over the tokens, straight into a Program. docs/expressions.md has the grammar.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/link/expression_lexer.hpp"
#include "core/link/expression_program.hpp"
#include "core/link/expression_resolve.hpp"
#include "core/link/expression_words.hpp"

namespace pcilens::expression {

class Parser {
 public:
  Parser(std::vector<Token> tokens, const Names& names, Program& program)
      : tokens_(std::move(tokens)), names_(names), program_(program) {}

  // Fills the program; on a problem it is not to be used.
  std::optional<Problem> parse();

 private:
  using Index = std::optional<std::uint32_t>;  // of a node; nothing: problem_ is set

  // Which accesses a place is looked at for.
  struct Kinds {
    std::uint32_t kinds = kAccessKinds;
    bool direction = false;  // `read`, `write`, `access` or an exact kind was written
    bool memory_only = false;
    std::string_view word = {};  // for messages
  };
  struct Side {  // the left side of a test: what names its values, and which it can have
    const Operand* operand = nullptr;
    const AttributeWord* attribute = nullptr;
    std::uint64_t most = ~0ull;  // no larger value can be equal
    std::uint64_t mask = ~0ull;
    std::string name;
    bool has_old = false;  // transitions have a meaning
  };

  // Expressions.
  Index either();
  Index both();
  Index negation();
  Index prefixed();
  Index condition();

  // Conditions.
  Index kinds_condition();
  Index exact_kind(const KindWord& word);
  Index place_condition(const Kinds& kinds);
  Index attribute_condition();
  Index ignored_condition();
  Index last_condition();
  Index symbol_condition();
  Index with_origin_symbol(Index condition);  // `... from nvme_probe`

  // Parts.
  std::optional<Operand> place(const Kinds& kinds);
  bool mask(Node& node, Side& side);
  // False: a problem. `found` tells whether there was a test.
  bool test(Node& node, const Side& side, bool& found);
  bool comparison(Node& node, const Side& side);
  bool ranges(Node& node, const Side& side);
  bool transition(Node& node, const Side& side);
  std::optional<std::uint64_t> constant(const Side& side);
  std::optional<Operand> last_operand();
  bool fits(std::uint64_t value, const Side& side, const Token& token);

  // Tokens.
  const Token& token(std::size_t ahead = 0) const;
  bool is(std::string_view symbol_or_word, std::size_t ahead = 0) const;
  bool accept(std::string_view symbol_or_word);
  bool starts_place(std::size_t ahead = 0) const;
  std::nullopt_t fail(const Token& at, std::string what);
  std::nullopt_t expected(std::string_view what);

  // The program.
  Index add(Node node);
  Index combine(Op op, const std::vector<std::uint32_t>& children);
  bool add_targets(const std::vector<Target>& targets, std::uint32_t& first, std::uint32_t& count,
                   const Token& at);

  std::vector<Token> tokens_;
  std::size_t at_ = 0;
  const Names& names_;
  Program& program_;
  Scope scope_;
  int depth_ = 0;
  std::optional<Problem> problem_;
};

// What keeps a text from being an expression, and where in it; nothing: it is one.
std::optional<Problem> problem_of(std::string_view text, const Names& names);

}  // namespace pcilens::expression
