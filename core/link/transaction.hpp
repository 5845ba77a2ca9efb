// The transaction: one request with its completion, as it crosses the link and as the trace keeps
// it. Everything that looks at the road (breakpoints, faults, trace, replay, screens) sees this.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

namespace pcilens {

// The numbers are the ones in the trace's `event.kind`: never renumber.
enum class Kind : std::uint8_t {
  CfgRead = 0,
  CfgWrite = 1,
  MemRead = 2,
  MemWrite = 3,
  DmaRead = 4,   // the function reads host memory
  DmaWrite = 5,  // the function writes host memory
  Irq = 6,       // an interrupt message; offset is the vector
  DmaMap = 7,    // the host lets the function reach memory; offset is the IOVA, value the direction
  DmaUnmap = 8,
  Reset = 9,     // value is a ResetKind
  Timer = 10,    // a delay that the function asked for ran out; offset is the timer's number
  Input = 11,    // something from outside reached the function (disk, packet, key)
  State = 12,    // the function changed a stored register by itself; old value in `cause`'s history
  Force = 13,    // stored state set by hand, past the register's access rules
  Control = 14,  // somebody acted on the link itself: see enum Control; the payload is its text
  Gap = 15,      // something was lost here; value tells how many events, the payload why
};
inline constexpr unsigned kKinds = 16;

// PCIe 5.0, 2.2.9 completion status; Timeout is the completion timeout of 2.8.
enum class Status : std::uint8_t {
  SC = 0,        // successful completion
  UR = 1,        // unsupported request
  CA = 4,        // completer abort
  Timeout = 8,   // no completion came
  Pending = 15,  // not completed yet (a held or suspended transaction in the trace)
};

enum class Origin : std::uint8_t { Driver = 0, Function = 1, Poke = 2, Replay = 3, Lesson = 4 };

// Who gave a read its value.
enum class AnsweredBy : std::uint8_t {
  Function = 0,
  Shadow = 1,      // the host's copy: config space in the kernel, or a read that could not wait
  Rule = 2,        // a fault rule
  User = 3,        // an edit at a stop
  Nobody = 4,      // all-ones for a dead runtime or a completion timeout
  PassedStop = 5,  // the function, past a stop: the requester could not wait for its end
};

enum class ResetKind : std::uint8_t { Conventional = 0, Flr = 1, HotPlug = 2 };

// Transaction::offset of a Control event: what was controlled. Replay acts on Release, Unplug,
// Plug.
enum class Control : std::uint8_t {
  Stop = 1,     // the link holds transaction `value`
  Release = 2,  // transaction `value`, held until now, is delivered at this point of the order
  Pause = 3,
  Resume = 4,
  Breakpoint = 5,  // made, changed or removed; the payload is its text
  Fault = 6,
  Unplug = 7,  // the function is gone, as after a surprise removal
  Plug = 8,    // a fresh one stands in its place
};

enum class DmaDirection : std::uint8_t { Bidirectional = 0, ToDevice = 1, FromDevice = 2 };

// `bar` beside 0..5.
inline constexpr std::int8_t kBarConfig = -1;     // offset: byte in config space, 0..4095
inline constexpr std::int8_t kBarDma = -2;        // offset: IOVA
inline constexpr std::int8_t kBarInterrupt = -3;  // offset: vector
inline constexpr std::int8_t kBarNone = -4;       // timer, input, control, gap

struct Transaction {
  std::uint64_t seq = 0;      // total order over the whole link, from 1
  std::uint64_t t_ns = 0;     // when it was requested: ns since the trace began
  std::uint64_t done_ns = 0;  // when it completed; 0 while pending
  std::uint64_t offset = 0;   // bytes from the start of the BAR or config space; IOVA; vector
  std::uint64_t value = 0;    // up to 8 bytes, little-endian; what was delivered or returned
  std::uint64_t cause = 0;    // seq of the stimulus that made the function act; 0 for a stimulus
  std::uint32_t size = 0;     // bytes
  std::uint32_t thread = 0;   // host's thread (a Linux tid), 0 if unknown
  std::uint32_t site = 0;     // where in the driver: key of the trace's `site`; 0 if unknown
  std::uint16_t cpu = 0;
  Kind kind = Kind::MemRead;
  Status status = Status::Pending;
  Origin origin = Origin::Driver;
  AnsweredBy answered_by = AnsweredBy::Function;
  std::int8_t bar = kBarNone;
  std::uint8_t function = 0;  // instance on this link, 0..255
  bool edited = false;  // a rule, or somebody at a stop, changed its value: the trace has both
  std::span<const std::byte> payload = {};  // DMA data and texts; valid during the call only
};

constexpr bool is_config(Kind k) {
  return k == Kind::CfgRead || k == Kind::CfgWrite;
}
constexpr bool is_memory(Kind k) {
  return k == Kind::MemRead || k == Kind::MemWrite;
}
constexpr bool is_dma(Kind k) {
  return k == Kind::DmaRead || k == Kind::DmaWrite;
}
// A read whose requester waits for a value.
constexpr bool is_read(Kind k) {
  return k == Kind::CfgRead || k == Kind::MemRead || k == Kind::DmaRead;
}
// PCIe 5.0, 2.4.1: memory writes and messages are posted, config writes and all reads are not.
constexpr bool is_posted(Kind k) {
  return k == Kind::MemWrite || k == Kind::DmaWrite || k == Kind::Irq;
}
// Seen once it has happened: there is no moment before it at which it could be held.
constexpr bool has_no_before(Kind k) {
  return k == Kind::State || k == Kind::Timer || k == Kind::Input;
}
// What makes a function act; everything else follows from one of these.
constexpr bool is_stimulus(const Transaction& t) {
  if (t.origin == Origin::Function) return t.kind == Kind::Timer || t.kind == Kind::Input;
  return is_config(t.kind) || is_memory(t.kind) || t.kind == Kind::Reset || t.kind == Kind::Force ||
         t.kind == Kind::Timer || t.kind == Kind::Input;
}
// From here on its function holds what a fresh one does.
constexpr bool begins_anew(const Transaction& t) {
  return t.kind == Kind::Reset ||
         (t.kind == Kind::Control && t.offset == static_cast<std::uint64_t>(Control::Plug));
}
constexpr std::uint64_t mask_of_size(std::uint32_t bytes) {
  return bytes >= 8 ? ~0ull : (1ull << (bytes * 8)) - 1;
}

// "mem_read" and so on: the spelling of files and programs (trace, JSON, CSV). Expressions take it
// too.
std::string_view name_of(Kind kind);
// "read" "config write" "DMA read" "interrupt" "state change": what every screen says.
std::string_view in_words(Kind kind);
std::string_view name_of(Status status);  // "SC" "UR" "CA" "timeout" "pending"
std::string_view name_of(Origin origin);  // "driver" ...
std::string_view name_of(AnsweredBy by);  // "function" "shadow" ...
std::optional<Kind> kind_named(std::string_view name);
std::optional<Status> status_named(std::string_view name);
std::optional<Origin> origin_named(std::string_view name);

}  // namespace pcilens
