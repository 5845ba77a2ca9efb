#include <CLI/CLI.hpp>

#include "inspector-ui/cli/subcommands.hpp"

namespace pcilens::cli {

Run declare_new(CLI::App&) {
  return [] { return cannot("new: not in this build yet"); };
}

}  // namespace pcilens::cli
