// The lines of source around the place where a driver stands, from its file on this machine.
#pragma once

#include "core/target/target.hpp"

namespace pcilens {

// Of the innermost frame. Nothing where its file is not known, is not there, or is none that
// somebody wrote (over 4 MiB).
void add_source(CodeView& view);

}  // namespace pcilens
