// The words of the grammar, each in one table: the parser, the completion and the test of
// docs/expressions.md read them here.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/link/expression_program.hpp"

namespace pcilens::expression {

// "write", "config", "irq": which events. Directions and spaces combine ("config write"); the
// others stand alone.
struct KindWord {
  std::string_view word;
  enum class Role : std::uint8_t { Direction, Space, Exact } role;
  std::uint32_t kinds;
};
std::span<const KindWord> kind_words();
const KindWord* kind_word(std::string_view word);

// "value", "origin": what can be compared.
struct AttributeWord {
  std::string_view word;
  Attribute attribute;
  bool named = false;  // its values have names: `origin poke`
  bool alone = false;  // it is true or not, and takes no test: `edited`
};
std::span<const AttributeWord> attribute_words();
const AttributeWord* attribute_word(std::string_view word);

// The value of a named attribute, and all the names that it can have.
std::optional<std::uint64_t> value_named(Attribute attribute, std::string_view name,
                                         const Names& names);
std::vector<std::string> value_names(Attribute attribute, const Names& names);

// and, or, not, in, changes, last, from, symbol, any, to
std::span<const std::string_view> other_words();
bool is_reserved(std::string_view word);

// The one of `known` that somebody may have meant by `word`; empty if none is near.
std::string nearest(std::string_view word, const std::vector<std::string>& known);
// The name of a function on this link (its instance or its bus address); -1 if there is none.
int function_named(std::string_view name, const Names& names);
// 0..5 for "BAR0".."BAR5", else -1.
int bar_named(std::string_view word);

}  // namespace pcilens::expression
