#include "core/trace/assertion.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "core/link/expression_lexer.hpp"
#include "core/link/expression_parser.hpp"

namespace pcilens {
namespace {

using expression::Problem;
using expression::Token;

bool is_blank(char c) {
  return c == ' ' || c == '\t';
}

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && is_blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_blank(text.back())) text.remove_suffix(1);
  return text;
}

// Where a rule can begin: `must` or `never` as a whole word.
bool begins_rule(std::string_view text) {
  for (const std::string_view word : {"must", "never"})
    if (text.starts_with(word) && (text.size() == word.size() || is_blank(text[word.size()])))
      return true;
  return false;
}

struct Parts {
  std::string_view name, rule;
};

// "name: rule  # remark". Quotes hide colons and remarks; a name may hold an apostrophe, for quotes
// count from where the rule begins.
Parts split(std::string_view line) {
  std::size_t begin = 0;
  while (begin < line.size() && is_blank(line[begin])) ++begin;
  Parts parts;
  std::size_t rule = begin;
  if (!begins_rule(line.substr(begin))) {
    rule = line.size();
    for (std::size_t i = begin; i < line.size(); ++i) {
      if (line[i] == '#' && (i == begin || is_blank(line[i - 1]))) break;
      if (line[i] != ':') continue;
      std::size_t after = i + 1;
      while (after < line.size() && is_blank(line[after])) ++after;
      if (!begins_rule(line.substr(after))) continue;
      parts.name = trimmed(line.substr(begin, i - begin));
      rule = after;
      break;
    }
    if (rule == line.size()) {  // none: the parser says what was expected, at the first word
      if (begin == line.size() || line[begin] == '#') return parts;
      rule = begin;
    }
  }
  std::size_t end = rule;
  for (char quote = 0; end < line.size(); ++end) {
    const char c = line[end];
    if (quote != 0) {
      if (c == quote) quote = 0;
    } else if (c == '"' || c == '\'') {
      quote = c;
    } else if (c == '#' && (end == rule || is_blank(line[end - 1]))) {
      break;
    }
  }
  parts.rule = trimmed(line.substr(rule, end - rule));
  return parts;
}

class RuleParser {
 public:
  RuleParser(std::string_view text, const std::shared_ptr<const Names>& names, Assertion& out)
      : text_(text), names_(names), out_(out) {}

  // A problem's place is in the rule's text.
  std::optional<Problem> parse() {
    if (!begins_rule(text_))
      return Problem{0, std::min(text_.find(' '), text_.size()),
                     "an assertion is \"must ...\" or \"never ...\", with \"a name:\" before it"};
    if (const auto rule = after_word(after_word(text_, "never"), "finding"); rule.data() != nullptr)
      return no_finding(rule);
    auto tokens = expression::tokenize(text_);
    if (!tokens) return tokens.error();
    tokens_ = std::move(*tokens);
    end_ = tokens_.size() - 1;
    if (is(0, "never")) return never(1);
    if (is(1, "not")) return never(2);
    const std::size_t before = find("before", 1), after = find("after", 1),
                      within = find("within", 1), with = find("with", 1);
    if (before != end_ && after != end_)
      return at(std::max(before, after), "one assertion has either \"before\" or \"after\"");
    if (before != end_) {
      if (within != end_) return at(within, "\"within\" goes with \"after\"");
      if (with > before && with != end_) return at(with, kWithStands);
      return this->before(with, before);
    }
    if (after != end_) {
      if (with > std::min(within, after) && with != end_) return at(with, kWithStands);
      return this->after(with, within, after);
    }
    if (with != end_)
      return at(with, "\"with the same\" goes with \"before\" and \"after\": what has it twice?");
    if (within != end_) return at(within, "\"within\" what? \"after each EXPRESSION\" is missing");
    return occurs();
  }

 private:
  static constexpr const char* kWithStands =
      "\"with the same\" stands behind what must come: must dma_unmap with the same iova after "
      "each "
      "dma_map";

  bool is(std::size_t i, std::string_view word) const {
    return tokens_[i].type == Token::Type::Word && tokens_[i].text == word;
  }

  // The word outside of parentheses and sets; end_ if it is not there.
  std::size_t find(std::string_view word, std::size_t from) const {
    int depth = 0;
    for (std::size_t i = from; i < end_; ++i) {
      const Token& t = tokens_[i];
      if (t.type == Token::Type::Symbol) {
        if (t.text == "(" || t.text == "{") ++depth;
        if (t.text == ")" || t.text == "}") --depth;
      } else if (depth <= 0 && is(i, word)) {
        return i;
      }
    }
    return end_;
  }

  Problem at(std::size_t token, std::string what) const {
    return {tokens_[token].begin, tokens_[token].end, std::move(what)};
  }

  // The expression in the tokens from `first` to before `last`.
  std::optional<Problem> compile(std::size_t first, std::size_t last, Expression& into) const {
    if (first >= last)
      return at(first, "an expression is missing here; \"any\" is every transaction");
    const std::size_t begin = tokens_[first].begin;
    const auto text = text_.substr(begin, tokens_[last - 1].end - begin);
    auto compiled = Expression::compile(text, names_);
    if (compiled) {
      into = std::move(*compiled);
      return std::nullopt;
    }
    auto problem = expression::problem_of(text, *names_);
    if (!problem) return at(first, compiled.error().message);
    problem->begin += begin;
    problem->end += begin;
    return problem;
  }

  // The rest behind a word; null where `text` does not begin with it.
  static std::string_view after_word(std::string_view text, std::string_view word) {
    if (!text.starts_with(word)) return {};
    text.remove_prefix(word.size());
    return text.empty() || is_blank(text.front()) ? trimmed(text) : std::string_view();
  }

  // A rule is a word, but none of an expression: "unexpected-completion", "trace.blob".
  std::optional<Problem> no_finding(std::string_view rule) {
    out_.rule = Assertion::Rule::NoFinding;
    out_.finding = rule;
    if (rule.find_first_of(" \t\"'()") == std::string_view::npos) return std::nullopt;
    const auto at = static_cast<std::size_t>(rule.data() - text_.data());
    return Problem{at, at + rule.size(),
                   "after \"finding\" stands one rule, such as kernel, or nothing: any finding"};
  }

  std::optional<Problem> never(std::size_t first) {
    out_.rule = Assertion::Rule::Never;
    for (const std::string_view word : {"before", "after", "within", "with", "times", "once"})
      if (const auto i = find(word, first); i != end_)
        return at(i, fmt::format("\"{}\" goes with \"must\"; \"never\" has one expression", word));
    return compile(first, end_, out_.subject);
  }

  std::optional<Problem> before(std::size_t with, std::size_t word) {
    const bool each = is(word + 1, "each");
    out_.rule = each ? Assertion::Rule::BeforeEach : Assertion::Rule::Before;
    with = std::min(with, word);
    if (auto problem = compile(1, with, out_.subject)) return problem;
    if (auto problem = same(with, word)) return problem;
    if (auto problem = compile(word + (each ? 2 : 1), end_, out_.other)) return problem;
    return can_pair(with);
  }

  std::optional<Problem> after(std::size_t with, std::size_t within, std::size_t word) {
    out_.rule = Assertion::Rule::After;
    if (within > word && within != end_)
      return at(within, "\"within\" stands before \"after\": within 500ms after each ...");
    const std::size_t rest = std::min(within, word);
    with = std::min(with, rest);
    if (auto problem = compile(1, with, out_.subject)) return problem;
    if (auto problem = same(with, rest)) return problem;
    if (within != end_)
      if (auto problem = limit(within + 1, word)) return problem;
    if (auto problem = compile(word + (is(word + 1, "each") ? 2 : 1), end_, out_.other))
      return problem;
    return can_pair(with);
  }

  std::optional<Problem> limit(std::size_t first, std::size_t last) {
    const Token& number = tokens_[first];
    out_.limit = number.number;
    if (number.type == Token::Type::Number) {
      if (number.text.ends_with('s') && last == first + 1) {
        out_.limit_kind = Assertion::Limit::Time;
        return std::nullopt;
      }
      const bool counts = is(first + 1, "transactions") || is(first + 1, "transaction") ||
                          is(first + 1, "events") || is(first + 1, "event");
      if (counts && last == first + 2 && out_.limit > 0 && !number.text.ends_with('s')) {
        out_.limit_kind = Assertion::Limit::Transactions;
        return std::nullopt;
      }
    }
    return Problem{number.begin, std::max(number.end, tokens_[last - 1].end),
                   "\"within\" takes a time (500ms; units ns us ms s) or a number of transactions "
                   "(20 transactions)"};
  }

  // `with the same iova`, from `with` to before `last`; where there is none, `with` is `last`.
  std::optional<Problem> same(std::size_t with, std::size_t last) {
    using expression::Attribute;
    if (with == last) return std::nullopt;
    constexpr std::string_view kTakes =
        "\"with the same\" takes one of iova, offset, vector, thread, cpu, function, size, value, "
        "cause";
    if (!is(with + 1, "the") || !is(with + 2, "same") || with + 4 != last)
      return Problem{tokens_[with].begin, tokens_[last - 1].end, std::string(kTakes)};
    const auto* word = expression::attribute_word(tokens_[with + 3].text);
    constexpr Attribute kThese[] = {Attribute::Iova,   Attribute::Offset, Attribute::Vector,
                                    Attribute::Thread, Attribute::Cpu,    Attribute::Function,
                                    Attribute::Size,   Attribute::Value,  Attribute::Cause};
    if (word == nullptr || std::ranges::find(kThese, word->attribute) == std::end(kThese))
      return at(with + 3, std::string(kTakes));
    out_.same = word->attribute;
    out_.same_text = fmt::format(" with the same {}", word->word);
    return std::nullopt;
  }
  // One that no S or no O can have would pair nothing.
  std::optional<Problem> can_pair(std::size_t with) const {
    if (!out_.same) return std::nullopt;
    for (const Expression* e : {&out_.subject, &out_.other})
      if ((e->reach().kinds & expression::kinds_of(*out_.same)) == 0)
        return at(with + 3, fmt::format("\"{}\" matches nothing that has one", e->text()));
    return std::nullopt;
  }

  // must S [[at least | at most | exactly] N times | ... once]
  std::optional<Problem> occurs() {
    out_.rule = Assertion::Rule::Occurs;
    std::size_t last = end_;
    std::uint64_t count = 0;
    const bool once = last > 1 && is(last - 1, "once");
    if (once) {
      count = 1;
      last -= 1;
    } else if (last > 2 && is(last - 1, "times") && is_count(last - 2)) {
      count = tokens_[last - 2].number;
      last -= 2;
    } else {
      for (const std::string_view word : {"times", "once", "exactly", "at"})
        if (const auto i = find(word, 1); i != end_)
          return at(i,
                    "how often stands at the end: 3 times, at least 3 times, at most 3 times, "
                    "exactly 3 times, once");
      return compile(1, end_, out_.subject);
    }
    out_.least = out_.most = count;
    if (last > 1 && is(last - 1, "exactly")) {
      last -= 1;
    } else if (last > 2 && is(last - 2, "at") && (is(last - 1, "least") || is(last - 1, "most"))) {
      (is(last - 1, "least") ? out_.most = ~0ull : out_.least = 0);
      last -= 2;
    }
    if (out_.most == 0) return at(end_ - 2, "0 times is \"never\"");
    return compile(1, last, out_.subject);
  }

  bool is_count(std::size_t i) const {
    return tokens_[i].type == Token::Type::Number && !tokens_[i].text.ends_with('s');
  }

  std::string_view text_;
  const std::shared_ptr<const Names>& names_;
  Assertion& out_;
  std::vector<Token> tokens_;
  std::size_t end_ = 0;  // index of the End token
};

}  // namespace

Result<std::vector<Assertion>> parse_assertions(std::string_view text, const std::string& file,
                                                const std::shared_ptr<const Names>& names) {
  if (text.size() > kMostAssertionBytes)
    return fail(fmt::format("{}: {} bytes are no file of assertions; {} is the most", file,
                            text.size(), kMostAssertionBytes));
  if (text.starts_with("\xef\xbb\xbf")) text.remove_prefix(3);  // a byte order mark
  std::vector<Assertion> all;
  for (unsigned number = 1; !text.empty(); ++number) {
    const auto end = text.find('\n');
    std::string_view line = text.substr(0, end);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    if (line.ends_with('\r')) line.remove_suffix(1);
    const Parts parts = split(line);
    if (parts.rule.empty()) continue;
    Assertion assertion;
    if (auto problem = RuleParser(parts.rule, names, assertion).parse()) {
      const auto shift = static_cast<std::size_t>(parts.rule.data() - line.data());
      problem->begin += shift;
      problem->end += shift;
      return fail(fmt::format("{}:{}:{}: {}\n{}", file, number,
                              expression::column_of(line, problem->begin), problem->what,
                              expression::point_at(line, *problem)));
    }
    if (all.size() == kMostAssertions)
      return fail(fmt::format("{}:{}:1: more than {} assertions; use several files", file, number,
                              kMostAssertions));
    assertion.text = parts.rule;
    assertion.name = parts.name.empty() ? parts.rule : parts.name;
    assertion.file = file;
    assertion.line = number;
    all.push_back(std::move(assertion));
  }
  if (all.empty())
    return fail(fmt::format(
        "{}:1:1: there is no assertion in it, so it would always hold; write one such as: must irq",
        file));
  return all;
}

}  // namespace pcilens
