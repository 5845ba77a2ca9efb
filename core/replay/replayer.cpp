#include "core/replay/replayer.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <utility>

namespace pcilens {
namespace {

// What a function did by itself, and the trace must tell again.
bool is_effect(const Transaction& t) {
  return t.origin == Origin::Function &&
         (is_dma(t.kind) || t.kind == Kind::Irq || t.kind == Kind::State || t.kind == Kind::Input);
}

bool is_control(const Transaction& t, Control what) {
  return t.kind == Kind::Control && t.offset == static_cast<std::uint64_t>(what);
}

}  // namespace

Result<ReplayResult> replay_to_functions(TraceReader& trace, const MakeFunction& make,
                                         const ReplayOptions& options) {
  return Replayer(trace, make, options).run();
}

Replayer::Replayer(TraceReader& trace, const MakeFunction& make, const ReplayOptions& options)
    : trace_(trace),
      make_(make),
      options_(options),
      recorded_(trace),
      reasons_(trace),
      names_(trace.names()) {}

namespace {

// Stands where an import put what it could give to no function: nothing is sent there.
class Nobody final : public Function {
 public:
  Nobody() : Function(ConfigSpace({}, {}), {}) {}
};

}  // namespace

Result<bool> Replayer::has_config_writes() {
  auto filter = Expression::compile("cfg_write", names_);
  if (!filter) return tl::unexpected(filter.error());
  const auto page = trace_.window({.from = 1, .limit = 1, .filter = &*filter});
  if (!page) return tl::unexpected(page.error());
  return !page->events.empty();
}

Result<void> Replayer::make_functions() {
  const auto host = trace_.meta("host");
  on_kmod_ = host && *host == "kmod";
  link_ = std::make_unique<Link>(
      *this, *this,
      Link::Options{.threaded = false,
                    .gate = [this](const Transaction& t, Phase phase) { gate(t, phase); }});
  link_->connect(*this);
  const auto configured = has_config_writes();
  if (!configured) return tl::unexpected(configured.error());
  for (const TraceFunction& function : trace_.functions()) {
    // What an import could give to no function of the recording.
    elsewhere_[function.id] = function.bdf.empty() && !reasons_.memory_recorded();
    auto fresh = elsewhere_[function.id] ? std::make_unique<Nobody>() : make_(function);
    if (!fresh) return tl::unexpected(fresh.error());
    // A recording of registers alone begins with a function that a kernel has enabled.
    if (!reasons_.memory_recorded() && !*configured)
      (*fresh)->host_config().set(cfg::kCommand, 2, cfg::kCommandMemory | cfg::kCommandMaster);
    link_->plug(std::move(*fresh), function.instance, function.device, function.bdf);
  }
  if (link_->functions() == 0)
    return fail(fmt::format("{}: no function is described in it, so there is none to replay to",
                            trace_.path()));
  return {};
}

Result<ReplayResult> Replayer::run() {
  if (auto made = make_functions(); !made) return tl::unexpected(made.error());
  if (auto opened = open_bus(); !opened) return tl::unexpected(opened.error());
  auto edits = trace_.edits();
  if (!edits) return tl::unexpected(edits.error());
  for (const TraceEdit& edit : *edits) edits_[edit.seq] = edit;
  if (auto found = find_points(); !found) return tl::unexpected(found.error());
  while (const TraceEvent* next = recorded_.after(position_)) {
    const TraceEvent event = *next;  // the window may move on meanwhile
    position_ = event.t.seq;
    send(event, false);
    if (error_) return tl::unexpected(*error_);
    if (options_.go_on && result_.stimuli % 256 == 0 && !options_.go_on())
      return fail("replay: it was ended before its end");
  }
  if (!over_) expect_nothing_left(~0ull);
  link_->close();
  if (recorded_.error()) return tl::unexpected(*recorded_.error());
  return std::move(result_);
}

// ---- stimuli -----------------------------------------------------------------------------------

void Replayer::send(const TraceEvent& recorded, bool aside) {
  const Transaction& t = recorded.t;
  if (is_control(t, Control::Plug) || is_control(t, Control::Unplug))
    link_->release_at(t.seq - 1, t.t_ns);
  if (is_control(t, Control::Plug)) return plug_again(t.function);
  if (is_control(t, Control::Unplug)) return link_->unplug(t.function, "as recorded");
  if (!is_stimulus(t) || is_effect(t) || t.answered_by == AnsweredBy::Rule) return;
  if (elsewhere_[t.function]) return;
  if (!aside) expect_nothing_left(t.seq);
  ++result_.stimuli;
  cut_off_ = t.status == Status::Pending && !aside;
  Transaction stimulus = t;
  stimulus.status = Status::Pending;
  stimulus.done_ns = 0;
  switch (t.kind) {
    case Kind::Timer:
      if (!link_->fire_timer(t.function, t.offset, t.t_ns, t.seq))
        diverge(t.seq, fmt::format("timer {}", t.offset), "a delay that ran out",
                "the function waits for no such delay");
      return;
    case Kind::Force: static_cast<void>(link_->force(stimulus)); return;
    case Kind::Reset: link_->reset_function(stimulus); return;
    default: break;
  }
  // A host that answered by itself, or knew that nobody would, is taken at its word; a function
  // answers anew.
  const bool unclaimed = t.answered_by == AnsweredBy::Nobody && t.status == Status::UR;
  if (t.answered_by != AnsweredBy::Shadow && !unclaimed) {
    stimulus.answered_by = AnsweredBy::Function;
    if (is_read(t.kind)) stimulus.value = 0;
  }
  if (goes_over_bus(t)) return send_over_bus(t, stimulus, aside);
  if (bus_ && is_config(t.kind)) compare_config(t);
  request(stimulus, aside, [](const Transaction&) {});
}

void Replayer::request(const Transaction& stimulus, bool aside,
                       std::function<void(const Transaction&)> done) {
  if (aside)
    link_->carry_aside(stimulus, std::move(done));
  else
    link_->request(stimulus, std::move(done));
}

Result<void> Replayer::find_points() {
  const auto controls =
      trace_.controls({Control::Stop, Control::Release, Control::Unplug, Control::Plug});
  if (!controls) return tl::unexpected(controls.error());
  std::uint64_t held = 0;
  for (const TraceEvent& control : *controls) {
    const auto what = static_cast<Control>(control.t.offset);
    const bool release = what == Control::Release;
    const std::uint64_t at = release || what == Control::Stop ? control.t.value : control.t.cause;
    if (what == Control::Stop) held = at;
    if (release && held == at) held = 0;
    if (at != 0 && what != Control::Stop)
      points_[at].push_back(
          {control.t.seq, control.t.t_ns, what, release && control.text == "after"});
  }
  // Held to the end. What had completed by then is recorded so.
  if (held != 0)
    if (const TraceEvent* event = recorded_.at(held))
      points_[held].push_back({~0ull, 0, Control::Stop, event->t.status != Status::Pending});
  return {};
}

// The recorded run stopped or delayed this transaction, or took its function away: what happened
// meanwhile happens now, and then it goes on.
void Replayer::gate(const Transaction& t, Phase phase) {
  const auto found = points_.find(t.seq);
  if (found == points_.end()) return;
  for (const Point& point : found->second) {
    if (point.after != (phase == Phase::After)) continue;
    if (point.what == Control::Stop) return stop_for_good(t);
    make_up_to(point.seq);
    link_->release_at(point.seq - 1, point.t_ns);
    if (point.what == Control::Unplug) link_->unplug(t.function, "as recorded");
    if (point.what == Control::Plug) plug_again(t.function);
    link_->release_at(point.seq, point.t_ns);
  }
}

// The recording ends while this is held. What was done in the stop is done now; the rest of what
// the link has to carry nobody has seen.
void Replayer::stop_for_good(const Transaction& held) {
  if (is_effect(held)) seen_.push_back(held.seq);
  make_up_to(~0ull);
  expect_nothing_left(~0ull);
  over_ = true;
}

// What was made while something else waited.
void Replayer::make_up_to(std::uint64_t seq) {
  for (const TraceEvent* next = recorded_.after(position_); next != nullptr && next->t.seq < seq;
       next = recorded_.after(position_)) {
    const TraceEvent event = *next;
    position_ = event.t.seq;
    send(event, true);
  }
  position_ = std::max(position_, seq);
}

void Replayer::plug_again(std::uint8_t index) {
  for (const TraceFunction& function : trace_.functions()) {
    if (function.id != index) continue;
    auto fresh = make_(function);
    if (!fresh) {
      error_ = fresh.error();
      return;
    }
    static_cast<void>(link_->replug(index, std::move(*fresh)));
    // Nobody has set it up; on the bus that is done anew before the driver's next access to a BAR.
    driven_[index] = false;
  }
}

// ---- the recorded host -------------------------------------------------------------------------

Status Replayer::dma_read(std::uint8_t function, std::uint64_t iova, std::span<std::byte> data) {
  const std::uint64_t seq = link_->carried();
  const TraceEvent* recorded = recorded_.at(seq);
  if (recorded == nullptr || recorded->t.kind != Kind::DmaRead || recorded->t.offset != iova)
    return Status::UR;  // compare() reports it
  const Transaction t = recorded->t;
  if (t.status == Status::SC) std::ranges::fill(data, std::byte{0});
  // A cut one brought some bytes although it failed; any other that failed brought none.
  const auto bytes = trace_.payload(seq);
  if (bytes && !bytes->empty())
    std::memcpy(data.data(), bytes->data(), std::min(bytes->size(), data.size()));
  // The value is what the function got in the end, changed at a stop or by a rule.
  if (t.status == Status::SC)
    std::memcpy(data.data(), &t.value, std::min<std::size_t>(8, data.size()));
  // Through the memory that the bus' functions reach.
  if (bus_ && t.status == Status::SC &&
      !(bus_->place(function, iova, data) && bus_->look(function, iova, data)))
    error_ = Error{
        fmt::format("#{}: the bus' memory has no room for what lay at IOVA {:#x}", seq, iova)};
  return t.status;
}

Status Replayer::dma_write(std::uint8_t function, std::uint64_t iova,
                           std::span<const std::byte> data) {
  const TraceEvent* recorded = recorded_.at(link_->carried());
  const Status status = recorded != nullptr ? recorded->t.status : Status::SC;
  if (bus_ && status == Status::SC) bus_->place(function, iova, data);
  return status;
}

// The function asked for it, so it is under way now; what it read itself does not count.
void Replayer::input(std::uint8_t, std::uint64_t what, std::span<std::byte> bytes) {
  const std::uint64_t seq = link_->last_seq();
  const TraceEvent* recorded = recorded_.at(seq);
  if (recorded == nullptr || recorded->t.kind != Kind::Input || recorded->t.offset != what) return;
  const auto payload = trace_.payload(seq);
  if (payload && payload->size() == bytes.size())
    std::memcpy(bytes.data(), payload->data(), bytes.size());
  else
    std::memcpy(bytes.data(), &recorded->t.value, std::min<std::size_t>(8, bytes.size()));
}

Status Replayer::interrupt(std::uint8_t, std::uint64_t, std::uint64_t) {
  const TraceEvent* recorded = recorded_.at(link_->carried());
  return recorded != nullptr ? recorded->t.status : Status::SC;
}

std::uint64_t Replayer::now_ns() {
  const TraceEvent* recorded = recorded_.at(link_->last_seq());
  return recorded != nullptr ? recorded->t.t_ns : link_->time_ns();
}

// ---- comparing ---------------------------------------------------------------------------------

void Replayer::event(const Transaction& t) {
  if (t.kind == Kind::Control) return;
  if (t.status != Status::Pending) compare(t);
}

void Replayer::completion(const Transaction& t) {
  compare(t);
}

void Replayer::compare(const Transaction& now) {
  if (over_) return;
  if (now.kind == Kind::State && !reasons_.state_recorded()) return;
  const TraceEvent* found = recorded_.at(now.seq);
  // The recording ends before its last stimulus was over: its guest has died, for example.
  if (found == nullptr && cut_off_ && recorded_.after(now.seq) == nullptr) return;
  if (is_effect(now)) seen_.push_back(now.seq);
  if (found == nullptr || found->t.kind != now.kind) {
    ++result_.compared;
    return diverge(now.seq, names_->place(now), found == nullptr ? "nothing" : describe(*found),
                   describe(now), reasons_.reason(*names_, nullptr, &now));
  }
  const TraceEvent& recorded = *found;
  reasons_.look(recorded.t);
  const bool answered = is_memory(now.kind) || is_config(now.kind);
  // Not the function's doing: a rule, a timeout, an edit by hand, a recording that was cut.
  if (recorded.t.status == Status::Pending) return;
  if (answered && (recorded.t.status == Status::Timeout || now.answered_by != AnsweredBy::Function))
    return;
  if (!answered && !is_effect(now)) return;
  ++result_.compared;
  std::uint64_t expected = recorded.t.value;
  if (!answered && is_read(now.kind)) {
    expected = now.value;  // host memory, which is the trace's
  } else if (const auto edit = edits_.find(now.seq); edit != edits_.end()) {
    expected = !answered           ? edit->second.sent
               : is_read(now.kind) ? edit->second.answered
                                   : now.value;
  }
  const bool cut = !answered && recorded.t.answered_by == AnsweredBy::Rule;
  const bool same = now.offset == recorded.t.offset &&
                    (now.size == recorded.t.size || (cut && now.size > recorded.t.size)) &&
                    now.function == recorded.t.function && now.value == expected &&
                    (!answered || now.status == recorded.t.status) && same_payload(recorded, now);
  if (same) return;
  Transaction wanted = recorded.t;
  wanted.value = expected;
  diverge(now.seq, names_->place(recorded.t), describe(wanted), describe(now),
          reasons_.reason(*names_, &recorded.t, &now));
}

bool Replayer::same_payload(const TraceEvent& recorded, const Transaction& now) {
  if (now.kind != Kind::DmaWrite || now.payload.size() <= 8 || recorded.edit) return true;
  const auto bytes = trace_.payload(now.seq);
  // A recording may keep only the beginning of each payload.
  return !bytes || bytes->size() > now.payload.size() ||
         std::memcmp(bytes->data(), now.payload.data(), bytes->size()) == 0;
}

// Effects that were recorded before `before` and did not come.
void Replayer::expect_nothing_left(std::uint64_t before) {
  while (const TraceEvent* event = recorded_.after(checked_)) {
    if (event->t.seq >= before) break;
    checked_ = event->t.seq;
    if (!is_effect(event->t) || elsewhere_[event->t.function] ||
        std::ranges::find(seen_, checked_) != seen_.end())
      continue;
    ++result_.compared;
    diverge(checked_, names_->place(event->t), describe(event->t), "nothing",
            reasons_.reason(*names_, &event->t, nullptr));
  }
  seen_.clear();
}

void Replayer::diverge(std::uint64_t seq, std::string place, std::string expected, std::string got,
                       Reason reason) {
  ++result_.divergences;
  ++result_.by_reason[static_cast<std::size_t>(reason)];
  if (result_.listed.size() >= options_.list) return;
  result_.listed.push_back({.seq = seq,
                            .place = std::move(place),
                            .expected = std::move(expected),
                            .got = std::move(got),
                            .reason = reason,
                            .before = lines_before(seq)});
}

std::vector<std::string> Replayer::lines_before(std::uint64_t seq) {
  std::vector<std::string> lines;
  constexpr std::uint64_t kFarthest = 10'000;  // a damaged trace may have wide gaps
  for (std::uint64_t at = seq; lines.size() < options_.context && at > 1 && seq - at < kFarthest;) {
    const TraceEvent* event = recorded_.at(--at);
    if (event == nullptr || event->t.kind == Kind::Control) continue;
    lines.insert(lines.begin(), fmt::format("{:>6}  {}", at, describe(*event)));
  }
  return lines;
}

std::string Replayer::describe(const TraceEvent& event) const {
  if (event.t.kind != Kind::Control && event.t.kind != Kind::Gap) return describe(event.t);
  return fmt::format("{}: {}", event.t.kind == Kind::Control ? "the link" : "gap", event.text);
}

std::string Replayer::describe(const Transaction& t) const {
  std::string text = fmt::format("{} {}", in_words(t.kind), names_->place(t));
  const bool maps = t.kind == Kind::DmaMap || t.kind == Kind::DmaUnmap;
  if (is_dma(t.kind) || t.kind == Kind::DmaMap) text += fmt::format(", {} bytes", t.size);
  if (t.kind == Kind::DmaMap)
    text += fmt::format(", {}", in_words(static_cast<DmaDirection>(t.value)));
  // Of these the place says all.
  const bool said = maps || t.kind == Kind::Timer || t.kind == Kind::Reset ||
                    (t.kind == Kind::Irq && t.value == 0);
  if (!said) text += fmt::format(" = {:#x}", t.value);
  if (const std::string fields = names_->decode(t); !fields.empty()) text += " (" + fields + ")";
  if (t.status != Status::SC) text += fmt::format(", {}", name_of(t.status));
  return text;
}

}  // namespace pcilens
