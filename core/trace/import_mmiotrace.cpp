#include "core/trace/import_mmiotrace.hpp"

#include <fmt/format.h>

#include <array>
#include <string>
#include <vector>

#include "core/trace/text_fields.hpp"

namespace pcilens {
namespace {

constexpr std::string_view kVersion = "20070824";
constexpr std::size_t kResources = 7;  // six BARs and the ROM

struct PciDevice {
  std::string bdf, name;
  std::uint64_t ids = 0, irq = 0;
  std::array<std::uint64_t, kResources> start{}, size{};
};

// "PCIDEV 0020 1b360010 a febf0004 ... 4000 ... nvme": bus and devfn, ids, irq, seven starts with
// the BAR's low bits, seven sizes, the driver's name if one is bound.
bool parse_device(TextFields line, PciDevice& device) {
  std::uint64_t devfn = 0;
  if (!line.hex(devfn) || devfn > 0xffff || !line.hex(device.ids) || device.ids > 0xffff'ffff ||
      !line.hex(device.irq))
    return false;
  for (auto& start : device.start)
    if (!line.hex(start)) return false;
  for (auto& size : device.size)
    if (!line.hex(size)) return false;
  std::string_view name;
  if (line.word(name)) device.name = name;
  device.bdf = fmt::format("{:02x}:{:02x}.{}", devfn >> 8, devfn >> 3 & 0x1f, devfn & 7);
  return line.done();
}

std::uint64_t address_of(const PciDevice& d, std::size_t bar) {
  return d.start[bar] & ~((d.start[bar] & 1) != 0 ? 3ull : 0xfull);
}

class Importer {
 public:
  explicit Importer(ImportSession& session) : session_(session) {}

  Result<void> run() {
    std::string_view line;
    bool versioned = false;
    for (;;) {
      auto more = session_.source.next(line);
      if (!more) return tl::unexpected(more.error());
      if (!*more) break;
      if (line.find_first_not_of(' ') == std::string_view::npos || line.starts_with('#')) continue;
      if (!versioned) {
        if (line != fmt::format("VERSION {}", kVersion))
          return session_.source.refuse(fmt::format(
              "a mmiotrace begins with \"VERSION {}\"; take the file as the kernel wrote it",
              kVersion));
        versioned = true;
        continue;
      }
      if (auto taken = take(line); !taken) return taken;
    }
    if (!versioned)
      return fail(fmt::format("{}: is empty; a mmiotrace begins with \"VERSION {}\"",
                              session_.source.name(), kVersion));
    return {};
  }

 private:
  Result<void> take(std::string_view line) {
    TextFields fields(line);
    std::string_view word;
    fields.word(word);
    if (word == "R" || word == "W") return access(fields, word == "W");
    if (word == "MARK") return mark(fields);
    if (word == "MAP") return map(fields, line);
    if (word == "UNMAP") return unmap(fields);
    if (word == "UNKNOWN") return unknown(fields);
    if (word == "PCIDEV") {
      PciDevice device;
      if (!parse_device(fields, device))
        return session_.source.refuse("PCIDEV wants 17 hexadecimal numbers and perhaps a name");
      session_.note(line);
      devices_.push_back(std::move(device));
      return {};
    }
    return session_.source.refuse("no line of a mmiotrace begins like this; repair or remove it");
  }

  // "R 4 3.950161 1 0xfebf001c 0x1 0x0 0": width, time, map, physical address, value, pc, pid.
  Result<void> access(TextFields& f, bool write) {
    std::uint64_t width = 0, time = 0, map = 0, address = 0, value = 0, pc = 0, pid = 0;
    if (!f.decimal(width) || !f.seconds(time) || !f.decimal(map) || !f.hex0x(address) ||
        !f.hex0x(value) || !f.hex0x(pc) || !f.decimal(pid) || !f.done())
      return session_.source.refuse(
          "an access wants width, time, map, address, value, pc and pid; the line is malformed or "
          "cut");
    if (width != 1 && width != 2 && width != 4 && width != 8)
      return session_.source.refuse("an access is 1, 2, 4 or 8 bytes wide");
    session_.at_time(time);
    reveal(address, static_cast<std::uint32_t>(width));
    session_.memory(address, static_cast<std::uint32_t>(width), value, write,
                    static_cast<std::uint32_t>(pid), 0);
    return {};
  }

  // A device becomes a function with the first access to one of its BARs: a mmiotrace lists every
  // device of the machine, and all but one are none of the recording's business.
  void reveal(std::uint64_t address, std::uint32_t size) {
    for (PciDevice& d : devices_) {
      if (d.bdf.empty()) continue;
      for (std::size_t i = 0; i < 6; ++i) {
        const auto start = address_of(d, i);
        if (start == 0 || address < start || d.size[i] < size || address - start > d.size[i] - size)
          continue;
        add(d);
        d.bdf.clear();
        return;
      }
    }
  }

  void add(const PciDevice& d) {
    auto* function = session_.function(d.bdf, d.name.empty() ? "pci" : d.name);
    if (function == nullptr) return;
    function->set_config(cfg::kVendor, 2, static_cast<std::uint32_t>(d.ids >> 16));
    function->set_config(cfg::kDevice, 2, static_cast<std::uint32_t>(d.ids & 0xffff));
    function->set_config(cfg::kInterruptLine, 1, static_cast<std::uint32_t>(d.irq & 0xff));
    for (unsigned i = 0; i < 6; ++i) {
      if (d.size[i] == 0) continue;
      const auto start = d.start[i];
      function->set_bar(i, address_of(d, i), d.size[i],
                        static_cast<std::uint32_t>(start & ((start & 1) != 0 ? 3 : 0xf)));
      const auto at = static_cast<std::uint16_t>(cfg::kBar0 + 4 * i);
      function->set_config(at, 4, static_cast<std::uint32_t>(start));
      if ((start & 7) == 4 && i < 5)
        function->set_config(static_cast<std::uint16_t>(at + 4), 4,
                             static_cast<std::uint32_t>(start >> 32));
    }
  }

  // The kernel says with a mark when it has lost events.
  Result<void> mark(TextFields& f) {
    std::uint64_t time = 0, lost = 0;
    if (!f.seconds(time)) return session_.source.refuse("MARK wants a time");
    if (time != 0) session_.at_time(time);
    auto text = f.rest();
    if (text.starts_with(' ')) text.remove_prefix(1);
    TextFields words(text);
    if (words.literal("mmiotrace has lost ") && words.decimal(lost)) return gap(lost, text);
    session_.note(text);
    return {};
  }

  // The virtual address stays behind: the trace holds no kernel addresses.
  Result<void> map(TextFields& f, std::string_view) {
    std::uint64_t time = 0, id = 0, address = 0, virt = 0, length = 0, pc = 0, pid = 0;
    if (!f.seconds(time) || !f.decimal(id) || !f.hex0x(address) || !f.hex0x(virt) ||
        !f.hex0x(length) || !f.hex0x(pc) || !f.decimal(pid) || !f.done())
      return session_.source.refuse("MAP wants time, map, two addresses, length, pc and pid");
    session_.at_time(time);
    session_.note(fmt::format("MAP {} {:#x} {:#x}", id, address, length));
    return {};
  }

  Result<void> unmap(TextFields& f) {
    std::uint64_t time = 0, id = 0, pc = 0, pid = 0;
    if (!f.seconds(time) || !f.decimal(id) || !f.hex0x(pc) || !f.decimal(pid) || !f.done())
      return session_.source.refuse("UNMAP wants time, map, pc and pid");
    session_.at_time(time);
    session_.note(fmt::format("UNMAP {}", id));
    return {};
  }

  // An instruction that the kernel could not decode: an access, of which only the address is known.
  Result<void> unknown(TextFields& f) {
    std::uint64_t time = 0, id = 0, address = 0, pc = 0, pid = 0;
    std::string_view opcode;
    if (!f.seconds(time) || !f.decimal(id) || !f.hex0x(address) || !f.word(opcode) ||
        !f.hex0x(pc) || !f.decimal(pid) || !f.done())
      return session_.source.refuse("UNKNOWN wants time, map, address, opcode, pc and pid");
    session_.at_time(time);
    return gap(1, fmt::format("UNKNOWN access at {:#x}, opcode {}", address, opcode));
  }

  Result<void> gap(std::uint64_t lost, std::string_view why) {
    Transaction t;
    t.kind = Kind::Gap;
    t.value = lost;
    t.payload = std::as_bytes(std::span(why.data(), why.size()));
    session_.record(t);
    return {};
  }

  ImportSession& session_;
  std::vector<PciDevice> devices_;
};

}  // namespace

Result<void> import_mmiotrace(ImportSession& session) {
  return Importer(session).run();
}

}  // namespace pcilens
