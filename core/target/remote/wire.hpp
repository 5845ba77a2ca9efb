// Between the structures of the Target API and their form on the wire. What comes from the wire is
// not trusted: numbers of enums are checked, sizes are compared with what they must be.
#pragma once

#include <memory>
#include <string>

#include "core/result.hpp"
#include "core/target/target.hpp"
#include "target.capnp.h"

namespace pcilens::remote {

inline kj::StringPtr text(const std::string& s) {
  return {s.c_str(), s.size()};
}
inline std::string string(capnp::Text::Reader t) {
  return {t.cStr(), t.size()};
}

// The enum with this number, or an Error.
template <typename Enum>
Result<Enum> checked(std::uint8_t number, Enum last) {
  if (number > static_cast<std::uint8_t>(last))
    return fail(
        "the other side sent a value that this pcilens does not know; use the same version "
        "of pcilens on both");
  return static_cast<Enum>(number);
}

void write(rpc::Transaction::Builder to, const Transaction& t);
Result<Transaction> read(rpc::Transaction::Reader from);
void write(rpc::Place::Builder to, const Place& place);
Result<Place> read(rpc::Place::Reader from);
void write(rpc::Breakpoint::Builder to, const Breakpoint& breakpoint);
Result<Breakpoint> read(rpc::Breakpoint::Reader from);
void write(rpc::Fault::Builder to, const Fault& fault);
Result<Fault> read(rpc::Fault::Reader from);
void write(rpc::TracePage::Builder to, const TracePage& page);
Result<TracePage> read(rpc::TracePage::Reader from);
void write(rpc::CodeView::Builder to, const CodeView& view);
Result<CodeView> read(rpc::CodeView::Reader from);
void write(rpc::CommandPage::Builder to, const CommandPage& page);
Result<CommandPage> read(rpc::CommandPage::Reader from);
void write(capnp::List<rpc::DmaMapping>::Builder to, const std::vector<DmaMapping>& mappings);
Result<std::vector<DmaMapping>> read(capnp::List<rpc::DmaMapping>::Reader from);

// A snapshot for somebody who has `before` (null: nothing yet): what is big and unchanged is left
// out, and taken from there again.
void write(rpc::Snapshot::Builder to, const Snapshot& now, const Snapshot* before);
Result<std::shared_ptr<const Snapshot>> read(rpc::Snapshot::Reader from, const Snapshot& before);

}  // namespace pcilens::remote
