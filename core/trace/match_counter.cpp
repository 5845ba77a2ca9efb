#include "core/trace/match_counter.hpp"

namespace pcilens {
namespace {

// One that stays open this long (a suspended read) is counted as it is, so that the count goes on.
constexpr std::uint64_t kPatience = 65'536;  // transactions

}  // namespace

Result<std::unique_ptr<MatchCounter>> MatchCounter::create(TraceReader& reader,
                                                           const std::string& expression) {
  std::unique_ptr<MatchCounter> made(new MatchCounter(reader, expression));
  made->names_ = reader.names();
  auto compiled = Expression::compile(expression, made->names_);
  if (!compiled) return tl::unexpected(compiled.error());
  made->expression_ = std::move(*compiled);
  return made;
}

Result<MatchCounter::Progress> MatchCounter::advance(std::uint64_t events) {
  Progress progress;
  progress.of = reader_.last_seq();
  const std::uint64_t newest_edit = reader_.last_edit();
  // Functions that were plugged since change what names mean, and an edit what was counted: the
  // count begins again.
  if (const auto names = reader_.names();
      names != names_ || reader_.edited_since(last_edit_, next_)) {
    auto compiled = Expression::compile(text_, names);
    if (!compiled) return tl::unexpected(compiled.error());
    expression_ = std::move(*compiled);
    names_ = names;
    last_.clear();
    next_ = 1;
    matches_ = 0;
  }
  last_edit_ = newest_edit;
  std::uint64_t looked_at = 0;
  bool open_end = false;
  const auto read = reader_.for_each(next_, progress.of, [&](const Transaction& t) {
    if (looked_at == events) return false;
    if (t.status == Status::Pending && progress.of - t.seq < kPatience) {
      open_end = true;
      return false;
    }
    ++looked_at;
    if (expression_.matches({t, Phase::After, last_, *names_, symbols_.of(t.site)})) ++matches_;
    last_.record(t, *names_);
    next_ = t.seq + 1;
    return true;
  });
  if (!read) return tl::unexpected(read.error());
  progress.matches = matches_;
  progress.looked_at = open_end || looked_at < events ? progress.of : next_ - 1;
  return progress;
}

}  // namespace pcilens
