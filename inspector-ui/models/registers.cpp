#include "inspector-ui/models/registers.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>

#include "inspector-ui/commands/place.hpp"

namespace pcilens::gui {
namespace {

bool contains(std::string_view text, std::string_view lower) {
  const auto same = [](char a, char b) { return std::tolower(static_cast<unsigned char>(a)) == b; };
  return std::search(text.begin(), text.end(), lower.begin(), lower.end(), same) != text.end();
}

std::string bits_of(const Field& f) {
  return f.high == f.low ? fmt::format("{}", f.high) : fmt::format("{}:{}", f.high, f.low);
}

const EnumValue* enum_of(const Field& f, std::uint64_t value) {
  for (const EnumValue& v : f.values)
    if (v.value == value) return &v;
  return nullptr;
}

std::string field_value(const Field& f, std::uint64_t value) {
  const std::uint64_t v = f.extract(value);
  std::string text =
      f.bits() <= 3 ? fmt::format("{}", v) : fmt::format("0x{:0{}x}", v, (f.bits() + 3) / 4);
  if (const EnumValue* e = enum_of(f, v)) text += fmt::format("  {}", e->name);
  return text;
}

class Builder {
 public:
  Builder(const Snapshot& snapshot, const RegisterQuery& query)
      : snapshot_(snapshot), query_(query), several_(snapshot.functions.size() > 1) {
    for (char c : query.search)
      search_ += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  }

  std::vector<RegisterRow> build() {
    for (std::size_t i = 0; i < snapshot_.functions.size(); ++i) function(i);
    return std::move(rows_);
  }

 private:
  void function(std::size_t index) {
    const FunctionState& f = snapshot_.functions[index];
    const std::size_t begin = rows_.size();
    const int depth = several_ ? 1 : 0;
    prefix_ = several_ ? f.instance + ":" : std::string();
    if (several_) {
      RegisterRow row;
      row.kind = RegisterRow::Kind::Function;
      row.id = f.instance;
      row.name = f.instance;
      row.where = f.bdf;
      row.meaning = f.plugged ? f.device : f.device + ", removed";
      row.function = static_cast<std::uint8_t>(index);
      row.expandable = true;
      row.expanded = !closed(row.id);
      rows_.push_back(std::move(row));
    }
    if (several_ && closed(f.instance) && search_.empty()) return;
    for (const auto& bank : f.banks) {
      const RegisterLookup* lookup =
          snapshot_.names->bar(static_cast<std::uint8_t>(index), bank.bar);
      if (lookup == nullptr) continue;
      std::size_t flat = 0;
      for (const Register* r : lookup->map().registers) {
        const std::span<const RegisterState> states(
            bank.registers.data() + std::min(flat, bank.registers.size()),
            bank.registers.size() - std::min(flat, bank.registers.size()));
        flat += r->count;
        if (states.size() < r->count) break;  // a snapshot of another map
        reg(static_cast<std::uint8_t>(index), bank.bar, *r, states, depth);
      }
      for (const MemoryRegion* region : lookup->map().regions) memory(*region, bank.bar, depth);
    }
    if (several_ && rows_.size() == begin + 1 && !search_.empty()) rows_.pop_back();
  }

  // Functions are open unless closed by hand: their set entry means the opposite.
  bool closed(const std::string& id) const {
    return query_.open != nullptr && query_.open->contains("-" + id);
  }
  bool open(const std::string& id) const {
    return query_.open != nullptr && query_.open->contains(id);
  }

  bool wanted(const Register& r, const std::string& name) const {
    return search_.empty() || contains(name, search_) || contains(r.doc, search_) ||
           contains(fmt::format("0x{:x}", r.offset), search_);
  }
  bool wanted(const Field& f) const {
    if (search_.empty() || contains(f.name, search_) || contains(f.doc, search_)) return true;
    return std::ranges::any_of(f.values,
                               [&](const EnumValue& v) { return contains(v.name, search_); });
  }

  void reg(std::uint8_t function, std::int8_t bar, const Register& r,
           std::span<const RegisterState> states, int depth) {
    if (r.count <= 1) {
      element(function, bar, {&r, 0}, states[0], depth);
      return;
    }
    const std::string name = ui::array_name(r), id = prefix_ + name;
    if (!wanted(r, name) && !wanted(r, std::string(r.name))) return;
    RegisterRow row;
    row.kind = RegisterRow::Kind::Array;
    row.depth = depth;
    row.id = id;
    row.name = name;
    row.where = fmt::format("0x{:03x}", r.offset);
    row.meaning = fmt::format("{} registers", r.count);
    row.expandable = true;
    row.expanded = open(id) || !search_.empty();
    row.function = function;
    row.bar = bar;
    const std::size_t at = rows_.size();
    rows_.push_back(std::move(row));
    for (std::uint32_t i = 0; i < r.count; ++i) {
      if (states[i].changed_seq >= query_.changed_since && states[i].changed_seq != 0)
        rows_[at].changed = true;
      if (rows_[at].expanded) element(function, bar, {&r, i}, states[i], depth + 1);
    }
  }

  void element(std::uint8_t function, std::int8_t bar, RegisterRef ref, const RegisterState& state,
               int depth) {
    const Register& r = *ref.reg;
    const std::string name = name_of(ref);
    const bool by_name = wanted(r, name);
    const bool by_field =
        !by_name && std::ranges::any_of(r.fields, [&](const Field& f) { return wanted(f); });
    if (!by_name && !by_field) return;
    RegisterRow row;
    row.depth = depth;
    row.id = prefix_ + name;
    row.name = name;
    row.where = fmt::format("0x{:03x}", ref.offset());
    row.value = ui::hex(state.value, r.width);
    // Without fields the value says all; what the register is for helps more.
    row.meaning = r.fields.empty() ? std::string(r.doc) : Names::decode(r, state.value);
    row.access = r.fields.empty() ? std::string(name_of(r.access)) : std::string();
    row.expandable = !r.fields.empty();
    row.expanded = row.expandable && (open(row.id) || by_field);
    row.assumed = ui::assumed(state, r.mask());
    row.changed_seq = state.changed_seq;
    row.changed_by = state.changed_by;
    row.changed = state.changed_seq != 0 && state.changed_seq >= query_.changed_since;
    row.function = function;
    row.bar = bar;
    row.ref = ref;
    row.raw = state.value;
    const RegisterRow parent = row;
    rows_.push_back(std::move(row));
    if (!parent.expanded) return;
    for (const Field& f : r.fields) {
      if (by_field && !wanted(f)) continue;
      if (f.access == Access::Reserved && f.extract(state.value) == 0) continue;
      RegisterRow field = parent;
      field.kind = RegisterRow::Kind::Field;
      field.depth = depth + 1;
      field.id = parent.id + "." + std::string(f.name);
      field.name = std::string(f.name);
      field.where = bits_of(f);
      field.value = field_value(f, state.value);
      const EnumValue* e = enum_of(f, f.extract(state.value));
      field.meaning = std::string(e != nullptr && !e->doc.empty() ? e->doc : f.doc);
      field.access = std::string(name_of(f.access));
      field.assumed = ui::assumed(state, f.mask());
      field.expandable = field.expanded = false;
      field.field = &f;
      rows_.push_back(std::move(field));
    }
  }

  void memory(const MemoryRegion& region, std::int8_t bar, int depth) {
    if (!search_.empty() && !contains(region.name, search_) && !contains(region.doc, search_))
      return;
    RegisterRow row;
    row.kind = RegisterRow::Kind::Region;
    row.depth = depth;
    row.id = prefix_ + std::string(region.name);
    row.name = std::string(region.name);
    row.where = fmt::format("0x{:03x}", region.offset);
    row.meaning = fmt::format("memory, {} bytes{}", region.size, region.direct ? ", direct" : "");
    row.bar = bar;
    rows_.push_back(std::move(row));
  }

  const Snapshot& snapshot_;
  const RegisterQuery& query_;
  bool several_;
  std::string search_, prefix_;
  std::vector<RegisterRow> rows_;
};

}  // namespace

void ChangeMark::update(const Snapshot& snapshot) {
  const bool held = snapshot.state != RunState::Running;
  if (!held) {
    held_ = false;
    return;
  }
  const std::uint64_t at = snapshot.stop ? snapshot.stop->transaction.seq : snapshot.seq;
  if (held_ && at == held_at_) return;
  if (at < held_at_) next_ = 1;  // restarted: numbers begin again
  held_ = true;
  held_at_ = at;
  since_ = next_;
  // What is held before delivery has not acted yet: it belongs to the next stretch.
  const bool before = snapshot.stop && snapshot.stop->phase == Phase::Before;
  next_ = before ? at : at + 1;
}

std::vector<RegisterRow> register_rows(const Snapshot& snapshot, const RegisterQuery& query) {
  return Builder(snapshot, query).build();
}

std::string register_row_id(const Snapshot& snapshot, const Transaction& t) {
  const RegisterRef ref = snapshot.names->at(t);
  if (!ref) return {};
  const std::string name = name_of(ref);
  if (snapshot.functions.size() <= 1 || t.function >= snapshot.functions.size()) return name;
  return snapshot.functions[t.function].instance + ":" + name;
}

std::uint64_t value_for_poke(const Register& r, std::uint64_t now, const Field& field,
                             std::uint64_t value) {
  std::uint64_t out = now;
  for (const Field& f : r.fields)
    if (f.access == Access::W1C || f.access == Access::RW1S) out = f.insert(out, 0);
  return field.insert(out, value);
}

std::string_view in_words(Access access) {
  switch (access) {
    case Access::RO: return "read-only";
    case Access::RW: return "read and write";
    case Access::W1C: return "write 1 to clear";
    case Access::RC: return "cleared by reading";
    case Access::RW1S: return "write 1 to set";
    case Access::WO: return "write-only";
    case Access::Reserved: return "reserved";
  }
  return "?";
}

}  // namespace pcilens::gui
