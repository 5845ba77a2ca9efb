// The commands by their opcodes, with the parts of an entry that each gives a meaning of its own
// (NVM Express Base Specification 1.4, chapters 5 and 6), and the status codes of section 4.6.1.
#pragma once

#include <string_view>

#include "core/registers/structure.hpp"
#include "devices/nvme/nvme_structures.hpp"

namespace pcilens::nvme {

enum AdminOpcode : std::uint8_t {
  kDeleteSq = 0x00,
  kCreateSq = 0x01,
  kGetLogPage = 0x02,
  kDeleteCq = 0x04,
  kCreateCq = 0x05,
  kIdentify = 0x06,
  kAbort = 0x08,
  kSetFeatures = 0x09,
  kGetFeatures = 0x0a,
  kAsyncEvent = 0x0c,
  kDoorbellBuffer = 0x7c,
  kFormat = 0x80,
};
enum IoOpcode : std::uint8_t {
  kFlush = 0x00,
  kWrite = 0x01,
  kRead = 0x02,
  kCompare = 0x05,
  kWriteZeroes = 0x08,
  kDatasetManagement = 0x09,
  kVerify = 0x0c,
};

// ---- what CDW10 to CDW14 mean ------------------------------------------------------------------
namespace cdw {
inline constexpr EnumValue kPages[] = {{0x00, "namespace"},
                                       {0x01, "controller"},
                                       {0x02, "active namespaces"},
                                       {0x03, "namespace descriptors"},
                                       {0x05, "namespace of a command set"},
                                       {0x06, "controller of a command set"},
                                       {0x07, "active namespaces of a command set"},
                                       {0x08, "namespace, any command set"},
                                       {0x1c, "command sets"}};
inline constexpr EnumValue kLogs[] = {{0x01, "errors"},
                                      {0x02, "health"},
                                      {0x03, "firmware slots"},
                                      {0x04, "changed namespaces"},
                                      {0x05, "commands supported"}};
inline constexpr EnumValue kFeatureNames[] = {{0x01, "arbitration"},
                                              {0x02, "power management"},
                                              {0x04, "temperature threshold"},
                                              {0x05, "error recovery"},
                                              {0x06, "volatile write cache"},
                                              {0x07, "number of queues"},
                                              {0x08, "interrupt coalescing"},
                                              {0x09, "interrupt vector"},
                                              {0x0a, "write atomicity"},
                                              {0x0b, "asynchronous events"},
                                              {0x0e, "timestamp"},
                                              {0x16, "host behavior"},
                                              {0x19, "command set profile"}};
inline constexpr Field kQueueFields[] = {
    {.name = "QID", .high = 15, .low = 0, .doc = "queue"},
    {.name = "QSIZE", .high = 31, .low = 16, .doc = "entries, less one"}};
inline constexpr Field kCreateCq11[] = {
    {.name = "PC", .high = 0, .low = 0, .doc = "physically contiguous"},
    {.name = "IEN", .high = 1, .low = 1, .doc = "interrupts enabled"},
    {.name = "IV", .high = 31, .low = 16, .doc = "interrupt vector"}};
inline constexpr Field kCreateSq11[] = {
    {.name = "PC", .high = 0, .low = 0, .doc = "physically contiguous"},
    {.name = "QPRIO", .high = 2, .low = 1, .doc = "priority"},
    {.name = "CQID", .high = 31, .low = 16, .doc = "where it completes"}};
inline constexpr Field kDelete10[] = {{.name = "QID", .high = 15, .low = 0, .doc = "queue"}};
inline constexpr Field kLog10[] = {
    {.name = "LID", .high = 7, .low = 0, .doc = "log page", .values = kLogs},
    {.name = "LSP", .high = 11, .low = 8, .doc = "log specific"},
    {.name = "RAE", .high = 15, .low = 15, .doc = "retain the asynchronous event"},
    {.name = "NUMDL", .high = 31, .low = 16, .doc = "dwords, less one, lower half"}};
inline constexpr Field kLog11[] = {
    {.name = "NUMDU", .high = 15, .low = 0, .doc = "dwords, less one, upper half"}};
inline constexpr Field kIdentify10[] = {
    {.name = "CNS", .high = 7, .low = 0, .doc = "which page", .values = kPages},
    {.name = "CNTID", .high = 31, .low = 16, .doc = "controller"}};
inline constexpr Field kIdentify11[] = {
    {.name = "CSI", .high = 31, .low = 24, .doc = "command set (TP 4056)"}};
inline constexpr Field kAbort10[] = {{.name = "SQID", .high = 15, .low = 0, .doc = "queue"},
                                     {.name = "CID", .high = 31, .low = 16, .doc = "command"}};
inline constexpr Field kSetFeature10[] = {
    {.name = "FID", .high = 7, .low = 0, .doc = "feature", .values = kFeatureNames},
    {.name = "SV", .high = 31, .low = 31, .doc = "save it"}};
inline constexpr Field kGetFeature10[] = {
    {.name = "FID", .high = 7, .low = 0, .doc = "feature", .values = kFeatureNames},
    {.name = "SEL", .high = 10, .low = 8, .doc = "0 current, 1 default, 2 saved, 3 capabilities"}};
inline constexpr Field kFormat10[] = {
    {.name = "LBAF", .high = 3, .low = 0, .doc = "LBA format"},
    {.name = "MSET", .high = 4, .low = 4, .doc = "metadata settings"},
    {.name = "PI", .high = 7, .low = 5, .doc = "protection information"},
    {.name = "PIL", .high = 8, .low = 8, .doc = "where protection information lies"},
    {.name = "SES", .high = 11, .low = 9, .doc = "secure erase"}};
inline constexpr Field kRw12[] = {
    {.name = "NLB", .high = 15, .low = 0, .doc = "blocks, less one"},
    {.name = "DEAC", .high = 25, .low = 25, .doc = "deallocate (write zeroes)"},
    {.name = "PRINFO", .high = 29, .low = 26, .doc = "protection information"},
    {.name = "FUA", .high = 30, .low = 30, .doc = "force unit access"},
    {.name = "LR", .high = 31, .low = 31, .doc = "limited retry"}};
inline constexpr Field kDsm10[] = {{.name = "NR", .high = 7, .low = 0, .doc = "ranges, less one"}};
inline constexpr Field kDsm11[] = {
    {.name = "IDR", .high = 0, .low = 0, .doc = "integral for read"},
    {.name = "IDW", .high = 1, .low = 1, .doc = "integral for write"},
    {.name = "AD", .high = 2, .low = 2, .doc = "deallocate"}};

inline constexpr StructureField kQueueCq[] = {{"CDW10", 40, 4, kQueueFields},
                                              {"CDW11", 44, 4, kCreateCq11}};
inline constexpr StructureField kQueueSq[] = {{"CDW10", 40, 4, kQueueFields},
                                              {"CDW11", 44, 4, kCreateSq11}};
inline constexpr StructureField kDelete[] = {{"CDW10", 40, 4, kDelete10}};
inline constexpr StructureField kLog[] = {
    {"CDW10", 40, 4, kLog10}, {"CDW11", 44, 4, kLog11}, {"LPO", 48, 8}};
inline constexpr StructureField kIdentifyCdw[] = {{"CDW10", 40, 4, kIdentify10},
                                                  {"CDW11", 44, 4, kIdentify11}};
inline constexpr StructureField kAbortCdw[] = {{"CDW10", 40, 4, kAbort10}};
inline constexpr StructureField kSetFeature[] = {{"CDW10", 40, 4, kSetFeature10}, {"CDW11", 44, 4}};
inline constexpr StructureField kGetFeature[] = {{"CDW10", 40, 4, kGetFeature10}, {"CDW11", 44, 4}};
inline constexpr StructureField kFormatCdw[] = {{"CDW10", 40, 4, kFormat10}};
inline constexpr StructureField kRw[] = {{"SLBA", 40, 8}, {"CDW12", 48, 4, kRw12}};
inline constexpr StructureField kDsm[] = {{"CDW10", 40, 4, kDsm10}, {"CDW11", 44, 4, kDsm11}};
}  // namespace cdw

inline constexpr Structure kCreateCqEntry{
    .name = "CREATE_IO_CQ", .size = 64, .members = cdw::kQueueCq, .spec = "NVMe 1.4, 5.3"};
inline constexpr Structure kCreateSqEntry{
    .name = "CREATE_IO_SQ", .size = 64, .members = cdw::kQueueSq, .spec = "NVMe 1.4, 5.4"};
inline constexpr Structure kDeleteEntry{
    .name = "DELETE_QUEUE", .size = 64, .members = cdw::kDelete, .spec = "NVMe 1.4, 5.5"};
inline constexpr Structure kLogEntry{
    .name = "GET_LOG_PAGE", .size = 64, .members = cdw::kLog, .spec = "NVMe 1.4, 5.14"};
inline constexpr Structure kIdentifyEntry{
    .name = "IDENTIFY", .size = 64, .members = cdw::kIdentifyCdw, .spec = "NVMe 1.4, 5.15"};
inline constexpr Structure kAbortEntry{
    .name = "ABORT", .size = 64, .members = cdw::kAbortCdw, .spec = "NVMe 1.4, 5.1"};
inline constexpr Structure kSetFeaturesEntry{
    .name = "SET_FEATURES", .size = 64, .members = cdw::kSetFeature, .spec = "NVMe 1.4, 5.21"};
inline constexpr Structure kGetFeaturesEntry{
    .name = "GET_FEATURES", .size = 64, .members = cdw::kGetFeature, .spec = "NVMe 1.4, 5.13"};
inline constexpr Structure kFormatEntry{
    .name = "FORMAT_NVM", .size = 64, .members = cdw::kFormatCdw, .spec = "NVMe 1.4, 5.23"};
inline constexpr Structure kRwEntry{
    .name = "READ_WRITE", .size = 64, .members = cdw::kRw, .spec = "NVMe 1.4, 6.9"};
inline constexpr Structure kDsmEntry{
    .name = "DATASET_MANAGEMENT", .size = 64, .members = cdw::kDsm, .spec = "NVMe 1.4, 6.7"};

// ---- the tables --------------------------------------------------------------------------------
struct CommandInfo {
  std::uint8_t opcode;
  std::string_view name;
  const Structure* entry;  // what its CDW10 and following mean; null: nothing of their own
};
inline constexpr CommandInfo kAdminCommands[] = {
    {kDeleteSq, "DELETE_SQ", &kDeleteEntry},
    {kCreateSq, "CREATE_SQ", &kCreateSqEntry},
    {kGetLogPage, "GET_LOG_PAGE", &kLogEntry},
    {kDeleteCq, "DELETE_CQ", &kDeleteEntry},
    {kCreateCq, "CREATE_CQ", &kCreateCqEntry},
    {kIdentify, "IDENTIFY", &kIdentifyEntry},
    {kAbort, "ABORT", &kAbortEntry},
    {kSetFeatures, "SET_FEATURES", &kSetFeaturesEntry},
    {kGetFeatures, "GET_FEATURES", &kGetFeaturesEntry},
    {kAsyncEvent, "ASYNC_EVENT", nullptr},
    {kDoorbellBuffer, "DOORBELL_BUFFER", nullptr},
    {kFormat, "FORMAT_NVM", &kFormatEntry},
};
inline constexpr CommandInfo kIoCommands[] = {
    {kFlush, "FLUSH", nullptr},
    {kWrite, "WRITE", &kRwEntry},
    {kRead, "READ", &kRwEntry},
    {kCompare, "COMPARE", &kRwEntry},
    {kWriteZeroes, "WRITE_ZEROES", &kRwEntry},
    {kDatasetManagement, "DATASET_MANAGEMENT", &kDsmEntry},
    {kVerify, "VERIFY", &kRwEntry},
};

// SCT and SC together: 0x1NN is command specific, 0x2NN media and data integrity.
enum Code : std::uint16_t {
  kSuccess = 0x000,
  kInvalidOpcode = 0x001,
  kInvalidField = 0x002,
  kDataTransferError = 0x004,
  kInternalError = 0x006,
  kAbortRequested = 0x007,
  kInvalidNamespace = 0x00b,
  kCommandSequence = 0x00c,
  kInvalidPrpOffset = 0x013,
  kWriteProtected = 0x020,
  kLbaOutOfRange = 0x080,
  kCqInvalid = 0x100,
  kInvalidQueueId = 0x101,
  kInvalidQueueSize = 0x102,
  kAbortLimit = 0x103,
  kEventLimit = 0x105,
  kInvalidVector = 0x108,
  kInvalidLogPage = 0x109,
  kInvalidFormat = 0x10a,
  kInvalidQueueDeletion = 0x10c,
  kNotSaveable = 0x10d,
  kNotChangeable = 0x10e,
  kCompareFailure = 0x285,
};
struct StatusInfo {
  std::uint16_t status;
  std::string_view text;
};
inline constexpr StatusInfo kStatuses[] = {
    {kSuccess, "success"},
    {kInvalidOpcode, "invalid opcode"},
    {kInvalidField, "invalid field"},
    {kDataTransferError, "data transfer error"},
    {kInternalError, "internal error"},
    {kAbortRequested, "aborted on request"},
    {kInvalidNamespace, "invalid namespace or format"},
    {kCommandSequence, "command sequence error"},
    {kInvalidPrpOffset, "invalid PRP offset"},
    {kWriteProtected, "namespace is write protected"},
    {kLbaOutOfRange, "LBA out of range"},
    {kCqInvalid, "completion queue invalid"},
    {kInvalidQueueId, "invalid queue identifier"},
    {kInvalidQueueSize, "invalid queue size"},
    {kAbortLimit, "abort limit exceeded"},
    {kEventLimit, "event request limit exceeded"},
    {kInvalidVector, "invalid interrupt vector"},
    {kInvalidLogPage, "invalid log page"},
    {kInvalidFormat, "invalid format"},
    {kInvalidQueueDeletion, "invalid queue deletion"},
    {kNotSaveable, "feature not saveable"},
    {kNotChangeable, "feature not changeable"},
    {kCompareFailure, "compare failure"},
};

}  // namespace pcilens::nvme
