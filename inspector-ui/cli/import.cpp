#include <CLI/CLI.hpp>

#include "inspector-ui/cli/subcommands.hpp"

namespace pcilens::cli {

Run declare_import(CLI::App&) {
  return [] { return cannot("import: not in this build yet"); };
}

}  // namespace pcilens::cli
