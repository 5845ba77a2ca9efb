// A numbered list of things that act where an expression matches, armed only where it can:
// breakpoints and fault rules are two of them.
#pragma once

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/link/armed_places.hpp"
#include "core/link/expression.hpp"
#include "core/result.hpp"

namespace pcilens {

// State: what a person sees of one, with `number` (from 1, never used again), `enabled` and
// `synchronous` (describe() of its reach).
template <typename State>
class ArmedTable {
 public:
  Result<void> enable(std::uint32_t number, bool enabled) {
    Item* const item = item_of(number);
    if (item == nullptr) return tl::unexpected(none(number));
    if (enabled && item->meaningless) return tl::unexpected(*item->meaningless);
    item->state.enabled = enabled;
    rearm();
    return {};
  }
  Result<void> remove(std::uint32_t number) {
    if (std::erase_if(items_, [&](const Item& i) { return i.state.number == number; }) == 0)
      return tl::unexpected(none(number));
    rearm();
    return {};
  }
  std::vector<State> list() const {
    std::vector<State> states;
    for (const Item& item : items_) states.push_back(item.state);
    return states;
  }
  const State* find(std::uint32_t number) const {
    const Item* const item = const_cast<ArmedTable*>(this)->item_of(number);
    return item == nullptr ? nullptr : &item->state;
  }
  // Calls visit(state, reach) for each that is enabled.
  template <typename Visit>
  void each_enabled(Visit visit) const {
    for (const Item& item : items_)
      if (item.state.enabled) visit(item.state, item.expression.reach());
  }

  bool may_match(const Transaction& t) const {
    return armed_.may_match(t.kind, t.function, t.bar, t.offset, t.size);
  }
  std::uint32_t kinds() const { return armed_.kinds(); }

 protected:
  struct Item {
    State state;
    Expression expression;
    std::uint64_t passed = 0;               // matches that were let through, as asked for
    std::optional<Error> meaningless = {};  // why it says nothing under the names of now
  };

  // `noun` and `lister`: "there is no `noun` 3; `lister` lists them".
  ArmedTable(std::string_view noun, std::string_view lister) : noun_(noun), lister_(lister) {}

  std::uint32_t insert(State state, Expression&& expression) {
    state.number = next_++;
    state.synchronous = describe(expression.reach());
    items_.push_back({.state = std::move(state), .expression = std::move(expression)});
    rearm();
    return items_.back().state.number;
  }

  // Each once more as compile(state) has it now. Where that fails it stays, disabled; gives one
  // sentence for each of those.
  template <typename Compile>
  std::vector<std::string> compile_again(Compile compile) {
    std::vector<std::string> told;
    for (Item& item : items_) {
      Result<Expression> expression = compile(item.state);
      item.meaningless.reset();
      if (expression) {
        item.state.synchronous = describe(expression->reach());
        item.expression = std::move(*expression);
        continue;
      }
      const std::string& why = expression.error().message;
      told.push_back(fmt::format("{} {} is disabled: {}", noun_, item.state.number,
                                 std::string_view(why).substr(0, why.find('\n'))));
      item.meaningless = expression.error();
      item.state.enabled = false;
    }
    rearm();
    return told;
  }

  // Calls visit(item) for each that may match there, in the order of their numbers, until one
  // gives false. It must not add or remove any.
  template <typename Visit>
  void each_candidate(const Transaction& t, Visit visit) {
    for (const std::uint32_t candidate :
         armed_.candidates(t.kind, t.function, t.bar, t.offset, t.size))
      if (!visit(items_[armed_items_[candidate]])) return;
  }

 private:
  Item* item_of(std::uint32_t number) {
    const auto it =
        std::ranges::find_if(items_, [&](const Item& item) { return item.state.number == number; });
    return it == items_.end() ? nullptr : &*it;
  }
  Error none(std::uint32_t number) const {
    return {fmt::format("there is no {} {}; `{}` lists them", noun_, number, lister_)};
  }
  void rearm() {
    std::vector<const Reach*> reaches;
    armed_items_.clear();
    for (std::size_t i = 0; i < items_.size(); ++i) {
      if (!items_[i].state.enabled) continue;
      reaches.push_back(&items_[i].expression.reach());
      armed_items_.push_back(i);
    }
    armed_.rebuild(reaches);
  }

  std::string_view noun_, lister_;
  std::vector<Item> items_;
  std::uint32_t next_ = 1;
  ArmedPlaces armed_;
  std::vector<std::size_t> armed_items_;  // index in ArmedPlaces -> index in items_
};

}  // namespace pcilens
