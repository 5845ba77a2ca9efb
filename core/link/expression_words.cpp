#include "core/link/expression_words.hpp"

#include <algorithm>
#include <array>
#include <cctype>

namespace pcilens::expression {
namespace {

using Role = KindWord::Role;

// `map` is absent on purpose: dma_map and dma_unmap say which.
constexpr std::array kKindWords = {
    KindWord{"read", Role::Direction, kReadKinds},
    KindWord{"write", Role::Direction, kWriteKinds},
    KindWord{"access", Role::Direction, kReadKinds | kWriteKinds},
    KindWord{"config", Role::Space, kConfigKinds},
    KindWord{"cfg", Role::Space, kConfigKinds},
    KindWord{"memory", Role::Space, kMemoryKinds},
    KindWord{"mem", Role::Space, kMemoryKinds},
    KindWord{"dma", Role::Space, kDmaKinds},
    KindWord{"interrupt", Role::Exact, 1u << static_cast<unsigned>(Kind::Irq)},
};

// With the kinds by their own names, as the trace spells them.
const std::vector<KindWord>& all_kind_words() {
  static const std::vector<KindWord> words = [] {
    std::vector<KindWord> all(kKindWords.begin(), kKindWords.end());
    for (unsigned k = 0; k < kKinds; ++k)
      all.push_back({name_of(static_cast<Kind>(k)), Role::Exact, 1u << k});
    return all;
  }();
  return words;
}

constexpr std::array kAttributeWords = {
    AttributeWord{"value", Attribute::Value},
    AttributeWord{"old", Attribute::Old},
    AttributeWord{"offset", Attribute::Offset},
    AttributeWord{"size", Attribute::Size},
    AttributeWord{"bar", Attribute::Bar},
    AttributeWord{"vector", Attribute::Vector},
    AttributeWord{"iova", Attribute::Iova},
    AttributeWord{"seq", Attribute::Seq},
    AttributeWord{"cause", Attribute::Cause},
    AttributeWord{"cpu", Attribute::Cpu},
    AttributeWord{"thread", Attribute::Thread},
    AttributeWord{"time", Attribute::Time},
    AttributeWord{"latency", Attribute::Latency},
    AttributeWord{"function", Attribute::Function, true},
    AttributeWord{"kind", Attribute::Kind, true},
    AttributeWord{"status", Attribute::Status, true},
    AttributeWord{"origin", Attribute::Origin, true},
    AttributeWord{"answered_by", Attribute::AnsweredBy, true},
    AttributeWord{"edited", Attribute::Edited, false, true},
    AttributeWord{"ignored", Attribute::Ignored, false, true},
};

constexpr std::array<std::string_view, 10> kOtherWords = {
    "and", "or", "not", "in", "changes", "last", "from", "symbol", "any", "to"};

constexpr std::array<std::pair<std::string_view, ResetKind>, 3> kResets = {
    std::pair{std::string_view("conventional"), ResetKind::Conventional},
    std::pair{std::string_view("flr"), ResetKind::Flr},
    std::pair{std::string_view("hotplug"), ResetKind::HotPlug}};

std::string lower(std::string_view s) {
  std::string out(s);
  for (char& c : out) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return out;
}

// Damerau-Levenshtein (adjacent letters swapped count once), case aside.
std::size_t distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> older(b.size() + 1), old(b.size() + 1), row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) old[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      row[j] = std::min({old[j] + 1, row[j - 1] + 1, old[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1)});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
        row[j] = std::min(row[j], older[j - 2] + 1);
    }
    older.swap(old);
    old.swap(row);
  }
  return old[b.size()];
}

}  // namespace

std::span<const KindWord> kind_words() {
  return all_kind_words();
}

const KindWord* kind_word(std::string_view word) {
  for (const KindWord& k : all_kind_words())
    if (k.word == word) return &k;
  return nullptr;
}

std::span<const AttributeWord> attribute_words() {
  return kAttributeWords;
}

const AttributeWord* attribute_word(std::string_view word) {
  for (const AttributeWord& a : kAttributeWords)
    if (a.word == word) return &a;
  return nullptr;
}

std::span<const std::string_view> other_words() {
  return kOtherWords;
}

bool is_reserved(std::string_view word) {
  return kind_word(word) || attribute_word(word) ||
         std::find(kOtherWords.begin(), kOtherWords.end(), word) != kOtherWords.end();
}

std::vector<std::string> value_names(Attribute attribute, const Names& names) {
  std::vector<std::string> out;
  switch (attribute) {
    case Attribute::Kind:
      for (unsigned k = 0; k < kKinds; ++k) out.emplace_back(name_of(static_cast<Kind>(k)));
      break;
    case Attribute::Status:
      for (Status s : {Status::SC, Status::UR, Status::CA, Status::Timeout, Status::Pending})
        out.emplace_back(name_of(s));
      break;
    case Attribute::Origin:
      for (unsigned i = 0; i <= static_cast<unsigned>(Origin::Lesson); ++i)
        out.emplace_back(name_of(static_cast<Origin>(i)));
      break;
    case Attribute::AnsweredBy:
      for (unsigned i = 0; i <= static_cast<unsigned>(AnsweredBy::PassedStop); ++i)
        out.emplace_back(name_of(static_cast<AnsweredBy>(i)));
      break;
    case Attribute::Function:
      for (const FunctionNames& f : names.functions) out.push_back(f.instance);
      break;
    case Attribute::Reset:
      for (const auto& [name, kind] : kResets) out.emplace_back(name);
      break;
    default: break;
  }
  return out;
}

std::optional<std::uint64_t> value_named(Attribute attribute, std::string_view name,
                                         const Names& names) {
  const std::string word = lower(name);
  switch (attribute) {
    case Attribute::Kind:
      if (const auto k = kind_named(word)) return static_cast<std::uint64_t>(*k);
      break;
    case Attribute::Status:
      for (Status s : {Status::SC, Status::UR, Status::CA, Status::Timeout, Status::Pending})
        if (lower(name_of(s)) == word) return static_cast<std::uint64_t>(s);
      break;
    case Attribute::Origin:
      if (const auto o = origin_named(word)) return static_cast<std::uint64_t>(*o);
      break;
    case Attribute::AnsweredBy: {
      const auto all = value_names(attribute, names);
      const auto it = std::find(all.begin(), all.end(), word);
      if (it != all.end()) return static_cast<std::uint64_t>(it - all.begin());
      break;
    }
    case Attribute::Function:
      if (const int f = function_named(name, names); f >= 0) return static_cast<std::uint64_t>(f);
      break;
    case Attribute::Reset:
      for (const auto& [reset, kind] : kResets)
        if (reset == word) return static_cast<std::uint64_t>(kind);
      break;
    default: break;
  }
  return std::nullopt;
}

std::string nearest(std::string_view word, const std::vector<std::string>& known) {
  if (word.empty() || word.size() > 64) return {};
  const std::string mine = lower(word);
  std::string best;
  std::size_t least = std::max<std::size_t>(1, word.size() / 3) + 1;
  for (const std::string& candidate : known) {
    if (candidate.size() > 64 || candidate == word) continue;
    const std::size_t d = distance(mine, lower(candidate));
    if (d < least) {
      least = d;
      best = candidate;
    }
  }
  return best;
}

int function_named(std::string_view name, const Names& names) {
  for (std::size_t i = 0; i < names.functions.size() && i < 256; ++i)
    if (names.functions[i].instance == name || (!name.empty() && names.functions[i].bdf == name))
      return static_cast<int>(i);
  return -1;
}

int bar_named(std::string_view word) {
  if (word.size() == 4 && word.starts_with("BAR") && word[3] >= '0' && word[3] <= '5')
    return word[3] - '0';
  return -1;
}

}  // namespace pcilens::expression
