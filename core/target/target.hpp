// The one interface of every screen and script: a running link with its host, functions and trace.
// Two implementations: local (the link in this process) and remote (Cap'n Proto over a socket).
//
// Nothing here blocks. State is a snapshot that is replaced as a whole; commands answer through a
// callback, on any thread, exactly once. `ask` turns one into a plain call for those who may wait.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <future>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/function/protocol.hpp"
#include "core/link/breakpoints.hpp"
#include "core/link/faults.hpp"
#include "core/link/names.hpp"
#include "core/link/step.hpp"
#include "core/link/transaction.hpp"
#include "core/result.hpp"

namespace pcilens {

template <typename T>
using Done = std::function<void(Result<T>)>;

enum class RunState : std::uint8_t {
  Running,  // requests are delivered
  Paused,   // delivery is held at no particular transaction
  Stopped,  // delivery is held at Snapshot::stop
  Ended,    // the driver has finished, and pokes still work; or the link is Snapshot::gone
};
std::string_view name_of(RunState state);

// How far the driver is that was loaded for the functions, where pcilens itself had it loaded.
enum class Binding : std::uint8_t {
  NotKnown,   // somebody else does that
  Probing,    // it is being loaded, or its probe runs
  Bound,      // a function is driven by it
  Unbound,    // it is loaded, and has bound to none
  NotLoaded,  // the kernel did not take it
};
std::string_view name_of(Binding binding);  // "bound", "not loaded"
// Whether nothing is going to drive the functions, unless somebody binds a driver later.
inline bool no_driver(Binding binding) {
  return binding == Binding::Unbound || binding == Binding::NotLoaded;
}

// One transaction that is held, and why.
struct Stop {
  Transaction transaction;  // payload not set
  Phase phase = Phase::Before;
  std::vector<std::uint32_t> breakpoints;  // their numbers; empty for a step or a pause
  std::string reason;                      // "breakpoint 1: write CMD", "step", "first access"
  // Why it was refused ("unmapped at #172 by mine_probe"); empty where it was not, or nobody knows.
  std::string refusal;
  std::uint64_t original = 0;  // the value before somebody edited it
  bool edited = false;
  std::string thread_name;  // of the driver, if known
  // When it began, by this process' clock.
  std::chrono::steady_clock::time_point since = std::chrono::steady_clock::now();
};

// One register, or one element of an array, as peek() shows it.
struct RegisterState {
  std::uint64_t value = 0;
  // The last transaction that wrote it, or at which the device changed it; 0: none. In a recording
  // the last one that told of it.
  std::uint64_t changed_seq = 0;
  Origin changed_by = Origin::Driver;
  // In a recording: the bits that it has told of so far. The others are taken from the register
  // map's reset value, and are no fact of the recording. All ones on a link that lives.
  std::uint64_t recorded = ~0ull;
};

struct BarState {
  std::uint8_t index = 0;
  std::uint64_t size = 0;     // bytes; 0: not there
  std::uint64_t address = 0;  // 0 while unassigned
  bool is_64bit = false, prefetchable = false;
};

struct FunctionState {
  std::string instance;  // "edu0"
  std::string device;    // "edu"
  std::string bdf;
  bool plugged = true;                                   // false after a surprise removal
  std::shared_ptr<const std::vector<std::byte>> config;  // 4096 bytes
  std::vector<BarState> bars;
  // For each BAR with a map, parallel to the map's registers with arrays laid out flat.
  struct Bank {
    std::int8_t bar;
    std::vector<RegisterState> registers;
  };
  std::vector<Bank> banks;
};

struct Snapshot {
  std::uint64_t version = 0;  // grows with every change
  RunState state = RunState::Running;
  bool gone = false;  // the link is no more: `driver` says why, and the trace is what is left
  std::optional<Stop> stop;
  std::uint64_t seq = 0;        // last transaction numbered
  std::uint64_t now_ns = 0;     // its time
  std::uint64_t in_flight = 0;  // sent by the host, not yet delivered
  std::string host;             // "sim", "kmod"; "trace" for a recording
  std::string trace;            // path of the trace, empty if none is kept
  std::string driver;           // one line: what the driver last said, or how it ended
  Binding binding = Binding::NotKnown;
  std::string binding_text;  // once it is known: which driver has which function, or why none
  // What the kernel that runs the driver has complained about, oldest first: oopses, warnings,
  // stalls. The first kMostComplaints of them.
  std::vector<std::string> complaints;
  static constexpr std::size_t kMostComplaints = 32;
  std::vector<FunctionState> functions;
  std::vector<BreakpointState> breakpoints;
  std::vector<FaultState> faults;
  std::shared_ptr<const Names> names;  // never null
};

// Whether it shows a trace file (trace_target.hpp) and not a link that lives.
inline bool is_recording(const Snapshot& s) {
  return s.host == "trace";
}

// Whether the driver's own timeouts, and the kernel's, go on while it is held: a driver that is
// code of this process knows no clock but the link's.
inline bool time_goes_on(const Snapshot& s) {
  return s.host == "kmod";
}

// Rows of the trace. `direction` Backward gives the rows before `from`, still in ascending order.
struct TraceRequest {
  std::uint64_t from = 0;  // a seq; 0 with Backward: from the end
  std::uint32_t limit = 100;
  enum class Direction : std::uint8_t { Forward, Backward } direction = Direction::Forward;
  std::string filter;  // an expression; empty: all
  // Answer after about so many transactions looked at, with TracePage::partial; asked again it goes
  // on from there. 0: as many as it takes.
  std::uint64_t budget = 0;
};

// What a stop or a fault rule changed of a transaction; a write has no answer.
struct Edit {
  std::uint64_t sent = 0, delivered = 0;     // by the requester, to the completer
  std::uint64_t answered = 0, returned = 0;  // by the completer, to the requester
  std::uint32_t rule = 0;                    // number of the fault rule; 0: by hand
};

struct TraceRow {
  Transaction transaction;  // payload not set
  std::optional<Edit> edit;
  std::uint32_t payload_bytes = 0;
  std::string text;     // of a control, note or gap row
  std::string finding;  // what the trace says is wrong with it; of a refused DMA, why
  std::string thread;   // the name of the driver's, if known
};

struct TracePage {
  std::vector<TraceRow> rows;
  std::uint64_t last_seq = 0;   // the newest in the trace
  bool more = false;            // there are further matches in this direction
  bool partial = false;         // the budget ran out before there was an answer
  std::uint64_t looked_at = 0;  // how far it is then, as a transaction's number
};

// Where the driver stands: what a stop shows of the code.
struct CodeView {
  struct Frame {
    std::string symbol;  // "edu_probe+0x1c" , with the module where there is one
    std::string file;    // empty without debug information
    std::uint32_t line = 0;
  };
  struct Instruction {
    std::string address;  // "edu_probe+0x1c", never a raw kernel address
    std::string bytes;    // hex
    std::string text;     // "mov eax, dword ptr [rdx + 8]"
    bool accessing = false;
  };
  struct SourceLine {
    std::uint32_t line = 0;
    std::string text;
    bool accessing = false;
  };
  // The transaction at which the driver stood there: the one that was asked for, or the driver's
  // access that it follows from. 0: nobody told.
  std::uint64_t of = 0;
  std::vector<Frame> stack;               // innermost first
  std::vector<Instruction> instructions;  // around the accessing one
  std::string source_file;                // as the debug information names it
  std::vector<SourceLine> source;         // around the accessing line; empty without the file
};

// Host memory that a function may reach.
struct DmaMapping {
  std::uint8_t function = 0;
  std::uint64_t iova = 0, size = 0;  // bytes
  DmaDirection direction = DmaDirection::Bidirectional;
  std::uint64_t seq = 0, t_ns = 0;  // of the transaction that mapped it
  std::string by;                   // the driver's function; empty where it is not known
};

// Commands of a device's protocol, as its decoder tells them from the trace.
struct CommandRequest {
  std::uint8_t function = 0;
  std::uint64_t from = 0;  // a command's number; 0: the newest ones
  std::uint32_t limit = 100;
  std::uint64_t seq = 0;  // not 0: around the command that this transaction belongs to
};
struct CommandPage {
  bool protocol = false;                  // the device has a decoder
  std::vector<ProtocolCommand> commands;  // ascending
  std::uint64_t first = 0, last = 0;      // numbers that there are; 0: none
  std::uint64_t found = 0;                // the command of CommandRequest::seq; 0: none
  std::uint64_t looked_at = 0, of = 0;    // transactions; as in MatchCount
};

// How often an expression matched in the trace so far.
struct MatchCount {
  std::uint64_t matches = 0;
  std::uint64_t looked_at = 0, of = 0;  // transactions; equal: the count is complete
};

struct Place {
  std::uint8_t function = 0;
  std::int8_t bar = 0;       // 0..5 or kBarConfig
  std::uint64_t offset = 0;  // bytes
  std::uint32_t size = 4;    // bytes: 1, 2, 4, 8
};

class Target {
 public:
  virtual ~Target() = default;

  // The newest state; cheap, never null, never blocks.
  virtual std::shared_ptr<const Snapshot> snapshot() const = 0;
  // Called, on any thread, when there is a newer snapshot (at most some 60 times a second while
  // running; at once for a stop). One listener; replaces the earlier one.
  virtual void on_change(std::function<void()> listener) = 0;

  virtual void pause(Done<void> done) = 0;
  virtual void resume(Done<void> done) = 0;
  virtual void step(Step step, Done<void> done) = 0;
  // Changes the held transaction: what the function will see (Before) or the driver will get.
  virtual void edit(std::uint64_t value, Done<void> done) = 0;

  virtual void add_breakpoint(Breakpoint breakpoint, Done<std::uint32_t> number) = 0;
  virtual void enable_breakpoint(std::uint32_t number, bool enabled, Done<void> done) = 0;
  virtual void remove_breakpoint(std::uint32_t number, Done<void> done) = 0;
  virtual void add_fault(Fault fault, Done<std::uint32_t> number) = 0;
  virtual void enable_fault(std::uint32_t number, bool enabled, Done<void> done) = 0;
  virtual void remove_fault(std::uint32_t number, Done<void> done) = 0;

  // Transactions made by hand (origin poke), also during a stop.
  virtual void poke_read(Place place, Done<std::uint64_t> value) = 0;
  virtual void poke_write(Place place, std::uint64_t value, Done<void> done) = 0;
  // Stored state set past the access rules.
  virtual void force(Place place, std::uint64_t value, Done<void> done) = 0;
  virtual void reset_function(std::uint8_t function, ResetKind kind, Done<void> done) = 0;
  // Begins again: fresh functions, the driver from its first line, held at its first access.
  virtual void restart(Done<void> done) = 0;

  // Moves a recording to the moment just after this transaction. A live target cannot go back.
  virtual void go_to(std::uint64_t seq, Done<void> done) {
    static_cast<void>(seq);
    done(fail("only a recording can be moved to another moment; this target is live"));
  }

  virtual void trace_page(TraceRequest request, Done<TracePage> page) = 0;
  virtual void trace_payload(std::uint64_t seq, Done<std::vector<std::byte>> bytes) = 0;
  // Stack and disassembly of the driver at this transaction, as far as they were recorded; of what
  // a function did, those of the driver's access that made it do so.
  virtual void code_at(std::uint64_t seq, Done<CodeView> view) = 0;
  // Looks at a stretch of the trace and answers with what it has so far; goes on from there when
  // asked again. Nobody waits for long, and not asking again is all it takes to cancel.
  virtual void count_matches(std::string expression, Done<MatchCount> count) = 0;
  // Decodes a further stretch of the trace, then answers with what it has; as count_matches.
  virtual void commands(CommandRequest request, Done<CommandPage> page) = 0;

  // The newest lines, oldest first, of what the kernel that runs the driver says; `most` of them.
  virtual void kernel_log(std::uint32_t most, Done<std::vector<std::string>> lines) {
    static_cast<void>(most);
    lines(fail("there is no kernel's log here; a guest of \"pcilens vm\" has one"));
  }

  // What drivers have mapped for their functions, by function and IOVA: now, in a recording where
  // it stands.
  virtual void dma_mappings(Done<std::vector<DmaMapping>> mappings) = 0;
  // Bytes of mapped memory as they are now: no transaction, no side effect, whatever the mapping's
  // direction. `size` up to kMostDmaLook; less comes back where the mapping ends.
  virtual void dma_look(std::uint8_t function, std::uint64_t iova, std::uint32_t size,
                        Done<std::vector<std::byte>> bytes) = 0;
  static constexpr std::uint32_t kMostDmaLook = 1u << 20;
};

// Calls and waits: for the console and scripts, never for a window's thread.
//   ask<std::uint64_t>([&](auto done) { target.poke_read(place, done); })
template <typename T, typename Call>
Result<T> ask(Call&& call) {
  auto promise = std::make_shared<std::promise<Result<T>>>();
  auto future = promise->get_future();
  call(Done<T>([promise](Result<T> r) { promise->set_value(std::move(r)); }));
  return future.get();
}

}  // namespace pcilens
