// A row of a table as a line of JSON, for those who print more rows than they hold in memory.
#pragma once

#include <vector>

#include "inspector-ui/commands/output.hpp"

namespace pcilens::cli {

// {"seq":1,...} and a newline on standard output.
void print_json_line(const std::vector<ui::Column>& columns, const std::vector<ui::Cell>& row);

}  // namespace pcilens::cli
