// The driver's functions that a trace's accesses come from, each looked up once: what `from` in an
// expression compares with.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>

#include "core/trace/reader.hpp"

namespace pcilens {

class SiteSymbols {
 public:
  explicit SiteSymbols(TraceReader& reader) : reader_(reader) {}  // which outlives it

  // Empty where it is not known. Valid as long as this is.
  std::string_view of(std::uint32_t site) {
    if (site == 0) return {};
    if (const auto known = symbols_.find(site); known != symbols_.end()) return known->second;
    const auto found = reader_.site(site);
    return symbols_.emplace(site, found && *found ? (*found)->symbol : std::string()).first->second;
  }

 private:
  TraceReader& reader_;
  std::unordered_map<std::uint32_t, std::string> symbols_;
};

}  // namespace pcilens
