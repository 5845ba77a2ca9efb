// The controller's registers: NVM Express Base Specification 1.4, section 3.1. The offsets are
// those of every NVMe controller; queue counts, capabilities and the MSI-X table's place are this
// one's.
#pragma once

#include "core/registers/register.hpp"

namespace pcilens::nvme {

inline constexpr unsigned kQueues = 65;  // the admin queue and 64 for I/O; each CQ with its vector
inline constexpr std::uint32_t kMaxEntries = 2048;
inline constexpr std::uint64_t kBarSize = 0x4000;
inline constexpr std::uint32_t kMsixTable = 0x2000, kPendingBits = 0x3000;
inline constexpr std::uint32_t kSubsystemReset = 0x4e564d65;  // "NVMe", 3.1.7

inline constexpr Field kCapFields[] = {
    {"MQES", 15, 0, Access::RO, "entries a queue may have, less one"},
    {"CQR", 16, 16, Access::RO, "queues must be physically contiguous"},
    {"AMS", 18, 17, Access::RO, "arbitration mechanisms beside round robin"},
    {"TO", 31, 24, Access::RO, "longest wait for CSTS.RDY, in 500 ms"},
    {"DSTRD", 35, 32, Access::RO, "doorbell stride: 4 << DSTRD bytes"},
    {"NSSRS", 36, 36, Access::RO, "NVM subsystem reset is supported"},
    {"CSS", 44, 37, Access::RO, "command sets: 0 NVM, 6 chosen by CSI, 7 admin only"},
    {"BPS", 45, 45, Access::RO, "boot partitions are supported"},
    {"MPSMIN", 51, 48, Access::RO, "smallest page: 4096 << MPSMIN bytes"},
    {"MPSMAX", 55, 52, Access::RO, "largest page: 4096 << MPSMAX bytes"},
    {"PMRS", 56, 56, Access::RO, "persistent memory region is supported"},
    {"CMBS", 57, 57, Access::RO, "controller memory buffer is supported"},
};
inline constexpr Register kCap{.name = "CAP",
                               .offset = 0x00,
                               .width = 8,
                               .reset = 0x0040'1830'0f01'07ff,
                               .access = Access::Reserved,
                               .fields = kCapFields,
                               .doc = "controller capabilities",
                               .spec = "NVMe 1.4, 3.1.1"};

inline constexpr Field kVsFields[] = {
    {"MJR", 31, 16, Access::RO, "major version"},
    {"MNR", 15, 8, Access::RO, "minor version"},
    {"TER", 7, 0, Access::RO, "tertiary version"},
};
inline constexpr Register kVs{.name = "VS",
                              .offset = 0x08,
                              .width = 4,
                              .reset = 0x0001'0400,
                              .access = Access::Reserved,
                              .fields = kVsFields,
                              .doc = "version of the specification",
                              .spec = "NVMe 1.4, 3.1.2"};

inline constexpr Register kIntms{
    .name = "INTMS",
    .offset = 0x0c,
    .width = 4,
    .access = Access::RW1S,
    .doc = "writing 1 masks that vector; reads give the mask. Not with MSI-X",
    .spec = "NVMe 1.4, 3.1.3"};
inline constexpr Register kIntmc{
    .name = "INTMC",
    .offset = 0x10,
    .width = 4,
    .access = Access::W1C,
    .doc = "writing 1 unmasks that vector; reads give the mask. Not with MSI-X",
    .spec = "NVMe 1.4, 3.1.4"};

inline constexpr EnumValue kCommandSets[] = {{0, "NVM", "the NVM command set"},
                                             {6, "CSI", "all command sets, chosen by identifier"},
                                             {7, "ADMIN", "admin commands only"}};
inline constexpr EnumValue kShutdowns[] = {{0, "NONE", "no notification"},
                                           {1, "NORMAL", "normal shutdown"},
                                           {2, "ABRUPT", "abrupt shutdown"}};
inline constexpr Field kCcFields[] = {
    {"EN", 0, 0, Access::RW, "1: process commands; 1 to 0 resets the controller"},
    {"CSS", 6, 4, Access::RW, "command set that is used", {}, kCommandSets},
    {"MPS", 10, 7, Access::RW, "page size: 4096 << MPS bytes"},
    {"AMS", 13, 11, Access::RW, "arbitration mechanism; 0: round robin"},
    {"SHN", 15, 14, Access::RW, "shutdown notification", {}, kShutdowns},
    {"IOSQES", 19, 16, Access::RW, "I/O submission entry: 1 << IOSQES bytes"},
    {"IOCQES", 23, 20, Access::RW, "I/O completion entry: 1 << IOCQES bytes"},
};
inline constexpr Register kCc{.name = "CC",
                              .offset = 0x14,
                              .width = 4,
                              .access = Access::Reserved,
                              .fields = kCcFields,
                              .doc = "controller configuration",
                              .spec = "NVMe 1.4, 3.1.5"};

inline constexpr EnumValue kShutdownStates[] = {{0, "NORMAL", "no shutdown was asked for"},
                                                {1, "OCCURRING", "shutdown is being processed"},
                                                {2, "COMPLETE", "shutdown is complete"}};
inline constexpr Field kCstsFields[] = {
    {"RDY", 0, 0, Access::RO, "ready to process commands"},
    {"CFS", 1, 1, Access::RO, "fatal status: only a reset helps"},
    {"SHST", 3, 2, Access::RO, "shutdown status", {}, kShutdownStates},
    {"NSSRO", 4, 4, Access::W1C, "an NVM subsystem reset occurred"},
    {"PP", 5, 5, Access::RO, "processing is paused"},
};
inline constexpr Register kCsts{.name = "CSTS",
                                .offset = 0x1c,
                                .width = 4,
                                .access = Access::Reserved,
                                .fields = kCstsFields,
                                .doc = "controller status",
                                .spec = "NVMe 1.4, 3.1.6"};

inline constexpr Register kNssr{.name = "NSSR",
                                .offset = 0x20,
                                .width = 4,
                                .access = Access::WO,
                                .doc = "writing 0x4e564d65 (\"NVMe\") resets the NVM subsystem",
                                .spec = "NVMe 1.4, 3.1.7"};

inline constexpr Field kAqaFields[] = {
    {"ASQS", 11, 0, Access::RW, "entries of the admin submission queue, less one"},
    {"ACQS", 27, 16, Access::RW, "entries of the admin completion queue, less one"},
};
inline constexpr Register kAqa{.name = "AQA",
                               .offset = 0x24,
                               .width = 4,
                               .access = Access::Reserved,
                               .fields = kAqaFields,
                               .doc = "sizes of the admin queues",
                               .spec = "NVMe 1.4, 3.1.8"};
inline constexpr Field kAsqFields[] = {
    {"ASQB", 63, 12, Access::RW, "bits 63:12 of the address"},
};
inline constexpr Register kAsq{.name = "ASQ",
                               .offset = 0x28,
                               .width = 8,
                               .access = Access::Reserved,
                               .fields = kAsqFields,
                               .doc = "address of the admin submission queue",
                               .spec = "NVMe 1.4, 3.1.9"};
inline constexpr Field kAcqFields[] = {
    {"ACQB", 63, 12, Access::RW, "bits 63:12 of the address"},
};
inline constexpr Register kAcq{.name = "ACQ",
                               .offset = 0x30,
                               .width = 8,
                               .access = Access::Reserved,
                               .fields = kAcqFields,
                               .doc = "address of the admin completion queue",
                               .spec = "NVMe 1.4, 3.1.10"};
inline constexpr Register kCmbloc{.name = "CMBLOC",
                                  .offset = 0x38,
                                  .width = 4,
                                  .access = Access::RO,
                                  .doc = "place of the controller memory buffer; there is none",
                                  .spec = "NVMe 1.4, 3.1.11"};
inline constexpr Register kCmbsz{.name = "CMBSZ",
                                 .offset = 0x3c,
                                 .width = 4,
                                 .access = Access::RO,
                                 .doc = "size of the controller memory buffer; 0: there is none",
                                 .spec = "NVMe 1.4, 3.1.12"};
inline constexpr Register kPmrcap{.name = "PMRCAP",
                                  .offset = 0xe00,
                                  .width = 4,
                                  .access = Access::RO,
                                  .doc = "persistent memory region; there is none",
                                  .spec = "NVMe 1.4, 3.1.21"};

// The doorbells of every queue, at a stride of 4 << DSTRD bytes (3.1.24, 3.1.25). What was written
// last can be read: the specification leaves it open, and a screen shows it.
template <unsigned DSTRD>
inline constexpr Register kSqTail{.name = "SQTDBL",
                                  .offset = 0x1000,
                                  .width = 4,
                                  .access = Access::RW,
                                  .doc = "where the driver will put its next submission",
                                  .spec = "NVMe 1.4, 3.1.24",
                                  .count = kQueues,
                                  .stride = 8u << DSTRD,
                                  .element_name = "SQ[%].TDBL"};
template <unsigned DSTRD>
inline constexpr Register kCqHead{.name = "CQHDBL",
                                  .offset = 0x1000 + (4u << DSTRD),
                                  .width = 4,
                                  .access = Access::RW,
                                  .doc = "the next completion that the driver will look at",
                                  .spec = "NVMe 1.4, 3.1.25",
                                  .count = kQueues,
                                  .stride = 8u << DSTRD,
                                  .element_name = "CQ[%].HDBL"};

template <unsigned DSTRD>
inline constexpr const Register* kRegisters[] = {
    &kCap, &kVs,  &kIntms,  &kIntmc, &kCc,     &kCsts,          &kNssr,         &kAqa,
    &kAsq, &kAcq, &kCmbloc, &kCmbsz, &kPmrcap, &kSqTail<DSTRD>, &kCqHead<DSTRD>};

}  // namespace pcilens::nvme
