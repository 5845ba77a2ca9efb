// What the controller and its driver exchange through memory: queue entries, and the pages that
// identify and log commands return (NVM Express Base Specification 1.4). Texts in them stand apart,
// as Text: they are wider than a member.
#pragma once

#include "core/registers/structure.hpp"

namespace pcilens::nvme {

inline constexpr std::size_t kSqeBytes = 64, kCqeBytes = 16, kIdentifyBytes = 4096;

// ---- submission queue entry, 4.2 ---------------------------------------------------------------
inline constexpr Field kCdw0Fields[] = {
    {.name = "OPC", .high = 7, .low = 0, .doc = "opcode"},
    {.name = "FUSE", .high = 9, .low = 8, .doc = "fused operation"},
    {.name = "PSDT", .high = 15, .low = 14, .doc = "0: PRPs, else SGLs"},
    {.name = "CID", .high = 31, .low = 16, .doc = "command identifier"},
};
inline constexpr StructureField kSqeMembers[] = {
    {.name = "CDW0", .offset = 0, .width = 4, .fields = kCdw0Fields, .doc = "what to do"},
    {.name = "NSID", .offset = 4, .width = 4, .doc = "namespace"},
    {.name = "CDW2", .offset = 8, .width = 4, .doc = "command specific"},
    {.name = "CDW3", .offset = 12, .width = 4, .doc = "command specific"},
    {.name = "MPTR", .offset = 16, .width = 8, .doc = "metadata pointer"},
    {.name = "PRP1", .offset = 24, .width = 8, .doc = "first page of the data"},
    {.name = "PRP2", .offset = 32, .width = 8, .doc = "second page, or list of the others"},
    {.name = "CDW10", .offset = 40, .width = 4, .doc = "command specific"},
    {.name = "CDW11", .offset = 44, .width = 4, .doc = "command specific"},
    {.name = "CDW12", .offset = 48, .width = 4, .doc = "command specific"},
    {.name = "CDW13", .offset = 52, .width = 4, .doc = "command specific"},
    {.name = "CDW14", .offset = 56, .width = 4, .doc = "command specific"},
    {.name = "CDW15", .offset = 60, .width = 4, .doc = "command specific"},
};
inline constexpr Structure kSqe{.name = "SQE",
                                .size = kSqeBytes,
                                .members = kSqeMembers,
                                .doc = "submission queue entry",
                                .spec = "NVMe 1.4, 4.2"};

// ---- completion queue entry, 4.6 ---------------------------------------------------------------
inline constexpr Field kStatusFields[] = {
    {.name = "P", .high = 0, .low = 0, .doc = "phase: changes with each turn of the queue"},
    {.name = "SC", .high = 8, .low = 1, .doc = "status code"},
    {.name = "SCT", .high = 11, .low = 9, .doc = "status code type"},
    {.name = "CRD", .high = 13, .low = 12, .doc = "command retry delay"},
    {.name = "M", .high = 14, .low = 14, .doc = "more in the error log"},
    {.name = "DNR", .high = 15, .low = 15, .doc = "do not retry"},
};
inline constexpr StructureField kCqeMembers[] = {
    {.name = "DW0", .offset = 0, .width = 4, .doc = "command specific result"},
    {.name = "DW1", .offset = 4, .width = 4, .doc = "reserved"},
    {.name = "SQHD", .offset = 8, .width = 2, .doc = "head of the submission queue"},
    {.name = "SQID", .offset = 10, .width = 2, .doc = "submission queue"},
    {.name = "CID", .offset = 12, .width = 2, .doc = "command identifier"},
    {.name = "STATUS", .offset = 14, .width = 2, .fields = kStatusFields, .doc = "status, phase"},
};
inline constexpr Structure kCqe{.name = "CQE",
                                .size = kCqeBytes,
                                .members = kCqeMembers,
                                .doc = "completion queue entry",
                                .spec = "NVMe 1.4, 4.6"};

// ---- identify controller, 5.15.2.2 -------------------------------------------------------------
struct Text {
  std::uint16_t offset, size;  // bytes; ASCII, padded with blanks
};
inline constexpr Text kSerialNumber{4, 20}, kModelNumber{24, 40}, kFirmwareRevision{64, 8},
    kSubsystemNqn{768, 256};

inline constexpr StructureField kIdControllerMembers[] = {
    {.name = "VID", .offset = 0, .width = 2, .doc = "PCI vendor"},
    {.name = "SSVID", .offset = 2, .width = 2, .doc = "PCI subsystem vendor"},
    {.name = "RAB", .offset = 72, .width = 1, .doc = "recommended arbitration burst"},
    {.name = "CMIC", .offset = 76, .width = 1, .doc = "multi-path capabilities"},
    {.name = "MDTS",
     .offset = 77,
     .width = 1,
     .doc = "most data of a command: pages, as power of 2"},
    {.name = "CNTLID", .offset = 78, .width = 2, .doc = "controller identifier"},
    {.name = "VER", .offset = 80, .width = 4, .doc = "version, as VS"},
    {.name = "OAES", .offset = 92, .width = 4, .doc = "optional asynchronous events"},
    {.name = "CTRATT", .offset = 96, .width = 4, .doc = "controller attributes"},
    {.name = "CNTRLTYPE", .offset = 111, .width = 1, .doc = "1: I/O controller"},
    {.name = "OACS", .offset = 256, .width = 2, .doc = "optional admin commands"},
    {.name = "ACL", .offset = 258, .width = 1, .doc = "abort commands at once, less one"},
    {.name = "AERL", .offset = 259, .width = 1, .doc = "event requests at once, less one"},
    {.name = "FRMW", .offset = 260, .width = 1, .doc = "firmware slots"},
    {.name = "LPA", .offset = 261, .width = 1, .doc = "log page attributes"},
    {.name = "ELPE", .offset = 262, .width = 1, .doc = "entries of the error log, less one"},
    {.name = "NPSS", .offset = 263, .width = 1, .doc = "power states, less one"},
    {.name = "WCTEMP", .offset = 266, .width = 2, .doc = "warning temperature, K"},
    {.name = "CCTEMP", .offset = 268, .width = 2, .doc = "critical temperature, K"},
    {.name = "SQES", .offset = 512, .width = 1, .doc = "submission entry sizes"},
    {.name = "CQES", .offset = 513, .width = 1, .doc = "completion entry sizes"},
    {.name = "MAXCMD", .offset = 514, .width = 2, .doc = "most commands outstanding in a queue"},
    {.name = "NN", .offset = 516, .width = 4, .doc = "highest namespace identifier"},
    {.name = "ONCS", .offset = 520, .width = 2, .doc = "optional NVM commands"},
    {.name = "FUSES", .offset = 522, .width = 2, .doc = "fused operations"},
    {.name = "FNA", .offset = 524, .width = 1, .doc = "format attributes"},
    {.name = "VWC", .offset = 525, .width = 1, .doc = "volatile write cache"},
    {.name = "AWUN", .offset = 526, .width = 2, .doc = "blocks written atomically, less one"},
    {.name = "AWUPF", .offset = 528, .width = 2, .doc = "the same at power fail"},
    {.name = "SGLS", .offset = 536, .width = 4, .doc = "SGL support"},
    {.name = "PSD0.MP", .offset = 2048, .width = 2, .doc = "power state 0: most power, 10 mW"},
    {.name = "PSD0.ENLAT", .offset = 2052, .width = 4, .doc = "entry latency, us"},
    {.name = "PSD0.EXLAT", .offset = 2056, .width = 4, .doc = "exit latency, us"},
};
inline constexpr Structure kIdController{.name = "IDENTIFY_CONTROLLER",
                                         .size = kIdentifyBytes,
                                         .members = kIdControllerMembers,
                                         .doc = "what the controller is and can do",
                                         .spec = "NVMe 1.4, 5.15.2.2"};

// ---- identify namespace, 5.15.2.1 --------------------------------------------------------------
inline constexpr Field kLbaFormatFields[] = {
    {.name = "MS", .high = 15, .low = 0, .doc = "metadata bytes a block"},
    {.name = "LBADS", .high = 23, .low = 16, .doc = "block size: 1 << LBADS bytes"},
    {.name = "RP", .high = 25, .low = 24, .doc = "relative performance, 0 best"},
};
inline constexpr StructureField kIdNamespaceMembers[] = {
    {.name = "NSZE", .offset = 0, .width = 8, .doc = "size in blocks"},
    {.name = "NCAP", .offset = 8, .width = 8, .doc = "capacity in blocks"},
    {.name = "NUSE", .offset = 16, .width = 8, .doc = "blocks in use"},
    {.name = "NSFEAT", .offset = 24, .width = 1, .doc = "features"},
    {.name = "NLBAF", .offset = 25, .width = 1, .doc = "LBA formats, less one"},
    {.name = "FLBAS", .offset = 26, .width = 1, .doc = "the format that is used"},
    {.name = "MC", .offset = 27, .width = 1, .doc = "metadata capabilities"},
    {.name = "DPC", .offset = 28, .width = 1, .doc = "protection capabilities"},
    {.name = "DPS", .offset = 29, .width = 1, .doc = "protection settings"},
    {.name = "NMIC", .offset = 30, .width = 1, .doc = "sharing"},
    {.name = "DLFEAT", .offset = 33, .width = 1, .doc = "what deallocated blocks read as"},
    {.name = "NSATTR", .offset = 99, .width = 1, .doc = "bit 0: write protected"},
    {.name = "NGUID", .offset = 104, .width = 8, .doc = "globally unique identifier, big-endian"},
    {.name = "NGUID_LOW", .offset = 112, .width = 8, .doc = "its lower half"},
    {.name = "EUI64", .offset = 120, .width = 8, .doc = "IEEE identifier, big-endian"},
    {.name = "LBAF0", .offset = 128, .width = 4, .fields = kLbaFormatFields, .doc = "LBA format 0"},
    {.name = "LBAF1", .offset = 132, .width = 4, .fields = kLbaFormatFields, .doc = "LBA format 1"},
};
inline constexpr Structure kIdNamespace{.name = "IDENTIFY_NAMESPACE",
                                        .size = kIdentifyBytes,
                                        .members = kIdNamespaceMembers,
                                        .doc = "what the namespace is",
                                        .spec = "NVMe 1.4, 5.15.2.1"};

// ---- log pages, 5.14 ---------------------------------------------------------------------------
inline constexpr StructureField kErrorEntryMembers[] = {
    {.name = "COUNT", .offset = 0, .width = 8, .doc = "number of this error, from 1"},
    {.name = "SQID", .offset = 8, .width = 2, .doc = "submission queue"},
    {.name = "CID", .offset = 10, .width = 2, .doc = "command"},
    {.name = "STATUS", .offset = 12, .width = 2, .fields = kStatusFields, .doc = "as completed"},
    {.name = "LOCATION", .offset = 14, .width = 2, .doc = "byte and bit that were wrong"},
    {.name = "LBA", .offset = 16, .width = 8, .doc = "first block concerned"},
    {.name = "NSID", .offset = 24, .width = 4, .doc = "namespace"},
};
inline constexpr Structure kErrorEntry{.name = "ERROR_LOG_ENTRY",
                                       .size = 64,
                                       .members = kErrorEntryMembers,
                                       .doc = "a failed command",
                                       .spec = "NVMe 1.4, 5.14.1.1"};

inline constexpr StructureField kSmartMembers[] = {
    {.name = "CRITICAL", .offset = 0, .width = 1, .doc = "critical warnings; bit 3: read only"},
    {.name = "TEMPERATURE", .offset = 1, .width = 1, .doc = "composite temperature, K, low byte"},
    {.name = "TEMPERATURE_HIGH", .offset = 2, .width = 1, .doc = "its high byte"},
    {.name = "AVAIL_SPARE", .offset = 3, .width = 1, .doc = "percent"},
    {.name = "SPARE_THRESH", .offset = 4, .width = 1, .doc = "percent"},
    {.name = "PERCENT_USED", .offset = 5, .width = 1, .doc = "percent"},
    {.name = "DATA_READ", .offset = 32, .width = 8, .doc = "in 1000 times 512 bytes, rounded up"},
    {.name = "DATA_WRITTEN",
     .offset = 48,
     .width = 8,
     .doc = "in 1000 times 512 bytes, rounded up"},
    {.name = "READ_COMMANDS", .offset = 64, .width = 8, .doc = "completed"},
    {.name = "WRITE_COMMANDS", .offset = 80, .width = 8, .doc = "completed"},
    {.name = "POWER_CYCLES", .offset = 112, .width = 8, .doc = "count"},
    {.name = "POWER_ON_HOURS", .offset = 128, .width = 8, .doc = "hours"},
    {.name = "UNSAFE_SHUTDOWNS", .offset = 144, .width = 8, .doc = "resets without CC.SHN"},
    {.name = "MEDIA_ERRORS", .offset = 160, .width = 8, .doc = "count"},
    {.name = "ERROR_ENTRIES", .offset = 176, .width = 8, .doc = "errors logged in all"},
};
inline constexpr Structure kSmart{.name = "SMART_LOG",
                                  .size = 512,
                                  .members = kSmartMembers,
                                  .doc = "health",
                                  .spec = "NVMe 1.4, 5.14.1.2"};

// ---- dataset management range, 6.7 -------------------------------------------------------------
inline constexpr StructureField kRangeMembers[] = {
    {.name = "ATTRIBUTES", .offset = 0, .width = 4, .doc = "hints"},
    {.name = "BLOCKS", .offset = 4, .width = 4, .doc = "length in blocks"},
    {.name = "SLBA", .offset = 8, .width = 8, .doc = "first block"},
};
inline constexpr Structure kRange{.name = "DSM_RANGE",
                                  .size = 16,
                                  .members = kRangeMembers,
                                  .doc = "blocks that a dataset management command names",
                                  .spec = "NVMe 1.4, 6.7"};

inline constexpr const Structure* kStructures[] = {
    &kSqe, &kCqe, &kIdController, &kIdNamespace, &kErrorEntry, &kSmart, &kRange};

}  // namespace pcilens::nvme
