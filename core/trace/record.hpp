// What the link writes to the trace's spool: fixed 64-byte records, the same bytes whether the
// spool lies in this process, in a shared file, or in a VM's memory (ivshmem). Little-endian.
//
// A transaction that completes at once is one Event record. One that is held or suspended is an
// Event with status Pending and later a Completion for the same seq. One held after it completed
// has its outcome before the stop, and a Completion once it is let go. Bytes that do not fit follow
// as Payload records of the same seq; descriptions (register maps, functions, sites) as Text ones.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <type_traits>

#include "core/link/transaction.hpp"

namespace pcilens {

enum class RecordType : std::uint8_t {
  Event = 1,       // EventRecord
  Completion = 2,  // CompletionRecord
  Edit = 3,        // EditRecord
  Blob = 4,        // BlobRecord head, then ceil(length / 64) slots of bytes
};

// What a blob is, and what `key` means then.
enum class BlobKind : std::uint8_t {
  Payload = 1,  // data of event `key`
  Meta = 2,     // "name\0value": a row of `meta`
  Function =
      3,      // JSON: a function with its identity, config image, BARs, register maps; key instance
  Site = 4,   // JSON: module, build_id, symbol, displacement, code, file, line; key site id
  Stack = 5,  // JSON array of site ids, innermost first; key seq
  Note = 6,   // a sentence; key seq it belongs to
  Finding = 7,  // JSON: rule, text; key seq
};

struct EventRecord {
  std::uint64_t seq;
  std::uint64_t t_ns;
  std::uint64_t offset;
  std::uint64_t value;
  std::uint32_t duration_ns;  // done_ns - t_ns; saturates, then a Completion carries it exactly
  std::uint32_t cause_back;   // seq - cause; 0: no cause
  std::uint32_t size;
  std::uint32_t thread;
  std::uint32_t site;
  std::uint8_t kind, status, origin, answered_by;
  std::int8_t bar;
  std::uint8_t function;
  std::uint16_t cpu;
  // The spool's own word (type, lap): last, so that one release store publishes the slot.
  std::uint32_t publish;
};
static_assert(sizeof(EventRecord) == 64 && std::is_trivially_copyable_v<EventRecord>);

// All of a transaction but its payload and the publish word.
inline void fill(EventRecord& r, const Transaction& t) {
  const auto saturated = [](std::uint64_t v) {
    return static_cast<std::uint32_t>(v > ~0u ? ~0u : v);
  };
  r.seq = t.seq;
  r.t_ns = t.t_ns;
  r.offset = t.offset;
  r.value = t.value;
  r.duration_ns = t.done_ns > t.t_ns ? saturated(t.done_ns - t.t_ns) : 0;
  r.cause_back = t.cause != 0 ? saturated(t.seq - t.cause) : 0;
  r.size = t.size;
  r.thread = t.thread;
  r.site = t.site;
  r.kind = static_cast<std::uint8_t>(t.kind);
  r.status = static_cast<std::uint8_t>(t.status);
  r.origin = static_cast<std::uint8_t>(t.origin);
  r.answered_by = static_cast<std::uint8_t>(t.answered_by);
  r.bar = t.bar;
  r.function = t.function;
  r.cpu = t.cpu;
}

struct CompletionRecord {
  std::uint64_t seq;
  std::uint64_t done_ns;
  std::uint64_t value;
  std::uint8_t status, answered_by;
  std::uint8_t reserved[34];
  std::uint32_t publish;
};
static_assert(offsetof(EventRecord, publish) == 60 && sizeof(CompletionRecord) == 64);

// What a stop or a rule changed: as the requester sent it, as the function saw it, as the function
// answered, as the requester got it. `rule`: breakpoint or fault rule number, 0: by hand.
struct EditRecord {
  std::uint64_t seq;
  std::uint64_t sent, delivered, answered, returned;
  std::uint32_t rule;
  std::uint8_t reserved[16];
  std::uint32_t publish;
};
static_assert(sizeof(EditRecord) == 64);

struct BlobRecord {
  std::uint64_t key;
  std::uint64_t length;  // bytes that follow in the next slots
  std::uint8_t what;     // BlobKind
  std::uint8_t more;     // 1: another blob of the same kind and key continues this one
  std::uint8_t reserved[42];
  std::uint32_t publish;
};
static_assert(sizeof(BlobRecord) == 64);

// Where the link writes. One implementation is the spool; tests and replay collect in memory.
class Recorder {
 public:
  virtual ~Recorder() = default;
  virtual void event(const Transaction& t) = 0;  // with payload, if it has one
  // Of an event recorded as Pending; once more after a stop behind it, which may have changed it.
  virtual void completion(const Transaction& t) = 0;
  virtual void edit(std::uint64_t seq, std::uint64_t sent, std::uint64_t delivered,
                    std::uint64_t answered, std::uint64_t returned, std::uint32_t rule) = 0;
  virtual void blob(BlobKind what, std::uint64_t key, std::span<const std::byte> bytes) = 0;
};

}  // namespace pcilens
