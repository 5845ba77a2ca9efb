// The one expression grammar, for breakpoints, filters, colours, search, fault rules, assertions
// and lesson steps (docs/expressions.md). An expression is a function of one event and its recorded
// past, so that it means the same live, filtered and offline.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/link/names.hpp"
#include "core/link/transaction.hpp"
#include "core/result.hpp"

namespace pcilens {

// The last value seen on the road for each place, per function and BAR. Feed it every completed
// transaction in order; what `0->1` and `old` look at. Bounded: past kMaxBytes it forgets, it never
// guesses.
class LastValues {
 public:
  static constexpr std::size_t kMaxBytes = 64u << 20;

  struct Value {
    std::uint64_t value;   // 0 in the bits that are not known
    std::uint64_t known;   // mask of the bits that an access has carried so far
    std::uint64_t unseen;  // mask of the bits that certainly no access has carried since reset
  };
  // The value of `size` bytes (1..8, else nothing is known) at `offset` before the event that is
  // looked at now.
  Value before(std::uint8_t function, std::int8_t bar, std::uint64_t offset,
               std::uint32_t size) const;
  // Config and memory transactions that succeeded leave their value; one over 8 bytes leaves its
  // bytes unknown. A reset, or a fresh function in its place, makes everything of a function
  // unseen; a gap makes everything unknown. Other kinds leave nothing.
  // `names` tell which config write is a function level reset.
  void record(const Transaction& t, const Names& names);
  // Makes room for these bytes now, so that record() need not allocate on the path.
  void prepare(std::uint8_t function, std::int8_t bar, std::uint64_t offset, std::uint64_t bytes);
  void clear();
  LastValues();
  ~LastValues();
  LastValues(LastValues&&) noexcept;
  LastValues& operator=(LastValues&&) noexcept;

 private:
  struct Pages;
  std::unique_ptr<Pages> pages_;
};

// Whether an event is looked at before the function saw it (a read has no value yet, a write has)
// or after it completed.
enum class Phase : std::uint8_t { Before, After };

struct EventView {
  const Transaction& t;
  Phase phase;
  const LastValues& last;  // as of before this event
  const Names& names;
  std::string_view symbol = {};  // the driver's function, when known: "nvme_probe"
};

// The places and kinds that an expression can match at all: what the link makes synchronous.
struct Reach {
  std::uint32_t kinds = ~0u;  // bit (1 << Kind)
  bool everywhere = true;     // any place of these kinds; else only `ranges`
  struct Range {
    int function;     // -1: every function
    std::int8_t bar;  // kinds without a place (timer, reset ...) have kBarNone
    // Bytes; an event of size 0 counts as one byte at its offset. An end of ~0 is the top of the
    // address space, with its last byte.
    std::uint64_t begin, end;
    std::uint32_t kinds = ~0u;  // those of the reach's kinds that can match in this range

    std::uint64_t last() const { return end == ~0ull || end == begin ? end : end - 1; }
  };
  std::vector<Range> ranges;
};

// What an expression says of an event. Unknown: it depends on what is not known (a read's value
// before its completion, an old value that nobody saw); neither it nor its `not` matches.
enum class Verdict : std::uint8_t { No, Yes, Unknown };

class Expression {
 public:
  // An empty text matches everything. An error names the column, shows the text with a caret, and
  // says what was expected.
  static Result<Expression> compile(std::string_view text,
                                    const std::shared_ptr<const Names>& names);
  // Matches everything.
  Expression();
  Expression(const Expression&);
  Expression& operator=(const Expression&);
  Expression(Expression&&) noexcept;
  Expression& operator=(Expression&&) noexcept;
  ~Expression();

  bool matches(const EventView& event) const { return verdict(event) == Verdict::Yes; }
  // Allocates nothing. Whatever it says of Phase::Before but Unknown, it says of Phase::After too,
  // unless the value was edited between; so Unknown before asks to look again after.
  Verdict verdict(const EventView& event) const;
  const Reach& reach() const;
  const std::string& text() const;
  // Whether it looks at the completion for every event that it can match (the value of a read, a
  // status): then Before cannot match.
  bool needs_completion() const;

 private:
  struct Program;
  std::shared_ptr<const Program> program_;
};

// What may be typed at the end of `text`: for the console's and the window's completion. Each
// replaces the text from completion_start(text) on; sorted as they should be shown.
std::vector<std::string> completions(std::string_view text, const Names& names);
std::size_t completion_start(std::string_view text);

}  // namespace pcilens
