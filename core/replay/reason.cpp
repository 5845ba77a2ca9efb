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
  }
  return "?";
}

ReasonFinder::ReasonFinder(TraceReader& trace)
    : memory_recorded_(!trace.meta("import.first_ns").has_value()) {}

void ReasonFinder::look(const TraceEvent& recorded) {
  const Transaction& t = recorded.t;
  if (t.kind == Kind::MemWrite) written_[t.function] = true;
  if (memory_recorded_ || t.kind != Kind::MemRead) return;
  const auto [it, fresh] = reads_.try_emplace({t.function, t.bar, t.offset});
  Reads& reads = it->second;
  if (fresh) reads.first = reads.last = t.value;
  reads.same = reads.same && t.value == reads.first;
  reads.before_last = reads.last;
  reads.last = t.value;
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
    const auto found = reads_.find({t.function, t.bar, t.offset});
    const RegisterRef ref = names.at(*recorded);
    const bool fixed =
        ref && !ref.reg->fields.empty() && std::ranges::all_of(ref.reg->fields, [](const Field& f) {
          return f.access == Access::RO || f.access == Access::Reserved;
        });
    if (fixed && found != reads_.end() && found->second.same) return Reason::Identity;
    if (starved_[t.function]) return Reason::Memory;
    if (!written_[t.function]) return Reason::Earlier;
    // The value that it had just before, or that it has from now on.
    if (found != reads_.end() && found->second.before_last == now->value) return Reason::Timing;
  }
  return starved_[t.function] ? Reason::Memory : Reason::Model;
}

}  // namespace pcilens
