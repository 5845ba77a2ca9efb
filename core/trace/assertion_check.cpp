#include "core/trace/assertion_check.hpp"

#include <fmt/format.h>

#include <algorithm>

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
  if (ns < 1'000'000) return fmt::format("{:.4g} us", t / 1e3);
  if (ns < 1'000'000'000) return fmt::format("{:.4g} ms", t / 1e6);
  return fmt::format("{:.6g} s", t / 1e9);
}

}  // namespace

// One assertion at work. All it keeps are numbers: of an After, the oldest O that still waits is
// enough, since whatever comes in time for it comes in time for those after it.
struct AssertionChecker::Watch {
  using Rule = Assertion::Rule;
  using Limit = Assertion::Limit;

  const Assertion& a;
  bool two;             // there is an O
  std::uint32_t kinds;  // of transactions that can matter
  std::uint64_t subjects = 0, others = 0;
  Moment first_subject, last_subject, last_other;
  Moment violation;        // the first transaction that breaks it
  Moment waiting;          // After: the oldest O without its S
  Moment slowest, answer;  // After: the O that waited longest, and its S
  TraceText finding;       // NoFinding: the first

  explicit Watch(const Assertion& assertion)
      : a(assertion),
        two(a.rule == Rule::Before || a.rule == Rule::BeforeEach || a.rule == Rule::After),
        kinds(a.rule == Rule::NoFinding
                  ? 0
                  : a.subject.reach().kinds | (two ? a.other.reach().kinds : 0)) {}

  std::uint64_t waited(Moment from, Moment to) const {
    if (a.limit_kind == Limit::Transactions) return to.seq - from.seq;
    return to.t_ns > from.t_ns ? to.t_ns - from.t_ns : 0;
  }
  std::string told(std::uint64_t amount) const {
    return a.limit_kind == Limit::Transactions ? counted(amount, "transaction") : duration(amount);
  }

  // A transaction that is both S and O is never its own: for an O, S lies before it, or after it.
  void look(Moment now, const EventView& event) {
    const bool before = a.rule == Rule::Before || a.rule == Rule::BeforeEach;
    if (before && a.other.matches(event)) other_of_before(now);
    if (a.subject.matches(event)) subject(now);
    if (a.rule == Rule::After && violation.seq == 0 && a.other.matches(event)) {
      ++others;
      if (waiting.seq == 0) waiting = now;
    }
  }

  void subject(Moment now) {
    ++subjects;
    if (first_subject.seq == 0) first_subject = now;
    last_subject = now;
    if (violation.seq != 0) return;
    if (a.rule == Rule::Never || (a.rule == Rule::Occurs && subjects > a.most)) violation = now;
    if (a.rule != Rule::After || waiting.seq == 0) return;
    const std::uint64_t time = waited(waiting, now);
    const bool late = a.limit_kind != Limit::None && time > a.limit;
    if (late) violation = waiting;
    if (late || slowest.seq == 0 || time > waited(slowest, answer)) {
      slowest = waiting;
      answer = now;
    }
    waiting = {};
  }

  // "import" is meant by "import.config_size" too.
  void look(const TraceText& f) {
    if (a.rule != Rule::NoFinding) return;
    if (!a.finding.empty() && f.rule != a.finding && !f.rule.starts_with(a.finding + ".")) return;
    if (subjects++ == 0) finding = f;
  }

  void other_of_before(Moment now) {
    if (violation.seq != 0) return;
    ++others;
    const bool fresh = a.rule == Rule::Before || last_subject.seq >= last_other.seq;
    if (last_subject.seq == 0 || !fresh) {
      violation = now;
    } else {
      last_other = now;
    }
  }

  AssertionResult result(std::uint64_t looked_at, Moment end) const;

 private:
  AssertionResult occurs(std::uint64_t looked_at) const;
  AssertionResult never(std::uint64_t looked_at) const;
  AssertionResult before(std::uint64_t looked_at) const;
  AssertionResult after(std::uint64_t looked_at, Moment end) const;
  AssertionResult no_finding() const;
};

namespace {

std::string nothing_in(std::uint64_t looked_at) {
  return fmt::format("nothing matched in {}", counted(looked_at, "transaction"));
}

}  // namespace

AssertionResult AssertionChecker::Watch::result(std::uint64_t looked_at, Moment end) const {
  switch (a.rule) {
    case Rule::Occurs: return occurs(looked_at);
    case Rule::Never: return never(looked_at);
    case Rule::Before:
    case Rule::BeforeEach: return before(looked_at);
    case Rule::NoFinding: return no_finding();
    case Rule::After: break;
  }
  return after(looked_at, end);
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

AssertionResult AssertionChecker::Watch::before(std::uint64_t looked_at) const {
  AssertionResult r;
  const std::string subject_text = a.subject.text(), other_text = a.other.text();
  r.held = violation.seq == 0 && subjects != 0;
  r.vacuous = r.held && others == 0;
  if (violation.seq != 0) {
    r.shown.push_back({violation.seq, other_text});
    if (last_other.seq != 0) {
      r.why = fmt::format("no new \"{}\" since the \"{}\" before it", subject_text, other_text);
      r.shown.insert(r.shown.begin(), {last_other.seq, "the one before"});
    } else if (subjects != 0) {
      r.why = fmt::format("the first \"{}\" comes only after it", subject_text);
      r.shown.push_back({first_subject.seq, subject_text});
    } else {
      r.why = fmt::format("there is no \"{}\" before it, nor after", subject_text);
    }
  } else if (subjects == 0) {
    r.why = fmt::format("\"{}\": {}", subject_text, nothing_in(looked_at));
  } else if (others == 0) {
    r.why = fmt::format("\"{}\" never came", other_text);
    r.shown.push_back({first_subject.seq, "the first match"});
  } else {
    r.why = fmt::format("before {}", others == 1 ? "the only one" : fmt::format("all {}", others));
    r.shown.push_back({a.rule == Rule::Before ? first_subject.seq : last_subject.seq, "the match"});
    r.shown.push_back({last_other.seq, "the last that it was asked for"});
  }
  return r;
}

AssertionResult AssertionChecker::Watch::after(std::uint64_t looked_at, Moment end) const {
  AssertionResult r;
  const std::string subject_text = a.subject.text(), other_text = a.other.text();
  r.held = violation.seq == 0 && waiting.seq == 0;
  r.vacuous = others == 0;
  const Moment broken = violation.seq != 0 ? violation : waiting;
  if (violation.seq != 0) {
    r.why = fmt::format("\"{}\" came {} after it, the limit is {}", subject_text,
                        told(waited(slowest, answer)), told(a.limit));
    r.shown = {{broken.seq, other_text}, {answer.seq, "too late"}};
  } else if (waiting.seq != 0) {
    r.why = fmt::format("no \"{}\" came after it; the trace ends {} later", subject_text,
                        told(waited(broken, end)));
    r.shown = {{broken.seq, other_text}};
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
