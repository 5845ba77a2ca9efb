#include <CLI/CLI.hpp>

#include "inspector-ui/cli/subcommands.hpp"

namespace pcilens::cli {

Run declare_bench(CLI::App&) {
  return [] { return cannot("bench: not in this build yet"); };
}

}  // namespace pcilens::cli
