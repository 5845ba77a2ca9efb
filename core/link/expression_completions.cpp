// What may be typed next, from the tokens before the word that is being typed.
#include <algorithm>
#include <cctype>

#include "core/link/expression_lexer.hpp"
#include "core/link/expression_resolve.hpp"
#include "core/link/expression_words.hpp"

namespace pcilens {
namespace {

using namespace expression;
using Type = Token::Type;

bool is_word_character(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) != 0 ||
         std::string_view("_*?$@.[]").find(c) != std::string_view::npos;
}

bool begins(std::string_view candidate, std::string_view typed) {
  if (candidate.size() < typed.size()) return false;
  for (std::size_t i = 0; i < typed.size(); ++i)
    if (std::tolower(static_cast<unsigned char>(candidate[i])) !=
        std::tolower(static_cast<unsigned char>(typed[i])))
      return false;
  return true;
}

class Completer {
 public:
  Completer(std::vector<Token> before, std::string_view typed, const Names& names)
      : before_(std::move(before)), typed_(typed), names_(names) {
    before_.pop_back();  // End
  }

  std::vector<std::string> run() {
    propose();
    std::sort(found_.begin(), found_.end());
    found_.erase(std::unique(found_.begin(), found_.end()), found_.end());
    return std::move(found_);
  }

 private:
  // The token `back` places before the word, or null.
  const Token* token(std::size_t back) const {
    return back < before_.size() ? &before_[before_.size() - 1 - back] : nullptr;
  }
  bool is(const Token* t, std::initializer_list<std::string_view> texts) const {
    return t && t->type != Type::Quoted && t->type != Type::Number &&
           std::find(texts.begin(), texts.end(), t->text) != texts.end();
  }

  void offer(std::string_view candidate) {
    if (begins(candidate, typed_)) found_.emplace_back(candidate);
  }
  void offer_all(std::initializer_list<std::string_view> candidates) {
    for (std::string_view c : candidates) offer(c);
  }

  // `edu0:`, `BAR2:` and `config` before the word; `back` is the token after which they end.
  Scope scope_at(std::size_t back) const {
    Scope scope;
    while (is(token(back), {":"}) && token(back + 1)) {
      const std::string_view name = token(back + 1)->text;
      if (const int f = function_named(name, names_); f >= 0) scope.function = f;
      if (const int bar = bar_named(name); bar >= 0) scope.bar = bar;
      if (name == "config") scope.config = true;
      back += 2;
    }
    return scope;
  }

  void offer_places(const Scope& scope) {
    // An index that was typed stays: SQ[3].T completes to SQ[3].TDBL.
    const auto open = typed_.find('[');
    const auto close = typed_.find(']');
    for (std::string name : register_names(scope, names_)) {
      const auto star = name.find("[*]");
      if (star != std::string::npos && open == star && close != std::string_view::npos)
        name.replace(star, 3, typed_.substr(open, close - open + 1));
      offer(name);
    }
    if (!scope.config && (typed_.size() >= 2 || found_.empty())) {
      Scope config = scope;
      config.config = true;
      if (scope.bar < 0)
        for (const std::string& name : register_names(config, names_)) offer(name);
    }
    const auto dot = typed_.rfind('.');
    if (dot == std::string_view::npos) return;
    const std::string_view head = typed_.substr(0, dot);
    for (const std::string& field : field_names(head, scope, names_))
      offer(std::string(head) + '.' + field);
  }

  void offer_conditions(const Scope& scope) {
    offer_places(scope);
    for (const KindWord& k : kind_words()) offer(k.word);
    for (const AttributeWord& a : attribute_words()) offer(a.word);
    offer_all({"any", "from", "last", "not", "symbol", "BAR0"});
    if (scope.function < 0)
      for (const FunctionNames& f : names_.functions) offer(f.instance + ':');
  }

  // The values of what stands on the left of an operator: a named attribute or a field.
  void offer_values(std::size_t back) {
    for (; const Token* t = token(back); ++back) {
      if (is(t, {"and", "or", "not", "(", "&&", "||", "!"}) && !is(t, {"not"})) return;
      if (t->type != Type::Word && t->type != Type::Quoted) continue;
      if (const AttributeWord* a = attribute_word(t->text); a && t->type == Type::Word) {
        for (const std::string& name : value_names(a->attribute, names_)) offer(name);
        if (!a->named) offer_all({"last", "old"});
        return;
      }
      if (t->type == Type::Word && is_reserved(t->text)) continue;
      Scope scope = scope_at(back + 1);
      scope.config |= is(token(back + 1), {"config", "cfg"});
      const auto operand = resolve(t->text, scope, names_);
      if (!operand) continue;
      for (const std::string& name : operand->value_names()) offer(name);
      offer_all({"last", "old"});
      return;
    }
  }

  void propose() {
    const Token* last = token(0);
    if (!last || is(last, {"and", "or", "not", "(", "&&", "||", "!", ":"})) {
      if (is(last, {"not"}) && token(1) && token(1)->type == Type::Word) offer("in");
      return offer_conditions(scope_at(0));
    }
    if (is(last, {"from", "symbol"})) return;
    if (is(last, {"last"})) return offer_places(scope_at(0));
    if (is(last, {"==", "=", "!=", "<", "<=", ">", ">=", "->", "{", ",", "in", ".."}))
      return offer_values(0);
    if (last->type == Type::Word) {
      if (const KindWord* kind = kind_word(last->text); kind || last->text == "to") {
        Scope scope = scope_at(1);
        scope.config =
            is(last, {"config", "cfg", "cfg_read", "cfg_write"}) ||
            (is(last, {"read", "write", "access", "to"}) && is(token(1), {"config", "cfg"}));
        if (!kind || (kind->kinds & (kAccessKinds | kStateKinds)) != 0) offer_places(scope);
        if (kind && kind->role == KindWord::Role::Direction)
          offer_all({"config", "dma", "memory", "to"});
        if (kind && kind->role == KindWord::Role::Space) offer_all({"access", "read", "write"});
        if (kind && kind->kinds == bit(Kind::Reset))
          for (const std::string& name : value_names(Attribute::Reset, names_)) offer(name);
        return offer_all({"and", "from", "or"});
      }
      if (const AttributeWord* a = attribute_word(last->text)) {
        if (a->alone) return offer_all({"and", "or"});
        for (const std::string& name : value_names(a->attribute, names_)) offer(name);
        return offer_all({"!=", "==", "in", "not in"});
      }
      // A place: its tests. A value after an operator: what joins conditions.
      const bool is_value =
          is(token(1), {"==", "=", "!=", "->", "..", "<", "<=", ">", ">=", "last", "from", "symbol",
                        "origin", "status", "answered_by", "kind", "function"});
      if (!is_value && !is_reserved(last->text)) offer_all({"!=", "==", "changes", "in", "not in"});
    }
    offer_all({"and", "from", "or"});
  }

  std::vector<Token> before_;
  std::string_view typed_;
  const Names& names_;
  std::vector<std::string> found_;
};

}  // namespace

std::size_t completion_start(std::string_view text) {
  std::size_t start = text.size();
  while (start > 0 && is_word_character(text[start - 1])) --start;
  // `0..TO`: the dots of a range are no part of the word.
  if (const auto dots = text.rfind(".."); dots != std::string_view::npos && dots >= start)
    start = dots + 2;
  return start;
}

std::vector<std::string> completions(std::string_view text, const Names& names) {
  const std::size_t start = completion_start(text);
  const std::string_view typed = text.substr(start);
  if (typed.size() > kMaxName) return {};
  auto before = tokenize(text.substr(0, start));
  if (!before) return {};  // inside a quote, or wrong already
  return Completer(std::move(*before), typed, names).run();
}

}  // namespace pcilens
