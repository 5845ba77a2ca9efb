// From the words of a line to the arguments of a command, and back to its usage.
#include <fmt/format.h>

#include <algorithm>

#include "inspector-ui/commands/command.hpp"
#include "inspector-ui/commands/place.hpp"
#include "inspector-ui/commands/words.hpp"

namespace pcilens::ui {
namespace {

bool takes_rest(ArgumentType type) {
  return type == ArgumentType::Expression || type == ArgumentType::FaultAction ||
         type == ArgumentType::Assignment || type == ArgumentType::Text;
}

std::string usage_of(const Argument& a) {
  std::string what(a.name);
  if (a.type == ArgumentType::Flag) return std::string(a.keyword);
  if (!a.choices.empty()) {
    what.clear();
    for (const auto& c : a.choices) what += (what.empty() ? "" : "|") + std::string(c);
  } else {
    std::transform(what.begin(), what.end(), what.begin(),
                   [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
  }
  return a.keyword.empty() ? what : std::string(a.keyword) + " " + what;
}

tl::unexpected<Error> misused(const Command& command, const std::string& what) {
  return fail(what + "; usage: " + usage(command));
}

}  // namespace

const std::string& Arguments::text(std::string_view name) const {
  static const std::string kNone;
  const auto it = values_.find(name);
  return it == values_.end() ? kNone : it->second;
}

Result<std::uint64_t> Arguments::number(std::string_view name, std::uint64_t otherwise) const {
  const auto it = values_.find(name);
  if (it == values_.end()) return otherwise;
  auto value = parse_value(it->second);
  if (!value) return fail(fmt::format("{}: {}", name, value.error().message));
  return value;
}

std::string usage(const Command& command) {
  std::string text(command.id);
  for (const Argument& a : command.arguments)
    text += a.optional ? " [" + usage_of(a) + "]" : " " + usage_of(a);
  return text;
}

bool complete(const Command& command, const Arguments& arguments) {
  return std::all_of(command.arguments.begin(), command.arguments.end(),
                     [&](const Argument& a) { return a.optional || arguments.has(a.name); });
}

Result<Arguments> parse(const Command& command, std::string_view text) {
  auto words = split_words(text);
  if (!words) return tl::unexpected(words.error());
  Arguments out;
  std::size_t end = words->size();

  // Keywords with a value or a flag, stripped from the end.
  const auto keyword_at = [&](std::size_t i) -> const Argument* {
    if (i >= words->size() || (*words)[i].quoted) return nullptr;
    for (const Argument& a : command.arguments)
      if (!a.keyword.empty() && a.keyword == (*words)[i].text && !takes_rest(a.type)) return &a;
    return nullptr;
  };
  for (;;) {
    if (const Argument* a = end >= 1 ? keyword_at(end - 1) : nullptr) {
      if (a->type != ArgumentType::Flag)
        return misused(command, fmt::format("\"{}\" wants {}", a->keyword, a->doc));
      if (out.has(a->name))
        return misused(command, fmt::format("\"{}\" is there twice", a->keyword));
      out.set(std::string(a->name), "1");
      end -= 1;
      continue;
    }
    if (const Argument* a = end >= 2 ? keyword_at(end - 2) : nullptr;
        a != nullptr && a->type != ArgumentType::Flag) {
      if (out.has(a->name))
        return misused(command, fmt::format("\"{}\" is there twice", a->keyword));
      out.set(std::string(a->name), (*words)[end - 1].text);
      end -= 2;
      continue;
    }
    break;
  }

  std::size_t at = 0;
  const auto text_between = [&](std::size_t from, std::size_t to) {
    if (to - from == 1 && (*words)[from].quoted)
      return (*words)[from].text;  // quotes that only group
    return std::string(
        text.substr((*words)[from].begin, (*words)[to - 1].end - (*words)[from].begin));
  };
  for (std::size_t n = 0; n < command.arguments.size(); ++n) {
    const Argument& a = command.arguments[n];
    if (!a.keyword.empty() && !takes_rest(a.type)) continue;
    if (!a.keyword.empty()) {
      if (at < end && !(*words)[at].quoted && (*words)[at].text == a.keyword) {
        if (++at == end) return misused(command, fmt::format("\"{}\" wants {}", a.keyword, a.doc));
      } else if (a.optional) {
        continue;
      } else {
        return misused(command, fmt::format("\"{}\" and {} are missing", a.keyword, a.doc));
      }
    }
    if (at == end) {
      if (a.optional) continue;
      return misused(command, fmt::format("{} is missing: {}", a.name, a.doc));
    }
    std::size_t to = at + 1;
    if (takes_rest(a.type)) {
      to = end;
      for (std::size_t i = at; i < end; ++i)  // up to the keyword of the next text
        for (const Argument& b : command.arguments)
          if (&b != &a && !b.keyword.empty() && takes_rest(b.type) && !(*words)[i].quoted &&
              (*words)[i].text == b.keyword)
            to = std::min(to, i);
      if (to == at) {
        if (a.optional) continue;
        return misused(command, fmt::format("{} is missing: {}", a.name, a.doc));
      }
    }
    std::string value = text_between(at, to);
    if (a.type == ArgumentType::Choice &&
        std::find(a.choices.begin(), a.choices.end(), value) == a.choices.end()) {
      if (a.optional) continue;  // the next argument may take it
      std::string choices;
      for (const auto& c : a.choices) choices += (choices.empty() ? "" : ", ") + std::string(c);
      return misused(command, fmt::format("\"{}\" is none of {}", value, choices));
    }
    out.set(std::string(a.name), std::move(value));
    at = to;
  }
  if (at != end) return misused(command, fmt::format("\"{}\" is too much", text_between(at, end)));
  return out;
}

}  // namespace pcilens::ui
