#include "core/trace/import_qemu_log.hpp"

#include <fmt/format.h>

#include <string>

#include "core/trace/text_fields.hpp"

namespace pcilens {
namespace {

constexpr std::uint16_t kNoCpu = 0xffff;  // "cpu -1": no CPU did it, a device did

constexpr std::string_view kWriteArrow = " <- 0x";

bool access_size(std::uint64_t size) {
  return size == 1 || size == 2 || size == 4 || size == 8;
}

class Importer {
 public:
  explicit Importer(ImportSession& session) : session_(session) {}

  Result<void> run() {
    std::string_view line;
    for (;;) {
      auto more = session_.source.next(line);
      if (!more) return tl::unexpected(more.error());
      if (!*more) break;
      if (line.find_first_not_of(' ') == std::string_view::npos) continue;
      if (auto taken = take(line); !taken) return taken;
    }
    if (session_.events() == 0)
      return fail(
          fmt::format("{}: holds no access; record with -trace 'memory_region_ops_*' -trace "
                      "'pci_cfg_*'",
                      session_.source.name()));
    if (guessed_size_)
      session_.remark("import.config_size",
                      "QEMU's log does not tell the size of config accesses: it is taken from the "
                      "register that stands there");
    if (messages_ != 0)
      session_.remark("import.messages",
                      fmt::format("{} interrupt messages match no vector of a known function; they "
                                  "stand under \"elsewhere\" as writes to their address",
                                  messages_));
    return {};
  }

 private:
  // "18130@1795329769.630827:pci_cfg_read nvme 00:04.0 @0x0 -> 0x1b36"; QEMU writes thread and time
  // unless its own messages go without.
  Result<void> take(std::string_view line) {
    TextFields f(line);
    std::uint64_t thread = 0, time = 0;
    thread_ = 0;
    if (f.decimal(thread)) {
      if (!f.literal("@") || !f.seconds(time) || !f.literal(":"))
        return session_.source.refuse("a thread and a time should begin the line; it is malformed");
      session_.at_time(time);
      thread_ = static_cast<std::uint32_t>(thread);
    }
    const auto whole = f.rest();
    std::string_view event;
    if (!f.word(event) ||
        event.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789_") != std::string_view::npos)
      return session_.source.refuse("no event of QEMU's log begins like this; repair or remove it");
    if (event == "memory_region_ops_read") return memory(f, false);
    if (event == "memory_region_ops_write") return memory(f, true);
    if (event == "pci_cfg_read") return config(f, " -> 0x");
    if (event == "pci_cfg_write") return config(f, kWriteArrow);
    if (event == "vfio_region_read") return vfio_region(f, false);
    if (event == "vfio_region_write") return vfio_region(f, true);
    if (event == "vfio_pci_read_config") return vfio_config(f, false);
    if (event == "vfio_pci_write_config") return vfio_config(f, true);
    session_.note(whole);
    return {};
  }

  // "cpu 0 mr 0x55e7 addr 0xfebf0008 value 0x10400 size 4 name 'nvme'"; the address is absolute,
  // and old versions give no name.
  Result<void> memory(TextFields& f, bool write) {
    std::uint64_t cpu = 0, region = 0, address = 0, value = 0, size = 0;
    std::string_view name;
    const bool device = f.literal("cpu ") && f.literal("-");
    if (!f.literal(device ? "1" : "") || (!device && !f.decimal(cpu)) || !f.literal(" mr ") ||
        !f.hex0x(region) || !f.literal(" addr ") || !f.hex0x(address) || !f.literal(" value ") ||
        !f.hex0x(value) || !f.literal(" size ") || !f.decimal(size) || !access_size(size))
      return session_.source.refuse(
          "a memory access wants cpu, mr, addr, value and size (1, 2, 4, 8); it is malformed or "
          "cut");
    if (!f.done() &&
        (!f.literal(" name '") || !f.until('\'', name) || !f.literal("'") || !f.done()))
      return session_.source.refuse("the region's name should end the line");
    const auto bytes = static_cast<std::uint32_t>(size);
    if (device && write && name == "apic-msi") {
      message(address, static_cast<std::uint32_t>(value), bytes);
      return {};
    }
    session_.memory(address, bytes, value, write, thread_,
                    device ? kNoCpu : static_cast<std::uint16_t>(cpu));
    return {};
  }

  // The log has the messages of every device. Those of known functions are interrupts; another is
  // what it is on the bus, a write of its data to its address (PCIe 5.0, 6.1.4).
  void message(std::uint64_t address, std::uint32_t data, std::uint32_t size) {
    Transaction t;
    t.origin = Origin::Function;
    t.size = size;
    t.value = data;
    t.thread = thread_;
    t.cpu = kNoCpu;
    for (const auto& function : session_.functions()) {
      const auto vector = function->vector_of(address, data);
      if (!vector) continue;
      t.kind = Kind::Irq;
      t.bar = kBarInterrupt;
      t.function = function->id();
      t.offset = *vector;
      return session_.record(t);
    }
    ++messages_;
    t.kind = Kind::DmaWrite;
    t.bar = kBarDma;
    t.function = session_.elsewhere().id();
    t.offset = address;
    session_.record(t);
  }

  // "nvme 00:04.0 @0x10 <- 0xffffffff"
  Result<void> config(TextFields& f, std::string_view arrow) {
    std::string_view device, bdf;
    std::uint64_t offset = 0, value = 0;
    if (!f.word(device) || !f.word(bdf) || !f.literal(" @") || !f.hex0x(offset) ||
        !f.literal(arrow) || !f.hex(value) || !f.done())
      return session_.source.refuse(
          "a config access wants device, address, offset and value; it is malformed or cut");
    if (offset >= kConfigSize || value > 0xffff'ffff)
      return session_.source.refuse(
          "config space has 4096 bytes, and registers of 32 bits at most");
    auto* function = session_.function(bdf, device);
    if (function == nullptr) return session_.source.refuse("more than 255 functions");
    const auto at = static_cast<std::uint16_t>(offset);
    const auto v = static_cast<std::uint32_t>(value);
    guessed_size_ = true;
    const bool write = arrow == kWriteArrow;
    session_.config(*function, at, function->likely_size(at, v, write), v, write, thread_);
    return {};
  }

  ImportedFunction* vfio_function(std::string_view name) {
    // "0000:01:00.0": the domain goes.
    if (name.size() > 8 && name[4] == ':') name.remove_prefix(5);
    return session_.function(name, "vfio");
  }

  // " (0000:01:00.0:region0+0x10, 0x1, 4)" and " (0000:01:00.0:region0+0x10, 4) = 0x1"
  Result<void> vfio_region(TextFields& f, bool write) {
    std::string_view name;
    std::uint64_t region = 0, offset = 0, value = 0, size = 0;
    const auto bad = [&] {
      return session_.source.refuse(
          "a vfio access wants device, region, offset, value and size; it is malformed or cut");
    };
    if (!f.literal("(")) return bad();
    const auto at = f.rest().rfind(":region");
    if (at == std::string_view::npos || at == 0) return bad();
    name = f.rest().substr(0, at);
    f = TextFields(f.rest().substr(at));
    if (!f.literal(":region") || !f.decimal(region) || !f.literal("+") || !f.hex0x(offset) ||
        !f.literal(",") || (write && (!f.hex0x(value) || !f.literal(","))) || !f.decimal(size) ||
        !f.literal(")") || (!write && (!f.literal("=") || !f.hex0x(value))) || !f.done() ||
        !access_size(size))
      return bad();
    auto* function = vfio_function(name);
    if (function == nullptr) return session_.source.refuse("more than 255 functions");
    const auto bytes = static_cast<std::uint32_t>(size);
    if (region > 5) {
      // ROM and VGA, by the offset that VFIO gives them in the device's file.
      session_.memory(region << 40 | offset, bytes, value, write, thread_, 0);
      return {};
    }
    const ImportedFunction::Place place{static_cast<std::int8_t>(region), offset};
    function->bar_access(place, bytes, write, value);
    Transaction t;
    t.kind = write ? Kind::MemWrite : Kind::MemRead;
    t.function = function->id();
    t.bar = place.bar;
    t.offset = offset;
    t.size = bytes;
    t.value = value;
    t.thread = thread_;
    session_.record(t);
    return {};
  }

  // " (0000:01:00.0, @0x4, len=0x2) 0x10" and " (0000:01:00.0, @0x4, 0x107, len=0x2)"
  Result<void> vfio_config(TextFields& f, bool write) {
    std::string_view name;
    std::uint64_t offset = 0, value = 0, size = 0;
    if (!f.literal("(") || !f.until(',', name) || !f.literal(", @") || !f.hex0x(offset) ||
        !f.literal(",") || (write && (!f.hex0x(value) || !f.literal(","))) || !f.literal("len=") ||
        !f.hex0x(size) || !f.literal(")") || (!write && !f.hex0x(value)) || !f.done() ||
        !access_size(size) || size > 4 || offset >= kConfigSize || value > 0xffff'ffff)
      return session_.source.refuse(
          "a vfio config access wants device, offset, value and len; it is malformed or cut");
    auto* function = vfio_function(name);
    if (function == nullptr) return session_.source.refuse("more than 255 functions");
    session_.config(*function, static_cast<std::uint16_t>(offset), static_cast<std::uint32_t>(size),
                    static_cast<std::uint32_t>(value), write, thread_);
    return {};
  }

  ImportSession& session_;
  std::uint32_t thread_ = 0;
  std::uint64_t messages_ = 0;
  bool guessed_size_ = false;
};

}  // namespace

Result<void> import_qemu_log(ImportSession& session) {
  return Importer(session).run();
}

}  // namespace pcilens
