// What may come next on a line, from the command table and the names on the link.
#include <algorithm>
#include <filesystem>

#include "inspector-ui/commands/command.hpp"
#include "inspector-ui/commands/place.hpp"
#include "inspector-ui/commands/words.hpp"

namespace pcilens::ui {
namespace {

bool begins(std::string_view name, std::string_view with) {
  if (with.size() > name.size()) return false;
  return std::equal(with.begin(), with.end(), name.begin(), [](char a, char b) {
    return std::tolower(static_cast<unsigned char>(a)) ==
           std::tolower(static_cast<unsigned char>(b));
  });
}

// Collects what begins like the word that is being typed.
struct Collector {
  std::string_view typed;
  std::vector<Completion>& items;
  void offer(std::string text, std::string_view doc, bool open = false) {
    if (!begins(text, typed)) return;
    if (std::any_of(items.begin(), items.end(),
                    [&](const Completion& c) { return c.text == text; }))
      return;
    items.push_back({std::move(text), std::string(doc), open});
  }
};

void offer_files(Collector& c) {
  namespace fs = std::filesystem;
  const std::size_t slash = c.typed.rfind('/');
  const std::string folder =
      slash == std::string_view::npos ? "" : std::string(c.typed.substr(0, slash + 1));
  std::error_code error;
  for (fs::directory_iterator it(folder.empty() ? "." : folder, error), end; !error && it != end;
       it.increment(error)) {
    std::string name = folder + it->path().filename().string();
    if (it->is_directory(error)) name += '/';
    c.offer(std::move(name), "");
  }
}

void offer_names(Collector& c, const Snapshot& s, bool raw) {
  const bool fields = c.typed.find('.') != std::string_view::npos;
  for (const PlaceName& n : place_names(s, fields)) c.offer(n.name, n.doc, n.has_fields);
  if (raw) {
    c.offer("BAR0+0x", "an offset in a BAR", true);
    c.offer("config+0x", "an offset in config space", true);
  }
}

void offer_value(Collector& c, const Snapshot& s, std::string_view place) {
  const auto spot = find_place(s, place);
  if (!spot || spot->field == nullptr) return;
  for (const EnumValue& v : spot->field->values) c.offer(std::string(v.name), v.doc);
}

// Fields of the held transaction's register, for `edit`; names for `expect`.
void offer_assignment(Collector& c, const Command& command, const Snapshot& s) {
  if (command.id == "expect") {
    for (const std::string_view state : {"running", "paused", "stopped", "ended"})
      c.offer(std::string(state), "");
    offer_names(c, s, false);
  } else if (s.stop) {
    const Spot spot = spot_of(s, s.stop->transaction);
    for (const Field& f : spot.fields) {
      const std::string head = std::string(f.name) + "=";
      if (f.values.empty() || !c.typed.starts_with(head)) c.offer(head, f.doc);
      if (c.typed.starts_with(head))
        for (const EnumValue& v : f.values) c.offer(head + std::string(v.name), v.doc);
    }
  }
}

// The words of an expression are not those of the line: "(wri" goes on as "write". What is replaced
// is the longest end of the text that every offered word begins with.
void offer_expression(Completions& out, std::string_view line, std::size_t from,
                      const Snapshot& s) {
  const std::vector<std::string> words = completions(line.substr(from), *s.names);
  if (words.empty()) return;
  std::size_t begin = from;
  const auto all_begin = [&](std::size_t at) {
    return std::all_of(words.begin(), words.end(),
                       [&](const std::string& w) { return begins(w, line.substr(at)); });
  };
  while (begin < line.size() && !all_begin(begin)) ++begin;
  out.begin = begin;
  for (const std::string& word : words) {
    const auto spot = find_place(s, word);
    out.items.push_back({word, "", spot && spot->field == nullptr && !spot->fields.empty()});
  }
}

void offer_fault_action(Collector& c) {
  for (const std::string_view action : {"delay", "drop", "all-ones", "ur", "ca", "flip", "replace",
                                        "repeat", "cut", "corrupt", "remove", "replug"})
    c.offer(std::string(action), "");
}

}  // namespace

Completions complete_line(const CommandTable& table, const Snapshot& s, std::string_view line) {
  Completions out;
  auto words = split_words(line);
  if (!words) return out;
  const bool fresh = line.empty() || line.back() == ' ' || line.back() == '\t';
  out.begin = fresh || words->empty() ? line.size() : words->back().begin;
  Collector c{line.substr(out.begin), out.items};
  const std::size_t before = words->size() - (fresh || words->empty() ? 0 : 1);  // finished words

  const auto offer_commands = [&] {
    for (const Command& command : table.commands())
      if ((command.where & kConsole) != 0) c.offer(std::string(command.id), command.summary);
  };
  if (before == 0) {
    offer_commands();
    return out;
  }
  const auto found = table.find(words->front().text);
  if (!found) return out;
  const Command& command = **found;

  // Which argument is being typed: by position, or the one that a keyword just opened.
  std::size_t at = 1;
  const Argument* current = nullptr;
  std::size_t current_begin = 0;  // where in the line the argument's text begins
  bool first_word = true;         // of the argument
  for (std::size_t n = 0; n < command.arguments.size() && current == nullptr; ++n) {
    const Argument& a = command.arguments[n];
    if (!a.keyword.empty()) continue;
    const bool rest = a.type == ArgumentType::Expression || a.type == ArgumentType::Assignment ||
                      a.type == ArgumentType::FaultAction || a.type == ArgumentType::Text;
    if (at >= before || rest) {
      current = &a;
      first_word = at >= before;
      current_begin = at < words->size() ? (*words)[at].begin : line.size();
    }
    ++at;
  }
  for (std::size_t i = before; i-- > 1;) {
    const auto keyword =
        std::find_if(command.arguments.begin(), command.arguments.end(), [&](const Argument& a) {
          return !a.keyword.empty() && a.type != ArgumentType::Flag &&
                 a.keyword == (*words)[i].text;
        });
    if (keyword == command.arguments.end()) continue;
    const bool rest =
        keyword->type == ArgumentType::Expression || keyword->type == ArgumentType::FaultAction;
    if (rest || i + 1 == before) {
      current = &*keyword;
      first_word = i + 1 == before;
      current_begin = i + 1 < words->size() ? (*words)[i + 1].begin : line.size();
    }
    break;
  }
  if (current != nullptr) {
    const std::string place = words->size() > 1 ? (*words)[1].text : "";
    switch (current->type) {
      case ArgumentType::Place: offer_names(c, s, true); break;
      case ArgumentType::Register: offer_names(c, s, false); break;
      case ArgumentType::Value: offer_value(c, s, place); break;
      case ArgumentType::Assignment: offer_assignment(c, command, s); break;
      case ArgumentType::FaultAction:
        if (first_word) offer_fault_action(c);
        break;
      case ArgumentType::Choice:
        for (const auto& choice : current->choices) c.offer(std::string(choice), "");
        break;
      case ArgumentType::Expression:
        offer_expression(out, line, std::min(current_begin, line.size()), s);
        c.typed = line.substr(out.begin);
        break;
      case ArgumentType::File: offer_files(c); break;
      case ArgumentType::CommandName: offer_commands(); break;
      case ArgumentType::Text:
        if (current->name == "function")
          for (const FunctionState& f : s.functions) c.offer(f.instance, f.device);
        if (current->name == "number") {
          for (const auto& b : s.breakpoints)
            c.offer(std::to_string(b.number), b.breakpoint.expression);
          c.offer("all", "");
          c.offer("fault", "a fault rule");
        }
        break;
      case ArgumentType::Number:
      case ArgumentType::Size:
      case ArgumentType::Duration:
      case ArgumentType::Flag: break;
    }
  }
  // Keywords come after at least one word of a required first argument.
  const bool required = !command.arguments.empty() && !command.arguments.front().optional &&
                        command.arguments.front().keyword.empty();
  if (before >= (required ? 2u : 1u))
    for (const Argument& a : command.arguments)
      if (!a.keyword.empty() &&
          std::none_of(words->begin(), words->begin() + static_cast<std::ptrdiff_t>(before),
                       [&](const Word& w) { return w.text == a.keyword; }))
        c.offer(std::string(a.keyword), a.doc);
  return out;
}

}  // namespace pcilens::ui
