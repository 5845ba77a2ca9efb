#include "inspector-ui/cli/installed.hpp"

#include <fmt/format.h>

#include <cstdlib>
#include <filesystem>

namespace pcilens::cli {

namespace fs = std::filesystem;

fs::path own_program() {
  std::error_code error;
  return fs::read_symlink("/proc/self/exe", error);
}

// The program lies beside its files, in a build as in an installation (cmake/install.cmake).
Result<std::string> share_folder() {
  const fs::path share = own_program().parent_path().parent_path() / "share/pcilens";
  if (!fs::exists(share / "vm/qemu.sh"))
    return fail(
        fmt::format("{} is not there; install pcilens with cmake --install, or start it from "
                    "its build folder",
                    (share / "vm").string()));
  return share.string();
}

Result<std::string> cache_folder() {
  const char* cache = std::getenv("XDG_CACHE_HOME");
  const char* home = std::getenv("HOME");
  if ((cache == nullptr || *cache == '\0') && (home == nullptr || *home == '\0'))
    return fail("HOME is not set; set it or XDG_CACHE_HOME");
  return cache != nullptr && *cache != '\0' ? fmt::format("{}/pcilens", cache)
                                            : fmt::format("{}/.cache/pcilens", home);
}

}  // namespace pcilens::cli
