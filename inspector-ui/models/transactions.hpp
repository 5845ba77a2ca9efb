// One transaction as lists and panels write it.
#pragma once

#include <string>
#include <string_view>

#include "core/target/target.hpp"

namespace pcilens::gui {

// The groups that share a colour.
enum class KindGroup : std::uint8_t { Config, Read, Write, Dma, Interrupt, Note };
KindGroup group_of(Kind kind);

struct TransactionText {
  std::string seq;      // "1042"
  std::string time;     // seconds, six digits: "0.001234"
  std::string kind;     // "write", "config read"
  std::string place;    // "STATUS"
  std::string value;    // hex; empty where there is none, "…" while pending
  std::string meaning;  // decoded fields, or the text of a note
  std::string who;      // "driver", "function", "poke"
  std::string flag;     // "edited", "UR", "passed stop": what is out of the ordinary
  bool bad = false;     // the flag is a failure
};
TransactionText text_of(const Snapshot& snapshot, const TraceRow& row);

// Expressions for the row's menu: "write STATUS" and "STATUS", "config write COMMAND" and "config
// COMMAND". Empty where none would say it.
std::string expression_for_kind_and_place(const Snapshot& snapshot, const Transaction& t);
std::string expression_for_place(const Snapshot& snapshot, const Transaction& t);

}  // namespace pcilens::gui
