#include "core/registers/svd.hpp"

#include <algorithm>
#include <fstream>
#include <unordered_set>

#include "core/registers/svd_document.hpp"
#include "core/registers/svd_peripheral.hpp"
#include "core/registers/svd_values.hpp"

namespace pcilens {
namespace svd {
namespace {

void read_peripheral(Document& document, const View& root, pugi::xml_node node,
                     const Properties& inherited, std::uint64_t& budget, SvdDevice& device) {
  const View view = document.view(node, root);
  const std::string name = document.name(view);
  const std::uint64_t address = document.required_number(view, "baseAddress");
  const Properties properties = inherited.refined(document, view);
  std::uint64_t count = 1, step = 0;
  if (view.child("dim")) {
    count = document.required_number(view, "dim");
    step = document.required_number(view, "dimIncrement");
  }
  const auto mark = name.find("%s");
  if (!document.failed() &&
      (count == 0 || count > 256 || (view.child("dim") != nullptr) != (mark != std::string::npos)))
    document.fail(node, name +
                            ": an array of peripherals needs a dim of 1 to 256 and %s in its "
                            "name");
  const auto names = indices(view.text("dimIndex"), 256);
  for (std::uint64_t i = 0; i < count && !document.failed(); ++i) {
    std::string one = name;
    if (mark != std::string::npos)
      one.replace(mark, 2, names.size() == count ? names[i] : std::to_string(i));
    PeripheralReader reader(document, one, budget);
    auto map = reader.read(view, properties);
    if (!map) return;
    device.peripherals.push_back({.name = std::move(one),
                                  .doc = one_line(view.text("description")),
                                  .base_address = address + i * step,
                                  .map = std::move(map)});
  }
}

void check_names(Document& document, const SvdDevice& device) {
  std::unordered_set<std::string_view> names;
  for (const SvdPeripheral& one : device.peripherals)
    if (!names.insert(one.name).second)
      document.fail(document.device(), "two peripherals are called " + one.name + "; rename one");
}

}  // namespace
}  // namespace svd

Result<SvdDevice> read_svd(std::string_view xml, std::string_view source) {
  svd::Document document(xml, source);
  SvdDevice device;
  if (!document.failed()) {
    const svd::View root(document.device());
    device.name = svd::one_line(root.text("name"));
    device.doc = svd::one_line(root.text("description"));
    const auto properties = svd::Properties{}.refined(document, root);
    std::uint64_t budget = 0;
    const auto peripherals = document.members(root, "peripherals", "peripheral", "peripheral");
    if (peripherals.empty())
      document.fail(document.device(), "no <peripheral> in it; there is nothing to read");
    for (const pugi::xml_node& node : peripherals) {
      if (document.failed()) break;
      svd::read_peripheral(document, root, node, properties, budget, device);
    }
    svd::check_names(document, device);
    device.notes = document.take_notes();
  }
  if (document.failed()) return tl::unexpected<Error>(document.error());
  return device;
}

Result<SvdDevice> read_svd_file(const std::filesystem::path& file) {
  std::ifstream in(file, std::ios::binary);
  std::error_code error;
  const auto size = std::filesystem::file_size(file, error);
  if (!in || error)
    return fail(file.string() + ": it cannot be read; does it exist, and is it a file?");
  // One byte more than is allowed is enough to be refused for its size.
  std::string text(std::min<std::uintmax_t>(size, (32u << 20) + 1), '\0');
  in.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<std::size_t>(in.gcount()));
  return read_svd(text, file.filename().string());
}

}  // namespace pcilens
