// Registers from a file, put upon a BAR: a vendor's SVD, or a map in JSON as a trace holds it.
//
//   FILE[,peripheral=NAME][,bar=N][,function=VENDOR:DEVICE]
#pragma once

#include <CLI/CLI.hpp>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/registers/owned_map.hpp"
#include "core/result.hpp"
#include "core/trace/reader.hpp"

namespace pcilens::cli {

struct RegisterFile {
  std::shared_ptr<const OwnedRegisterMap> map;  // upon the BAR that was asked for
  std::optional<std::pair<std::uint16_t, std::uint16_t>> function;  // its ids; none: any function
  std::vector<std::string> notes;  // what an SVD says and a register map cannot

  bool is_for(std::uint16_t vendor, std::uint16_t device) const {
    return !function || *function == std::pair(vendor, device);
  }
};

// The error names the option, the file with its line, or the peripherals there are to choose from.
Result<RegisterFile> read_register_file(const std::string& text);
Result<std::vector<RegisterFile>> read_register_files(const std::vector<std::string>& texts);

void add_registers_option(CLI::App& app, std::vector<std::string>& texts);

// Upon the functions of the trace that they are for.
void put_registers(TraceReader& trace, const std::vector<RegisterFile>& files);

}  // namespace pcilens::cli
