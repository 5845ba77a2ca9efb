#include "inspector-ui/models/config.hpp"

#include <fmt/format.h>

#include "core/link/names.hpp"
#include "inspector-ui/commands/place.hpp"

namespace pcilens::gui {
namespace {

std::uint64_t value_at(std::span<const std::byte> bytes, std::uint16_t offset, std::uint8_t width) {
  std::uint64_t value = 0;
  for (unsigned i = 0; i < width && offset + i < bytes.size(); ++i)
    value |= std::to_integer<std::uint64_t>(bytes[offset + i]) << (8 * i);
  return value;
}

std::string size_text(std::uint64_t bytes) {
  if (bytes >= 1 << 20 && bytes % (1 << 20) == 0) return fmt::format("{} MiB", bytes >> 20);
  if (bytes >= 1 << 10 && bytes % (1 << 10) == 0) return fmt::format("{} KiB", bytes >> 10);
  return fmt::format("{} bytes", bytes);
}

// A BAR register says little by its bits; what it maps says all.
std::string bar_meaning(const FunctionState& f, std::uint16_t offset) {
  if (offset < cfg::kBar0 || offset >= cfg::kBar0 + 24) return {};
  for (const BarState& bar : f.bars) {
    if (bar.size != 0 && bar.is_64bit && offset == cfg::kBar0 + 4 * (bar.index + 1))
      return fmt::format("upper half of BAR{}", bar.index);
    if (offset != cfg::kBar0 + 4 * bar.index || bar.size == 0) continue;
    return fmt::format(
        "{} at {}{}{}", size_text(bar.size),
        bar.address != 0 ? fmt::format("0x{:x}", bar.address) : std::string("no address yet"),
        bar.is_64bit ? ", 64-bit" : "", bar.prefetchable ? ", prefetchable" : "");
  }
  return "not used";
}

}  // namespace

std::vector<ConfigRow> config_rows(const FunctionState& function, const std::set<std::string>& open,
                                   const std::set<std::string>& closed) {
  std::vector<ConfigRow> rows;
  if (!function.config) return rows;
  const std::span<const std::byte> bytes(*function.config);
  std::string capability;
  bool folded = false;
  for (const ConfigItem& item : describe_config(bytes)) {
    if (item.capability != capability || rows.empty()) {
      capability = item.capability;
      folded = closed.contains(capability);
      ConfigRow row;
      row.kind = ConfigRow::Kind::Capability;
      row.id = "cap." + capability;
      row.name = capability == "header" ? "Header" : capability;
      row.where = fmt::format("0x{:03x}", item.offset);
      row.expandable = true;
      row.expanded = !folded;
      rows.push_back(std::move(row));
    }
    if (folded) continue;
    const std::uint64_t value = value_at(bytes, item.offset, item.width);
    ConfigRow row;
    row.depth = 1;
    row.id = item.name;
    row.name = item.name;
    row.where = fmt::format("0x{:03x}", item.offset);
    row.value = ui::hex(value, item.width);
    Register r;
    r.width = item.width;
    r.fields = item.fields;
    row.meaning = item.fields.empty() ? std::string(item.doc) : Names::decode(r, value);
    if (const std::string bar = bar_meaning(function, item.offset); !bar.empty()) row.meaning = bar;
    row.spec = std::string(item.spec);
    row.expandable = !item.fields.empty();
    row.expanded = row.expandable && open.contains(row.id);
    const bool expanded = row.expanded;
    const std::string id = row.id;
    rows.push_back(std::move(row));
    if (!expanded) continue;
    for (const Field& f : item.fields) {
      ConfigRow field;
      field.kind = ConfigRow::Kind::Field;
      field.depth = 2;
      field.id = id + "." + std::string(f.name);
      field.name = std::string(f.name);
      field.where =
          f.high == f.low ? fmt::format("{}", f.high) : fmt::format("{}:{}", f.high, f.low);
      const std::uint64_t v = f.extract(value);
      field.value = f.bits() <= 3 ? fmt::format("{}", v) : fmt::format("0x{:x}", v);
      for (const EnumValue& e : f.values)
        if (e.value == v) field.value += fmt::format("  {}", e.name);
      field.meaning = std::string(f.doc);
      field.spec = std::string(f.spec);
      rows.push_back(std::move(field));
    }
  }
  return rows;
}

}  // namespace pcilens::gui
