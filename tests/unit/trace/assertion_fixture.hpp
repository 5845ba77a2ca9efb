// A run of the example controller of docs/expressions.md, and what assertions say of it.
#pragma once

#include "core/trace/assertion_check.hpp"
#include "link/expression_fixture.hpp"

namespace example {

inline std::vector<Assertion> asserted(std::string_view text) {
  auto all = parse_assertions(text, "up.asserts", names());
  if (!all) FAIL(all.error().message);
  return *all;
}

// The message of a file that must not be accepted.
inline std::string refused_file(std::string_view text) {
  auto all = parse_assertions(text, "up.asserts", names());
  if (all) FAIL("accepted: " << text);
  return all.error().message;
}

// A transaction a microsecond, beginning with number 1 at 1 us, unless a test sets its time.
class Run : public Road {
 public:
  std::vector<Transaction> all;

  Run& write(std::uint64_t offset, std::uint64_t value) { return add(Road::write(offset, value)); }
  Run& read(std::uint64_t offset, std::uint64_t value) { return add(Road::read(offset, value)); }
  Run& irq(std::uint64_t vector) { return add(Road::irq(vector)); }
  Run& add(Transaction t) {
    all.push_back(t);
    return *this;
  }
  Run& at(std::uint64_t t_ns) {
    all.back().t_ns = t_ns;
    return *this;
  }

  CheckReport report(std::string_view text) const {
    const auto assertions = asserted(text);
    AssertionChecker checker(assertions, names());
    for (const Transaction& t : all) checker.look(t, symbol);
    return checker.report();
  }
  AssertionResult check(std::string_view text) const {
    auto report = this->report(text);
    REQUIRE(report.results.size() == 1);
    return report.results[0];
  }
};

inline std::vector<std::uint64_t> seqs(const AssertionResult& r) {
  std::vector<std::uint64_t> all;
  for (const auto& shown : r.shown) all.push_back(shown.seq);
  return all;
}

using Seqs = std::vector<std::uint64_t>;

}  // namespace example
