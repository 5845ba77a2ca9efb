#include "devices/nvme/nvme.hpp"

#include <array>
#include <charconv>

#include "core/function/device.hpp"
#include "devices/nvme/nvme_decoder.hpp"
#include "devices/nvme/nvme_driver.hpp"
#include "devices/nvme/nvme_features.hpp"

namespace pcilens::nvme {
namespace {

using std::chrono::microseconds;

// Not a product: 1234 is the vendor that emulated devices use.
constexpr Identity kIdentity{.vendor = 0x1234,
                             .device = 0x4e56,
                             .subsystem_vendor = 0x1af4,
                             .subsystem = 0x1100,
                             .class_code = 0x010802,
                             .revision = 0x01};
constexpr std::array kBars = {Bar{.index = 0, .size = kBarSize, .is_64bit = true}};

ConfigSpace config_space() {
  ConfigSpace config(kIdentity, kBars);
  config.add_power_management();
  config.add_msix(kQueues, 0, kMsixTable, 0, kPendingBits);
  config.add_pcie_endpoint();
  config.add_serial_number(0x4e564d65);
  config.set_interrupt_pin(1);
  return config;
}

}  // namespace

Nvme::Nvme(const Settings& settings, std::unique_ptr<Store> store)
    : Function(config_space(), std::array{layout(settings.dstrd).map}),
      settings_(settings),
      layout_(layout(settings.dstrd)),
      store_(std::move(store)),
      block_(settings.block),
      features_(std::make_unique<Features>()) {
  RegisterBank& regs = bank(0);
  regs.on_read(kCap, [this](const RegisterRef&) {
    return kCap["DSTRD"].field->insert(kCap.reset, settings_.dstrd);
  });
  // The two show one mask (3.1.3, 3.1.4).
  regs.on_write(kIntms, [&](const RegisterWrite& w) {
    regs.set(kIntmc, w.after);
    update_intx();
  });
  regs.on_write(kIntmc, [&](const RegisterWrite& w) {
    regs.set(kIntms, w.after);
    update_intx();
  });
  regs.on_write(kCc, [this](const RegisterWrite& w) { configured(w); });
  regs.on_write(kNssr, [this](const RegisterWrite& w) {
    if (w.written == kSubsystemReset) reset_subsystem();
  });
  regs.on_write(*layout_.tail, [this](const RegisterWrite& w) { submission_doorbell(w); });
  regs.on_write(*layout_.head, [this](const RegisterWrite& w) { completion_doorbell(w); });
}

Nvme::~Nvme() = default;

// Whose BAR0 looks the same: QEMU's controller.
namespace {
constexpr PciId kCompatible[] = {{0x1b36, 0x0010}};
// A replay must not write to the disk of the run that it repeats.
constexpr Device::Setting kOnReplay[] = {{"snapshot", "on"}};
}  // namespace

// ---- options -----------------------------------------------------------------------------------

namespace {

constexpr OptionDescription kOptions[] = {
    {"disk", "", "file with the blocks; empty: memory"},
    {"size", "64M", "bytes of memory, with K, M or G; of a disk: leave it out"},
    {"snapshot", "off", "on: the disk is only read, what is written stays in memory"},
    {"block", "512", "bytes a block, 512 or 4096; a format changes it"},
    {"queues", "64", "I/O queues offered, 1 to 64"},
    {"stride", "4", "bytes from doorbell to doorbell, 4, 8 or 16"},
    {"dbbuf", "off",
     "on: offer shadow doorbells; then writes of doorbells are missing in the trace"},
    {"ready_us", "0", "time from CC.EN to CSTS.RDY, in microseconds, 0 to 10000000"},
    {"latency_us", "0", "time added to each I/O command, in microseconds, 0 to 10000000"},
    {"traffic", "64", "example driver: commands written, read back and compared, 0 to 10000000"},
    {"depth", "8", "example driver: commands at once in each queue, 1 to 256"},
    {"io", "4096", "example driver: bytes a command, 512 to 131072"},
    {"driver_queues", "2", "example driver: I/O queues it uses, 1 to 64"},
};

std::optional<std::uint64_t> number(std::string_view text) {
  std::uint64_t value = 0;
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), value);
  if (parsed.ec != std::errc{}) return std::nullopt;
  const std::string_view unit(parsed.ptr,
                              static_cast<std::size_t>(text.data() + text.size() - parsed.ptr));
  const unsigned shift = unit == "K" ? 10 : unit == "M" ? 20 : unit == "G" ? 30 : 0;
  if (!unit.empty() && shift == 0) return std::nullopt;
  if (value > (1ull << 42) >> shift) return std::nullopt;
  return value << shift;
}

Error wrong(const DeviceOption& option) {
  for (const OptionDescription& known : kOptions)
    if (known.name == option.name)
      return {"nvme: option " + option.name + "=" + option.value +
              " is not right: " + std::string(known.doc)};
  std::string all;
  for (const OptionDescription& known : kOptions) all += " " + std::string(known.name);
  return {"nvme: there is no option " + option.name + "; there are" + all};
}

bool apply(Settings& settings, const DeviceOption& option) {
  const std::string& name = option.name;
  if (name == "disk") {
    settings.store.file = option.value;
    return true;
  }
  const bool on = option.value == "on";
  if (name == "snapshot" || name == "dbbuf") {
    (name == "dbbuf" ? settings.doorbell_buffer : settings.store.snapshot) = on;
    return on || option.value == "off";
  }
  const auto value = number(option.value);
  if (!value) return false;
  const std::uint64_t v = *value;
  if (name == "size") return settings.store.size = v, v >= 4096;
  if (name == "block") return settings.block = static_cast<std::uint32_t>(v), v == 512 || v == 4096;
  if (name == "queues") return settings.io_queues = static_cast<unsigned>(v), v >= 1 && v < kQueues;
  if (name == "stride")
    return settings.dstrd = v == 16 ? 2 : v == 8 ? 1 : 0, v == 4 || v == 8 || v == 16;
  if (name == "ready_us") return settings.ready = microseconds(v), v <= 10'000'000;
  if (name == "latency_us") return settings.latency = microseconds(v), v <= 10'000'000;
  return valid_driver_option(name, v);
}

Result<std::unique_ptr<Function>> create(const DeviceOptions& options) {
  Settings settings;
  bool sized = false;
  for (const DeviceOption& option : options) {
    if (!apply(settings, option)) return tl::unexpected(wrong(option));
    sized = sized || option.name == "size";
  }
  if (!settings.store.file.empty() && !sized) settings.store.size = 0;
  settings.store.block = settings.block;
  if (settings.store.file.empty() && settings.store.size % settings.block != 0)
    return fail("nvme: size is no multiple of the block size; round it up");
  auto store = Store::open(settings.store);
  if (!store) return tl::unexpected(store.error());
  return std::make_unique<Nvme>(settings, std::move(*store));
}

PCILENS_DEVICE(Device{
    .name = "nvme",
    .summary = "an NVMe 1.4 controller with one namespace, in memory or a file",
    .options = kOptions,
    .create = &create,
    .drive = &drive,
    .decoder = &make_decoder,
    .compatible = kCompatible,
    .on_replay = kOnReplay,
})

}  // namespace
}  // namespace pcilens::nvme
