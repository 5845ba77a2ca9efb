#include <CLI/CLI.hpp>

#include "inspector-ui/cli/subcommands.hpp"

namespace pcilens::cli {

Run declare_replay(CLI::App&) {
  return [] { return cannot("replay: not in this build yet"); };
}

}  // namespace pcilens::cli
