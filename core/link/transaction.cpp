#include "core/link/transaction.hpp"

#include <array>

namespace pcilens {
namespace {

constexpr std::array<std::string_view, kKinds> kKindNames = {
    "cfg_read", "cfg_write", "mem_read",  "mem_write", "dma_read", "dma_write",
    "irq",      "dma_map",   "dma_unmap", "reset",     "timer",    "input",
    "state",    "force",     "control",   "gap"};
constexpr std::array<std::string_view, kKinds> kKindWords = {
    "config read",  "config write", "read",      "write", "DMA read", "DMA write",
    "interrupt",    "DMA map",      "DMA unmap", "reset", "timer",    "input",
    "state change", "force",        "control",   "gap"};
constexpr std::array<std::string_view, 5> kOriginNames = {"driver", "function", "poke", "replay",
                                                          "lesson"};
constexpr std::array<std::string_view, 6> kAnsweredByNames = {"function", "shadow", "rule",
                                                              "user",     "nobody", "passed_stop"};
constexpr std::array kStatuses = {Status::SC, Status::UR, Status::CA, Status::Timeout,
                                  Status::Pending};

}  // namespace

std::string_view name_of(Kind kind) {
  return kKindNames[static_cast<unsigned>(kind) % kKinds];
}

std::string_view in_words(Kind kind) {
  return kKindWords[static_cast<unsigned>(kind) % kKinds];
}

std::string_view name_of(Status status) {
  switch (status) {
    case Status::SC: return "SC";
    case Status::UR: return "UR";
    case Status::CA: return "CA";
    case Status::Timeout: return "timeout";
    case Status::Pending: return "pending";
  }
  return "?";
}

std::string_view name_of(Origin origin) {
  const auto i = static_cast<unsigned>(origin);
  return i < kOriginNames.size() ? kOriginNames[i] : "?";
}

std::string_view name_of(AnsweredBy by) {
  const auto i = static_cast<unsigned>(by);
  return i < kAnsweredByNames.size() ? kAnsweredByNames[i] : "?";
}

std::optional<Kind> kind_named(std::string_view name) {
  for (unsigned i = 0; i < kKinds; ++i)
    if (kKindNames[i] == name) return static_cast<Kind>(i);
  return std::nullopt;
}

std::optional<Status> status_named(std::string_view name) {
  for (Status s : kStatuses)
    if (name_of(s) == name) return s;
  return std::nullopt;
}

std::optional<Origin> origin_named(std::string_view name) {
  for (unsigned i = 0; i < kOriginNames.size(); ++i)
    if (kOriginNames[i] == name) return static_cast<Origin>(i);
  return std::nullopt;
}

}  // namespace pcilens
