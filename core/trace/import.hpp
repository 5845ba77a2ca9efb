// Recordings of other tools as traces.
#pragma once

#include <cstdint>
#include <functional>
#include <istream>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.hpp"
#include "core/trace/record.hpp"

namespace pcilens {

// What is known of a device that a recording names by its ids.
struct KnownDevice {
  std::string device;             // its name, "nvme"; empty: as the recording calls it
  std::vector<std::string> maps;  // register maps in JSON (core/registers/map_json.hpp)
};

struct ImportOptions {
  std::string name;  // what errors call the input
  // Asked for each function; core knows no device. Register names come from here: from a built-in
  // device, or from an SVD file that the user put upon a BAR.
  std::function<KnownDevice(std::uint16_t vendor, std::uint16_t device)> known_device;
  bool overwrite = false;  // import_file: an earlier trace may be replaced
};

struct ImportSummary {
  std::uint64_t lines = 0;
  std::uint64_t events = 0;
  std::uint64_t notes = 0;
  std::vector<std::string> functions;  // "nvme0 00:04.0 1b36:0010"
  std::vector<std::string> remarks;    // what a reader of the trace should know; also in `finding`
};

struct ImportFormat {
  std::string_view name;     // "mmiotrace"
  std::string_view summary;  // one line for --help
};
std::span<const ImportFormat> import_formats();

// Reads plain text or gzip to its end. A malformed or cut line is refused with file, line and
// reason; what was recorded until then is to be thrown away.
Result<ImportSummary> import_stream(std::string_view format, std::istream& in,
                                    const ImportOptions& options, Recorder& out);

// From file to file. The trace appears under its name when it is whole, not before.
Result<ImportSummary> import_file(std::string_view format, const std::string& input,
                                  const std::string& trace, ImportOptions options);

}  // namespace pcilens
