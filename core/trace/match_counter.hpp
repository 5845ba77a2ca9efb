// How often an expression matches in a trace, found a stretch at a time so that nobody waits for
// the whole, and carried on as the trace grows.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "core/link/expression.hpp"
#include "core/result.hpp"
#include "core/trace/reader.hpp"
#include "core/trace/site_symbols.hpp"

namespace pcilens {

class MatchCounter {
 public:
  // The reader outlives it. A wrong expression is an Error.
  static Result<std::unique_ptr<MatchCounter>> create(TraceReader& reader,
                                                      const std::string& expression);
  const std::string& text() const { return text_; }

  struct Progress {
    std::uint64_t matches = 0;
    std::uint64_t looked_at = 0, of = 0;  // transaction numbers; equal: complete for now
  };
  // Looks at some `events` more. Stops before one that has not completed: it is counted when it
  // has.
  Result<Progress> advance(std::uint64_t events);

 private:
  MatchCounter(TraceReader& reader, std::string text)
      : reader_(reader), text_(std::move(text)), symbols_(reader) {}

  TraceReader& reader_;
  std::string text_;
  Expression expression_;
  std::shared_ptr<const Names> names_;
  LastValues last_;
  std::uint64_t next_ = 1, matches_ = 0, last_edit_ = 0;
  SiteSymbols symbols_;
};

}  // namespace pcilens
