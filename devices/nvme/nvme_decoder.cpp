#include "devices/nvme/nvme_decoder.hpp"

#include <algorithm>

namespace pcilens::nvme {
namespace {

using State = ProtocolCommand::State;

// So many commands are kept; then the oldest go.
constexpr std::size_t kKept = 200'000;

// Lays what was written over a register that may be written in halves.
void lay_over(std::uint64_t& value, const Register& r, const Transaction& t) {
  for (std::uint32_t i = 0; i < t.size && i < 8; ++i) {
    const std::uint64_t at = t.offset + i;
    if (at < r.offset || at >= r.offset + r.width) continue;
    const unsigned shift = static_cast<unsigned>(8 * (at - r.offset));
    value = (value & ~(0xffull << shift)) | ((t.value >> (8 * i) & 0xff) << shift);
  }
}

bool touches(const Register& r, const Transaction& t) {
  return t.offset < r.offset + r.width && r.offset < t.offset + t.size;
}

}  // namespace

std::unique_ptr<ProtocolDecoder> make_decoder() {
  return std::make_unique<Decoder>();
}

const ProtocolCommand* Decoder::command(std::uint64_t number) const {
  if (number < first_ || number - first_ >= commands_.size()) return nullptr;
  return &commands_[number - first_];
}

ProtocolCommand* Decoder::find(Number number) {
  return const_cast<ProtocolCommand*>(command(number));
}

void Decoder::look(const Transaction& t) {
  switch (t.kind) {
    case Kind::MemWrite:
      if (t.bar == 0 && t.status == pcilens::Status::SC) register_write(t);
      break;
    case Kind::Reset:
      reset("the function was reset");
      cc_ = 0;
      break;
    case Kind::DmaRead:
      memory_seen_ = true;
      if (!fetched(t)) data(t);
      break;
    case Kind::DmaWrite:
      memory_seen_ = true;
      if (!completed(t)) data(t);
      break;
    case Kind::Irq: interrupt(t); break;
    case Kind::Control:
      if (t.offset == static_cast<std::uint64_t>(Control::Plug) ||
          t.offset == static_cast<std::uint64_t>(Control::Unplug)) {
        reset("the function was taken away");
        cc_ = 0;
      }
      break;
    default: break;
  }
}

// ---- commands and what belongs to them ---------------------------------------------------------

ProtocolCommand& Decoder::add(std::uint16_t sq, std::uint64_t t_ns) {
  if (commands_.size() >= kKept) {
    forget(first_);
    commands_.pop_front();
    ++first_;
  }
  ProtocolCommand& command = commands_.emplace_back();
  command.number = first_ + commands_.size() - 1;
  command.queue = "SQ " + std::to_string(sq);
  command.name = "?";
  command.submitted_ns = t_ns;
  under_way_[command.number].sq = sq;
  return command;
}

void Decoder::step(Number number, std::uint64_t seq, const char* what) {
  if (ProtocolCommand* command = find(number)) command->steps.push_back({seq, what});
}

void Decoder::own(Number number, std::uint64_t seq) {
  owner_[seq] = number;
  under_way_[number].owned.push_back(seq);
}

void Decoder::forget(Number number) {
  const auto it = under_way_.find(number);
  if (it == under_way_.end()) return;
  for (const std::uint64_t seq : it->second.owned) owner_.erase(seq);
  under_way_.erase(it);
}

// ---- registers ---------------------------------------------------------------------------------

void Decoder::register_write(const Transaction& t) {
  // Nobody moves the admin queues of an enabled controller: it was reset through config space.
  if (kCc["EN"].field->extract(cc_) != 0 && (touches(kAqa, t) || touches(kAsq, t))) {
    reset("the function was reset");
    cc_ = 0;
  }
  lay_over(asq_, kAsq, t);
  lay_over(acq_, kAcq, t);
  std::uint64_t aqa = aqa_, cc = cc_;
  lay_over(aqa, kAqa, t);
  lay_over(cc, kCc, t);
  aqa_ = static_cast<std::uint32_t>(aqa);
  if (touches(kNssr, t) && t.value == kSubsystemReset) {
    reset("the NVM subsystem was reset");
    cc_ = 0;
    return;
  }
  if (touches(kCc, t)) {
    const bool was = kCc["EN"].field->extract(cc_) != 0, is = kCc["EN"].field->extract(cc) != 0;
    cc_ = static_cast<std::uint32_t>(cc);
    if (was && !is) reset("the controller was disabled");
    if (!was && is) {
      page_ = 4096ull << kCc["MPS"].field->extract(cc);
      sqs_[0].base = asq_;
      sqs_[0].entries = static_cast<std::uint32_t>(kAqa["ASQS"].field->extract(aqa_)) + 1;
      cqs_[0].base = acq_;
      cqs_[0].entries = static_cast<std::uint32_t>(kAqa["ACQS"].field->extract(aqa_)) + 1;
    }
  }
  // At a wider stride the registers between are not there; real controllers have 4 bytes.
  if (t.offset >= kSqTail<0>.offset && t.offset < kCqHead<0>.end() && t.size == 4)
    doorbell(t, (t.offset - kSqTail<0>.offset) / 4);
}

void Decoder::reset(const char* why) {
  for (const auto& [number, under] : under_way_) {
    ProtocolCommand* command = find(number);
    if (command == nullptr || command->state != State::Outstanding) continue;
    command->state = State::Lost;
    command->status = why;
  }
  under_way_.clear();
  owner_.clear();
  by_identifier_.clear();
  sqs_ = {};
  cqs_ = {};
}

void Decoder::doorbell(const Transaction& t, std::uint64_t index) {
  const auto id = static_cast<std::uint16_t>(index / 2);
  const auto value = static_cast<std::uint32_t>(t.value);
  if (index % 2 == 0)
    rung_tail(t, id, value);
  else
    rung_head(t, id, value);
}

void Decoder::rung_tail(const Transaction& t, std::uint16_t id, std::uint32_t tail) {
  Queue& sq = sqs_[id];
  // Without memory nobody told how long the queue is; that it turned shows when the tail falls.
  const std::uint32_t entries = sq.entries != 0 ? sq.entries : kMaxEntries;
  if (tail >= entries) return;
  if (sq.entries == 0 && tail < sq.tail) sq.tail = 0;
  while (sq.tail != tail) {
    ProtocolCommand& command = add(id, t.t_ns);
    command.summary = "entry " + std::to_string(sq.tail) + ", not fetched";
    sq.rung.emplace_back(sq.tail, command.number);
    step(command.number, t.seq, "doorbell");
    sq.tail = (sq.tail + 1) % entries;
  }
}

// A completion without a doorbell before it: the driver rang through memory.
Decoder::Number Decoder::add_unrung(std::uint16_t id, std::uint64_t t_ns) {
  ProtocolCommand& command = add(id, t_ns);
  command.summary = "submitted through a shadow doorbell";
  return command.number;
}

void Decoder::rung_head(const Transaction& t, std::uint16_t id, std::uint32_t head) {
  Queue& cq = cqs_[id];
  if (!memory_seen_) {
    // A recording of registers alone: the driver took as many completions as the head moved, in
    // the order of submission as far as one can tell.
    std::deque<std::pair<std::uint32_t, Number>>& rung = sqs_[id].rung;
    const std::uint32_t entries = cq.entries != 0 ? cq.entries : kMaxEntries;
    for (std::uint32_t n = (head + entries - cq.head) % entries; n > 0; --n) {
      if (head >= entries) return;
      if (rung.empty()) rung.emplace_back(0, add_unrung(id, t.t_ns));
      const Number number = rung.front().second;
      rung.pop_front();
      step(number, t.seq, "acknowledged");
      ProtocolCommand* command = find(number);
      if (command == nullptr) continue;
      command->state = State::Unknown;
      command->status = "memory was not recorded";
      command->completed_ns = t.t_ns;
      forget(number);
    }
    cq.head = head;
    return;
  }
  if (cq.entries == 0 || head >= cq.entries) return;
  const std::uint32_t taken = (head + cq.entries - cq.head) % cq.entries;
  cq.head = head;
  const std::size_t count = std::min<std::size_t>(taken, cq.unread.size());
  for (std::size_t i = 0; i < count; ++i) step(cq.unread[i], t.seq, "acknowledged");
  cq.unread.erase(cq.unread.begin(), cq.unread.begin() + static_cast<std::ptrdiff_t>(count));
}

// ---- memory ------------------------------------------------------------------------------------

bool Decoder::fetched(const Transaction& t) {
  if (t.size != kSqeBytes) return false;
  for (std::uint16_t id = 0; id < kQueues; ++id) {
    Queue& sq = sqs_[id];
    if (sq.entries == 0 || t.offset < sq.base || (t.offset - sq.base) % kSqeBytes != 0) continue;
    const std::uint64_t slot = (t.offset - sq.base) / kSqeBytes;
    if (slot >= sq.entries) continue;
    const auto rung = std::ranges::find(sq.rung, slot, &std::pair<std::uint32_t, Number>::first);
    // Through a shadow doorbell nobody rang.
    const Number number = rung != sq.rung.end() ? rung->second : add(id, t.t_ns).number;
    if (rung != sq.rung.end()) sq.rung.erase(rung);
    own(number, t.seq);
    step(number, t.seq, "fetch");
    ProtocolCommand* command = find(number);
    if (command == nullptr) return true;
    if (t.status != pcilens::Status::SC || t.payload.size() < kSqeBytes) {
      command->state = State::Unknown;
      command->status = "its entry could not be fetched";
      return true;
    }
    Under& under = under_way_[number];
    std::ranges::copy(t.payload.first(kSqeBytes), under.entry.begin());
    const bool admin = id == 0;
    const auto get = [&](const StructurePart& p) { return load(under.entry, p); };
    const std::uint64_t cid = get(part(kSqe, "CDW0.CID"));
    command->name = entry_name(under.entry, admin);
    command->summary = entry_summary(under.entry, admin);
    command->summary += (command->summary.empty() ? "cid " : ", cid ") + std::to_string(cid);
    command->fields = entry_fields(under.entry, admin);
    by_identifier_[static_cast<std::uint32_t>(id) << 16 | static_cast<std::uint32_t>(cid)] = number;
    std::uint64_t bytes = 0;
    const std::uint64_t opcode = get(part(kSqe, "CDW0.OPC"));
    if (!admin && (opcode == kRead || opcode == kWrite || opcode == kCompare))
      bytes = (get(part(kRwEntry, "CDW12.NLB")) + 1) * block_;
    else if (admin && opcode == kGetLogPage)
      bytes =
          ((get(part(kLogEntry, "CDW11.NUMDU")) << 16 | get(part(kLogEntry, "CDW10.NUMDL"))) + 1) *
          4;
    under.pages = (get(part(kSqe, "PRP1")) % page_ + bytes + page_ - 1) / page_;
    if (under.pages > 2) under.list = get(part(kSqe, "PRP2"));
    return true;
  }
  return false;
}

void Decoder::data(const Transaction& t) {
  const auto owner = owner_.find(t.cause);
  if (owner == owner_.end()) return;
  const Number number = owner->second;
  own(number, t.seq);
  Under& under = under_way_[number];
  const bool list = t.kind == Kind::DmaRead && under.list != 0 && t.offset == under.list;
  step(number, t.seq,
       list                              ? "PRP list"
       : t.status != pcilens::Status::SC ? "data, failed"
                                         : "data");
  // The list goes on where its last entry points to, if it filled its page.
  if (list && t.payload.size() >= 8 && (t.offset + t.size) % page_ == 0)
    under.list = load(t.payload.last(8), StructureField{.name = "PRP", .width = 8});
  const bool identify_namespace = under.sq == 0 && t.kind == Kind::DmaWrite &&
                                  t.payload.size() == kIdentifyBytes &&
                                  load(under.entry, part(kSqe, "CDW0.OPC")) == kIdentify &&
                                  load(under.entry, part(kIdentifyEntry, "CDW10.CNS")) == 0;
  if (identify_namespace) {
    const std::uint64_t format = load(t.payload, part(kIdNamespace, "FLBAS")) & 0xf;
    const StructureField member{
        .name = "LBAF", .offset = static_cast<std::uint16_t>(128 + 4 * format), .width = 4};
    const std::uint64_t log2 =
        part(kIdNamespace, "LBAF0.LBADS").field->extract(load(t.payload, member));
    if (log2 >= 9 && log2 <= 16) block_ = 1ull << log2;
  }
}

bool Decoder::completed(const Transaction& t) {
  if (t.size != kCqeBytes || t.payload.size() != kCqeBytes) return false;
  for (std::uint16_t id = 0; id < kQueues; ++id) {
    Queue& cq = cqs_[id];
    if (cq.entries == 0 || t.offset < cq.base ||
        t.offset >= cq.base + std::uint64_t{cq.entries} * kCqeBytes)
      continue;
    const auto get = [&](const StructurePart& p) { return load(t.payload, p); };
    const auto key =
        static_cast<std::uint32_t>(get(part(kCqe, "SQID")) << 16 | get(part(kCqe, "CID")));
    const auto named = by_identifier_.find(key);
    if (named == by_identifier_.end()) return true;  // of a command that nobody sent
    const Number number = named->second;
    by_identifier_.erase(named);
    step(number, t.seq, "completion");
    cq.unread.push_back(number);
    cq.unsignalled.push_back(number);
    ProtocolCommand* command = find(number);
    if (command == nullptr) return true;
    const auto status = static_cast<std::uint16_t>(get(part(kCqe, "STATUS.SCT")) << 8 |
                                                   get(part(kCqe, "STATUS.SC")));
    command->state = status == kSuccess ? State::Succeeded : State::Failed;
    command->status = status_text(status);
    command->completed_ns = t.t_ns;
    command->fields.push_back({"DW0", std::to_string(get(part(kCqe, "DW0")))});
    command->fields.push_back({"SQHD", std::to_string(get(part(kCqe, "SQHD")))});
    command->fields.push_back({"STATUS", command->status});
    took_effect(under_way_[number], status);
    forget(number);
    return true;
  }
  return false;
}

// What a command changed that later transactions depend on.
void Decoder::took_effect(const Under& under, std::uint16_t status) {
  if (under.sq != 0 || status != kSuccess) return;
  const auto get = [&](const StructurePart& p) { return load(under.entry, p); };
  const std::uint64_t id = get(part(kCreateCqEntry, "CDW10.QID"));
  const auto entries = static_cast<std::uint32_t>(get(part(kCreateCqEntry, "CDW10.QSIZE"))) + 1;
  switch (get(part(kSqe, "CDW0.OPC"))) {
    case kCreateCq:
      if (id < kQueues)
        cqs_[id] = {.base = get(part(kSqe, "PRP1")),
                    .entries = entries,
                    .vector = static_cast<std::uint16_t>(get(part(kCreateCqEntry, "CDW11.IV")))};
      break;
    case kCreateSq:
      if (id < kQueues) sqs_[id] = {.base = get(part(kSqe, "PRP1")), .entries = entries};
      break;
    case kDeleteSq:
      if (id < kQueues) sqs_[id] = {};
      break;
    case kDeleteCq:
      if (id < kQueues) cqs_[id] = {};
      break;
    case kFormat: block_ = get(part(kFormatEntry, "CDW10.LBAF")) == 0 ? 512 : 4096; break;
    default: break;
  }
}

void Decoder::interrupt(const Transaction& t) {
  for (Queue& cq : cqs_) {
    const bool pin = t.offset > 0xffff;  // INTx: any queue
    if (cq.unsignalled.empty() || (!pin && cq.vector != t.offset)) continue;
    if (pin && t.value == 0) continue;  // the pin falls
    for (const Number number : cq.unsignalled) step(number, t.seq, "interrupt");
    cq.unsignalled.clear();
  }
}

}  // namespace pcilens::nvme
