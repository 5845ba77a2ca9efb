// The stored registers of one BAR, with the access rules of their fields. A device attaches
// behaviour to a register by reference to its declaration.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "core/registers/lookup.hpp"
#include "core/registers/register.hpp"

namespace pcilens {

// A write as the handler of one register sees it, after the access rules were applied.
struct RegisterWrite {
  RegisterRef ref;
  std::uint64_t written;  // what the driver wrote, bytes it did not write being the stored ones
  std::uint64_t before;   // stored value before
  std::uint64_t after;    // stored value now
  std::uint64_t lanes;    // mask of the bits that the access carried
};

class RegisterBank {
 public:
  using WriteHandler = std::function<void(const RegisterWrite&)>;
  using ReadHandler = std::function<std::uint64_t(const RegisterRef&)>;
  // Told of every change of stored state that a device made by itself (`set`, `force`, read-to-
  // clear): old and new value.
  using ChangeListener = std::function<void(const RegisterRef&, std::uint64_t, std::uint64_t)>;

  explicit RegisterBank(const RegisterMap& map);
  RegisterBank(const RegisterBank&) = delete;
  RegisterBank& operator=(const RegisterBank&) = delete;
  ~RegisterBank();

  const RegisterMap& map() const { return lookup_.map(); }
  const RegisterLookup& lookup() const { return lookup_; }

  // A read or write by the driver: any size of 1, 2, 4, 8 aligned to itself; it may cover several
  // registers or a part of one. Bytes that no register covers read as 0 and ignore writes.
  // Registers are served in order of their offsets, each with its handlers before the next. Of a
  // register that is only touched in part, only the bytes the access carries change: W1C and RW1S
  // look at those, and RC clears those.
  std::uint64_t read(std::uint64_t offset, std::uint32_t size);
  void write(std::uint64_t offset, std::uint32_t size, std::uint64_t value);

  // The value that a read would give, without any effect. All that a screen may call. A register
  // declared with peek_has_effect shows its stored value: its read handler is not called.
  std::uint64_t peek(std::uint64_t offset, std::uint32_t size) const;
  std::uint64_t peek(const RegisterRef& ref) const;
  // For the one who keeps a copy: the same of every element of which a driver can read anything and
  // that may have changed since the last call; of all of them the first time.
  void peek_changes(const std::function<void(const RegisterRef&, std::uint64_t)>& see) const;

  // The device's own side: the stored value, past the access rules. A register of another map or
  // an index past the array's end throws std::logic_error. Bits beyond the width are dropped.
  std::uint64_t get(const Register& r, std::uint32_t index = 0) const;
  std::uint64_t get(const FieldOf& f, std::uint32_t index = 0) const;
  void set(const Register& r, std::uint64_t value, std::uint32_t index = 0);
  void set(const FieldOf& f, std::uint64_t value, std::uint32_t index = 0);

  // Behaviour. A register of another map, or a second handler, throws std::logic_error.
  // The write handler runs after the stored value changed. The read handler gives the value of a
  // register that is computed; it must have no effect (peek calls it too). The read effect runs
  // after a driver's read, never for a peek.
  void on_write(const Register& r, WriteHandler handler);
  void on_read(const Register& r, ReadHandler value);
  void on_read_effect(const Register& r, std::function<void(const RegisterRef&)> effect);
  void on_change(ChangeListener listener) { changed_ = std::move(listener); }

  // Sets stored bytes past the access rules, registers and memory alike; no handler runs, the
  // change listener does. False, and nothing happens, if nothing is stored at any of these bytes.
  bool force(std::uint64_t offset, std::uint32_t size, std::uint64_t value);

  // The bytes of a memory region of the map (zeroed at reset only if the device does so).
  std::span<std::byte> memory(const MemoryRegion& region);
  std::span<const std::byte> memory(const MemoryRegion& region) const;
  // From now on the bytes of the direct regions are those in `bar`, which begins where the BAR
  // does, outlives the bank, and which others read and write at any time. What the regions hold
  // goes there. A region that `bar` does not cover stays as it is.
  void share(std::span<std::byte> bar);

  // Every register back to its reset value. No handler runs and no change is told: a reset is
  // itself a stimulus, from which a trace's reader draws the same values.
  void reset();

 private:
  struct Slot;   // one declared register: its values, access rules and handlers
  struct Hooks;  // the handlers of one register; most have none
  Slot& slot_of(const Register& r);
  const Slot& slot_of(const Register& r) const;
  std::uint64_t* value_of(const Register& r, std::uint32_t index) const;
  Hooks& hooks_of(const Register& r);
  std::uint64_t shown(const Slot& slot, std::uint32_t index, bool peeking) const;
  std::uint64_t read_element(const Slot& slot, std::uint32_t index, std::uint64_t lanes);
  void write_element(Slot& slot, std::uint32_t index, std::uint64_t value, std::uint64_t lanes);
  void store(const Register& r, std::uint32_t index, std::uint64_t value);
  const std::byte* region_bytes(std::uint64_t offset, std::uint32_t size) const;
  template <typename Element, typename Byte>
  void walk(std::uint64_t offset, std::uint32_t size, Element element, Byte byte) const;

  RegisterLookup lookup_;
  std::unique_ptr<Slot[]> slots_;               // parallel to map().registers
  std::vector<std::uint64_t> values_;           // stored values of all elements
  std::vector<std::vector<std::byte>> memory_;  // parallel to map().regions; empty: shared
  std::vector<std::span<std::byte>> regions_;   // the same
  ChangeListener changed_;
};

}  // namespace pcilens
