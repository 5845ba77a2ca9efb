// The rules as docs/ci.md defines them, written down plainly over whole runs, against the checker
// that sees each transaction once: random runs, always the same ones.
#include <fmt/format.h>

#include <algorithm>
#include <random>

#include "trace/assertion_fixture.hpp"

using namespace example;

namespace {

constexpr std::uint64_t kAqaAt = 0x24;

// Bit 0 of AQA's value: it is an S; bit 1: it is an O. Times do not always grow.
Run random_run(std::mt19937& random) {
  Run run;
  const unsigned length = 1 + random() % 12;
  for (unsigned i = 0; i < length; ++i)
    run.write(kAqaAt, random() % 4).at(10'000 + i * 10 + random() % 15);
  return run;
}
bool is_s(const Transaction& t) {
  return (t.value & 1) != 0;
}
bool is_o(const Transaction& t) {
  return (t.value & 2) != 0;
}

// The first O that breaks the rule; 0: none. `good(o)`: whether it has what it asks for.
template <typename Good>
std::uint64_t first_broken(const Run& run, Good good) {
  for (const Transaction& o : run.all)
    if (is_o(o) && !good(o)) return o.seq;
  return 0;
}
bool any_s(const Run& run) {
  return std::ranges::any_of(run.all, is_s);
}

void agrees(const Run& run, const std::string& rule, std::uint64_t broken, bool needs_s) {
  const auto result = run.check(rule);
  std::string told;
  for (const Transaction& t : run.all) told += fmt::format(" {}@{}", t.value, t.t_ns);
  INFO(rule << ":" << told);
  CHECK(result.held == (broken == 0 && (!needs_s || any_s(run))));
  if (broken != 0) {
    const auto shown = seqs(result);
    CHECK(std::ranges::find(shown, broken) != shown.end());
  }
}

}  // namespace

TEST_CASE("over random runs the rules say what their definitions say") {
  const std::string s = "AQA & 1 == 1", o = "AQA & 2 == 2";
  std::mt19937 random(20240917);
  for (int round = 0; round < 2000; ++round) {
    const Run run = random_run(random);
    const auto& all = run.all;
    const auto some_s = [&](auto in_place) {
      return std::ranges::any_of(all, [&](const auto& t) { return is_s(t) && in_place(t); });
    };

    const auto count = static_cast<std::uint64_t>(std::ranges::count_if(all, is_s));
    CHECK(run.check("must " + s + " at least 3 times").held == (count >= 3));
    CHECK(run.check("must " + s + " at most 3 times").held == (count <= 3));
    CHECK(run.check("must " + s + " 3 times").held == (count == 3));
    CHECK(run.check("never " + s).held == (count == 0));

    agrees(run, "must " + s + " before " + o,
           first_broken(run,
                        [&](const Transaction& t) {
                          return some_s([&](const auto& m) { return m.seq < t.seq; });
                        }),
           true);
    agrees(run, "must " + s + " before each " + o,
           first_broken(run,
                        [&](const Transaction& t) {
                          std::uint64_t previous = 0;
                          for (const auto& m : all)
                            if (is_o(m) && m.seq < t.seq) previous = m.seq;
                          return some_s(
                              [&](const auto& m) { return m.seq < t.seq && m.seq >= previous; });
                        }),
           false);
    agrees(run, "must " + s + " after each " + o,
           first_broken(run,
                        [&](const Transaction& t) {
                          return some_s([&](const auto& m) { return m.seq > t.seq; });
                        }),
           false);
    agrees(run, "must " + s + " within 3 transactions after each " + o,
           first_broken(run,
                        [&](const Transaction& t) {
                          return some_s(
                              [&](const auto& m) { return m.seq > t.seq && m.seq <= t.seq + 3; });
                        }),
           false);
  }
}

TEST_CASE("over random runs whose times grow, a time limit says what its definition says") {
  std::mt19937 random(20240918);
  for (int round = 0; round < 2000; ++round) {
    Run run = random_run(random);
    std::uint64_t now = 1000;
    for (Transaction& t : run.all) t.t_ns = now += random() % 30;
    agrees(run, "must AQA & 1 == 1 within 25ns after each AQA & 2 == 2",
           first_broken(run,
                        [&](const Transaction& t) {
                          return std::ranges::any_of(run.all, [&](const auto& m) {
                            return is_s(m) && m.seq > t.seq && m.t_ns <= t.t_ns + 25;
                          });
                        }),
           false);
  }
}
