// The link that docs/expressions.md takes its examples from: an NVMe-like controller nvme0 and an
// edu-like card edu0, and a road on which tests send transactions.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "catch.hpp"
#include "core/link/expression.hpp"
#include "core/link/names.hpp"

namespace example {

using namespace pcilens;

inline constexpr EnumValue kShutdowns[] = {{0, "NONE"}, {1, "NORMAL"}, {2, "ABRUPT"}};
inline constexpr Field kCcFields[] = {
    {.name = "EN", .high = 0, .low = 0},
    {.name = "CSS", .high = 6, .low = 4},
    {.name = "SHN", .high = 15, .low = 14, .values = kShutdowns},
    {.name = "IOSQES", .high = 19, .low = 16},
    {.name = "IOCQES", .high = 23, .low = 20},
};
inline constexpr Field kCstsFields[] = {
    {.name = "RDY", .high = 0, .low = 0, .access = Access::RO},
    {.name = "CFS", .high = 1, .low = 1, .access = Access::RO},
    {.name = "SHST", .high = 3, .low = 2, .access = Access::RO, .values = kShutdowns},
};
inline constexpr Field kTailFields[] = {{.name = "TAIL", .high = 15, .low = 0}};

inline constexpr Register kCap{.name = "CAP", .offset = 0x00, .width = 8, .access = Access::RO};
inline constexpr Register kIntms{.name = "INTMS", .offset = 0x0c, .access = Access::RW1S};
inline constexpr Register kIntmc{.name = "INTMC", .offset = 0x10, .access = Access::W1C};
inline constexpr Register kCc{.name = "CC",
                              .offset = 0x14,
                              .reset = 0x460000,
                              .access = Access::Reserved,
                              .fields = kCcFields};
inline constexpr Register kCsts{
    .name = "CSTS", .offset = 0x1c, .access = Access::Reserved, .fields = kCstsFields};
inline constexpr Register kAqa{.name = "AQA", .offset = 0x24};
inline constexpr Register kAsq{.name = "ASQ", .offset = 0x28, .width = 8};
inline constexpr Register kGpr{.name = "GPR", .offset = 0x80, .count = 8, .stride = 4};
inline constexpr Register kSq{.name = "SQTDBL",
                              .offset = 0x1000,
                              .access = Access::WO,
                              .fields = kTailFields,
                              .count = 4,
                              .stride = 8,
                              .element_name = "SQ[%].TDBL"};
inline constexpr Register kCq{.name = "CQHDBL",
                              .offset = 0x1004,
                              .access = Access::WO,
                              .count = 4,
                              .stride = 8,
                              .element_name = "CQ[%].HDBL"};
inline constexpr const Register* kNvmeRegisters[] = {&kCap, &kIntms, &kIntmc, &kCc, &kCsts,
                                                     &kAqa, &kAsq,   &kGpr,   &kSq, &kCq};
inline constexpr RegisterMap kNvme{
    .name = "nvme", .bar = 0, .size = 0x4000, .registers = kNvmeRegisters};
static_assert(well_formed(kNvme));

inline constexpr EnumValue kDirections[] = {{0, "FROM_RAM"}, {1, "TO_RAM"}};
inline constexpr Field kStatusFields[] = {
    {.name = "COMPUTING", .high = 0, .low = 0, .access = Access::RO},
    {.name = "RAISE", .high = 7, .low = 7},
};
inline constexpr Field kDmaFields[] = {{.name = "START", .high = 0, .low = 0},
                                       {.name = "DIR", .high = 1, .low = 1, .values = kDirections}};
inline constexpr Register kStatus{.name = "STATUS", .offset = 0x20, .fields = kStatusFields};
inline constexpr Register kTimer{.name = "timer", .offset = 0x40};
inline constexpr Register kDma{.name = "DMA", .offset = 0x98, .fields = kDmaFields};
inline constexpr const Register* kEduRegisters[] = {&kStatus, &kTimer, &kDma};
inline constexpr MemoryRegion kBuffer{.name = "BUFFER", .offset = 0x40000, .size = 0x1000};
inline constexpr const MemoryRegion* kEduRegions[] = {&kBuffer};
inline constexpr RegisterMap kEdu{
    .name = "edu", .bar = 0, .size = 0x100000, .registers = kEduRegisters, .regions = kEduRegions};
static_assert(well_formed(kEdu));

inline constexpr std::uint8_t kNvme0 = 0, kEdu0 = 1;

inline std::shared_ptr<const Names> names() {
  static const auto all = [] {
    auto n = std::make_shared<Names>();
    FunctionNames nvme{"nvme0", "00:01.0", {std::make_shared<RegisterLookup>(kNvme)}};
    std::vector<std::byte> image(kConfigSize);
    image[6] = std::byte{0x10};     // status: there is a capability list
    image[0x34] = std::byte{0x40};  // it begins here
    image[0x40] = std::byte{0x01};  // power management
    image[0x41] = std::byte{0x60};
    image[0x60] = std::byte{0x10};  // PCI Express, the last
    image[0x67] = std::byte{0x10};  // that can be reset alone
    nvme.config = std::make_shared<ConfigNames>(image);
    n->functions.push_back(std::move(nvme));
    n->functions.push_back({"edu0", "00:02.0", {std::make_shared<RegisterLookup>(kEdu)}});
    return std::shared_ptr<const Names>(std::move(n));
  }();
  return all;
}

inline Expression compiled(std::string_view text) {
  auto e = Expression::compile(text, names());
  if (!e) FAIL(e.error().message);
  return *e;
}

// The message of an expression that must not compile.
inline std::string refused(std::string_view text) {
  auto e = Expression::compile(text, names());
  if (e) FAIL("compiles: " << text);
  return e.error().message;
}

inline bool has(std::string_view text, std::string_view part) {
  return text.find(part) != std::string_view::npos;
}

// Completed transactions, one after another.
class Road {
 public:
  std::uint8_t function = kNvme0;
  std::string_view symbol = {};
  LastValues last;

  Transaction make(Kind kind, std::int8_t bar, std::uint64_t offset, std::uint32_t size,
                   std::uint64_t value) {
    Transaction t;
    t.seq = ++seq_;
    t.t_ns = seq_ * 1000;
    t.done_ns = t.t_ns + 250;
    t.kind = kind;
    t.bar = bar;
    t.offset = offset;
    t.size = size;
    t.value = value;
    t.status = Status::SC;
    t.function = function;
    return t;
  }
  Transaction write(std::uint64_t offset, std::uint64_t value, std::uint32_t size = 4) {
    return make(Kind::MemWrite, 0, offset, size, value);
  }
  Transaction read(std::uint64_t offset, std::uint64_t value, std::uint32_t size = 4) {
    return make(Kind::MemRead, 0, offset, size, value);
  }
  Transaction config_write(std::uint64_t offset, std::uint64_t value, std::uint32_t size = 2) {
    return make(Kind::CfgWrite, kBarConfig, offset, size, value);
  }
  Transaction irq(std::uint64_t vector) { return make(Kind::Irq, kBarInterrupt, vector, 0, 0); }

  Verdict verdict(const Expression& e, const Transaction& t, Phase phase = Phase::After) const {
    return e.verdict({t, phase, last, *names(), symbol});
  }
  bool matches(std::string_view text, const Transaction& t, Phase phase = Phase::After) const {
    const Expression e = compiled(text);
    return e.matches({t, phase, last, *names(), symbol});
  }
  void pass(const Transaction& t) { last.record(t, *names()); }

 private:
  std::uint64_t seq_ = 0;
};

}  // namespace example
