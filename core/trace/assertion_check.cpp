#include "core/trace/assertion_check.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <optional>
#include <utility>

#include "core/trace/site_symbols.hpp"

namespace pcilens {
namespace {

struct Moment {
  std::uint64_t seq = 0;  // 0: there was none
  std::uint64_t t_ns = 0;
};

std::string counted(std::uint64_t n, std::string_view what) {
  return fmt::format("{} {}{}", n, what, n == 1 ? "" : "s");
}

std::string duration(std::uint64_t ns) {
  const double t = static_cast<double>(ns);
  if (ns < 1'000) return fmt::format("{} ns", ns);
  if (ns < 1'000'000) return fmt::format("{:.4g} µs", t / 1e3);
  if (ns < 1'000'000'000) return fmt::format("{:.4g} ms", t / 1e6);
  return fmt::format("{:.6g} s", t / 1e9);
}

}  // namespace

// One assertion at work. All it keeps are numbers: of an After, the oldest O that still waits is
// enough, since whatever comes in time for it comes in time for those after it. Where an S counts
// only for those O that have the same of something, it keeps them apart by that.
struct AssertionChecker::Watch {
  using Rule = Assertion::Rule;
  using Limit = Assertion::Limit;
  struct Open {
    Moment first_subject, last_subject, last_other;
    Moment waiting;  // After: the oldest O without its S
  };
  // What is the same: whose it is, and its value.
  using Same = std::pair<std::uint64_t, std::uint64_t>;
  static constexpr std::size_t kMostOpen = 1u << 20;

  const Assertion& a;
  bool two;             // there is an O
  std::uint32_t kinds;  // of transactions that can matter
  std::uint64_t subjects = 0, others = 0;
  Moment first_subject, last_subject;
  Open single;
  std::map<Same, Open> apart;
  bool too_many = false;         // of those
  Moment violation;              // the first transaction that breaks it
  const Open* broken = nullptr;  // Before: what goes with that
  Moment before, behind;         // Before: the last S and O that are as they must be
  Moment slowest, answer;        // After: the O that waited longest, and its S
  TraceText finding;             // NoFinding: the first

  explicit Watch(const Assertion& assertion)
      : a(assertion),
        two(a.rule == Rule::Before || a.rule == Rule::BeforeEach || a.rule == Rule::After),
        kinds(a.rule == Rule::NoFinding
                  ? 0
                  : a.subject.reach().kinds | (two ? a.other.reach().kinds : 0)) {}

  bool is_before() const { return a.rule == Rule::Before || a.rule == Rule::BeforeEach; }
  std::uint64_t waited(Moment from, Moment to) const {
    if (a.limit_kind == Limit::Transactions) return to.seq - from.seq;
    return to.t_ns > from.t_ns ? to.t_ns - from.t_ns : 0;
  }
  std::string told(std::uint64_t amount) const {
    return a.limit_kind == Limit::Transactions ? counted(amount, "transaction") : duration(amount);
  }

  // Nothing where the event has not got what must be the same.
  std::optional<Same> same_of(const EventView& event) const {
    using expression::Attribute;
    const auto value = expression::value_of(*a.same, event);
    if (!value) return std::nullopt;
    // Addresses and vectors are a function's own, offsets a BAR's.
    const bool place =
        *a.same == Attribute::Iova || *a.same == Attribute::Vector || *a.same == Attribute::Offset;
    return Same{place ? event.t.function << 8 | static_cast<std::uint8_t>(event.t.bar) : 0, *value};
  }

  void look(Moment now, const EventView& event) {
    const bool is_subject = a.subject.matches(event), is_other = two && a.other.matches(event);
    if (!is_subject && !is_other) return;
    if (!a.same) return look(now, is_subject, is_other, single);
    const auto same = same_of(event);
    if (!same) return;
    if (apart.size() >= kMostOpen && !apart.contains(*same)) {
      too_many = true;
      return;
    }
    Open& of = apart[*same];
    look(now, is_subject, is_other, of);
    // Of what waits no more there is nothing to remember, and there may be many.
    if (a.rule == Rule::After && of.waiting.seq == 0) apart.erase(*same);
  }

  // A transaction that is both S and O is never its own: for an O, S lies before it, or after it.
  void look(Moment now, bool is_subject, bool is_other, Open& of) {
    if (is_other && is_before()) other_of_before(now, of);
    if (is_subject) subject(now, of);
    if (is_other && a.rule == Rule::After && violation.seq == 0) {
      ++others;
      if (of.waiting.seq == 0) of.waiting = now;
    }
  }

  void subject(Moment now, Open& of) {
    ++subjects;
    if (first_subject.seq == 0) first_subject = now;
    if (of.first_subject.seq == 0) of.first_subject = now;
    last_subject = of.last_subject = now;
    if (violation.seq != 0) return;
    if (a.rule == Rule::Never || (a.rule == Rule::Occurs && subjects > a.most)) violation = now;
    if (a.rule != Rule::After || of.waiting.seq == 0) return;
    const std::uint64_t time = waited(of.waiting, now);
    const bool late = a.limit_kind != Limit::None && time > a.limit;
    if (late) violation = of.waiting;
    if (late || slowest.seq == 0 || time > waited(slowest, answer)) {
      slowest = of.waiting;
      answer = now;
    }
    of.waiting = {};
  }

  // "import" is meant by "import.config_size" too.
  void look(const TraceText& f) {
    if (a.rule != Rule::NoFinding) return;
    if (!a.finding.empty() && f.rule != a.finding && !f.rule.starts_with(a.finding + ".")) return;
    if (subjects++ == 0) finding = f;
  }

  void other_of_before(Moment now, Open& of) {
    if (violation.seq != 0) return;
    ++others;
    const bool fresh = a.rule == Rule::Before || of.last_subject.seq >= of.last_other.seq;
    if (of.last_subject.seq == 0 || !fresh) {
      violation = now;
      broken = &of;
      return;
    }
    before = a.rule == Rule::Before ? of.first_subject : of.last_subject;
    behind = of.last_other = now;
  }

  // After: the oldest O without its S, and how many have none.
  std::pair<Moment, std::uint64_t> still_waiting() const {
    std::pair<Moment, std::uint64_t> found{single.waiting, single.waiting.seq != 0};
    for (const auto& [same, of] : apart) {
      if (of.waiting.seq == 0) continue;
      ++found.second;
      if (found.first.seq == 0 || of.waiting.seq < found.first.seq) found.first = of.waiting;
    }
    return found;
  }

  AssertionResult result(std::uint64_t looked_at, Moment end) const;

 private:
  AssertionResult occurs(std::uint64_t looked_at) const;
  AssertionResult never(std::uint64_t looked_at) const;
  AssertionResult told_before(std::uint64_t looked_at) const;
  AssertionResult told_after(std::uint64_t looked_at, Moment end) const;
  AssertionResult no_finding() const;
};

namespace {

std::string nothing_in(std::uint64_t looked_at) {
  return fmt::format("nothing matched in {}", counted(looked_at, "transaction"));
}

}  // namespace

AssertionResult AssertionChecker::Watch::result(std::uint64_t looked_at, Moment end) const {
  if (too_many)
    return {.why = fmt::format("more than {} have to be kept apart by what is the same; name fewer",
                               kMostOpen)};
  switch (a.rule) {
    case Rule::Occurs: return occurs(looked_at);
    case Rule::Never: return never(looked_at);
    case Rule::Before:
    case Rule::BeforeEach: return told_before(looked_at);
    case Rule::NoFinding: return no_finding();
    case Rule::After: break;
  }
  return told_after(looked_at, end);
}

AssertionResult AssertionChecker::Watch::occurs(std::uint64_t looked_at) const {
  AssertionResult r;
  r.held = subjects >= a.least && subjects <= a.most;
  r.why = subjects == 0 ? nothing_in(looked_at)
                        : fmt::format("{} match{} in {}", subjects, subjects == 1 ? "" : "es",
                                      counted(looked_at, "transaction"));
  if (!r.held && subjects != 0)
    r.why += subjects < a.least ? fmt::format(", {} short", a.least - subjects)
                                : fmt::format(", {} too many", subjects - a.most);
  if (violation.seq != 0) {
    r.shown.push_back({violation.seq, "the first that is too many"});
  } else if (r.held && subjects != 0) {
    r.shown.push_back({first_subject.seq, "the first match"});
  } else if (subjects != 0) {
    r.shown.push_back({last_subject.seq, "the last match"});
  }
  return r;
}

AssertionResult AssertionChecker::Watch::never(std::uint64_t looked_at) const {
  AssertionResult r;
  r.held = subjects == 0;
  if (r.held) {
    r.why = nothing_in(looked_at);
  } else {
    r.why = fmt::format("{} of {} {}", subjects, counted(looked_at, "transaction"),
                        subjects == 1 ? "matches" : "match");
    r.shown.push_back({violation.seq, "the first match"});
  }
  return r;
}

AssertionResult AssertionChecker::Watch::told_before(std::uint64_t looked_at) const {
  AssertionResult r;
  const std::string other_text = a.other.text();
  // `must` S once; of each O, where there is none, nothing is asked.
  r.held = violation.seq == 0 && (subjects != 0 || a.rule == Rule::BeforeEach);
  r.vacuous = r.held && others == 0;
  if (violation.seq != 0) {
    r.shown.push_back({violation.seq, other_text});
    if (broken->last_other.seq != 0) {
      r.why = fmt::format("no new \"{}\"{} since the \"{}\" before it", a.subject.text(),
                          a.same_text, other_text);
      r.shown.insert(r.shown.begin(), {broken->last_other.seq, "the one before"});
    } else if (broken->first_subject.seq != 0) {
      r.why = fmt::format("the first \"{}\"{} comes only after it", a.subject.text(), a.same_text);
      r.shown.push_back({broken->first_subject.seq, a.subject.text()});
    } else {
      r.why =
          fmt::format("there is no \"{}\"{} before it, nor after", a.subject.text(), a.same_text);
    }
  } else if (others == 0 && a.rule == Rule::BeforeEach) {
    r.why = fmt::format("\"{}\": {}", other_text, nothing_in(looked_at));
  } else if (subjects == 0) {
    r.why = fmt::format("\"{}\": {}", a.subject.text(), nothing_in(looked_at));
  } else if (others == 0) {
    r.why = fmt::format("\"{}\" never came", other_text);
    r.shown.push_back({first_subject.seq, "the first match"});
  } else {
    r.why = fmt::format("before {}", others == 1 ? "the only one" : fmt::format("all {}", others));
    r.shown = {{before.seq, "the match"}, {behind.seq, "the last that it was asked for"}};
  }
  return r;
}

AssertionResult AssertionChecker::Watch::told_after(std::uint64_t looked_at, Moment end) const {
  AssertionResult r;
  const std::string subject_text = fmt::format("\"{}\"{}", a.subject.text(), a.same_text);
  const std::string other_text = a.other.text();
  const auto [waiting, number] = still_waiting();
  r.held = violation.seq == 0 && waiting.seq == 0;
  r.vacuous = others == 0;
  if (violation.seq != 0) {
    r.why = fmt::format("{} came {} after it, the limit is {}", subject_text,
                        told(waited(slowest, answer)), told(a.limit));
    r.shown = {{violation.seq, other_text}, {answer.seq, "too late"}};
  } else if (waiting.seq != 0) {
    r.why = fmt::format("no {} came after it; the trace ends {} later", subject_text,
                        told(waited(waiting, end)));
    if (number > 1) r.why += fmt::format("; this is the first of {}", number);
    r.shown = {{waiting.seq, other_text}};
  } else if (others == 0) {
    r.why = fmt::format("\"{}\": {}", other_text, nothing_in(looked_at));
  } else {
    r.why = fmt::format("after {}; the longest wait was {}",
                        others == 1 ? "the only one" : fmt::format("all {}", others),
                        told(waited(slowest, answer)));
    r.shown = {{slowest.seq, "waited longest"}, {answer.seq, "what it waited for"}};
  }
  return r;
}

AssertionResult AssertionChecker::Watch::no_finding() const {
  AssertionResult r;
  r.held = subjects == 0;
  const std::string what = a.finding.empty() ? "" : " of " + a.finding;
  if (r.held) {
    r.why = fmt::format("the trace has no finding{}", what);
    return r;
  }
  r.why = fmt::format("the trace has {}{}{}: {}", counted(subjects, "finding"), what,
                      subjects == 1 ? "" : ", at first", finding.text);
  if (finding.seq != 0) r.shown.push_back({finding.seq, "the last before it"});
  return r;
}

AssertionChecker::AssertionChecker(const std::vector<Assertion>& assertions,
                                   std::shared_ptr<const Names> names)
    : names_(std::move(names)) {
  watches_.reserve(assertions.size());
  for (const Assertion& a : assertions) watches_.emplace_back(a);
}
AssertionChecker::~AssertionChecker() = default;

void AssertionChecker::look(const Transaction& t, std::string_view symbol) {
  ++so_far_.looked_at;
  if (t.kind == Kind::Gap) so_far_.lost += t.value;
  const EventView event{t, Phase::After, last_, *names_, symbol};
  const std::uint32_t kind = 1u << static_cast<unsigned>(t.kind);
  for (Watch& watch : watches_)
    if ((watch.kinds & kind) != 0) watch.look({t.seq, t.t_ns}, event);
  last_.record(t, *names_);
  end_seq_ = t.seq;
  end_ns_ = std::max(end_ns_, t.t_ns);
}

void AssertionChecker::look(const TraceText& finding) {
  for (Watch& watch : watches_) watch.look(finding);
}

CheckReport AssertionChecker::report() const {
  CheckReport report = so_far_;
  for (const Watch& watch : watches_)
    report.results.push_back(watch.result(so_far_.looked_at, {end_seq_, end_ns_}));
  return report;
}

Result<CheckReport> check_assertions(TraceReader& reader,
                                     const std::vector<Assertion>& assertions) {
  AssertionChecker checker(assertions, reader.names());
  SiteSymbols symbols(reader);
  const auto read = reader.for_each(1, ~0ull, [&](const Transaction& t) {
    checker.look(t, symbols.of(t.site));
    return true;
  });
  if (!read) return tl::unexpected(read.error());
  const auto findings = reader.findings();
  if (!findings) return tl::unexpected(findings.error());
  for (const TraceText& finding : *findings) checker.look(finding);
  CheckReport report = checker.report();
  if (report.looked_at == 0)
    return fail(reader.path() + ": the trace is empty, so there is nothing to assert of it");
  return report;
}

}  // namespace pcilens
