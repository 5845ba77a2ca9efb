#include "core/link/names.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "core/host/host.hpp"
#include "core/registers/access_rules.hpp"

namespace pcilens {
namespace {

// Small numbers as people count, larger ones as registers are written.
std::string number(std::uint64_t n) {
  return n < 10 ? fmt::format("{}", n) : fmt::format("{:#x}", n);
}

std::string config_place(const ConfigNames& config, const Transaction& t) {
  const ConfigItem* first = config.at(t.offset);
  if (!first) return fmt::format("config+{:#x}", t.offset);
  std::string text = first->name;
  if (t.offset != first->offset) text += fmt::format("+{}", t.offset - first->offset);
  const ConfigItem* last = t.size > 1 ? config.at(t.offset + t.size - 1) : first;
  if (!last || last == first) return text;
  const bool adjacent = first->offset + first->width == last->offset;
  return text + (adjacent ? "+" : "..") + last->name;
}

std::string memory_place(const RegisterLookup* lookup, const Transaction& t) {
  if (!lookup) return fmt::format("BAR{}+{:#x}", t.bar, t.offset);
  const RegisterRef first = lookup->at(t.offset);
  if (!first) {
    if (const MemoryRegion* region = lookup->region_at(t.offset))
      return fmt::format("{}+{:#x}", region->name, t.offset - region->offset);
    return fmt::format("BAR{}+{:#x}", t.bar, t.offset);
  }
  std::string text = name_of(first);
  if (t.offset != first.offset()) text += fmt::format("+{}", t.offset - first.offset());
  const RegisterRef last = t.size > 1 ? lookup->at(t.offset + t.size - 1) : first;
  if (!last || last == first) return text;
  const bool adjacent = first.offset() + first.reg->width == last.offset();
  return text + (adjacent ? "+" : "..") + name_of(last);
}

// Those fields that lie within `lanes`.
std::string fields_text(std::span<const Field> fields, std::uint64_t value, std::uint64_t lanes) {
  std::string text;
  for (const Field& f : fields) {
    if ((f.mask() & ~lanes) != 0) continue;
    const std::uint64_t v = f.extract(value);
    if (f.access == Access::Reserved && v == 0) continue;
    if (!text.empty()) text += ' ';
    text += f.name;
    text += '=';
    const auto named = std::find_if(f.values.begin(), f.values.end(),
                                    [&](const EnumValue& e) { return e.value == v; });
    text += named != f.values.end() ? std::string(named->name) : number(v);
  }
  return text;
}

}  // namespace

ConfigNames::ConfigNames(std::span<const std::byte> image) {
  if (image.empty()) {
    const std::vector<std::byte> nothing(kConfigSize);
    items_ = describe_config(nothing);
  } else {
    image_.assign(image.begin(), image.end());
    image_.resize(kConfigSize);
    items_ = describe_config(image_);
  }
  std::sort(items_.begin(), items_.end(),
            [](const ConfigItem& a, const ConfigItem& b) { return a.offset < b.offset; });
  constexpr std::uint64_t kFlrCapable = 1u << 28;  // of DEVCAP
  const ConfigItem* able = find("PCIE.DEVCAP");
  const ConfigItem* control = find("PCIE.DEVCTL");
  if (able && control && (first_value(able->offset, 4).value_or(0) & kFlrCapable) != 0)
    flr_at_ = control->offset + 1u;
  // PCIe 5.0, 7.7.2: an entry has 16 bytes; the pending bits come in qwords.
  const ConfigItem* msix = find("MSIX.CTRL");
  if (msix == nullptr || image_.empty()) return;
  const std::uint64_t vectors = (first_value(msix->offset, 2).value_or(0) & 0x7ff) + 1;
  for (const auto& [name, bytes] :
       {std::pair("MSIX.TABLE", vectors * 16), std::pair("MSIX.PBA", (vectors + 63) / 64 * 8)}) {
    const ConfigItem* item = find(name);
    if (item == nullptr) continue;
    const std::uint64_t at = first_value(item->offset, 4).value_or(0);
    msix_.push_back({static_cast<std::int8_t>(at & 7), at & ~7ull, (at & ~7ull) + bytes});
  }
}

bool ConfigNames::msix_at(std::int8_t bar, std::uint64_t offset) const {
  return std::ranges::any_of(msix_, [&](const Part& part) {
    return part.bar == bar && offset >= part.begin && offset < part.end;
  });
}

const ConfigNames& ConfigNames::standard_header() {
  static const ConfigNames names;
  return names;
}

const ConfigItem* ConfigNames::at(std::uint64_t offset) const {
  auto it = std::upper_bound(items_.begin(), items_.end(), offset,
                             [](std::uint64_t o, const ConfigItem& i) { return o < i.offset; });
  if (it == items_.begin()) return nullptr;
  --it;
  return offset - it->offset < it->width ? &*it : nullptr;
}

const ConfigItem* ConfigNames::find(std::string_view name) const {
  for (const ConfigItem& item : items_)
    if (item.name == name) return &item;
  return nullptr;
}

std::optional<std::uint64_t> ConfigNames::first_value(std::uint64_t offset,
                                                      std::uint32_t size) const {
  if (size == 0 || size > 8 || offset >= image_.size() || size > image_.size() - offset)
    return std::nullopt;
  std::uint64_t value = 0;
  for (std::uint32_t i = 0; i < size; ++i)
    value |= std::to_integer<std::uint64_t>(image_[offset + i]) << (i * 8);
  return value;
}

bool ConfigNames::starts_flr(const Transaction& t) const {
  if (flr_at_ == 0 || t.kind != Kind::CfgWrite || t.status != Status::SC) return false;
  if (t.offset > flr_at_ || flr_at_ - t.offset >= std::min(t.size, 8u)) return false;
  return (t.value >> ((flr_at_ - t.offset) * 8) & 0x80) != 0;
}

const RegisterLookup* Names::bar(std::uint8_t function, std::int8_t bar) const {
  if (function >= functions.size()) return nullptr;
  for (const auto& lookup : functions[function].bars)
    if (lookup && lookup->map().bar == bar) return lookup.get();
  return nullptr;
}

const ConfigNames& Names::config(std::uint8_t function) const {
  if (function < functions.size() && functions[function].config) return *functions[function].config;
  return ConfigNames::standard_header();
}

RegisterRef Names::at(const Transaction& t) const {
  if (!is_memory(t.kind) && t.kind != Kind::State && t.kind != Kind::Force) return {};
  const RegisterLookup* lookup = bar(t.function, t.bar);
  if (!lookup) return {};
  // Only the first bytes are looked at: a long access begins with a register or is none of one.
  for (std::uint32_t i = 0; i < std::min(t.size, 8u); ++i)
    if (const RegisterRef found = lookup->at(t.offset + i)) return found;
  return {};
}

std::string_view in_words(Ignored ignored) {
  switch (ignored) {
    case Ignored::No: break;
    case Ignored::ReadOnly: return "read-only";
    case Ignored::WriteOnly: return "write-only";
    case Ignored::Reserved: return "reserved";
    case Ignored::NoRegister: return "no register";
  }
  return {};
}

std::optional<Ignored> Names::ignored(const Transaction& t) const {
  // No instruction makes a larger access; a trace may say anything.
  constexpr std::uint32_t kLargest = 64;
  if (!is_memory(t.kind) || t.size > kLargest) return std::nullopt;
  const RegisterLookup* lookup = bar(t.function, t.bar);
  if (lookup == nullptr) return std::nullopt;
  const bool reads = is_read(t.kind);
  bool register_there = false, other_way = false;
  for (std::uint64_t i = 0; i < t.size;) {
    const std::uint64_t at = t.offset + i;
    const RegisterRef ref = lookup->at(at);
    if (!ref) {
      if (lookup->region_at(at) != nullptr || config(t.function).msix_at(t.bar, at))
        return Ignored::No;
      ++i;
      continue;
    }
    // A register counts as a whole.
    const AccessRules rules = rules_of(*ref.reg);
    if ((reads ? rules.readable : rules.acts()) != 0) return Ignored::No;
    other_way |= (reads ? rules.acts() : rules.readable) != 0;
    register_there = true;
    i += ref.offset() + ref.reg->width - at;
  }
  if (!register_there) return Ignored::NoRegister;
  if (!other_way) return Ignored::Reserved;
  return reads ? Ignored::WriteOnly : Ignored::ReadOnly;
}

std::string Names::place(const Transaction& t) const {
  std::string text;
  switch (t.kind) {
    case Kind::CfgRead:
    case Kind::CfgWrite: text = config_place(config(t.function), t); break;
    case Kind::MemRead:
    case Kind::MemWrite: text = memory_place(bar(t.function, t.bar), t); break;
    case Kind::State:
    case Kind::Force:
      if (t.bar == kBarConfig) text = config_place(config(t.function), t);
      if (t.bar >= 0) text = memory_place(bar(t.function, t.bar), t);
      break;
    case Kind::DmaRead:
    case Kind::DmaWrite:
    case Kind::DmaMap:
    case Kind::DmaUnmap: text = fmt::format("IOVA {:#x}", t.offset); break;
    case Kind::Irq:
      text = t.offset == kIntxVector ? "INTx" : fmt::format("vector {}", t.offset);
      break;
    case Kind::Timer: text = fmt::format("timer {}", t.offset); break;
    case Kind::Input: text = fmt::format("input {}", t.offset); break;
    case Kind::Reset:
      switch (static_cast<ResetKind>(t.value)) {
        case ResetKind::Conventional: text = "conventional reset"; break;
        case ResetKind::Flr: text = "FLR"; break;
        case ResetKind::HotPlug: text = "hot-plug"; break;
      }
      break;
    case Kind::Control:
    case Kind::Gap: break;
  }
  if (functions.size() > 1 && t.function < functions.size() && !text.empty())
    text = functions[t.function].instance + ':' + text;
  return text;
}

std::string Names::decode(const Register& r, std::uint64_t value) {
  return decode(r.fields, value & r.mask());
}

std::string Names::decode(std::span<const Field> fields, std::uint64_t value) {
  if (fields.empty()) return fmt::format("{:#x}", value);
  return fields_text(fields, value, ~0ull);
}

std::string Names::decode(const Transaction& t) const {
  if (t.size == 0 || t.size > 8) return {};
  const ConfigItem* item = t.bar == kBarConfig ? config(t.function).at(t.offset) : nullptr;
  const RegisterRef ref = item != nullptr ? RegisterRef{} : at(t);
  if (item == nullptr && !ref) return {};
  const std::uint64_t from = item != nullptr ? item->offset : ref.offset();
  const std::uint64_t width = item != nullptr ? item->width : ref.reg->width;
  const std::span<const Field> fields = item != nullptr ? item->fields : ref.reg->fields;
  if (t.offset < from || t.offset - from + t.size > width) return {};
  const std::uint64_t shift = 8 * (t.offset - from);
  return fields_text(fields, t.value << shift, mask_of_size(t.size) << shift);
}

}  // namespace pcilens
