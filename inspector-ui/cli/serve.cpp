#include <CLI/CLI.hpp>

#include "inspector-ui/cli/subcommands.hpp"

namespace pcilens::cli {

Run declare_serve(CLI::App&) {
  return [] { return cannot("serve: not in this build yet"); };
}

}  // namespace pcilens::cli
