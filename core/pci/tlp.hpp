// The headers of the TLPs that carry a transaction on a PCIe link, as PCIe 5.0, 2.2 lays them out.
// A trace keeps what the packets mean, not the packets: they are reconstructed, and what nobody
// recorded (the tag, the traffic class, the attributes) is 0.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/link/transaction.hpp"

namespace pcilens {

struct TlpField {
  std::string name;   // as the specification spells it: "First DW BE"
  std::string value;  // "0b1111", "00:01.0", "0xfebf1000"
};

struct Tlp {
  std::string name;                      // Table 2-3: "MRd", "CfgWr0", "CplD"
  std::string meaning;                   // "Memory Read Request, 32-bit address"
  std::array<std::uint32_t, 4> words{};  // byte 0 of the header is the most significant of word 0
  unsigned count = 3;                    // words: 3 or 4
  std::vector<TlpField> fields;
};

// What the two sides are called on the link, and how it is set up.
struct TlpEnds {
  std::uint16_t root = 0;         // requester ID of the driver's side: bus << 8 | device << 3 | fn
  std::uint16_t function = 0;     // ID of the function
  std::uint64_t bar_address = 0;  // where the BAR of a memory access begins
  // An interrupt's vector as the driver set it up: with MSI (7.7.1) its address and data, with
  // MSI-X (7.7.2) where its table entry lies, "BAR0+0x2010". Both empty: not known.
  struct Message {
    std::uint64_t address;
    std::uint32_t data;
  };
  std::optional<Message> msi = {};
  std::string msix_entry = {};
  // Device Control (7.5.3.4), bytes: how large a packet's data, a read's request may be.
  std::uint32_t max_payload = 128, max_read_request = 512;
};

// "00:01.0" with or without a domain before it; nothing for another text.
std::optional<std::uint16_t> routing_id(std::string_view bdf);
std::string routing_id_text(std::uint16_t id);

struct TlpExchange {
  std::vector<Tlp> packets;  // the request, and its completion where it has one
  // More of the same kind follow for the rest of a large transfer: how many in all.
  std::uint64_t requests = 1;
  std::string note;  // what a reader should know: "INTx is a message ..."; may be empty
};
// Empty `packets` for what is no packet (a mapping, a reset by hand, a note): `note` says so.
TlpExchange tlp_exchange(const Transaction& t, const TlpEnds& ends);

}  // namespace pcilens
