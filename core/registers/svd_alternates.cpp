#include <algorithm>
#include <iterator>
#include <map>

#include "core/registers/svd_peripheral.hpp"

namespace pcilens::svd {

void drop_alternates(std::vector<Pending>& registers, Document& document,
                     const std::string& where) {
  struct Taken {
    std::uint64_t end;
    const Pending* by;
  };
  std::map<std::uint64_t, Taken> taken;
  const auto holder_of = [&](const Register& r) -> const Pending* {
    for (std::uint32_t i = 0; i < r.count; ++i) {
      auto it = taken.lower_bound(r.offset_of(i) + r.width);
      if (it != taken.begin() && std::prev(it)->second.end > r.offset_of(i))
        return std::prev(it)->second.by;
    }
    return nullptr;
  };
  const auto only_written = [](const Register& r) {
    return r.access == Access::WO ||
           (!r.fields.empty() && std::all_of(r.fields.begin(), r.fields.end(), [](const Field& f) {
             return f.access == Access::WO;
           }));
  };
  const auto only_read = [](const Register& r) {
    const auto reads = [](Access a) { return a == Access::RO || a == Access::RC; };
    return reads(r.access) ||
           (!r.fields.empty() && std::all_of(r.fields.begin(), r.fields.end(),
                                             [&](const Field& f) { return reads(f.access); }));
  };
  const auto is_candidate = [&](const Pending& p) { return p.alternate || only_written(p.reg); };
  if (std::none_of(registers.begin(), registers.end(), is_candidate)) return;
  const auto take = [&](const Pending& p) {
    for (std::uint32_t i = 0; i < p.reg.count; ++i)
      taken.emplace(p.reg.offset_of(i), Taken{p.reg.offset_of(i) + p.reg.width, &p});
  };
  for (const Pending& p : registers)
    if (!is_candidate(p)) take(p);
  std::vector<bool> dropped(registers.size());
  for (std::size_t i = 0; i < registers.size(); ++i) {
    const Pending& p = registers[i];
    if (!is_candidate(p)) continue;
    const Pending* other = holder_of(p.reg);
    if (!other) {
      take(p);
    } else if (p.alternate || only_read(other->reg)) {
      dropped[i] = true;
      document.note(p.node, where + '.' + std::string(p.reg.name) +
                                ": it shares its address with " + std::string(other->reg.name) +
                                " and is left out");
    }
  }
  std::vector<Pending> kept;
  for (std::size_t i = 0; i < registers.size(); ++i)
    if (!dropped[i]) kept.push_back(registers[i]);
  registers = std::move(kept);
}

}  // namespace pcilens::svd
