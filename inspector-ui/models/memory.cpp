#include "inspector-ui/models/memory.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "core/link/dma_mappings.hpp"
#include "inspector-ui/commands/place.hpp"
#include "inspector-ui/models/field_text.hpp"

namespace pcilens::gui {

HexRow hex_row(std::uint64_t address, std::span<const std::byte> bytes) {
  HexRow row;
  row.address = fmt::format("0x{:08x}", address);
  for (std::size_t i = 0; i < kHexRow; ++i) {
    if (i == kHexRow / 2) row.bytes += ' ';
    if (i != 0) row.bytes += ' ';
    if (i >= bytes.size()) {
      row.bytes += "  ";
      continue;
    }
    const auto value = std::to_integer<unsigned>(bytes[i]);
    row.bytes += fmt::format("{:02x}", value);
    row.text += value >= 0x20 && value < 0x7f ? static_cast<char>(value) : '.';
  }
  return row;
}

std::vector<MemberRow> member_rows(const Structure& structure, std::span<const std::byte> bytes) {
  std::vector<MemberRow> rows;
  for (const StructureField& m : structure.members) {
    if (std::size_t{m.offset} + m.width > bytes.size()) continue;
    const std::uint64_t value = load(bytes, m);
    MemberRow row{.name = std::string(m.name),
                  .offset = fmt::format("+0x{:02x}", m.offset),
                  .value = ui::hex(value, m.width),
                  .meaning = {},
                  .doc = std::string(m.doc)};
    for (const Field& f : m.fields)
      row.meaning +=
          fmt::format("{}{}={}", row.meaning.empty() ? "" : " ", f.name, field_text(f, value));
    rows.push_back(std::move(row));
  }
  return rows;
}

std::string entry_line(const Structure& structure, std::span<const std::byte> bytes) {
  std::string line;
  const auto add = [&](std::string_view name, const std::string& value) {
    line += fmt::format("{}{}={}", line.empty() ? "" : " ", name, value);
  };
  for (const StructureField& m : structure.members) {
    if (std::size_t{m.offset} + m.width > bytes.size()) continue;
    const std::uint64_t value = load(bytes, m);
    if (value == 0) continue;
    if (m.fields.empty())
      add(m.name, value < 10 ? fmt::format("{}", value) : fmt::format("0x{:x}", value));
    for (const Field& f : m.fields)
      if (f.extract(value) != 0) add(f.name, field_text(f, value));
  }
  return line.empty() ? "all 0" : line;
}

std::vector<const Structure*> structures_of(const Snapshot& snapshot, std::uint8_t function) {
  std::vector<const Structure*> all;
  if (!snapshot.names || function >= snapshot.names->functions.size()) return all;
  for (const auto& bar : snapshot.names->functions[function].bars)
    for (const Structure* s : bar->map().structures)
      if (s->size != 0) all.push_back(s);
  return all;
}

const Structure* structure_of_size(const std::vector<const Structure*>& structures,
                                   std::uint64_t size) {
  const Structure* found = nullptr;
  for (const Structure* s : structures) {
    if (s->size != size) continue;
    if (found != nullptr) return nullptr;
    found = s;
  }
  return found;
}

std::string mapped_text(const DmaMapping& m) {
  return fmt::format("Mapped {} at #{}, {}{}{}", in_words(m.direction), m.seq,
                     ui::format_time(m.t_ns), m.by.empty() ? "" : ", by ", m.by);
}

std::string size_text(std::uint64_t bytes) {
  if (bytes < 1024) return fmt::format("{} B", bytes);
  const char* const units[] = {"KiB", "MiB", "GiB", "TiB"};
  double size = static_cast<double>(bytes) / 1024;
  std::size_t unit = 0;
  for (; size >= 1024 && unit + 1 < std::size(units); ++unit) size /= 1024;
  return size == static_cast<double>(static_cast<std::uint64_t>(size))
             ? fmt::format("{:.0f} {}", size, units[unit])
             : fmt::format("{:.1f} {}", size, units[unit]);
}

}  // namespace pcilens::gui
