#include "core/link/expression_lexer.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace pcilens::expression {
namespace {

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}
bool is_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}
bool is_alnum(char c) {
  return is_digit(c) || is_letter(c);
}
// '*' and '?' stand for any characters; there is no multiplication.
bool is_name(char c) {
  return is_alnum(c) || c == '*' || c == '?' || c == '$' || c == '@';
}
bool is_space(char c) {
  return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

// The bytes of the UTF-8 character that begins at `i`; 0 if none does.
std::size_t character_at(std::string_view text, std::size_t i) {
  const auto c = static_cast<unsigned char>(text[i]);
  const std::size_t length = c < 0x80                ? 1
                             : c >= 0xc2 && c < 0xe0 ? 2
                             : c >= 0xe0 && c < 0xf0 ? 3
                             : c >= 0xf0 && c < 0xf5 ? 4
                                                     : 0;
  if (length == 0 || length > text.size() - i) return 0;
  for (std::size_t k = 1; k < length; ++k)
    if ((static_cast<unsigned char>(text[i + k]) & 0xc0) != 0x80) return 0;
  return length;
}

struct Unit {
  std::string_view name;
  std::uint64_t factor;
};
constexpr std::array kUnits = {Unit{"ns", 1},         Unit{"us", 1000},      Unit{"ms", 1000000},
                               Unit{"s", 1000000000}, Unit{"k", 1ull << 10}, Unit{"K", 1ull << 10},
                               Unit{"M", 1ull << 20}, Unit{"G", 1ull << 30}};

class Lexer {
 public:
  explicit Lexer(std::string_view text) : text_(text) {}

  tl::expected<std::vector<Token>, Problem> run() {
    while (true) {
      while (at_ < text_.size() && is_space(text_[at_])) ++at_;
      if (at_ == text_.size()) break;
      if (auto problem = next()) return tl::unexpected(std::move(*problem));
    }
    tokens_.push_back({Token::Type::End, {}, text_.size(), text_.size()});
    return std::move(tokens_);
  }

 private:
  char peek(std::size_t ahead = 0) const {
    return at_ + ahead < text_.size() ? text_[at_ + ahead] : '\0';
  }

  void push(Token::Type type, std::size_t begin, std::uint64_t number = 0) {
    tokens_.push_back({type, text_.substr(begin, at_ - begin), begin, at_, number});
  }

  std::optional<Problem> next() {
    const std::size_t begin = at_;
    const char c = text_[at_];
    if (c == '"' || c == '\'') return quoted(c);
    if (is_digit(c)) return number();
    if (is_name(c)) return word();
    static constexpr std::array<std::string_view, 8> kPairs = {
        "&&", "||", "!=", "==", "<=", ">=", "->", ".."};
    for (std::string_view pair : kPairs) {
      if (text_.substr(at_, 2) != pair) continue;
      at_ += 2;
      push(Token::Type::Symbol, begin);
      return std::nullopt;
    }
    if (std::string_view("(){},:+&!=<>").find(c) != std::string_view::npos) {
      ++at_;
      push(Token::Type::Symbol, begin);
      return std::nullopt;
    }
    if (c == '|') return Problem{begin, begin + 1, "there is no '|'; write `or` or '||'"};
    if (c == '-')
      return Problem{begin, begin + 1, "there is no '-'; values are unsigned, a change is 0->1"};
    const std::size_t length = std::max<std::size_t>(1, character_at(text_, begin));
    return Problem{begin, begin + length,
                   fmt::format("'{}' has no meaning here; quote names with odd characters",
                               printable(text_.substr(begin, length)))};
  }

  std::optional<Problem> quoted(char quote) {
    const std::size_t begin = at_++;
    while (at_ < text_.size() && text_[at_] != quote) ++at_;
    if (at_ == text_.size())
      return Problem{begin, begin + 1, fmt::format("the quote {} is never closed", quote)};
    ++at_;
    tokens_.push_back(
        {Token::Type::Quoted, text_.substr(begin + 1, at_ - begin - 2), begin, at_, 0});
    return std::nullopt;
  }

  std::optional<Problem> number() {
    const std::size_t begin = at_;
    while (at_ < text_.size() && (is_alnum(text_[at_]) || (text_[at_] == '.' && is_digit(peek(1)))))
      ++at_;
    std::string why;
    const auto value = parse_number(text_.substr(begin, at_ - begin), &why);
    if (!value) return Problem{begin, at_, why};
    push(Token::Type::Number, begin, *value);
    return std::nullopt;
  }

  std::optional<Problem> word() {
    const std::size_t begin = at_;
    while (at_ < text_.size()) {
      if (is_name(peek()) || (peek() == '.' && is_name(peek(1)))) {
        ++at_;
      } else if (peek() == '[') {
        const auto close = text_.find(']', at_);
        if (close == std::string_view::npos)
          return Problem{at_, at_ + 1, "the bracket [ is never closed"};
        at_ = close + 1;
      } else {
        break;
      }
    }
    push(Token::Type::Word, begin);
    return std::nullopt;
  }

  std::string_view text_;
  std::size_t at_ = 0;
  std::vector<Token> tokens_;
};

}  // namespace

tl::expected<std::vector<Token>, Problem> tokenize(std::string_view text) {
  if (text.size() > kMaxText)
    return tl::unexpected(Problem{
        kMaxText, kMaxText,
        fmt::format("the expression is {} bytes long; {} is the most", text.size(), kMaxText)});
  return Lexer(text).run();
}

std::optional<std::uint64_t> parse_number(std::string_view text, std::string* why) {
  const auto bad = [&](std::string what) {
    if (why) *why = std::move(what);
    return std::nullopt;
  };
  unsigned base = 10;
  std::string_view digits = text;
  if (digits.starts_with("0x") || digits.starts_with("0X")) base = 16;
  if (digits.starts_with("0b") || digits.starts_with("0B")) base = 2;
  if (base != 10) digits.remove_prefix(2);

  std::uint64_t value = 0, scale = 1;
  bool any = false, fraction = false;
  std::size_t i = 0;
  for (; i < digits.size(); ++i) {
    const char c = digits[i];
    if (c == '_' && any) continue;
    if (c == '.' && base == 10 && !fraction) {
      fraction = true;
      continue;
    }
    unsigned digit = 16;
    if (is_digit(c)) digit = static_cast<unsigned>(c - '0');
    if (base == 16 && c >= 'a' && c <= 'f') digit = static_cast<unsigned>(c - 'a') + 10;
    if (base == 16 && c >= 'A' && c <= 'F') digit = static_cast<unsigned>(c - 'A') + 10;
    if (digit >= base) break;
    if (value > (~0ull - digit) / base)
      return bad(fmt::format("{} does not fit 64 bits", printable(text)));
    value = value * base + digit;
    any = true;
    if (fraction) {
      if (scale > 100000000) return bad(fmt::format("{} has too many digits", printable(text)));
      scale *= 10;
    }
  }
  if (!any) return bad(fmt::format("{} is no number", printable(text)));
  const std::string_view unit = digits.substr(i);
  if (unit.empty()) {
    if (fraction) return bad(fmt::format("{} is a fraction without a unit", printable(text)));
    return value;
  }
  for (const Unit& u : kUnits) {
    if (base != 10 || u.name != unit) continue;
    if (value > ~0ull / u.factor)
      return bad(fmt::format("{} does not fit 64 bits", printable(text)));
    return value * u.factor / scale;
  }
  return bad(base == 10
                 ? fmt::format("{} is no number; units are ns us ms s and k M G, hexadecimal "
                               "begins with 0x",
                               printable(text))
                 : fmt::format("{} is no number of base {}", printable(text), base));
}

std::string printable(std::string_view text, std::size_t limit) {
  std::string out;
  for (std::size_t i = 0; i < text.size();) {
    const auto c = static_cast<unsigned char>(text[i]);
    const std::size_t length = character_at(text, i);
    if (out.size() + std::max<std::size_t>(length, 1) > limit) return out + "...";
    if (length == 0)
      out += '?';
    else if (c < 0x20 || c == 0x7f)
      out += ' ';
    else
      out += text.substr(i, length);
    i += std::max<std::size_t>(length, 1);
  }
  return out;
}

namespace {

// Characters as printable() shows them: an ill-formed byte is one.
std::size_t characters(std::string_view text, std::size_t from, std::size_t to) {
  std::size_t n = 0;
  for (std::size_t i = from; i < to && i < text.size(); ++n)
    i += std::max<std::size_t>(1, character_at(text, i));
  return n;
}

}  // namespace

std::size_t column_of(std::string_view text, std::size_t byte) {
  return characters(text, 0, std::min(byte, text.size())) + 1;
}

std::string point_at(std::string_view text, const Problem& problem) {
  const std::size_t at = std::min(problem.begin, text.size());
  // A long text shows only what lies around the place.
  constexpr std::size_t kAround = 50;
  std::size_t first = at > kAround && text.size() > 2 * kAround ? at - kAround : 0;
  while (first > 0 && first < text.size() &&
         (static_cast<unsigned char>(text[first]) & 0xc0) == 0x80)
    --first;
  const std::string_view prefix = first > 0 ? "..." : "";
  const std::string shown = printable(text.substr(first), 2 * kAround);
  const std::size_t end = std::min(problem.end, first + 2 * kAround);
  const std::size_t width = std::max<std::size_t>(1, end > at ? characters(text, at, end) : 0);
  return fmt::format("  {}{}\n  {}^{}", prefix, shown,
                     std::string(prefix.size() + characters(text, first, at), ' '),
                     std::string(width - 1, '~'));
}

std::string tell(std::string_view text, const Problem& problem) {
  return fmt::format("column {}: {}\n{}", column_of(text, problem.begin), problem.what,
                     point_at(text, problem));
}

}  // namespace pcilens::expression
