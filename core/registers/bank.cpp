#include "core/registers/bank.hpp"

#include <algorithm>
#include <cstring>
#include <stdexcept>
#include <string>
#include <utility>

#include "core/registers/access_rules.hpp"

namespace pcilens {

struct RegisterBank::Hooks {
  WriteHandler write;
  ReadHandler read;
  std::function<void(const RegisterRef&)> read_effect;
};

struct RegisterBank::Slot {
  const Register* reg = nullptr;
  std::uint64_t* values = nullptr;  // one an element, in values_
  AccessRules rules;                // so that a plain register needs no look at its fields
  std::unique_ptr<Hooks> hooks;
  std::uint8_t width = 0;
  bool plain_read = true;  // a read is the stored value masked, and nothing else happens
  bool changed = true;     // a stored value, since peek_changes()
};

namespace {

constexpr std::uint64_t lane_mask(std::uint32_t bytes) {
  return bytes >= 8 ? ~0ull : (1ull << (bytes * 8)) - 1;
}

// Little-endian, as every machine that pcilens runs on.
std::uint64_t load(const std::byte* memory, std::uint32_t size) {
  std::uint64_t value = 0;
  std::memcpy(&value, memory, std::min(size, 8u));
  return value;
}

void store_bytes(std::byte* memory, std::uint32_t size, std::uint64_t value) {
  std::memcpy(memory, &value, std::min(size, 8u));
}

}  // namespace

RegisterBank::RegisterBank(const RegisterMap& map)
    : lookup_(map), slots_(std::make_unique<Slot[]>(map.registers.size())) {
  std::size_t elements = 0;
  for (const Register* r : map.registers) elements += r->count;
  values_.resize(elements);
  std::uint64_t* next = values_.data();
  for (std::size_t i = 0; i < map.registers.size(); ++i) {
    const Register& r = *map.registers[i];
    Slot& slot = slots_[i];
    slot.reg = &r;
    slot.width = r.width;
    slot.values = next;
    next += r.count;
    slot.rules = rules_of(r);
    slot.plain_read = slot.rules.rc == 0;
  }
  for (const MemoryRegion* region : map.regions) {
    memory_.emplace_back(region->size);
    regions_.emplace_back(memory_.back());
  }
  reset();
}

RegisterBank::~RegisterBank() = default;

// Calls element(slot, index, shift, lanes) for each register that the access touches and
// byte(pointer, shift) for each byte of memory. shift: bits from the access's first byte to the
// register's first byte, negative if the register began before the access.
template <typename Element, typename Byte>
void RegisterBank::walk(std::uint64_t offset, std::uint32_t size, Element element,
                        Byte byte) const {
  size = std::min(size, 8u);
  for (std::uint32_t i = 0; i < size;) {
    const std::uint64_t at = offset + i;
    if (at < offset) return;  // past the end of a 64-bit space
    const auto place = lookup_.place_of(at);
    if (place.reg != RegisterLookup::kNone) {
      Slot& slot = slots_[place.reg];
      const std::uint64_t begin = slot.reg->offset_of(place.index);
      const auto skip = static_cast<std::uint32_t>(at - begin);
      const std::uint32_t bytes = std::min(slot.width - skip, size - i);
      element(slot, place.index, static_cast<int>(i) * 8 - static_cast<int>(skip) * 8,
              lane_mask(bytes) << (skip * 8));
      i += bytes;
      continue;
    }
    if (const std::byte* memory = region_bytes(at, 1)) byte(memory, i * 8);
    ++i;
  }
}

const std::byte* RegisterBank::region_bytes(std::uint64_t offset, std::uint32_t size) const {
  const auto& regions = map().regions;
  for (std::size_t i = 0; i < regions.size(); ++i) {
    const MemoryRegion& region = *regions[i];
    if (offset >= region.offset && offset - region.offset < region.size &&
        region.size - (offset - region.offset) >= size)
      return regions_[i].data() + (offset - region.offset);
  }
  return nullptr;
}

std::uint64_t RegisterBank::shown(const Slot& slot, std::uint32_t index, bool peeking) const {
  std::uint64_t value = slot.values[index];
  if (slot.hooks && slot.hooks->read && !(peeking && slot.reg->peek_has_effect))
    value = slot.hooks->read({slot.reg, index});
  return value & slot.rules.readable;
}

std::uint64_t RegisterBank::read_element(const Slot& slot, std::uint32_t index,
                                         std::uint64_t lanes) {
  if (slot.plain_read) return slot.values[index] & slot.rules.readable;
  const std::uint64_t value = shown(slot, index, false);
  if (const std::uint64_t cleared = slot.rules.rc & lanes; cleared != 0)
    store(*slot.reg, index, slot.values[index] & ~cleared);
  if (slot.hooks && slot.hooks->read_effect) slot.hooks->read_effect({slot.reg, index});
  return value;
}

void RegisterBank::write_element(Slot& slot, std::uint32_t index, std::uint64_t value,
                                 std::uint64_t lanes) {
  const std::uint64_t before = slot.values[index];
  const std::uint64_t after = slot.rules.written(before, value, lanes);
  slot.values[index] = after;
  slot.changed = true;
  if (slot.hooks && slot.hooks->write)
    slot.hooks->write({.ref = {slot.reg, index},
                       .written = (before & ~lanes) | (value & lanes),
                       .before = before,
                       .after = after,
                       .lanes = lanes});
}

std::uint64_t RegisterBank::read(std::uint64_t offset, std::uint32_t size) {
  const auto place = lookup_.place_of(offset);
  if (place.reg != RegisterLookup::kNone) {
    const Slot& slot = slots_[place.reg];
    if (slot.width == size && slot.reg->offset_of(place.index) == offset)
      return read_element(slot, place.index, lane_mask(size));
  } else if (const std::byte* memory = region_bytes(offset, size)) {
    return load(memory, size);
  }
  std::uint64_t value = 0;
  walk(
      offset, size,
      [&](const Slot& slot, std::uint32_t index, int shift, std::uint64_t lanes) {
        const std::uint64_t part = read_element(slot, index, lanes) & lanes;
        value |= shift < 0 ? part >> -shift : part << shift;
      },
      [&](const std::byte* memory, std::uint32_t shift) {
        value |= std::to_integer<std::uint64_t>(*memory) << shift;
      });
  return value;
}

void RegisterBank::write(std::uint64_t offset, std::uint32_t size, std::uint64_t value) {
  const auto place = lookup_.place_of(offset);
  if (place.reg != RegisterLookup::kNone) {
    Slot& slot = slots_[place.reg];
    if (slot.width == size && slot.reg->offset_of(place.index) == offset)
      return write_element(slot, place.index, value, lane_mask(size));
  } else if (const std::byte* memory = region_bytes(offset, size)) {
    return store_bytes(const_cast<std::byte*>(memory), size, value);
  }
  walk(
      offset, size,
      [&](Slot& slot, std::uint32_t index, int shift, std::uint64_t lanes) {
        write_element(slot, index, shift < 0 ? value << -shift : value >> shift, lanes);
      },
      [&](const std::byte* memory, std::uint32_t shift) {
        *const_cast<std::byte*>(memory) = static_cast<std::byte>(value >> shift);
      });
}

std::uint64_t RegisterBank::peek(std::uint64_t offset, std::uint32_t size) const {
  std::uint64_t value = 0;
  walk(
      offset, size,
      [&](const Slot& slot, std::uint32_t index, int shift, std::uint64_t lanes) {
        const std::uint64_t part = shown(slot, index, true) & lanes;
        value |= shift < 0 ? part >> -shift : part << shift;
      },
      [&](const std::byte* memory, std::uint32_t shift) {
        value |= std::to_integer<std::uint64_t>(*memory) << shift;
      });
  return value;
}

std::uint64_t RegisterBank::peek(const RegisterRef& ref) const {
  value_of(*ref.reg, ref.index);  // throws for what is not ours
  return shown(slot_of(*ref.reg), ref.index, true) & ref.reg->mask();
}

void RegisterBank::peek_changes(
    const std::function<void(const RegisterRef&, std::uint64_t)>& see) const {
  for (std::size_t i = 0; i < map().registers.size(); ++i) {
    Slot& slot = slots_[i];
    const bool computed = slot.hooks && slot.hooks->read;
    if (slot.rules.readable == 0 || !(std::exchange(slot.changed, false) || computed)) continue;
    for (std::uint32_t index = 0; index < slot.reg->count; ++index)
      see({slot.reg, index}, shown(slot, index, true));
  }
}

std::uint64_t RegisterBank::get(const Register& r, std::uint32_t index) const {
  return *value_of(r, index);
}

std::uint64_t RegisterBank::get(const FieldOf& f, std::uint32_t index) const {
  return f.field->extract(*value_of(*f.reg, index));
}

void RegisterBank::set(const Register& r, std::uint64_t value, std::uint32_t index) {
  store(r, index, value & r.mask());
}

void RegisterBank::set(const FieldOf& f, std::uint64_t value, std::uint32_t index) {
  store(*f.reg, index, f.field->insert(*value_of(*f.reg, index), value));
}

void RegisterBank::store(const Register& r, std::uint32_t index, std::uint64_t value) {
  std::uint64_t& stored = *value_of(r, index);
  const std::uint64_t before = stored;
  if (before == value) return;
  stored = value;
  slot_of(r).changed = true;
  if (changed_) changed_({&r, index}, before, value);
}

bool RegisterBank::force(std::uint64_t offset, std::uint32_t size, std::uint64_t value) {
  bool any = false;
  walk(
      offset, size,
      [&](const Slot& slot, std::uint32_t index, int shift, std::uint64_t lanes) {
        const std::uint64_t bits = shift < 0 ? value << -shift : value >> shift;
        store(*slot.reg, index, (slot.values[index] & ~lanes) | (bits & lanes));
        any = true;
      },
      [&](const std::byte* memory, std::uint32_t shift) {
        *const_cast<std::byte*>(memory) = static_cast<std::byte>(value >> shift);
        any = true;
      });
  return any;
}

const RegisterBank::Slot& RegisterBank::slot_of(const Register& r) const {
  const auto place = lookup_.place_of(r.offset);
  if (place.reg != RegisterLookup::kNone && slots_[place.reg].reg == &r) return slots_[place.reg];
  throw std::logic_error("register " + std::string(r.name) + " is not one of map " +
                         std::string(map().name) +
                         "; name one of its registers, declared `inline constexpr`");
}

RegisterBank::Slot& RegisterBank::slot_of(const Register& r) {
  return const_cast<Slot&>(std::as_const(*this).slot_of(r));
}

std::uint64_t* RegisterBank::value_of(const Register& r, std::uint32_t index) const {
  const Slot& slot = slot_of(r);
  if (index >= r.count)
    throw std::logic_error("register " + std::string(r.name) + " has " + std::to_string(r.count) +
                           " elements; index " + std::to_string(index) + " is past its end");
  return slot.values + index;
}

RegisterBank::Hooks& RegisterBank::hooks_of(const Register& r) {
  Slot& slot = slot_of(r);
  if (!slot.hooks) slot.hooks = std::make_unique<Hooks>();
  return *slot.hooks;
}

namespace {

template <typename Handler>
void attach(Handler& place, Handler handler, const Register& r, const char* what) {
  if (place)
    throw std::logic_error("register " + std::string(r.name) + " has a " + what +
                           " already; do both things in one");
  place = std::move(handler);
}

}  // namespace

void RegisterBank::on_write(const Register& r, WriteHandler handler) {
  attach(hooks_of(r).write, std::move(handler), r, "write handler");
}

void RegisterBank::on_read(const Register& r, ReadHandler value) {
  attach(hooks_of(r).read, std::move(value), r, "read handler");
  slot_of(r).plain_read = false;
}

void RegisterBank::on_read_effect(const Register& r,
                                  std::function<void(const RegisterRef&)> effect) {
  attach(hooks_of(r).read_effect, std::move(effect), r, "read effect");
  slot_of(r).plain_read = false;
}

std::span<const std::byte> RegisterBank::memory(const MemoryRegion& region) const {
  for (std::size_t i = 0; i < map().regions.size(); ++i)
    if (map().regions[i] == &region) return regions_[i];
  throw std::logic_error("memory region " + std::string(region.name) + " is not one of map " +
                         std::string(map().name) + "; name one of its regions");
}

std::span<std::byte> RegisterBank::memory(const MemoryRegion& region) {
  const auto bytes = std::as_const(*this).memory(region);
  return {const_cast<std::byte*>(bytes.data()), bytes.size()};
}

void RegisterBank::share(std::span<std::byte> bar) {
  for (std::size_t i = 0; i < map().regions.size(); ++i) {
    const MemoryRegion& region = *map().regions[i];
    if (!region.direct || region.offset + region.size > bar.size()) continue;
    const auto shared = bar.subspan(region.offset, region.size);
    std::ranges::copy(regions_[i], shared.begin());
    regions_[i] = shared;
    memory_[i] = {};
  }
}

void RegisterBank::reset() {
  for (std::size_t i = 0; i < map().registers.size(); ++i) {
    Slot& slot = slots_[i];
    std::fill_n(slot.values, slot.reg->count, slot.reg->reset);
    slot.changed = true;
  }
}

}  // namespace pcilens
