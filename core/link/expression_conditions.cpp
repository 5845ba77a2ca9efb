// The parser's conditions: kinds, places, attributes, last values, symbols.
#include <fmt/format.h>

#include <algorithm>

#include "core/link/expression_parser.hpp"
#include "core/registers/access_rules.hpp"

namespace pcilens::expression {
namespace {

using Type = Token::Type;
using Role = KindWord::Role;

// A range of bytes or a field, as an access touches it: whole bytes.
Target touched_part(Target t, const Field* field) {
  if (!field) return t;
  t.offset += field->low / 8u;
  t.length = field->high / 8u - field->low / 8u + 1u;
  return t;
}

bool looks_back(const Node& n) {
  return n.test == Test::Transition || n.test == Test::Changes || n.right == Right::Old;
}

// Which accesses a test of a register looks at when the text does not say: those at which the
// driver sees or sets what is tested. A transition is the driver's write, where it can write.
std::uint32_t default_directions(const Operand& operand, const Node& n) {
  std::uint32_t kinds = 0;
  if (operand.writable) kinds |= kWriteKinds;
  if (operand.readable && !(operand.writable && looks_back(n))) kinds |= kReadKinds;
  return kinds != 0 ? kinds : kWriteKinds | kReadKinds;
}

}  // namespace

// "write", "config read", "irq 3", "write to BAR0+0x1c", "read CSTS".
Parser::Index Parser::kinds_condition() {
  const KindWord* direction = nullptr;
  const KindWord* space = nullptr;
  const Token& first = token();
  while (token().type == Type::Word) {
    const KindWord* word = kind_word(token().text);
    if (!word || starts_place()) break;
    if (word->role == Role::Exact) {
      if (direction || space)
        return fail(token(),
                    fmt::format("{} stands alone; put `and` or `or` before it", word->word));
      ++at_;
      return exact_kind(*word);
    }
    const KindWord*& role = word->role == Role::Direction ? direction : space;
    if (role)
      return fail(token(), fmt::format("{} and {} exclude each other; `or` takes either",
                                       role->word, word->word));
    role = word;
    ++at_;
  }
  Kinds kinds;
  kinds.kinds = (direction ? direction->kinds : kReadKinds | kWriteKinds) &
                (space ? space->kinds : kAccessKinds);
  kinds.direction = direction != nullptr;
  kinds.word = first.text;
  if (accept("to") && !starts_place()) return expected("a place, such as CC or BAR0+0x1c");
  if (starts_place()) {
    if (kinds.kinds & kDmaKinds)
      return fail(token(), "DMA has no register; write `dma_write and iova in 0x1000..0x1fff`");
    const Scope outer = scope_;
    scope_.config |= space && space->kinds == kConfigKinds;
    const Index found = place_condition(kinds);
    scope_ = outer;
    return found;
  }
  Node node;
  node.op = Op::Kinds;
  node.kinds = kinds.kinds;
  return add(node);
}

// "irq", "irq 3", "reset flr", "mem_write CC", "state CSTS".
Parser::Index Parser::exact_kind(const KindWord& word) {
  Node node;
  node.op = Op::Kinds;
  node.kinds = word.kinds;
  const auto numbered = [&]() -> std::optional<Attribute> {
    if (word.kinds == bit(Kind::Irq)) return Attribute::Vector;
    if (word.kinds == bit(Kind::Timer)) return Attribute::Timer;
    if (word.kinds == bit(Kind::Input)) return Attribute::Input;
    return std::nullopt;
  }();
  if (numbered && token().type == Type::Number) {
    node.op = Op::Attribute;
    node.attribute = *numbered;
    node.test = Test::Equal;
    node.a = token().number;
    ++at_;
    return add(node);
  }
  if (word.kinds == bit(Kind::Reset) && token().type == Type::Word && !is_reserved(token().text)) {
    const auto which = value_named(Attribute::Reset, token().text, names_);
    if (!which) return expected("conventional, flr or hotplug");
    node.op = Op::Attribute;
    node.attribute = Attribute::Reset;
    node.test = Test::Equal;
    node.a = *which;
    ++at_;
    return add(node);
  }
  const bool to = accept("to");
  if (starts_place()) {
    if ((word.kinds & (kAccessKinds | kStateKinds)) == 0)
      return fail(token(), fmt::format("{} has no register; put `and` before {}", word.word,
                                       printable(token().text)));
    Kinds kinds;
    kinds.kinds = word.kinds;
    kinds.direction = true;
    kinds.word = word.word;
    const Scope outer = scope_;
    scope_.config |= (word.kinds & kConfigKinds) != 0;
    kinds.memory_only = (word.kinds & kMemoryKinds) != 0;
    const Index found = place_condition(kinds);
    scope_ = outer;
    return found;
  }
  if (to) return expected("a place, such as CC or BAR0+0x1c");
  return add(node);
}

std::optional<Operand> Parser::place(const Kinds& kinds) {
  const Token& name = token();
  if (name.text.size() > kMaxName)
    return fail(name,
                fmt::format("a name of {} bytes; {} is the most", name.text.size(), kMaxName));
  if (name.type == Type::Word) {
    std::optional<std::uint64_t> plus;
    std::size_t used = 1;
    if (is("+", 1)) {
      if (token(2).type != Type::Number) {
        at_ += 2;
        return expected("an offset, as in BAR0+0x1c");
      }
      plus = token(2).number;
      used = 3;
    }
    // In config space the registers named BAR0 to BAR5 are meant.
    const bool config_bar = scope_.config && !plus && bar_named(name.text) >= 0;
    if (!config_bar) {
      if (auto bytes = resolve_bytes(name.text, plus, scope_, names_)) {
        if (!*bytes) return fail(name, bytes->error());
        at_ += used;
        return std::move(**bytes);
      }
    }
    if (plus) return fail(token(1), "+ stands only after BAR0 to BAR5 and config, as in BAR0+0x1c");
  }
  auto found = resolve(name.text, scope_, names_);
  if (!found) {
    // Perhaps no register was meant at all.
    std::vector<std::string> words;
    for (const KindWord& k : kind_words()) words.emplace_back(k.word);
    for (const AttributeWord& a : attribute_words()) words.emplace_back(a.word);
    for (std::string_view w : other_words()) words.emplace_back(w);
    const std::string near = nearest(name.text, words);
    std::string text = found.error();
    const bool lower = std::none_of(name.text.begin(), name.text.end(),
                                    [](char c) { return c >= 'A' && c <= 'Z'; });
    const bool better = text.find("did you mean") == std::string::npos ||
                        (lower && text.find("did you mean config") != std::string::npos);
    if (!near.empty() && better && kinds.word.empty())
      text = fmt::format("{} is neither a word nor a register here; did you mean {}?",
                         printable(name.text), near);
    return fail(name, text);
  }
  ++at_;
  return std::move(*found);
}

Parser::Index Parser::place_condition(const Kinds& kinds) {
  const Token& name = token();
  const auto operand = place(kinds);
  if (!operand) return std::nullopt;
  const std::uint32_t space = kStateKinds | (operand->in_config() ? kConfigKinds : kMemoryKinds);
  if (kinds.memory_only && operand->in_config())
    return fail(name, fmt::format("{} is in config space", printable(operand->name)));
  if ((kinds.kinds & space) == 0)
    return fail(name,
                fmt::format("{} is {}, which {} never touches", printable(operand->name),
                            operand->in_config() ? "in config space" : "behind a BAR", kinds.word));

  Node node;
  Side side;
  side.operand = &*operand;
  side.name = operand->name;
  side.has_old = true;
  side.most = operand->bits >= 64 ? ~0ull : (1ull << operand->bits) - 1;
  if (!mask(node, side)) return std::nullopt;
  bool tested = side.mask != ~0ull;
  if (!test(node, side, tested)) return std::nullopt;
  node.kinds = kinds.kinds & space;
  std::vector<Target> targets = operand->targets;
  if (tested) {
    if (!operand->has_value())
      return fail(name, fmt::format("{} has no one value; test 1, 2, 4 or 8 bytes, as in "
                                    "BAR0[0x1c..0x1f] == 5",
                                    printable(operand->name)));
    node.op = Op::Register;
    if (!kinds.direction) node.kinds &= default_directions(*operand, node);
  } else {
    node.op = Op::Touch;
    for (std::size_t i = 0; i < targets.size(); ++i)
      targets[i] = touched_part(targets[i], operand->fields[i]);
  }
  if (!add_targets(targets, node.target, node.targets, name)) return std::nullopt;
  return add(node);
}

Parser::Index Parser::attribute_condition() {
  const Token& name = token();
  const AttributeWord* word = attribute_word(name.text);
  if (word->attribute == Attribute::Ignored) return ignored_condition();
  ++at_;
  Node node;
  node.op = Op::Attribute;
  node.attribute = word->attribute;
  if (word->alone) {
    node.test = Test::NonZero;
    return add(node);
  }
  Side side;
  side.attribute = word;
  side.name = word->word;
  side.has_old = word->attribute == Attribute::Value;
  if (!word->named && !mask(node, side)) return std::nullopt;
  // `origin poke`, `size 8`: == may be left out.
  const bool value_follows =
      token().type == Type::Number || token().type == Type::Quoted ||
      (token().type == Type::Word && word->named && !is("in") && !is("not") && !is("changes"));
  if (value_follows && !is("->", 1)) {
    const auto value = constant(side);
    if (!value) return std::nullopt;
    node.test = Test::Equal;
    node.a = *value;
    return add(node);
  }
  bool tested = false;
  if (!test(node, side, tested)) return std::nullopt;
  if (!tested) {
    if (side.mask == ~0ull) {
      const auto values = value_names(word->attribute, names_);
      return expected(fmt::format("a comparison, as in {} == {}", word->word,
                                  values.empty() ? "4" : values.front()));
    }
    node.test = Test::NonZero;
  }
  return add(node);
}

namespace {

// Where an access that only reads, or only writes, can have no effect: the bytes of a BAR at which
// nothing acts. More of them than a breakpoint can look at are one range.
std::vector<Target> where_ignored(const RegisterLookup& lookup, bool reads) {
  constexpr std::size_t kMost = 256;
  struct Part {
    std::uint64_t begin, end;
  };
  const RegisterMap& map = lookup.map();
  std::vector<Part> acting;
  for (const MemoryRegion* region : map.regions)
    acting.push_back({region->offset, region->offset + region->size});
  for (const Register* r : map.registers) {
    const AccessRules rules = rules_of(*r);
    if ((reads ? rules.readable : rules.acts()) == 0) continue;
    for (std::uint32_t element = 0; element < r->count; ++element)
      acting.push_back({r->offset_of(element), r->offset_of(element) + r->width});
  }
  std::ranges::sort(acting, {}, &Part::begin);
  std::vector<Target> out;
  std::uint64_t from = 0;
  const auto add = [&](std::uint64_t to) {
    if (to > from)
      out.push_back({.offset = from, .length = to - from, .bits = 0, .reset = 0, .bar = map.bar});
  };
  for (const Part& part : acting) {
    if (out.size() < kMost) add(part.begin);
    if (out.size() < kMost) from = std::max(from, part.end);
  }
  add(~0ull);
  return out;
}

}  // namespace

// `ignored`: an access that can have no effect. It costs only where there are such places.
Parser::Index Parser::ignored_condition() {
  const Token& name = token();
  ++at_;
  Node node;
  node.op = Op::Attribute;
  node.attribute = Attribute::Ignored;
  node.test = Test::NonZero;
  std::vector<Target> writes, reads;
  for (std::size_t f = 0; f < names_.functions.size() && f < 256; ++f) {
    if (scope_.function >= 0 && scope_.function != static_cast<int>(f)) continue;
    for (const auto& lookup : names_.functions[f].bars) {
      if (!lookup || (scope_.bar >= 0 && scope_.bar != lookup->map().bar)) continue;
      for (const auto& [targets, reading] : {std::pair(&writes, false), std::pair(&reads, true)})
        for (Target t : where_ignored(*lookup, reading)) {
          t.function = static_cast<std::int16_t>(f);
          targets->push_back(t);
        }
    }
  }
  if (writes.empty() && reads.empty())
    return fail(name,
                "no registers are known here, so nothing tells which accesses are ignored; "
                "--registers names a file of them");
  if (!add_targets(writes, node.target, node.targets, name) ||
      !add_targets(reads, node.right_target, node.right_targets, name))
    return std::nullopt;
  return add(node);
}

// `last CC.EN == 1`: what the last access before this event left there.
Parser::Index Parser::last_condition() {
  ++at_;
  Node node;
  node.op = Op::Last;
  Side side;
  const Token& name = token();
  const auto operand = last_operand();
  if (!operand) return std::nullopt;
  side.operand = &*operand;
  side.name = operand->name;
  side.most = operand->bits >= 64 ? ~0ull : (1ull << operand->bits) - 1;
  if (!add_targets(operand->targets, node.target, node.targets, name)) return std::nullopt;
  if (!mask(node, side)) return std::nullopt;
  bool tested = false;
  if (!test(node, side, tested)) return std::nullopt;
  if (!tested) node.test = Test::NonZero;
  return add(node);
}

// `from nvme_probe`, `symbol "nvme_*"`, `symbol != nvme_probe`.
Parser::Index Parser::symbol_condition() {
  const bool from = is("from");
  ++at_;
  bool negated = false;
  if (!from && !accept("==") && !accept("=")) negated = accept("!=");
  const Token& name = token();
  if (name.type != Type::Quoted && (name.type != Type::Word || is_reserved(name.text)))
    return expected("a function of the driver, as in `from nvme_probe`");
  if (name.type == Type::Word && bar_named(name.text.substr(0, 4)) >= 0)
    return fail(name,
                fmt::format("`from` takes a function of the driver; for a place write `read {}`",
                            printable(name.text)));
  if (name.text.size() > kMaxName)
    return fail(name,
                fmt::format("a name of {} bytes; {} is the most", name.text.size(), kMaxName));
  ++at_;
  Node node;
  node.op = Op::Symbol;
  node.a = program_.texts.size();
  program_.texts.emplace_back(name.text);
  const Index symbol = add(node);
  if (!symbol || !negated) return symbol;
  return combine(Op::Not, {*symbol});
}

}  // namespace pcilens::expression
