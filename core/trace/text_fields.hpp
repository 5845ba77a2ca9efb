// Takes a line apart from left to right. Every call says whether what it asks for was there, and
// then has moved past it.
#pragma once

#include <charconv>
#include <cstdint>
#include <string_view>

namespace pcilens {

class TextFields {
 public:
  explicit TextFields(std::string_view text) : rest_(text) {}

  std::string_view rest() const { return rest_; }
  bool done() const { return rest_.find_first_not_of(' ') == std::string_view::npos; }

  // Exactly this text; leading blanks of the line are skipped unless `text` begins with one.
  bool literal(std::string_view text) {
    auto rest = text.starts_with(' ') ? rest_ : skipped();
    if (!rest.starts_with(text)) return false;
    rest_ = rest.substr(text.size());
    return true;
  }
  // Up to the next blank, one character at least.
  bool word(std::string_view& out) { return until(' ', out); }
  // Up to `stop` (not taken), or the end.
  bool until(char stop, std::string_view& out) {
    const auto rest = skipped();
    const auto end = rest.find(stop);
    out = rest.substr(0, end);
    if (out.empty()) return false;
    rest_ = end == std::string_view::npos ? std::string_view() : rest.substr(end);
    return true;
  }
  bool decimal(std::uint64_t& out) { return number(skipped(), 10, out); }
  bool hex(std::uint64_t& out) { return number(skipped(), 16, out); }
  bool hex0x(std::uint64_t& out) {
    const auto rest = skipped();
    return rest.starts_with("0x") && number(rest.substr(2), 16, out);
  }
  // "3.854241": seconds and microseconds, as nanoseconds.
  bool seconds(std::uint64_t& ns) {
    const auto before = rest_;
    std::uint64_t whole = 0, micro = 0;
    if (decimal(whole) && rest_.starts_with('.') && whole < (1ull << 33)) {
      rest_.remove_prefix(1);
      const auto digits = rest_.size();
      if (!rest_.starts_with(' ') && decimal(micro) && digits - rest_.size() == 6) {
        ns = whole * 1'000'000'000 + micro * 1000;
        return true;
      }
    }
    rest_ = before;
    return false;
  }

 private:
  std::string_view skipped() const {
    const auto at = rest_.find_first_not_of(' ');
    return at == std::string_view::npos ? std::string_view() : rest_.substr(at);
  }
  bool number(std::string_view from, int base, std::uint64_t& out) {
    const auto [end, error] = std::from_chars(from.data(), from.data() + from.size(), out, base);
    if (error != std::errc() || end == from.data()) return false;
    rest_ = from.substr(static_cast<std::size_t>(end - from.data()));
    return true;
  }

  std::string_view rest_;
};

}  // namespace pcilens
