// Whether a trace holds what is asserted of it: one pass, in memory that does not grow with it.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/trace/assertion.hpp"
#include "core/trace/reader.hpp"

namespace pcilens {

struct AssertionResult {
  bool held = false;
  bool vacuous = false;  // it held because nothing matched what it is about
  std::string why;       // one sentence, also of what held
  // The transactions that decide, in the order of the trace, each with what it is: "the first
  // match". Empty: that nothing matched decides.
  struct Shown {
    std::uint64_t seq;
    std::string what;
  };
  std::vector<Shown> shown;
};

struct CheckReport {
  std::vector<AssertionResult> results;  // of the assertions, in their order
  std::uint64_t looked_at = 0;           // transactions
  std::uint64_t lost = 0;                // events that the trace says it lost
};

// Looks at one transaction after the other; needs no file. The assertions outlive it.
class AssertionChecker {
 public:
  AssertionChecker(const std::vector<Assertion>& assertions, std::shared_ptr<const Names> names);
  ~AssertionChecker();
  AssertionChecker(const AssertionChecker&) = delete;
  AssertionChecker& operator=(const AssertionChecker&) = delete;

  // In the order of the trace. `symbol`: the driver's function, empty where it is not known.
  void look(const Transaction& t, std::string_view symbol);
  // In any order.
  void look(const TraceText& finding);
  CheckReport report() const;

 private:
  struct Watch;
  std::vector<Watch> watches_;
  std::shared_ptr<const Names> names_;
  LastValues last_;
  CheckReport so_far_;
  std::uint64_t end_seq_ = 0, end_ns_ = 0;
};

// The whole trace, as it is now. What has not completed is looked at as it stands. An error where
// it cannot be read, and of a trace without a transaction, of which everything could be said.
Result<CheckReport> check_assertions(TraceReader& reader, const std::vector<Assertion>& assertions);

}  // namespace pcilens
