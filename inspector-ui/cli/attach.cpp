#include <CLI/CLI.hpp>

#include "inspector-ui/cli/subcommands.hpp"

namespace pcilens::cli {

Run declare_attach(CLI::App&) {
  return [] { return cannot("attach: not in this build yet"); };
}

}  // namespace pcilens::cli
