// What a submission entry says, from the structures declared beside the registers.
#include <algorithm>
#include <array>
#include <charconv>

#include "devices/nvme/nvme_decoder.hpp"
#include "devices/nvme/nvme_features.hpp"

namespace pcilens::nvme {
namespace {

std::string hex(std::uint64_t value) {
  std::array<char, 17> text{};
  const auto end = std::to_chars(text.data(), text.data() + text.size(), value, 16).ptr;
  return "0x" + std::string(text.data(), end);
}

const CommandInfo* info_of(std::span<const std::byte> entry, bool admin) {
  const std::uint64_t opcode = load(entry, part(kSqe, "CDW0.OPC"));
  const std::span<const CommandInfo> table =
      admin ? std::span<const CommandInfo>(kAdminCommands) : kIoCommands;
  const auto it = std::ranges::find(table, opcode, &CommandInfo::opcode);
  return it == table.end() ? nullptr : &*it;
}

std::string field_value(const Field& field, std::uint64_t value) {
  const std::uint64_t part = field.extract(value);
  for (const EnumValue& v : field.values)
    if (v.value == part) return hex(part) + " " + std::string(v.name);
  return hex(part);
}

std::string named(std::span<const EnumValue> values, std::uint64_t value, const char* prefix) {
  for (const EnumValue& v : values)
    if (v.value == value) return std::string(v.name);
  return prefix + hex(value);
}

}  // namespace

std::string entry_name(std::span<const std::byte> entry, bool admin) {
  const CommandInfo* info = info_of(entry, admin);
  if (info != nullptr) return std::string(info->name);
  return "opcode " + hex(load(entry, part(kSqe, "CDW0.OPC")));
}

std::vector<ProtocolField> entry_fields(std::span<const std::byte> entry, bool admin) {
  std::vector<ProtocolField> fields;
  const CommandInfo* info = info_of(entry, admin);
  const auto own_part = [&](std::uint16_t offset) {
    if (info == nullptr || info->entry == nullptr) return false;
    return std::ranges::any_of(info->entry->members, [&](const StructureField& m) {
      return offset >= m.offset && offset < m.offset + m.width;
    });
  };
  const auto add = [&](const StructureField& m) {
    const std::uint64_t value = load(entry, m);
    if (m.fields.empty()) fields.push_back({std::string(m.name), hex(value)});
    for (const Field& f : m.fields) fields.push_back({std::string(f.name), field_value(f, value)});
  };
  for (const StructureField& m : kSqe.members) {
    // The dwords without a meaning are 0 in nearly every command: shown where they are not.
    const bool common = m.offset < 8 || (m.offset >= 24 && m.offset < 40);
    if (common || (!own_part(m.offset) && load(entry, m) != 0)) add(m);
  }
  if (info != nullptr && info->entry != nullptr)
    for (const StructureField& m : info->entry->members) add(m);
  return fields;
}

std::string entry_summary(std::span<const std::byte> entry, bool admin) {
  const auto get = [&](const StructurePart& p) { return load(entry, p); };
  const std::uint64_t nsid = get(part(kSqe, "NSID"));
  const std::string space = nsid == 0 ? "" : "nsid " + (nsid == 0xffff'ffff ? "all" : hex(nsid));
  const CommandInfo* info = info_of(entry, admin);
  std::string text;
  if (info != nullptr && admin) {
    switch (info->opcode) {
      case kIdentify:
        text = named(cdw::kPages, get(part(kIdentifyEntry, "CDW10.CNS")), "page ");
        break;
      case kGetLogPage: text = named(cdw::kLogs, get(part(kLogEntry, "CDW10.LID")), "log "); break;
      case kSetFeatures:
        text = named(cdw::kFeatureNames, get(part(kSetFeaturesEntry, "CDW10.FID")), "feature ") +
               " = " + hex(get(part(kSetFeaturesEntry, "CDW11")));
        break;
      case kGetFeatures:
        text = named(cdw::kFeatureNames, get(part(kGetFeaturesEntry, "CDW10.FID")), "feature ");
        break;
      case kCreateCq:
        text = "CQ " + std::to_string(get(part(kCreateCqEntry, "CDW10.QID"))) + ", " +
               std::to_string(get(part(kCreateCqEntry, "CDW10.QSIZE")) + 1) + " entries, vector " +
               std::to_string(get(part(kCreateCqEntry, "CDW11.IV")));
        break;
      case kCreateSq:
        text = "SQ " + std::to_string(get(part(kCreateSqEntry, "CDW10.QID"))) + ", " +
               std::to_string(get(part(kCreateSqEntry, "CDW10.QSIZE")) + 1) + " entries, to CQ " +
               std::to_string(get(part(kCreateSqEntry, "CDW11.CQID")));
        break;
      case kDeleteSq:
      case kDeleteCq:
        text = std::string(info->opcode == kDeleteSq ? "SQ " : "CQ ") +
               std::to_string(get(part(kDeleteEntry, "CDW10.QID")));
        break;
      case kAbort:
        text = "SQ " + std::to_string(get(part(kAbortEntry, "CDW10.SQID"))) + " cid " +
               std::to_string(get(part(kAbortEntry, "CDW10.CID")));
        break;
      case kFormat: text = "LBA format " + hex(get(part(kFormatEntry, "CDW10.LBAF"))); break;
      default: break;
    }
  } else if (info != nullptr && info->entry == &kRwEntry) {
    const std::uint64_t count = get(part(kRwEntry, "CDW12.NLB")) + 1;
    text = "lba " + hex(get(part(kRwEntry, "SLBA"))) + ", " + std::to_string(count) +
           (count == 1 ? " block" : " blocks");
    if (get(part(kRwEntry, "CDW12.FUA")) != 0) text += ", FUA";
  } else if (info != nullptr && info->opcode == kDatasetManagement) {
    const std::uint64_t ranges = get(part(kDsmEntry, "CDW10.NR")) + 1;
    text = std::to_string(ranges) + (ranges == 1 ? " range" : " ranges");
    if (get(part(kDsmEntry, "CDW11.AD")) != 0) text += ", deallocate";
  }
  std::string all = space;
  if (!all.empty() && !text.empty()) all += " ";
  return all + text;
}

std::string status_text(std::uint16_t status) {
  if (status == kSuccess) return "success";
  std::array<char, 8> code{};
  const char digits[] = "0123456789abcdef";
  code = {digits[status >> 8 & 7], '/', digits[status >> 4 & 0xf], digits[status & 0xf]};
  for (const StatusInfo& s : kStatuses)
    if (s.status == status) return std::string(s.text) + " (" + code.data() + ")";
  return std::string("status ") + code.data();
}

}  // namespace pcilens::nvme
