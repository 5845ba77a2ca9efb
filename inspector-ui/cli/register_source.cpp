#include "inspector-ui/cli/register_source.hpp"

#include <fmt/format.h>

#include <set>
#include <string_view>

namespace pcilens::cli {
namespace {

// A C++ string literal; what is not printable ASCII goes as octal, which cannot run into what
// follows it.
std::string quoted(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\' || c == '?')
      out += fmt::format("\\{}", c);  // ? as well: trigraphs
    else if (byte < 0x20 || byte >= 0x7f)
      out += fmt::format("\\{:03o}", byte);
    else
      out += c;
  }
  return out + "\"";
}

std::string_view spelled(Access access) {
  switch (access) {
    case Access::RO: return "Access::RO";
    case Access::RW: return "Access::RW";
    case Access::W1C: return "Access::W1C";
    case Access::RC: return "Access::RC";
    case Access::RW1S: return "Access::RW1S";
    case Access::WO: return "Access::WO";
    case Access::Reserved: return "Access::Reserved";
  }
  return "Access::RW";
}

class Source {
 public:
  std::string header(const RegisterMap& map, const std::string& device) {
    out_ = fmt::format(
        "// The registers of {0}: declared once, used by the model, the driver and every screen.\n"
        "#pragma once\n\n"
        "#include <core/registers/register.hpp>\n\n"
        "namespace {0} {{\n\n"
        "using namespace pcilens;\n\n",
        device);
    std::string list;
    for (const Register* r : map.registers) list += fmt::format("    &{},\n", declare(*r));
    out_ += fmt::format(
        "inline constexpr const Register* kRegisters[] = {{\n{}}};\n"
        "inline constexpr RegisterMap kMap{{\n"
        "    .name = {}, .bar = {}, .size = {:#x}, .registers = kRegisters}};\n"
        "static_assert(well_formed(kMap));\n\n"
        "}}  // namespace {}\n",
        list, quoted(map.name), map.bar, map.size, device);
    return std::move(out_);
  }

 private:
  // IRQ_STATUS becomes kIrqStatus; no two are alike.
  std::string identifier(std::string_view name) {
    std::string id = "k";
    bool begins = true;
    for (const char c : name) {
      const bool lower = c >= 'a' && c <= 'z', upper = c >= 'A' && c <= 'Z';
      if (!lower && !upper && (c < '0' || c > '9')) {
        begins = true;
        continue;
      }
      if (begins)
        id += lower ? static_cast<char>(c - 'a' + 'A') : c;
      else
        id += upper ? static_cast<char>(c - 'A' + 'a') : c;
      begins = false;
    }
    std::string unique = id;
    // Fields and values derive from it: those names are taken with it.
    for (int n = 2; !taken_.insert(unique).second; ++n) unique = fmt::format("{}_{}", id, n);
    return unique;
  }

  void add_doc(std::string_view doc) {
    if (!doc.empty()) out_ += fmt::format(", .doc = {}", quoted(doc));
  }

  void declare_values(const Field& field, const std::string& name) {
    out_ += fmt::format("inline constexpr EnumValue {}[] = {{\n", name);
    for (const EnumValue& v : field.values)
      out_ += fmt::format("    {{{:#x}, {}{}}},\n", v.value, quoted(v.name),
                          v.doc.empty() ? "" : ", " + quoted(v.doc));
    out_ += "};\n";
  }

  std::string declare(const Register& r) {
    const std::string name = identifier(r.name);
    const auto values_of = [&](const Field& field) {
      return fmt::format("{}_Values{}", name, field.low);
    };
    for (const Field& field : r.fields)
      if (!field.values.empty()) declare_values(field, values_of(field));
    if (!r.fields.empty()) {
      out_ += fmt::format("inline constexpr Field {}_Fields[] = {{\n", name);
      for (const Field& field : r.fields) {
        out_ += fmt::format("    {{.name = {}, .high = {}, .low = {}, .access = {}",
                            quoted(field.name), field.high, field.low, spelled(field.access));
        add_doc(field.doc);
        if (!field.values.empty()) out_ += fmt::format(", .values = {}", values_of(field));
        out_ += "},\n";
      }
      out_ += "};\n";
    }
    out_ += fmt::format("inline constexpr Register {}{{\n    .name = {}, .offset = {:#x}, ", name,
                        quoted(r.name), r.offset);
    out_ += fmt::format(".width = {}, .reset = {:#x}, .access = {}", r.width, r.reset,
                        spelled(r.access));
    if (!r.fields.empty()) out_ += fmt::format(", .fields = {}_Fields", name);
    add_doc(r.doc);
    if (r.count > 1) out_ += fmt::format(", .count = {}, .stride = {:#x}", r.count, r.stride);
    if (!r.element_name.empty())
      out_ += fmt::format(", .element_name = {}", quoted(r.element_name));
    out_ += "};\n\n";
    return name;
  }

  std::string out_;
  std::set<std::string> taken_;
};

}  // namespace

std::string registers_header(const RegisterMap& map, const std::string& device) {
  return Source().header(map, device);
}

}  // namespace pcilens::cli
