// One transaction with everything that is known of it: what the Detail panel shows.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "core/pci/tlp.hpp"
#include "core/target/target.hpp"

namespace pcilens::gui {

struct DetailField {
  std::string name, bits, value, doc;
};

struct DetailModel {
  std::string headline;  // "write DMA_CMD"
  std::string outcome;   // "Delivered to edu0", "edu0 answered after 0.3 µs", "Refused: ..."
  bool bad = false;      // the outcome is a failure
  std::string value;     // hex; empty where there is none
  std::string finding;   // what the trace says is wrong with it, where the outcome does not
  std::vector<std::string> edits;  // "The driver sent 0x0a; 0x05 was delivered (fault rule 1)"
  std::vector<DetailField> fields;
  struct Fact {
    std::string label, text;
  };
  std::vector<Fact> facts;  // where, who, when, took
  TlpExchange tlp;
  std::string spec;  // of the register: "NVMe 1.4, 3.1.5"
};
// `later`: rows of the trace from there on; they tell how long it was held.
DetailModel detail_model(const Snapshot& snapshot, const TraceRow& row,
                         std::span<const TraceRow> later = {});

// Both ends of the link as the function's config space sets them up.
TlpEnds tlp_ends(const Snapshot& snapshot, const Transaction& t);

// The transactions among `rows` that were caused by `seq`, in their order.
std::vector<TraceRow> effects_of(std::uint64_t seq, const std::vector<TraceRow>& rows);
// "state STATUS 0x81": one line for a link to another transaction.
std::string line_of(const Snapshot& snapshot, const TraceRow& row);

}  // namespace pcilens::gui
