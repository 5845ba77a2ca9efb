// Names that options of sub-commands take.
#pragma once

#include <CLI/CLI.hpp>
#include <string>

namespace pcilens::cli {

// An empty name is a script's variable that was not set, and must not mean the default.
inline CLI::Validator not_empty() {
  return CLI::Validator(
      [](const std::string& text) -> std::string {
        return text.empty() ? "an empty name names nothing; leave it out for the default" : "";
      },
      "");
}

}  // namespace pcilens::cli
