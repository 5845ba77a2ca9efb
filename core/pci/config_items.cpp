#include "core/pci/config_items.hpp"

#include <algorithm>
#include <iterator>

namespace pcilens::detail {
namespace {

constexpr auto RO = Access::RO, RW = Access::RW, W1C = Access::W1C;

constexpr Field bit(std::string_view name, std::uint8_t at, Access access, std::string_view doc) {
  return {.name = name, .high = at, .low = at, .access = access, .doc = doc};
}

// ---- header, 7.5.1 -----------------------------------------------------------------------------
constexpr Field kCommand[] = {
    bit("IO", 0, RW, "answers I/O requests"),
    bit("MEM", 1, RW, "answers memory requests"),
    bit("BME", 2, RW, "may send requests: DMA and MSI"),
    bit("PERR", 6, RW, "reports poisoned data"),
    bit("SERR", 8, RW, "reports errors to the root complex"),
    bit("INTXDIS", 10, RW, "INTx messages are off"),
};
constexpr Field kStatus[] = {
    bit("INTX", 3, RO, "an INTx interrupt is pending"),
    bit("CAP", 4, RO, "there is a list of capabilities"),
    bit("MDPE", 8, W1C, "a data parity error as requester"),
    bit("STA", 11, W1C, "completed with completer abort"),
    bit("RTA", 12, W1C, "received a completer abort"),
    bit("RMA", 13, W1C, "received an unsupported request"),
    bit("SSE", 14, W1C, "sent an error message"),
    bit("DPE", 15, W1C, "received poisoned data"),
};
constexpr Field kClassFields[] = {
    {.name = "INTERFACE", .high = 7, .low = 0, .access = RO, .doc = "programming interface"}};
constexpr Field kClass2Fields[] = {
    {.name = "SUB", .high = 7, .low = 0, .access = RO, .doc = "sub-class"},
    {.name = "BASE", .high = 15, .low = 8, .access = RO, .doc = "base class"},
};
constexpr Field kHeaderType[] = {
    {.name = "LAYOUT",
     .high = 6,
     .low = 0,
     .access = RO,
     .doc = "0 for a function, 1 for a bridge"},
    bit("MULTI", 7, RO, "the device has several functions"),
};
constexpr EnumValue kBarTypes[] = {{0, "32-bit"}, {2, "64-bit"}};
constexpr Field kBar[] = {
    bit("IO", 0, RO, "in I/O space"),
    {.name = "TYPE", .high = 2, .low = 1, .access = RO, .doc = "width", .values = kBarTypes},
    bit("PREFETCH", 3, RO, "prefetchable"),
    {.name = "ADDRESS", .high = 31, .low = 4, .access = RW, .doc = "address bits 31 to 4"},
};
constexpr Field kRom[] = {
    bit("EN", 0, RW, "the ROM answers"),
    {.name = "ADDRESS", .high = 31, .low = 11, .access = RW, .doc = "address bits 31 to 11"},
};
constexpr EnumValue kPins[] = {{0, "none"}, {1, "INTA"}, {2, "INTB"}, {3, "INTC"}, {4, "INTD"}};
constexpr Field kPin[] = {
    {.name = "PIN", .high = 7, .low = 0, .access = RO, .doc = "INTx used", .values = kPins}};

constexpr ConfigItemTemplate kHeader[] = {
    {0x00, 2, "VENDOR", {}, "who made it (PCI-SIG's list)"},
    {0x02, 2, "DEVICE", {}, "what the vendor calls it"},
    {0x04, 2, "COMMAND", kCommand, "what the function may do"},
    {0x06, 2, "STATUS", kStatus, "what happened to it"},
    {0x08, 1, "REVISION", {}, "revision of the device"},
    {0x09, 1, "PROGIF", kClassFields, "programming interface of the class"},
    {0x0a, 2, "CLASS", kClass2Fields, "what kind of device it is"},
    {0x0c, 1, "CACHE_LINE", {}, "cache line size; no effect in PCIe"},
    {0x0d, 1, "LATENCY", {}, "latency timer; 0 in PCIe"},
    {0x0e, 1, "HEADER_TYPE", kHeaderType, "layout of what follows"},
    {0x0f, 1, "BIST", {}, "built-in self test"},
    {0x10, 4, "BAR0", kBar, "address of the first range"},
    {0x14, 4, "BAR1", kBar, "address, or upper half of BAR0"},
    {0x18, 4, "BAR2", kBar, "address, or upper half of BAR1"},
    {0x1c, 4, "BAR3", kBar, "address, or upper half of BAR2"},
    {0x20, 4, "BAR4", kBar, "address, or upper half of BAR3"},
    {0x24, 4, "BAR5", kBar, "address, or upper half of BAR4"},
    {0x28, 4, "CARDBUS_CIS", {}, "not used in PCIe"},
    {0x2c, 2, "SUBSYSTEM_VENDOR", {}, "who made the card"},
    {0x2e, 2, "SUBSYSTEM", {}, "what the card's maker calls it"},
    {0x30, 4, "ROM", kRom, "address of the expansion ROM"},
    {0x34, 1, "CAP_PTR", {}, "offset of the first capability"},
    {0x3c, 1, "INT_LINE", {}, "software's note of the IRQ"},
    {0x3d, 1, "INT_PIN", kPin, "the INTx that the function uses"},
    {0x3e, 1, "MIN_GNT", {}, "0 in PCIe"},
    {0x3f, 1, "MAX_LAT", {}, "0 in PCIe"},
};
constexpr std::size_t kCommonHeader = 11;  // up to BIST; a bridge has other things behind it

// ---- capabilities ------------------------------------------------------------------------------
constexpr Field kPmc[] = {
    {.name = "VERSION", .high = 2, .low = 0, .access = RO, .doc = "3: PM 1.2"},
    bit("D1", 9, RO, "D1 is offered"),
    bit("D2", 10, RO, "D2 is offered"),
    {.name = "PME", .high = 15, .low = 11, .access = RO, .doc = "states that can send PME"},
};
constexpr EnumValue kStates[] = {{0, "D0"}, {1, "D1"}, {2, "D2"}, {3, "D3hot"}};
constexpr Field kPmcsr[] = {
    {.name = "STATE", .high = 1, .low = 0, .access = RW, .doc = "power state", .values = kStates},
    bit("NSR", 3, RO, "D3hot to D0 keeps the configuration"),
    bit("PME_EN", 8, RW, "may send PME"),
    bit("PME", 15, W1C, "a PME was signaled"),
};
constexpr ConfigItemTemplate kPm[] = {
    {2, 2, "PMC", kPmc, "power management capabilities"},
    {4, 2, "PMCSR", kPmcsr, "power management control and status"},
};

constexpr EnumValue kCounts[] = {{0, "1"}, {1, "2"}, {2, "4"}, {3, "8"}, {4, "16"}, {5, "32"}};
constexpr Field kMsiControl[] = {
    bit("EN", 0, RW, "MSI is on"),
    {.name = "MMC", .high = 3, .low = 1, .access = RO, .doc = "vectors wanted", .values = kCounts},
    {.name = "MME", .high = 6, .low = 4, .access = RW, .doc = "vectors given", .values = kCounts},
    bit("A64", 7, RO, "64-bit message address"),
    bit("PVM", 8, RO, "each vector can be masked"),
};
constexpr ConfigItemTemplate kMsi32[] = {
    {2, 2, "CTRL", kMsiControl, "MSI control"},
    {4, 4, "ADDR", {}, "where the message goes"},
    {8, 2, "DATA", {}, "what the message says"},
    {12, 4, "MASK", {}, "a bit a vector: masked"},
    {16, 4, "PENDING", {}, "a bit a vector: waits for its mask"},
};
constexpr ConfigItemTemplate kMsi64[] = {
    {2, 2, "CTRL", kMsiControl, "MSI control"},
    {4, 4, "ADDR", {}, "where the message goes, lower half"},
    {8, 4, "ADDR_HIGH", {}, "where the message goes, upper half"},
    {12, 2, "DATA", {}, "what the message says"},
    {16, 4, "MASK", {}, "a bit a vector: masked"},
    {20, 4, "PENDING", {}, "a bit a vector: waits for its mask"},
};
constexpr Field kMsixControl[] = {
    {.name = "SIZE", .high = 10, .low = 0, .access = RO, .doc = "vectors less one"},
    bit("MASK", 14, RW, "all vectors masked"),
    bit("EN", 15, RW, "MSI-X is on"),
};
constexpr Field kMsixPlace[] = {
    {.name = "BIR", .high = 2, .low = 0, .access = RO, .doc = "the BAR it lies in"},
    {.name = "OFFSET", .high = 31, .low = 3, .access = RO, .doc = "offset in that BAR, by 8 bytes"},
};
constexpr ConfigItemTemplate kMsix[] = {
    {2, 2, "CTRL", kMsixControl, "MSI-X control"},
    {4, 4, "TABLE", kMsixPlace, "where the vector table lies"},
    {8, 4, "PBA", kMsixPlace, "where the pending bits lie"},
};
constexpr ConfigItemTemplate kVendor[] = {{2, 1, "LENGTH", {}, "bytes of the capability"}};

// ---- PCI Express, 7.5.3 ------------------------------------------------------------------------
constexpr EnumValue kPortTypes[] = {
    {0, "endpoint"},   {1, "legacy endpoint"}, {4, "root port"},          {5, "upstream"},
    {6, "downstream"}, {7, "to PCI"},          {9, "integrated endpoint"}};
constexpr Field kPcieCap[] = {
    {.name = "VERSION", .high = 3, .low = 0, .access = RO, .doc = "2 since PCIe 2.0"},
    {.name = "TYPE", .high = 7, .low = 4, .access = RO, .doc = "port type", .values = kPortTypes},
    bit("SLOT", 8, RO, "a slot lies behind it"),
    {.name = "MSI", .high = 13, .low = 9, .access = RO, .doc = "vector of its own events"},
};
constexpr EnumValue kPayloads[] = {{0, "128"},  {1, "256"},  {2, "512"},
                                   {3, "1024"}, {4, "2048"}, {5, "4096"}};
constexpr Field kDevCap[] = {
    {.name = "MPS",
     .high = 2,
     .low = 0,
     .access = RO,
     .doc = "largest payload",
     .values = kPayloads},
    {.name = "PHANTOM", .high = 4, .low = 3, .access = RO, .doc = "phantom functions"},
    bit("EXTTAG", 5, RO, "8-bit tags"),
    {.name = "L0S", .high = 8, .low = 6, .access = RO, .doc = "L0s latency it bears"},
    {.name = "L1", .high = 11, .low = 9, .access = RO, .doc = "L1 latency it bears"},
    bit("RBE", 15, RO, "role-based error reporting"),
    bit("FLR", 28, RO, "can be reset alone"),
};
constexpr Field kDevCtl[] = {
    bit("CORR", 0, RW, "reports correctable errors"),
    bit("NONFATAL", 1, RW, "reports non-fatal errors"),
    bit("FATAL", 2, RW, "reports fatal errors"),
    bit("UR", 3, RW, "reports unsupported requests"),
    bit("RO", 4, RW, "may set relaxed ordering"),
    {.name = "MPS", .high = 7, .low = 5, .access = RW, .doc = "payload", .values = kPayloads},
    bit("EXTTAG", 8, RW, "uses 8-bit tags"),
    bit("AUX", 10, RW, "draws auxiliary power"),
    bit("NOSNOOP", 11, RW, "may set no snoop"),
    {.name = "MRRS", .high = 14, .low = 12, .access = RW, .doc = "read size", .values = kPayloads},
    bit("FLR", 15, Access::WO, "1 resets the function"),
};
constexpr Field kDevSta[] = {
    bit("CORR", 0, W1C, "a correctable error"), bit("NONFATAL", 1, W1C, "a non-fatal error"),
    bit("FATAL", 2, W1C, "a fatal error"),      bit("UR", 3, W1C, "an unsupported request"),
    bit("AUX", 4, RO, "has auxiliary power"),   bit("TPEND", 5, RO, "waits for completions"),
};
constexpr EnumValue kSpeeds[] = {{1, "2.5 GT/s"}, {2, "5 GT/s"},  {3, "8 GT/s"},
                                 {4, "16 GT/s"},  {5, "32 GT/s"}, {6, "64 GT/s"}};
constexpr Field kLnkCap[] = {
    {.name = "SPEED", .high = 3, .low = 0, .access = RO, .doc = "fastest", .values = kSpeeds},
    {.name = "WIDTH", .high = 9, .low = 4, .access = RO, .doc = "lanes"},
    {.name = "ASPM", .high = 11, .low = 10, .access = RO, .doc = "bit 0: L0s, bit 1: L1"},
    bit("CLOCKPM", 18, RO, "can do without the clock in L1"),
    bit("DLLARC", 20, RO, "reports whether the data link is active"),
    bit("ASPMOC", 22, RO, "may leave out L0s"),
    {.name = "PORT", .high = 31, .low = 24, .access = RO, .doc = "port number"},
};
constexpr Field kLnkCtl[] = {
    {.name = "ASPM", .high = 1, .low = 0, .access = RW, .doc = "bit 0: L0s on, bit 1: L1 on"},
    bit("RCB", 3, RW, "read completion boundary 128 bytes"),
    bit("DISABLE", 4, RW, "link is off"),
    bit("RETRAIN", 5, RW, "trains the link anew"),
    bit("CCC", 6, RW, "both ends share a clock"),
    bit("EXTSYNC", 7, RW, "longer training"),
    bit("CLOCKPM", 8, RW, "may do without the clock"),
};
constexpr Field kLnkSta[] = {
    {.name = "SPEED", .high = 3, .low = 0, .access = RO, .doc = "speed now", .values = kSpeeds},
    {.name = "WIDTH", .high = 9, .low = 4, .access = RO, .doc = "lanes now"},
    bit("TRAINING", 11, RO, "training goes on"),
    bit("SLOTCLK", 12, RO, "uses the slot's clock"),
    bit("DLLA", 13, RO, "data link is active"),
};
constexpr Field kDevCap2[] = {
    {.name = "CTRANGES", .high = 3, .low = 0, .access = RO, .doc = "completion timeout ranges"},
    bit("CTDIS", 4, RO, "completion timeout can be disabled"),
    bit("LTR", 11, RO, "latency tolerance reporting"),
};
constexpr Field kDevCtl2[] = {
    {.name = "CTVALUE", .high = 3, .low = 0, .access = RW, .doc = "completion timeout range"},
    bit("CTDIS", 4, RW, "no completion timeout"),
    bit("LTREN", 10, RW, "latency tolerance reporting is on"),
};
constexpr Field kLnkCap2[] = {
    {.name = "SPEEDS", .high = 7, .low = 1, .access = RO, .doc = "bit 0: 2.5 GT/s, bit 1: 5 ..."}};
constexpr Field kLnkCtl2[] = {
    {.name = "TARGET", .high = 3, .low = 0, .access = RW, .doc = "speed", .values = kSpeeds},
    bit("COMPLIANCE", 4, RW, "enter compliance"),
    bit("HASD", 5, RW, "does not change speed by itself"),
    {.name = "MARGIN", .high = 9, .low = 7, .access = RW, .doc = "transmit margin"},
};
constexpr ConfigItemTemplate kPcie[] = {
    {2, 2, "CAP", kPcieCap, "what kind of port it is"},
    {4, 4, "DEVCAP", kDevCap, "device capabilities"},
    {8, 2, "DEVCTL", kDevCtl, "device control"},
    {10, 2, "DEVSTA", kDevSta, "device status"},
    {12, 4, "LNKCAP", kLnkCap, "link capabilities"},
    {16, 2, "LNKCTL", kLnkCtl, "link control"},
    {18, 2, "LNKSTA", kLnkSta, "link status"},
    {36, 4, "DEVCAP2", kDevCap2, "device capabilities 2"},
    {40, 2, "DEVCTL2", kDevCtl2, "device control 2"},
    {42, 2, "DEVSTA2", {}, "device status 2"},
    {44, 4, "LNKCAP2", kLnkCap2, "link capabilities 2"},
    {48, 2, "LNKCTL2", kLnkCtl2, "link control 2"},
    {50, 2, "LNKSTA2", {}, "link status 2"},
};

// ---- extended capabilities ---------------------------------------------------------------------
constexpr ConfigItemTemplate kAer[] = {
    {4, 4, "UNCOR_STATUS", {}, "uncorrectable errors that happened"},
    {8, 4, "UNCOR_MASK", {}, "uncorrectable errors not reported"},
    {12, 4, "UNCOR_SEVERITY", {}, "uncorrectable errors that are fatal"},
    {16, 4, "COR_STATUS", {}, "correctable errors that happened"},
    {20, 4, "COR_MASK", {}, "correctable errors not reported"},
    {24, 4, "CTRL", {}, "first error, ECRC"},
};
constexpr ConfigItemTemplate kSerial[] = {
    {4, 4, "LOW", {}, "serial number, lower half"},
    {8, 4, "HIGH", {}, "serial number, upper half"},
};
constexpr ConfigItemTemplate kLtr[] = {
    {4, 2, "SNOOP", {}, "longest latency with snoop"},
    {6, 2, "NOSNOOP", {}, "longest latency without snoop"},
};

constexpr CapabilityTemplate kCapabilities[] = {
    {0x01, "PM", "PM", "PCIe 5.0, 7.5.2", kPm},
    {0x03, "VPD", "VPD", "PCIe 5.0, 7.9.18", {}},
    {0x05, "MSI", "MSI", "PCIe 5.0, 7.7.1", kMsi64},
    {0x08, "HyperTransport", "HT", "HyperTransport", {}},
    {0x09, "vendor", "VENDOR_CAP", "PCIe 5.0, 7.9.4", kVendor},
    {0x0d, "subsystem", "SSVID", "PCI bridge 1.2, 3.2.5.13", {}},
    {0x10, "PCIe", "PCIE", "PCIe 5.0, 7.5.3", kPcie},
    {0x11, "MSI-X", "MSIX", "PCIe 5.0, 7.7.2", kMsix},
    {0x12, "SATA", "SATA", "Serial ATA AHCI 1.3, 2.4", {}},
    {0x13, "AF", "AF", "PCI Advanced Features ECN", {}},
    {0x14, "EA", "EA", "PCIe 5.0, 7.8.5", {}},
};
constexpr CapabilityTemplate kExtended[] = {
    {0x01, "AER", "AER", "PCIe 5.0, 7.8.4", kAer},
    {0x02, "VC", "VC", "PCIe 5.0, 7.9.1", {}},
    {0x03, "serial number", "DSN", "PCIe 5.0, 7.9.3", kSerial},
    {0x04, "power budgeting", "PWR", "PCIe 5.0, 7.8.1", {}},
    {0x0b, "vendor-specific", "VSEC", "PCIe 5.0, 7.9.5", {}},
    {0x0d, "ACS", "ACS", "PCIe 5.0, 7.7.8", {}},
    {0x0e, "ARI", "ARI", "PCIe 5.0, 7.8.7", {}},
    {0x0f, "ATS", "ATS", "PCIe 5.0, 10.5.1", {}},
    {0x10, "SR-IOV", "SRIOV", "PCIe 5.0, 9.3.3", {}},
    {0x15, "resizable BAR", "REBAR", "PCIe 5.0, 7.8.6", {}},
    {0x17, "TPH", "TPH", "PCIe 5.0, 7.9.13", {}},
    {0x18, "LTR", "LTR", "PCIe 5.0, 7.8.2", kLtr},
    {0x19, "secondary PCIe", "SECPCI", "PCIe 5.0, 7.7.3", {}},
    {0x1b, "PASID", "PASID", "PCIe 5.0, 7.8.8", {}},
    {0x1d, "DPC", "DPC", "PCIe 5.0, 7.9.15", {}},
    {0x1e, "L1 substates", "L1SS", "PCIe 5.0, 7.8.3", {}},
    {0x1f, "PTM", "PTM", "PCIe 5.0, 7.9.16", {}},
    {0x25, "data link feature", "DLF", "PCIe 5.0, 7.7.4", {}},
    {0x26, "16 GT/s", "PL16", "PCIe 5.0, 7.7.5", {}},
    {0x27, "lane margining", "MARGIN", "PCIe 5.0, 7.7.7", {}},
};

template <typename Table>
const CapabilityTemplate* entry_of(const Table& table, std::uint16_t id) {
  const auto found = std::find_if(std::begin(table), std::end(table),
                                  [&](const CapabilityTemplate& c) { return c.id == id; });
  return found == std::end(table) ? nullptr : &*found;
}

}  // namespace

std::span<const ConfigItemTemplate> header_items(bool bridge) {
  return std::span(kHeader).first(bridge ? kCommonHeader : std::size(kHeader));
}

const CapabilityTemplate* capability_items(std::uint8_t id) {
  return entry_of(kCapabilities, id);
}

const CapabilityTemplate* extended_items(std::uint16_t id) {
  return entry_of(kExtended, id);
}

std::span<const ConfigItemTemplate> msi_items(std::uint16_t control) {
  const std::span<const ConfigItemTemplate> all =
      (control & 1 << 7) != 0 ? std::span<const ConfigItemTemplate>(kMsi64) : kMsi32;
  const bool maskable = (control & 1 << 8) != 0;
  return maskable ? all : all.first(all.size() - 2);
}

std::span<const ConfigItemTemplate> pcie_items(std::uint16_t capabilities) {
  const std::span<const ConfigItemTemplate> all = kPcie;
  if ((capabilities & 0xf) >= 2) return all;
  const auto end = std::find_if(all.begin(), all.end(),
                                [](const ConfigItemTemplate& item) { return item.offset >= 20; });
  return {all.begin(), end};
}

}  // namespace pcilens::detail
