#include "core/replay/reason.hpp"

#include <algorithm>

namespace pcilens {

std::string_view name_of(Reason reason) {
  switch (reason) {
    case Reason::Model: return "model";
    case Reason::Identity: return "identity";
    case Reason::Timing: return "timing";
    case Reason::Memory: return "memory not recorded";
    case Reason::Earlier: return "before the recording";
    case Reason::Bus: return "the bus";
  }
  return "?";
}

namespace {

bool says_only_what_it_is(const Register& reg) {
  return !reg.fields.empty() && std::ranges::all_of(reg.fields, [](const Field& f) {
    return f.access == Access::RO || f.access == Access::Reserved;
  });
}

// Those that a driver only reads or acknowledges.
std::uint64_t bits_of_the_device(const Register& reg) {
  if (reg.fields.empty()) return reg.access == Access::RW ? 0 : reg.mask();
  std::uint64_t bits = 0;
  for (const Field& f : reg.fields)
    if (f.access == Access::RO || f.access == Access::W1C || f.access == Access::RC)
      bits |= f.mask();
  return bits;
}

}  // namespace

ReasonFinder::ReasonFinder(TraceReader& trace)
    : memory_recorded_(!trace.meta("import.first_ns").has_value()) {
  if (memory_recorded_) return;
  // A trace that cannot be read to its end says so where it is replayed.
  static_cast<void>(trace.for_each(1, trace.last_seq(), [&](const Transaction& t) {
    if (t.kind != Kind::MemRead) return true;
    std::vector<Read>& reads = reads_[{t.function, t.bar, t.offset}];
    if (reads.empty() || reads.back().value != t.value) reads.push_back({t.seq, t.value});
    return true;
  }));
}

void ReasonFinder::look(const Transaction& recorded) {
  if (recorded.kind == Kind::MemWrite) written_[recorded.function] = true;
}

// Whether the recorded device came to show this value later, or had shown it until just now.
bool ReasonFinder::shown_nearby(const Place& place, const Transaction& recorded,
                                std::uint64_t value) const {
  const auto found = reads_.find(place);
  if (found == reads_.end()) return false;
  const std::vector<Read>& reads = found->second;
  const auto after = std::ranges::upper_bound(reads, recorded.seq, {}, &Read::seq);
  if (after != reads.end() && after->value == value) return true;
  const auto at = static_cast<std::size_t>(after - reads.begin());
  return at >= 2 && reads[at - 1].seq == recorded.seq && reads[at - 2].value == value;
}

Reason ReasonFinder::reason(const Names& names, const Transaction* recorded,
                            const Transaction* now) {
  // Of its own recordings a device must repeat everything.
  if (memory_recorded_) return Reason::Model;
  const Transaction& t = now != nullptr ? *now : *recorded;
  if (now != nullptr && is_dma(now->kind)) {
    starved_[t.function] = true;
    return Reason::Memory;
  }
  if (recorded != nullptr && recorded->kind == Kind::CfgRead) return Reason::Identity;
  if (recorded != nullptr && now != nullptr && recorded->kind == Kind::MemRead) {
    const Place place{t.function, t.bar, t.offset};
    const RegisterRef ref = names.at(*recorded);
    const auto found = reads_.find(place);
    if (ref && says_only_what_it_is(*ref.reg) && found != reads_.end() && found->second.size() == 1)
      return Reason::Identity;
    if (starved_[t.function]) return Reason::Memory;
    if (!written_[t.function]) return Reason::Earlier;
    if (ref && shown_nearby(place, *recorded, now->value)) {
      const std::uint64_t differing = (recorded->value ^ now->value)
                                      << 8 * (recorded->offset - ref.offset());
      if ((differing & ~bits_of_the_device(*ref.reg)) == 0) return Reason::Timing;
    }
  }
  return starved_[t.function] ? Reason::Memory : Reason::Model;
}

}  // namespace pcilens
