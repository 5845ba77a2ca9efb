#include "core/registers/svd_peripheral.hpp"

#include <algorithm>
#include <bit>
#include <unordered_map>

#include "core/registers/svd_values.hpp"

namespace pcilens::svd {
namespace {

constexpr std::uint64_t kMaxDim = 65536;
constexpr std::uint64_t kMaxOffset = 1ull << 32;  // Arm's address space
constexpr std::size_t kMaxRegisters = 262'144;    // declarations, arrays counted once
constexpr std::size_t kMaxTextBytes = 64u << 20;
constexpr int kMaxClusters = 12;  // clusters inside each other

}  // namespace

std::shared_ptr<const OwnedRegisterMap> PeripheralReader::read(const View& peripheral,
                                                               const Properties& properties) {
  emit(peripheral, "registers", 0, "", properties, nullptr, 0);
  if (document_.failed()) return nullptr;
  drop_alternates(pending_, document_, name_);
  RegisterMapBuilder builder;
  std::unordered_map<const Register*, pugi::xml_node> nodes;
  std::uint64_t end = block_end(peripheral);
  for (const Pending& one : pending_) {
    end = std::max(end, one.reg.end());
    nodes[builder.add(one.reg)] = one.node;
  }
  if (document_.failed()) return nullptr;
  auto map = builder.finish_or_fault(name_, 0, std::bit_ceil(std::max<std::uint64_t>(end, 16)));
  if (map) return *map;
  const auto found = nodes.find(map.error().reg);
  document_.fail(found == nodes.end() ? peripheral.node() : found->second,
                 name_ + ": " + map.error().message);
  return nullptr;
}

Dim PeripheralReader::dim_of(const View& view, const std::string& name) {
  Dim dim;
  const auto mark = name.find("%s");
  if (!view.child("dim")) {
    if (mark != std::string::npos)
      document_.fail(view.node(), name_ + ": " + name + " has %s in its name and no <dim>");
    return dim;
  }
  dim.count = document_.required_number(view, "dim");
  dim.increment = document_.required_number(view, "dimIncrement");
  if (document_.failed()) return dim;
  if (dim.count == 0 || dim.count > kMaxDim || dim.increment > kMaxOffset) {
    document_.fail(view.child("dim"), name_ + ": " + name + ": a dim of " +
                                          std::to_string(dim.count) + "; it may be 1 to " +
                                          std::to_string(kMaxDim));
    return dim;
  }
  if (mark == std::string::npos) {
    document_.fail(view.node(), name_ + ": " + name + " has a <dim> and no %s in its name");
    return dim;
  }
  if (!document_.spend(4 * dim.count, view.node())) return dim;
  bool plain = true;
  if (const auto text = view.text("dimIndex"); !text.empty()) {
    dim.names = indices(text, kMaxDim);
    if (dim.names.size() != dim.count) {
      document_.fail(view.child("dimIndex"), name_ + ": " + name + ": its dimIndex does not give " +
                                                 std::to_string(dim.count) +
                                                 " indices, as 0-3, A-D or A,B,C do");
      return dim;
    }
    for (std::size_t i = 0; i < dim.names.size(); ++i)
      plain = plain && dim.names[i] == std::to_string(i);
  }
  dim.is_array = plain && name.find("[%s]") != std::string::npos;
  if (!dim.is_array && dim.names.empty())
    for (std::uint64_t i = 0; i < dim.count; ++i) dim.names.push_back(std::to_string(i));
  return dim;
}

std::uint64_t PeripheralReader::offset_of(const View& view, std::uint64_t base) {
  const std::uint64_t offset = document_.required_number(view, "addressOffset");
  if (offset <= kMaxOffset && base <= kMaxOffset) return base + offset;
  document_.fail(view.node(), name_ + ": an address offset beyond 4 GiB; correct it");
  return 0;
}

void PeripheralReader::emit(const View& holder, const char* list, std::uint64_t base,
                            const std::string& prefix, const Properties& properties,
                            const Outer* outer, int depth) {
  for (const pugi::xml_node& node : document_.members(holder, list, "register", "cluster")) {
    const View view = document_.view(node, holder);
    if (!document_.spend(16, node)) return;
    if (std::string_view(node.name()) == "cluster")
      emit_cluster(view, base, prefix, properties, outer, depth + 1);
    else
      emit_register(view, base, prefix, properties, outer);
    if (document_.failed() || (outer && nested_array_)) return;
  }
}

void PeripheralReader::emit_cluster(const View& view, std::uint64_t base, const std::string& prefix,
                                    const Properties& inherited, const Outer* outer, int depth) {
  const std::string name = document_.name(view);
  if (depth > kMaxClusters)
    document_.fail(view.node(), name_ + ": clusters inside each other more than " +
                                    std::to_string(kMaxClusters) + " deep");
  const Properties properties = inherited.refined(document_, view);
  const Dim dim = dim_of(view, name);
  const std::uint64_t at = offset_of(view, base);
  if (document_.failed()) return;
  if (dim.is_array && outer) {
    nested_array_ = true;
    return;
  }
  const auto mark = name.find("[%s]");
  if (dim.is_array && dim.count > 1) {
    // First as arrays of its registers; if one of them is an array itself, one cluster at a time.
    const std::string plain = std::string(name).erase(mark, 4);
    const Outer array{dim.count, dim.increment,
                      prefix + std::string(name).replace(mark, 4, "[%]") + '.'};
    const std::size_t before = pending_.size();
    const std::uint64_t elements = elements_;
    nested_array_ = false;
    emit(view, nullptr, at, prefix + plain + '.', properties, &array, depth);
    if (!nested_array_ || document_.failed()) return;
    nested_array_ = false;
    pending_.resize(before);
    elements_ = elements;
  }
  for (std::uint64_t i = 0; i < dim.count && !document_.failed(); ++i) {
    std::string one = dim.applied(name, i);
    if (dim.is_array) one.replace(mark, 4, '[' + std::to_string(i) + ']');
    emit(view, nullptr, at + i * dim.increment, prefix + one + '.', properties, outer, depth);
    if (outer && nested_array_) return;
  }
}

void PeripheralReader::emit_register(const View& view, std::uint64_t base,
                                     const std::string& prefix, const Properties& inherited,
                                     const Outer* outer) {
  const std::string name = document_.name(view);
  const Properties properties = inherited.refined(document_, view);
  const Dim dim = dim_of(view, name);
  const std::uint64_t at = offset_of(view, base);
  if (document_.failed()) return;
  const std::string where = name_ + '.' + prefix + name;
  if (properties.bits != 8 && properties.bits != 16 && properties.bits != 32 &&
      properties.bits != 64)
    return document_.fail(view.node(), where + ": a size of " + std::to_string(properties.bits) +
                                           " bits; it may be 8, 16, 32 or 64");
  if (dim.is_array && outer && dim.count > 1) {
    nested_array_ = true;
    return;
  }
  bool read_has_effect = false;
  const auto fields = fields_.read(view, properties, where, read_has_effect);
  const AccessRead access = fields_.access_of(properties, view, where);
  if (document_.failed()) return;
  Register reg{.offset = at,
               .width = static_cast<std::uint8_t>(properties.bits / 8),
               .access = fields.empty() ? access.access : Access::Reserved,
               .fields = fields,
               .doc = texts_.keep(one_line(view.text("description"))),
               .peek_has_effect = read_has_effect || access.read_has_effect};
  reg.reset = properties.reset & properties.reset_mask & reg.mask();

  const auto mark = name.find("[%s]");
  const bool array = dim.is_array && dim.count > 1;
  const std::uint64_t copies = array ? 1 : dim.count;
  for (std::uint64_t i = 0; i < copies; ++i) {
    std::string one = dim.applied(name, i);
    Register copy = reg;
    copy.offset = at + i * dim.increment;
    if (array) {
      one.erase(mark, 4);
      copy.count = static_cast<std::uint32_t>(dim.count);
      copy.stride = static_cast<std::uint32_t>(std::min(dim.increment, kMaxOffset - 1));
    } else if (dim.is_array) {
      one.replace(mark, 4, "[0]");
    }
    if (outer) {
      copy.count = static_cast<std::uint32_t>(outer->count);
      copy.stride = static_cast<std::uint32_t>(std::min(outer->stride, kMaxOffset - 1));
      copy.element_name = texts_.keep(outer->element_prefix + one);
    }
    copy.name = texts_.keep(prefix + one);
    elements_ += copy.count;
    if (++budget_ > kMaxRegisters || elements_ > kMaxElements || texts_.bytes > kMaxTextBytes)
      return document_.fail(view.node(), where +
                                             ": with it the file has more registers than a chip "
                                             "can have; make its dim smaller");
    pending_.push_back(
        {copy, view.node(),
         bool(view.child("alternateRegister")) || bool(view.child("alternateGroup"))});
    if (!document_.spend(1 + fields.size(), view.node())) return;
  }
}

std::uint64_t PeripheralReader::block_end(const View& peripheral) {
  std::uint64_t end = 0;
  for (const pugi::xml_node& holder : peripheral.chain()) {
    for (const pugi::xml_node& block : holder.children("addressBlock")) {
      const View view(block);
      const std::uint64_t offset = document_.required_number(view, "offset"),
                          size = document_.required_number(view, "size");
      if (offset > kMaxOffset || size > kMaxOffset - std::min(offset, kMaxOffset)) {
        document_.fail(block, name_ + ": an addressBlock that ends beyond 4 GiB; correct it");
        return 0;
      }
      end = std::max(end, offset + size);
    }
    if (end != 0) break;  // its own address blocks, else those it is derived from
  }
  return end;
}

}  // namespace pcilens::svd
