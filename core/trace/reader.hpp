// Reads a trace: ours while it grows, or somebody else's, whose file is not trusted.
//
// Not thread-safe: one reader a thread. No call holds a transaction for longer than it takes to
// fetch some thousand rows, so that the writer's log can be folded back into the file.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <initializer_list>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/link/dma_mappings.hpp"
#include "core/link/expression.hpp"
#include "core/link/names.hpp"
#include "core/link/transaction.hpp"
#include "core/registers/owned_map.hpp"
#include "core/result.hpp"

namespace pcilens {

// A function as the trace describes it.
struct TraceFunction {
  std::uint8_t id = 0;  // Transaction::function
  std::string instance, device, bdf;
  std::vector<std::byte> config;  // its image when it appeared; may be shorter than 4096
  struct Bar {
    std::uint8_t index = 0;
    std::uint64_t address = 0, size = 0;  // bytes
    bool is_64bit = false, prefetchable = false;
  };
  std::vector<Bar> bars;
  std::vector<std::pair<std::string, std::string>> options;  // what the device was made with
};

// What a stop or a fault rule changed of a transaction; a write has no answer.
struct TraceEdit {
  std::uint64_t seq = 0, sent = 0, delivered = 0, answered = 0, returned = 0;
  std::uint32_t rule = 0;  // number of the fault rule; 0: by hand
};

struct TraceEvent {
  Transaction t;  // payload not set
  std::optional<TraceEdit> edit;
  std::uint32_t payload_bytes = 0;
  std::string text;  // of a control or gap row
};

struct TraceSite {
  std::uint32_t id = 0;
  std::string module, build_id, symbol, file;
  std::uint64_t displacement = 0;  // bytes from the symbol
  std::vector<std::byte> code;     // around the instruction
  std::uint32_t line = 0;
};

struct TraceText {
  std::uint64_t seq = 0;
  std::string rule;  // of a finding
  std::string text;
};

struct TraceWindow {
  std::uint64_t from = 0;     // a seq; 0 with `backward`: from the end
  std::uint32_t limit = 100;  // rows
  bool backward = false;      // the rows before `from`, still in ascending order
  const Expression* filter = nullptr;
  // With a filter: give up after about so many events looked at; the same question asked again goes
  // on from there. 0: look at all that it takes.
  std::uint64_t budget = 0;
};

// A register's value as far as the trace tells: written, read, changed by the device or by force.
struct TraceRegister {
  RegisterRef ref;
  std::uint8_t function = 0;
  std::int8_t bar = 0;
  std::uint64_t value = 0;        // the reset value where nothing is known
  std::uint64_t changed_seq = 0;  // the last event that told of it; 0: none
  // The bits that events told of; the others are reset values. Reserved ones go with the rest.
  std::uint64_t recorded = 0;
};

class TraceReader {
 public:
  // Refuses, with one sentence: what is no SQLite file, no trace, of a newer version, truncated.
  static Result<std::unique_ptr<TraceReader>> open(const std::string& path);
  ~TraceReader();
  TraceReader(const TraceReader&) = delete;
  TraceReader& operator=(const TraceReader&) = delete;

  const std::string& path() const;
  std::optional<std::string> meta(std::string_view name);
  std::vector<std::pair<std::string, std::string>> all_meta();

  // Described anew when the trace has grown: names() of a live trace may change.
  const std::vector<TraceFunction>& functions();
  std::shared_ptr<const Names> names();

  // From now on that BAR of the function has these registers, whatever the trace says. `map` is
  // kept.
  void put_registers(std::uint8_t function, std::shared_ptr<const OwnedRegisterMap> map);

  std::uint64_t last_seq();  // 0: empty
  std::uint64_t count();     // events

  Result<std::optional<TraceEvent>> event(std::uint64_t seq);
  struct Page {
    std::vector<TraceEvent> events;
    bool more = false;            // there are further matches in this direction
    bool partial = false;         // the budget ran out: no events yet, ask again
    std::uint64_t looked_at = 0;  // how far, where partial: a seq
  };
  // A filter sees each event after its completion, with everything before it as its past.
  Result<Page> window(const TraceWindow& window);
  Result<std::vector<std::byte>> payload(std::uint64_t seq);
  Result<std::vector<TraceEdit>> edits(std::uint64_t from = 0, std::uint64_t to = ~0ull >> 1);
  // The newest edit's number, from 1; 0: there is none. What was edited since one of them tells
  // whether a transaction before `before` is not any more as it was read then.
  std::uint64_t last_edit();
  bool edited_since(std::uint64_t edit, std::uint64_t before);
  Result<std::vector<TraceText>> notes(std::uint64_t from = 0, std::uint64_t to = ~0ull >> 1);
  Result<std::vector<TraceText>> findings(std::uint64_t from = 0, std::uint64_t to = ~0ull >> 1);
  Result<std::optional<TraceSite>> site(std::uint32_t id);
  Result<std::vector<TraceSite>> stack(std::uint64_t seq);  // innermost first
  // What was done to the link itself (control rows of these kinds), in order.
  Result<std::vector<TraceEvent>> controls(std::initializer_list<Control> kinds);
  // Just after event `seq`.
  Result<std::vector<TraceRegister>> registers_at(std::uint64_t seq);

  // What drivers had mapped for their functions, just after event `seq`.
  Result<DmaMappings> mappings_at(std::uint64_t seq);

  // Every event from `from` to `to` in order, with its payload (valid during the call), until
  // `each` gives false.
  Result<void> for_each(std::uint64_t from, std::uint64_t to,
                        const std::function<bool(const Transaction&)>& each);

 private:
  struct State;
  explicit TraceReader(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace pcilens
