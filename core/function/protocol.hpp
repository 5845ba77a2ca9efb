// A protocol on top of registers, DMA and interrupts: a device that has one says how its
// transactions belong together, and every screen can show commands in place of rows.
//
// A decoder is a pure reader: it is given the transactions of one function in their order, live or
// from a file, and tells which commands they make. It never sees the model.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "core/link/transaction.hpp"

namespace pcilens {

struct ProtocolField {
  std::string name;   // as the specification spells it
  std::string value;  // decoded
};

// One transaction that belongs to a command.
struct ProtocolStep {
  std::uint64_t seq = 0;
  std::string what;  // "doorbell", "fetch", "PRP list", "data", "completion", "interrupt"
};

struct ProtocolCommand {
  enum class State : std::uint8_t {
    Outstanding,
    Succeeded,
    Failed,   // completed with an error
    Lost,     // a reset took it away
    Unknown,  // its transactions are only partly recorded
  };
  std::uint64_t number = 0;  // of this function, from 1, in the order in which they were submitted
  State state = State::Outstanding;
  std::string queue;    // "SQ 1"
  std::string name;     // "READ"
  std::string summary;  // "nsid 1 lba 0x10, 8 blocks, cid 5"
  std::string status;   // "success", "LBA out of range (0/80)"; empty while outstanding
  std::uint64_t submitted_ns = 0, completed_ns = 0;  // as Transaction::t_ns; 0: not yet
  std::vector<ProtocolField> fields;                 // of the submission and the completion
  std::vector<ProtocolStep> steps;                   // in the order of their numbers

  std::uint64_t first_seq() const { return steps.empty() ? 0 : steps.front().seq; }
  std::uint64_t last_seq() const { return steps.empty() ? 0 : steps.back().seq; }
};

class ProtocolDecoder {
 public:
  virtual ~ProtocolDecoder() = default;
  // Every transaction of one function, by ascending seq, completed and with its payload.
  virtual void look(const Transaction& t) = 0;
  // Commands are numbered from 1; the oldest are forgotten when there are very many.
  virtual std::uint64_t first_number() const = 0;  // the oldest that is kept
  virtual std::uint64_t last_number() const = 0;   // 0: there was none
  // Null for a number that is not kept. Good until the next look().
  virtual const ProtocolCommand* command(std::uint64_t number) const = 0;
};

}  // namespace pcilens
