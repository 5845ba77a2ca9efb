// Root opens /dev/pcilens and does nothing else: a device model is anybody's code.
#pragma once

#include <string>

#include "core/result.hpp"

namespace pcilens::kmod {

// Makes this process fit to serve a device of the kernel it runs on, and gives up root. Before its
// first thread. `user` by name; empty: who called sudo. Does nothing without root. No set-user-ID
// program gives it back.
//   - Memory is locked and reclaim does not wait for our I/O: our device may be the very disk that
//     the kernel writes to for want of memory.
//   - A child process stays root, to open the node again for a restart; it ends with this one.
// Gives a sentence for the person where root was kept: there is nobody to become.
Result<std::string> serve_as_user(const std::string& user);

// A descriptor of /dev/pcilens: by the child, where there is one. -1 with errno.
int open_node(const char* path);

}  // namespace pcilens::kmod
