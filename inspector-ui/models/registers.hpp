// What the Registers panel shows, made from a snapshot: rows of a tree, ready to print.
#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "core/target/target.hpp"

namespace pcilens::gui {

// Since when a register counts as changed: since the stop before this one, so that a step shows
// what the step did.
class ChangeMark {
 public:
  // Call with each new snapshot.
  void update(const Snapshot& snapshot);
  // Transactions from this number on are "since the last stop".
  std::uint64_t since() const { return since_; }

 private:
  std::uint64_t since_ = 1;  // what is highlighted now
  std::uint64_t next_ = 1;   // from where the next stop highlights
  std::uint64_t held_at_ = 0;
  bool held_ = false;
};

struct RegisterRow {
  enum class Kind : std::uint8_t { Function, Register, Array, Field, Region };
  Kind kind = Kind::Register;
  int depth = 0;
  std::string id;       // "STATUS", "STATUS.IRQ"; with several functions "edu0:STATUS"
  std::string name;     // as the row shows it
  std::string where;    // "0x020"; of a field its bits "31:8"
  std::string value;    // hex; of a field also its enum name
  std::string meaning;  // the fields of a register in one line; the enum value's doc of a field
  std::string access;   // "RO"
  bool expandable = false, expanded = false;
  // Of a recording: "reset" where it has told nothing of it and the value is what the register map
  // declares, "partly" where that is so of some bits; empty where the value is a fact.
  std::string_view assumed;
  bool changed = false;  // written or changed since the mark
  std::uint64_t changed_seq = 0;
  Origin changed_by = Origin::Driver;
  std::uint8_t function = 0;
  std::int8_t bar = 0;
  RegisterRef ref{};             // of Register and Field rows
  const Field* field = nullptr;  // of Field rows; lives as long as the snapshot's names
  std::uint64_t raw = 0;         // the register's whole value
};

struct RegisterQuery {
  std::string search;                           // in names, docs and offsets, case ignored
  const std::set<std::string>* open = nullptr;  // ids that are expanded
  std::uint64_t changed_since = 1;
};

std::vector<RegisterRow> register_rows(const Snapshot& snapshot, const RegisterQuery& query);

// The id of the row that shows what this transaction touches; empty where there is no register.
std::string register_row_id(const Snapshot& snapshot, const Transaction& t);

// The value to write so that only `field` changes: what the driver would write. Bits beside it that
// act when 1 is written (W1C, RW1S) are 0.
std::uint64_t value_for_poke(const Register& r, std::uint64_t now, const Field& field,
                             std::uint64_t value);

// "read-only", "write 1 to clear": an access type in words.
std::string_view in_words(Access access);

}  // namespace pcilens::gui
