// What a trace must hold, as a test in CI asserts it (docs/ci.md has the grammar): one assertion a
// line, made of the expressions that breakpoints and filters take.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/link/expression.hpp"
#include "core/link/expression_program.hpp"
#include "core/link/names.hpp"
#include "core/result.hpp"

namespace pcilens {

struct Assertion {
  enum class Rule : std::uint8_t {
    Occurs,      // must S [at least 3 times]
    Never,       // never S
    Before,      // must S before O: no O without an S somewhere before it
    BeforeEach,  // must S before each O: a new S for every O, if there is any
    After,       // must S [within LIMIT] after each O
    NoFinding,   // never finding [RULE]
  };
  enum class Limit : std::uint8_t { None, Time, Transactions };

  Rule rule = Rule::Occurs;
  Limit limit_kind = Limit::None;
  std::uint64_t limit = 0;                // ns, or transactions
  std::uint64_t least = 1, most = ~0ull;  // of Occurs
  Expression subject, other;              // S and O
  std::string finding;                    // the rule of NoFinding; empty: any
  // `with the same iova`: an S counts for those O alone that have the same.
  std::optional<expression::Attribute> same;
  std::string same_text;  // " with the same iova"; empty without
  std::string name;       // what stands before the colon; else the text
  std::string text;       // from `must` or `never` on, without remarks
  std::string file;
  unsigned line = 0;  // from 1
};

// What a file of assertions may cost: each is looked at for every transaction.
inline constexpr std::size_t kMostAssertions = 1000;
inline constexpr std::size_t kMostAssertionBytes = 1u << 20;

// `file` is for messages. The first error as "FILE:LINE:COLUMN: what is wrong", the line, and a
// caret under the place. A text without a single assertion is an error: it would always hold.
Result<std::vector<Assertion>> parse_assertions(std::string_view text, const std::string& file,
                                                const std::shared_ptr<const Names>& names);

}  // namespace pcilens
