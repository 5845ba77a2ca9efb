// A display, register-compatible with QEMU's bochs-display: an unmodified bochs.ko gives it a frame
// buffer. Its video memory is a direct region: the driver writes pixels at memory speed, and only
// the registers are seen.
#include <charconv>

#include "core/function/device.hpp"
#include "devices/bochs/bochs_registers.hpp"
#include "devices/bochs/edid.hpp"
#include "devices/bochs/picture.hpp"

namespace pcilens::bochs {

Result<void> drive(sim::Device& device);  // bochs_driver.cpp

namespace {

constexpr std::uint64_t kVersion = 0xb0c5;

constexpr Identity kIdentity{.vendor = 0x1234,
                             .device = 0x1111,
                             .subsystem_vendor = 0x1af4,
                             .subsystem = 0x1100,
                             .class_code = 0x038000,
                             .revision = 2};
constexpr Bar kBars[] = {{.index = 0, .size = kVideoMemory.size, .prefetchable = true},
                         {.index = 2, .size = kMap.size}};

ConfigSpace config_space() {
  ConfigSpace config(kIdentity, kBars);
  config.add_power_management();
  config.add_pcie_endpoint();
  return config;
}

constexpr const RegisterMap* kMaps[] = {&kMap, &kVideoMemoryMap};

struct Options {
  std::string picture;
  bool keep = true;
  std::chrono::milliseconds refresh{1000};
};

class Bochs final : public Function {
 public:
  explicit Bochs(Options options) : Function(config_space(), kMaps), options_(std::move(options)) {
    bank(2).on_write(kEnable, [this](const RegisterWrite& w) {
      const auto enabled = [](std::uint64_t value) { return kEnableFields[0].extract(value) != 0; };
      if (!enabled(w.after) || enabled(w.before)) return;
      note_mode();
      if (!options_.picture.empty()) start(show());
    });
    fill_in();
  }

 private:
  // What no reset changes.
  void fill_in() {
    RegisterBank& regs = bank(2);
    regs.set(kId, kVersion);
    regs.set(kMemory64k, kVideoMemory.size >> 16);
    for (std::uint32_t i = 0; i < kEdid.count; ++i) regs.set(kEdid, edid_dword(i), i);
  }
  void on_reset(ResetKind) override { fill_in(); }

  Mode mode() const {
    const RegisterBank& regs = *Function::bank(2);
    const auto get = [&](const Register& r) { return static_cast<std::uint32_t>(regs.get(r)); };
    return {.width = get(kXres),
            .height = get(kYres),
            .bits = get(kBpp),
            .line = std::max(get(kVirtWidth), get(kXres)),
            .x = get(kXoffset),
            .y = get(kYoffset),
            .big_endian = get(kByteOrder) == kByteOrders[1].value};
  }

  void note_mode() {
    const Mode m = mode();
    std::string text = std::to_string(m.width) + "x" + std::to_string(m.height) + ", " +
                       std::to_string(m.bits) + " bits a pixel";
    if (auto fault = fault_of(m, kVideoMemory.size)) text += ", not shown: " + *fault;
    note(text);
  }

  // As a monitor does, again and again, for as long as there is a picture.
  Task<> show() {
    while (bank(2).get(kEnable["ENABLED"]) != 0) {
      co_await delay(options_.refresh);
      if (!options_.keep) continue;
      if (auto saved = save_picture(options_.picture, mode(), bank(0).memory(kVideoMemory)); !saved)
        co_return note(saved.error().message);
    }
  }

  Options options_;
};

constexpr OptionDescription kOptions[] = {
    {"picture", "", "file in which the picture is kept, as PPM, while there is one"},
    {"refresh_ms", "1000", "time from one picture to the next, in milliseconds, 10 to 60000"},
    {"keep", "on", "off: the file is not written"},
};

Result<void> take(const DeviceOption& option, Options& to) {
  const std::string& value = option.value;
  if (option.name == "picture") {
    to.picture = value;
    return {};
  }
  if (option.name == "keep" && (value == "on" || value == "off")) {
    to.keep = value == "on";
    return {};
  }
  if (option.name == "refresh_ms") {
    std::uint32_t ms = 0;
    const auto* end = value.data() + value.size();
    const auto parsed = std::from_chars(value.data(), end, ms);
    to.refresh = std::chrono::milliseconds(ms);
    if (parsed.ptr == end && ms >= 10 && ms <= 60'000) return {};
  }
  for (const OptionDescription& known : kOptions)
    if (known.name == option.name)
      return fail("bochs: option " + option.name + "=" + value +
                  " is not right: " + std::string(known.doc));
  return fail("bochs: there is no option " + option.name +
              "; there are picture, refresh_ms and keep");
}

Result<std::unique_ptr<Function>> create(const DeviceOptions& options) {
  Options given;
  for (const DeviceOption& option : options)
    if (auto taken = take(option, given); !taken) return tl::unexpected(taken.error());
  return std::make_unique<Bochs>(std::move(given));
}

constexpr PciId kCompatible[] = {{0x1234, 0x1111}};
constexpr Device::Setting kOnReplay[] = {{"keep", "off"}};

PCILENS_DEVICE(Device{
    .name = "bochs",
    .summary = "QEMU's bochs-display: a frame buffer in plain memory",
    .options = kOptions,
    .create = &create,
    .drive = &drive,
    .compatible = kCompatible,
    .on_replay = kOnReplay,
})

}  // namespace
}  // namespace pcilens::bochs
