#include "inspector-ui/cli/register_files.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "core/registers/map_json.hpp"
#include "core/registers/svd.hpp"

namespace pcilens::cli {
namespace {

constexpr std::size_t kMostBytes = 32u << 20;  // as much as read_svd() takes
constexpr std::size_t kMostNames = 8;          // in one message

struct Wanted {
  std::string file, peripheral;
  std::int8_t bar = 0;
  std::optional<std::pair<std::uint16_t, std::uint16_t>> function;
};

bool take_id(std::string_view text, std::uint16_t& id) {
  const auto end = text.data() + text.size();
  const auto parsed = std::from_chars(text.data(), end, id, 16);
  return parsed.ec == std::errc() && parsed.ptr == end && !text.empty();
}

Result<Wanted> parse(const std::string& text) {
  Wanted wanted;
  std::size_t at = std::min(text.find(','), text.size());
  wanted.file = text.substr(0, at);
  if (wanted.file.empty()) return fail(fmt::format("--registers {}: the file is missing", text));
  std::vector<std::string> given;
  while (at < text.size()) {
    const std::size_t end = std::min(text.find(',', at + 1), text.size());
    const std::string option = text.substr(at + 1, end - at - 1);
    at = end;
    const std::size_t equals = std::min(option.find('='), option.size());
    const std::string name = option.substr(0, equals);
    const std::string value = option.substr(std::min(equals + 1, option.size()));
    if (std::find(given.begin(), given.end(), name) != given.end())
      return fail(fmt::format("--registers {}: {}= is given twice; keep one", text, name));
    given.push_back(name);
    if (name == "peripheral") {
      wanted.peripheral = value;
    } else if (name == "bar") {
      if (value.size() != 1 || value[0] < '0' || value[0] > '5')
        return fail(fmt::format("--registers {}: bar={} is no BAR; take 0 to 5", text, value));
      wanted.bar = static_cast<std::int8_t>(value[0] - '0');
    } else if (name == "function") {
      std::pair<std::uint16_t, std::uint16_t> ids;
      const std::size_t colon = value.find(':');
      if (colon == std::string::npos || !take_id(value.substr(0, colon), ids.first) ||
          !take_id(value.substr(colon + 1), ids.second))
        return fail(fmt::format(
            "--registers {}: function={} is not VENDOR:DEVICE in hexadecimal, such as 8086:10d3",
            text, value));
      wanted.function = ids;
    } else {
      return fail(
          fmt::format("--registers {}: there is no \"{}\"; it has: peripheral= bar= "
                      "function=",
                      text, name));
    }
  }
  return wanted;
}

Result<std::string> contents(const std::string& file) {
  std::error_code error;
  if (std::filesystem::is_directory(file, error))
    return fail(fmt::format("{}: it is a folder; name a file in it", file));
  std::ifstream in(file, std::ios::binary);
  // One byte more than is allowed, so that a device file cannot fill the memory.
  std::string text(kMostBytes + 1, '\0');
  if (in) in.read(text.data(), static_cast<std::streamsize>(text.size()));
  if (in.bad() || !in.is_open())
    return fail(fmt::format("{}: it cannot be read; is the path right?", file));
  text.resize(static_cast<std::size_t>(in.gcount()));
  if (text.size() > kMostBytes)
    return fail(
        fmt::format("{}: it has more than 32 MiB; name a CMSIS-SVD file or a map in JSON", file));
  return text;
}

// The same registers on another BAR.
Result<std::shared_ptr<const OwnedRegisterMap>> upon(const RegisterMap& map, std::int8_t bar) {
  RegisterMapBuilder builder;
  for (const Register* r : map.registers) builder.add(*r);
  for (const MemoryRegion* r : map.regions) builder.add(*r);
  for (const Structure* s : map.structures) builder.add(*s);
  return builder.finish(map.name, bar, map.size);
}

Result<std::shared_ptr<const OwnedRegisterMap>> svd_map(const Wanted& wanted, std::string_view xml,
                                                        std::vector<std::string>& notes) {
  auto device = read_svd(xml, wanted.file);
  if (!device) return tl::unexpected(device.error());
  const auto& all = device->peripherals;
  for (const SvdPeripheral& p : all) {
    if (p.name != wanted.peripheral && !(wanted.peripheral.empty() && all.size() == 1)) continue;
    for (std::string& note : device->notes)
      if (note.find(": " + p.name + ".") != std::string::npos) notes.push_back(std::move(note));
    return p.map;
  }
  std::vector<std::string_view> names;
  for (const SvdPeripheral& p : all) {
    if (names.size() == kMostNames) {
      names.push_back("...");
      break;
    }
    names.push_back(p.name);
  }
  return fail(fmt::format("{}: {}; choose with ,peripheral=NAME among: {}", wanted.file,
                          wanted.peripheral.empty()
                              ? fmt::format("it has {} peripherals", all.size())
                              : fmt::format("it has no peripheral {}", wanted.peripheral),
                          fmt::join(names, " ")));
}

}  // namespace

Result<RegisterFile> read_register_file(const std::string& text) {
  auto wanted = parse(text);
  if (!wanted) return tl::unexpected(wanted.error());
  auto whole = contents(wanted->file);
  if (!whole) return tl::unexpected(whole.error());
  RegisterFile file{.map = nullptr, .function = wanted->function, .notes = {}};
  const auto first = whole->find_first_not_of(" \t\r\n\xef\xbb\xbf");
  const bool json = first != std::string::npos && (*whole)[first] == '{';
  if (json && !wanted->peripheral.empty())
    return fail(
        fmt::format("{}: a map in JSON has no peripherals; leave peripheral= out", wanted->file));
  auto map = json ? map_from_json(*whole) : svd_map(*wanted, *whole, file.notes);
  if (!map)
    return json ? fail(fmt::format("{}: {}", wanted->file, map.error().message))
                : tl::unexpected(map.error());
  auto placed = upon(**map, wanted->bar);
  if (!placed) return tl::unexpected(placed.error());
  file.map = std::move(*placed);
  return file;
}

Result<std::vector<RegisterFile>> read_register_files(const std::vector<std::string>& texts) {
  std::vector<RegisterFile> files;
  for (const std::string& text : texts) {
    auto file = read_register_file(text);
    if (!file) return tl::unexpected(file.error());
    files.push_back(std::move(*file));
  }
  return files;
}

void add_registers_option(CLI::App& app, std::vector<std::string>& texts) {
  app.add_option("--registers", texts,
                 "Name the registers of a BAR from a CMSIS-SVD file or a map in JSON; without\n"
                 "bar= it is BAR0, without function= every function. May be given several times")
      ->type_name("FILE[,peripheral=NAME][,bar=N][,function=VENDOR:DEVICE]")
      ->take_all()
      ->allow_extra_args(false);
}

void put_registers(TraceReader& trace, const std::vector<RegisterFile>& files) {
  const auto id = [](const TraceFunction& f, std::size_t at) {
    return f.config.size() < at + 2
               ? std::uint16_t{0xffff}
               : static_cast<std::uint16_t>(std::to_integer<unsigned>(f.config[at]) |
                                            std::to_integer<unsigned>(f.config[at + 1]) << 8);
  };
  const auto functions = trace.functions();  // a copy: putting registers describes them anew
  for (const TraceFunction& f : functions)
    for (const RegisterFile& file : files)
      if (!f.config.empty() && file.is_for(id(f, 0), id(f, 2))) trace.put_registers(f.id, file.map);
}

}  // namespace pcilens::cli
