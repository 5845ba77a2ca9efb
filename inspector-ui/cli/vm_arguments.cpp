#include "inspector-ui/cli/vm_arguments.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

namespace pcilens::cli {

namespace fs = std::filesystem;

bool names_file(const std::string& text, std::string_view ending) {
  return text.find('/') != std::string::npos || text.ends_with(ending);
}

Result<DriverChoice> parse_driver(const std::string& text) {
  if (fs::exists(text)) return DriverChoice{text, {}};
  std::size_t at = std::min(text.find(','), text.size());
  DriverChoice driver{.what = text.substr(0, at), .parameters = {}};
  while (at < text.size()) {
    const std::size_t end = std::min(text.find(',', at + 1), text.size());
    const std::string parameter = text.substr(at + 1, end - at - 1);
    const std::size_t equals = parameter.find('=');
    if (equals == 0 || equals == std::string::npos ||
        parameter.find_first_of(" \t\n") != std::string::npos)
      return fail(
          fmt::format("--driver {}: \"{}\" is not PARAMETER=VALUE without blanks; --append "
                      "'MODULE.PARAMETER=VALUE' takes others",
                      text, parameter));
    driver.parameters += " " + parameter;
    at = end;
  }
  return driver;
}

}  // namespace pcilens::cli
