#include "core/pci/tlp.hpp"

#include <algorithm>
#include <bit>
#include <charconv>
#include <cstdio>

namespace pcilens {
namespace {

// Fmt and Type, Table 2-3.
enum Fmt : std::uint32_t { k3Words = 0, k4Words = 1, k3WordsData = 2, k4WordsData = 3 };
constexpr std::uint32_t kMemory = 0b00000, kConfig0 = 0b00100, kCompletion = 0b01010,
                        kMessageLocal = 0b10100;  // 2.2.8: local, terminate at the receiver

std::string hex(std::uint64_t value, int digits = 0) {
  char text[24];
  std::snprintf(text, sizeof text, "0x%0*llx", digits, static_cast<unsigned long long>(value));
  return text;
}
std::string bits(std::uint32_t value, int count) {
  std::string text = "0b";
  for (int i = count - 1; i >= 0; --i) text += (value >> i & 1) != 0 ? '1' : '0';
  return text;
}

// The stretch of whole dwords that a transfer covers, 2.2.5.
struct Dwords {
  std::uint32_t count = 1;  // Length
  std::uint32_t first = 0xf, last = 0;
  std::uint64_t address = 0;  // of the first dword

  Dwords(std::uint64_t begin, std::uint32_t size) : address(begin & ~3ull) {
    const std::uint64_t end = begin + std::max(size, 1u);
    count = static_cast<std::uint32_t>((end + 3) / 4 - address / 4);
    const std::uint32_t from = begin & 3, rest = end & 3;
    first = 0xf << from & 0xf;
    const std::uint32_t tail = rest == 0 ? 0xf : (1u << rest) - 1;
    if (count == 1)
      first &= tail;
    else
      last = tail;
  }
};

void begin(Tlp& tlp, std::uint32_t fmt, std::uint32_t type, std::uint32_t length) {
  tlp.count = (fmt & 1) != 0 ? 4 : 3;
  tlp.words[0] = fmt << 29 | type << 24 | (length & 0x3ff);  // 1024 dwords are written as 0
  tlp.fields.push_back({"Fmt", bits(fmt, 3)});
  tlp.fields.push_back({"Type", bits(type, 5)});
  tlp.fields.push_back({"Length", std::to_string(length) + (length == 1 ? " dword" : " dwords")});
}

void requester(Tlp& tlp, std::uint16_t id, std::uint32_t low) {
  tlp.words[1] = std::uint32_t{id} << 16 | low;
  tlp.fields.push_back({"Requester ID", routing_id_text(id)});
  tlp.fields.push_back({"Tag", "not recorded"});
}

void byte_enables(Tlp& tlp, const Dwords& d) {
  tlp.words[1] |= d.last << 4 | d.first;
  tlp.fields.push_back({"Last DW BE", bits(d.last, 4)});
  tlp.fields.push_back({"First DW BE", bits(d.first, 4)});
}

// 2.2.7: an address below 4 GiB has the short form.
Tlp memory_request(bool write, std::uint16_t from, const Dwords& d) {
  Tlp tlp;
  const bool wide = d.address >> 32 != 0;
  tlp.name = write ? "MWr" : "MRd";
  tlp.meaning = std::string(write ? "Memory Write Request" : "Memory Read Request") +
                (wide ? ", 64-bit address" : ", 32-bit address");
  begin(tlp, (write ? k3WordsData : k3Words) | (wide ? 1 : 0), kMemory, d.count);
  requester(tlp, from, 0);
  byte_enables(tlp, d);
  if (wide) tlp.words[2] = static_cast<std::uint32_t>(d.address >> 32);
  tlp.words[wide ? 3 : 2] = static_cast<std::uint32_t>(d.address);
  tlp.fields.push_back({"Address", hex(d.address, wide ? 16 : 8)});
  return tlp;
}

// 2.2.7.1, figure 2-19.
Tlp config_request(const Transaction& t, const TlpEnds& ends) {
  Tlp tlp;
  const bool write = t.kind == Kind::CfgWrite;
  tlp.name = write ? "CfgWr0" : "CfgRd0";
  tlp.meaning = write ? "Configuration Write Type 0" : "Configuration Read Type 0";
  const Dwords d(t.offset, t.size);
  begin(tlp, write ? k3WordsData : k3Words, kConfig0, 1);
  requester(tlp, ends.root, 0);
  byte_enables(tlp, d);
  tlp.words[2] =
      std::uint32_t{ends.function} << 16 | (static_cast<std::uint32_t>(t.offset) & 0xffc);
  tlp.fields.push_back({"Completer", routing_id_text(ends.function)});
  tlp.fields.push_back({"Ext Register Number", hex(t.offset >> 8 & 0xf)});
  tlp.fields.push_back({"Register Number", hex(t.offset >> 2 & 0x3f)});
  return tlp;
}

// 2.2.8.1: INTx is a pair of messages, 4 words without data.
Tlp intx_message(const Transaction& t, const TlpEnds& ends) {
  Tlp tlp;
  const bool on = t.value != 0;
  tlp.name = on ? "Assert_INTA" : "Deassert_INTA";
  tlp.meaning = "Message: the level of a pin";
  begin(tlp, k4Words, kMessageLocal, 0);
  requester(tlp, ends.function, on ? 0x20 : 0x24);
  tlp.fields.push_back({"Message Code", on ? "0x20" : "0x24"});
  return tlp;
}

// 6.1.4: an MSI is a memory write of one dword.
Tlp msi_write(const TlpEnds& ends) {
  Tlp tlp = memory_request(true, ends.function, Dwords(ends.msi->address, 4));
  tlp.meaning += ": the message of an MSI";
  tlp.fields.push_back({"Data", hex(ends.msi->data, 8)});
  return tlp;
}

// 2.2.9.
Tlp completion(const Transaction& t, std::uint16_t completer, std::uint16_t to, const Dwords& d,
               bool data, std::uint32_t bytes, std::uint32_t lower) {
  Tlp tlp;
  tlp.name = data ? "CplD" : "Cpl";
  tlp.meaning = data ? "Completion with Data" : "Completion without Data";
  begin(tlp, data ? k3WordsData : k3Words, kCompletion, data ? d.count : 0);
  const auto status = static_cast<std::uint32_t>(t.status) & 7;
  tlp.words[1] = std::uint32_t{completer} << 16 | status << 13 | (bytes & 0xfff);
  tlp.words[2] = std::uint32_t{to} << 16 | lower;
  tlp.fields.push_back({"Completer ID", routing_id_text(completer)});
  tlp.fields.push_back(
      {"Completion Status", bits(status, 3) + " " + std::string(name_of(t.status))});
  tlp.fields.push_back({"Byte Count", std::to_string(bytes)});
  tlp.fields.push_back({"Requester ID", routing_id_text(to)});
  tlp.fields.push_back({"Tag", "not recorded"});
  tlp.fields.push_back({"Lower Address", hex(lower, 2)});
  return tlp;
}

// How many requests a transfer takes: none is larger than allowed or crosses a 4 KiB boundary
// (2.2.7). `first`: bytes of the first one.
std::uint64_t split(std::uint64_t begin, std::uint64_t size, std::uint64_t most,
                    std::uint32_t& first) {
  constexpr std::uint64_t kBoundary = 4096;
  std::uint64_t count = 0;
  for (std::uint64_t at = begin, left = size; left > 0; ++count) {
    const std::uint64_t now = std::min({left, most, kBoundary - at % kBoundary});
    if (count == 0) first = static_cast<std::uint32_t>(now);
    // What follows whole pages: as many requests each.
    if (at % kBoundary == 0 && left >= kBoundary) {
      const std::uint64_t pages = left / kBoundary;
      count += pages * ((kBoundary + most - 1) / most) - 1;
      at += pages * kBoundary;
      left -= pages * kBoundary;
      continue;
    }
    at += now;
    left -= now;
  }
  return std::max<std::uint64_t>(count, 1);
}

std::string no_packet(const Transaction& t) {
  switch (t.kind) {
    case Kind::DmaMap:
    case Kind::DmaUnmap: return "A mapping is the host's own affair: nothing crosses the link.";
    case Kind::Reset: return "A reset is no packet of its own.";
    case Kind::Timer:
    case Kind::Input:
    case Kind::State: return "This happened inside the device: nothing crossed the link.";
    case Kind::Force: return "A force goes past the link: nothing crossed it.";
    default: return "This is a note about the link, not a packet on it.";
  }
}

}  // namespace

std::string routing_id_text(std::uint16_t id) {
  char text[16];
  std::snprintf(text, sizeof text, "%02x:%02x.%x", id >> 8, id >> 3 & 31, id & 7);
  return text;
}

std::optional<std::uint16_t> routing_id(std::string_view bdf) {
  unsigned parts[3] = {};
  if (std::count(bdf.begin(), bdf.end(), ':') == 2) bdf.remove_prefix(bdf.find(':') + 1);
  const char marks[] = {':', '.', '\0'};
  const unsigned most[] = {255, 31, 7};
  for (int i = 0; i < 3; ++i) {
    const auto [end, error] = std::from_chars(bdf.data(), bdf.data() + bdf.size(), parts[i], 16);
    if (error != std::errc() || parts[i] > most[i]) return std::nullopt;
    bdf.remove_prefix(static_cast<std::size_t>(end - bdf.data()));
    if (marks[i] == '\0') break;
    if (bdf.empty() || bdf[0] != marks[i]) return std::nullopt;
    bdf.remove_prefix(1);
  }
  if (!bdf.empty()) return std::nullopt;
  return static_cast<std::uint16_t>(parts[0] << 8 | parts[1] << 3 | parts[2]);
}

TlpExchange tlp_exchange(const Transaction& t, const TlpEnds& ends) {
  TlpExchange out;
  if (t.kind == Kind::Irq) {
    if (t.offset >= 0x10000)
      out.packets.push_back(intx_message(t, ends));
    else if (ends.msi)
      out.packets.push_back(msi_write(ends));
    else
      out.note =
          "MSI and MSI-X are a memory write of one dword to the address that the driver put " +
          (ends.msix_entry.empty() ? std::string("into the vector's entry")
                                   : "into " + ends.msix_entry + ", the vector's entry") +
          "; the trace keeps the vector.";
    return out;
  }
  if (is_config(t.kind)) {
    out.packets.push_back(config_request(t, ends));
    if (t.status == Status::Pending || t.status == Status::Timeout) return out;
    // 2.2.9: 4 bytes and a lower address of 0 for all but memory reads.
    out.packets.push_back(completion(t, ends.function, ends.root, Dwords(0, 4),
                                     t.kind == Kind::CfgRead && t.status == Status::SC, 4, 0));
    return out;
  }
  if (!is_memory(t.kind) && !is_dma(t.kind)) {
    out.note = no_packet(t);
    return out;
  }
  const bool dma = is_dma(t.kind), write = t.kind == Kind::MemWrite || t.kind == Kind::DmaWrite;
  const std::uint16_t from = dma ? ends.function : ends.root;
  const std::uint64_t address = dma ? t.offset : ends.bar_address + t.offset;
  std::uint32_t first = std::max(t.size, 1u);
  out.requests = split(address, first, write ? ends.max_payload : ends.max_read_request, first);
  const Dwords d(address, first);
  out.packets.push_back(memory_request(write, from, d));
  if (write || t.status == Status::Pending || t.status == Status::Timeout) return out;
  // 2.2.9.1: the bytes from the first enabled to the last, and where the first one lies. The
  // first completion of several: as much as fits.
  const auto lower = static_cast<std::uint32_t>(address & 0x7f);
  const bool data = t.status == Status::SC;
  const Dwords back(address, std::min(first, ends.max_payload));
  out.packets.push_back(completion(t, dma ? ends.root : ends.function, from, back, data,
                                   data ? first : 4, data ? lower : 0));
  return out;
}

}  // namespace pcilens
