#include "inspector-ui/cli/replay_in_vm.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <cstdio>
#include <filesystem>
#include <fstream>

#include "inspector-ui/cli/installed.hpp"
#include "inspector-ui/cli/processes.hpp"

namespace pcilens::cli {
namespace {

namespace fs = std::filesystem;

constexpr const char* kInside = "/root/replay.trace";
// The guest's root lies in its memory, and was unpacked from a copy in it.
constexpr std::uintmax_t kMostTrace = 512u << 20, kGuestMemory = 1024u << 20;
constexpr unsigned kSeconds = 3600;

}  // namespace

Result<int> replay_in_vm(const GuestReplay& replay) {
  const auto share = share_folder();
  if (!share) return tl::unexpected(share.error());
  const auto cache = cache_folder();
  if (!cache) return tl::unexpected(cache.error());
  std::error_code error;
  std::uintmax_t bytes = fs::file_size(replay.trace, error);
  if (error) return fail(fmt::format("{}: {}", replay.trace, error.message()));
  // What a writer has not folded back into the file yet.
  const std::string log = replay.trace + "-wal";
  const std::uintmax_t log_bytes = fs::exists(log) ? fs::file_size(log, error) : 0;
  bytes += log_bytes;
  if (bytes > kMostTrace)
    return fail(
        fmt::format("{}: {} MiB do not fit the guest's memory ({} MiB do); \"pcilens "
                    "replay\" without --through takes it",
                    replay.trace, bytes >> 20, kMostTrace >> 20));

  const auto script = [&](const char* name) { return *share + "/vm/" + name; };
  const auto kernel =
      run_for_lines({script("kernel.sh"), replay.kernel.empty() ? "default" : replay.kernel});
  if (!kernel) return tl::unexpected(kernel.error());
  if (kernel->empty()) return fail("vm/kernel.sh named no kernel");
  const std::string built = *cache + "/vm/" + fs::path(kernel->back()).filename().string();
  const auto module = run_for_lines({script("module.sh"), kernel->back(), *share + "/kmod", built});
  if (!module) return tl::unexpected(module.error());
  if (module->empty()) return fail("vm/module.sh made no module");

  std::string work = "/tmp/pcilens-replay-XXXXXX";
  if (::mkdtemp(work.data()) == nullptr) return fail("/tmp: cannot make a folder");
  const struct Removed {
    const std::string& folder;
    ~Removed() {
      std::error_code ignored;
      fs::remove_all(folder, ignored);
    }
  } removed{work};
  std::ofstream(work + "/script") << "pcilens replay " << kInside << " --through kmod \"$@\"\n";
  std::vector<std::string> command{script("run-script.sh"),
                                   kernel->back(),
                                   work + "/script",
                                   "--timeout",
                                   fmt::format("{}", kSeconds),
                                   "--memory",
                                   fmt::format("{}M", (kGuestMemory + 3 * bytes) >> 20),
                                   "--load",
                                   module->front(),
                                   "--binary",
                                   own_program().string() + ":/usr/bin/pcilens",
                                   "--file",
                                   fs::absolute(replay.trace).string() + ":" + kInside};
  if (log_bytes != 0)
    command.insert(command.end(), {"--file", fs::absolute(log).string() + ":" + kInside + "-wal"});
  for (const std::string& file : replay.plug_ins)
    command.insert(command.end(), {"--binary", file + ":" + file});
  command.emplace_back("--");
  command.insert(command.end(), replay.options.begin(), replay.options.end());
  std::fflush(stdout);
  fmt::print(stderr, "pcilens: on the PCI bus of a guest with kernel {}\n",
             fs::path(kernel->back()).filename().string());
  return run_here(command);
}

}  // namespace pcilens::cli
