#include "core/registers/lookup.hpp"

#include <algorithm>
#include <charconv>
#include <numeric>

namespace pcilens {
namespace {

// The part of a BAR that is indexed dword by dword: 256 KiB of BAR take 256 KiB of index. Beyond it
// a binary search answers.
constexpr std::uint64_t kIndexedBytes = 256 * 1024;

std::optional<std::uint32_t> parse_index(std::string_view text) {
  int base = 10;
  if (text.starts_with("0x") || text.starts_with("0X")) {
    text.remove_prefix(2);
    base = 16;
  }
  std::uint32_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, base);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

// The index in `name` if it is `before` + index + `after`.
std::optional<std::uint32_t> index_between(std::string_view name, std::string_view before,
                                           std::string_view after) {
  if (name.size() <= before.size() + after.size() || !name.starts_with(before) ||
      !name.ends_with(after))
    return std::nullopt;
  name.remove_prefix(before.size());
  name.remove_suffix(after.size());
  return parse_index(name);
}

}  // namespace

std::string name_of(const RegisterRef& ref) {
  if (!ref.reg) return {};
  const Register& r = *ref.reg;
  if (r.count <= 1) return std::string(r.name);
  const std::string index = std::to_string(ref.index);
  const auto place = r.element_name.find('%');
  if (place == std::string_view::npos) return std::string(r.name) + '[' + index + ']';
  std::string name(r.element_name);
  return name.replace(place, 1, index);
}

RegisterLookup::RegisterLookup(const RegisterMap& map) : map_(&map), order_(map.registers.size()) {
  std::iota(order_.begin(), order_.end(), 0u);
  std::stable_sort(order_.begin(), order_.end(), [&](std::uint32_t a, std::uint32_t b) {
    return map.registers[a]->offset < map.registers[b]->offset;
  });
  std::uint64_t end = 0;
  for (const std::uint32_t i : order_) {
    end = std::max(end, map.registers[i]->end());
    ends_.push_back(end);
  }
  dwords_.assign((std::min(end, kIndexedBytes) + 3) / 4, kNone);
  for (const std::uint32_t i : order_) {
    const Register& r = *map.registers[i];
    for (std::uint32_t e = 0; e < r.count; ++e) {
      const std::uint64_t first = r.offset_of(e) / 4, last = (r.offset_of(e) + r.width - 1) / 4;
      if (first >= dwords_.size()) break;
      for (std::uint64_t d = first; d <= last && d < dwords_.size(); ++d)
        dwords_[d] = dwords_[d] == kNone || dwords_[d] == i ? i : kMixed;
    }
  }
}

RegisterLookup::Place RegisterLookup::search(std::uint64_t offset) const {
  auto it = std::upper_bound(
      order_.begin(), order_.end(), offset,
      [&](std::uint64_t o, std::uint32_t i) { return o < map_->registers[i]->offset; });
  // Arrays that interleave begin before their neighbours: walk back while any may still reach.
  while (it != order_.begin()) {
    --it;
    if (ends_[static_cast<std::size_t>(it - order_.begin())] <= offset) break;
    if (const Place place = element(*it, offset); place.reg != kNone) return place;
  }
  return {};
}

RegisterRef RegisterLookup::at(std::uint64_t offset) const {
  const Place place = place_of(offset);
  if (place.reg == kNone) return {};
  return {map_->registers[place.reg], place.index};
}

std::vector<RegisterRef> RegisterLookup::covering(std::uint64_t offset, std::uint32_t size) const {
  std::vector<RegisterRef> found;
  const std::uint64_t last = ends_.empty() ? 0 : ends_.back();
  const std::uint64_t end = size > ~0ull - offset ? last : std::min(last, offset + size);
  while (offset < end) {
    if (const RegisterRef ref = at(offset)) {
      found.push_back(ref);
      offset = ref.offset() + ref.reg->width;
    } else if ((offset & 3) == 0 && offset / 4 < dwords_.size() && dwords_[offset / 4] == kNone) {
      offset += 4;
    } else {
      ++offset;
    }
  }
  return found;
}

std::optional<RegisterRef> RegisterLookup::find(std::string_view name) const {
  for (const Register* r : map_->registers) {
    if (r->count <= 1) {
      if (r->name == name) return RegisterRef{r, 0};
      continue;
    }
    std::optional<std::uint32_t> index;
    if (name.starts_with(r->name) && name.substr(r->name.size()).starts_with('['))
      index = index_between(name.substr(r->name.size()), "[", "]");
    if (const auto place = r->element_name.find('%'); !index && place != std::string_view::npos)
      index =
          index_between(name, r->element_name.substr(0, place), r->element_name.substr(place + 1));
    if (index && *index < r->count) return RegisterRef{r, *index};
  }
  return std::nullopt;
}

const MemoryRegion* RegisterLookup::region_at(std::uint64_t offset) const {
  for (const MemoryRegion* region : map_->regions)
    if (offset >= region->offset && offset - region->offset < region->size) return region;
  return nullptr;
}

}  // namespace pcilens
