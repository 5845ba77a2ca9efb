// pcilens serve: a device and its driver that consoles and windows attach to.
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cerrno>
#include <cstring>
#include <filesystem>

#include "core/target/remote.hpp"
#include "inspector-ui/cli/ending.hpp"
#include "inspector-ui/cli/session_arguments.hpp"
#include "inspector-ui/cli/subcommands.hpp"

namespace pcilens::cli {
namespace {

struct Arguments {
  SessionArguments session;
  std::string socket, stream, spool;
};

// "edu" of "edu,seed=1", "mycard" of "./mycard.so".
std::string device_name(const SessionArguments& session) {
  if (session.devices.empty()) return kDefaultDevice;
  const std::string& device = session.devices.front();
  return std::filesystem::path(device.substr(0, device.find(','))).stem().string();
}

Result<std::unique_ptr<TargetServer>> serve(Target& target, const Arguments& a) {
  const TargetServer::Options options{.said = [](std::string line) {
    fmt::print("{}\n", line);
    std::fflush(stdout);
  }};
  if (!a.stream.empty()) {
    const int fd = ::open(a.stream.c_str(), O_RDWR | O_CLOEXEC | O_NOCTTY);
    if (fd < 0)
      return fail(fmt::format("{}: {}; name a character device or a port that nobody else has open",
                              a.stream, std::strerror(errno)));
    struct stat what{};
    // /dev/null, /dev/zero and their like are memory devices, number 1.
    if (::fstat(fd, &what) != 0 || S_ISREG(what.st_mode) ||
        (S_ISCHR(what.st_mode) && major(what.st_rdev) == 1)) {
      ::close(fd);
      return fail(
          fmt::format("{}: nobody can talk at its other end; name a character device, such as a "
                      "virtio port",
                      a.stream));
    }
    return TargetServer::on_stream(target, fd, options);
  }
  auto path = socket_path(a.socket.empty() ? device_name(a.session) : a.socket);
  if (!path) return tl::unexpected(path.error());
  return TargetServer::on_socket(target, *path, options);
}

int run(const Arguments& a) {
  block_end_signals();
  auto options = session_options(a.session);
  if (!options) return cannot(options.error().message);
  options->spool = a.spool;
  auto target = open_session(*options);
  if (!target) return cannot(target.error().message);
  auto server = serve(**target, a);
  if (!server) return cannot(server.error().message);
  if (a.stream.empty())
    fmt::print("serving {}; \"pcilens attach {}\" opens a console on it, Ctrl-C ends it\n",
               (*server)->path(), a.socket.empty() ? device_name(a.session) : a.socket);
  else
    fmt::print("serving {}\n", a.stream);
  std::fflush(stdout);
  wait_for_end_signal();
  server->reset();
  return end(std::move(*target), a.session, kOk);
}

}  // namespace

Run declare_serve(CLI::App& app) {
  auto a = std::make_shared<Arguments>();
  add_session_options(app, a->session);
  auto* socket =
      app.add_option("-s,--socket", a->socket,
                     "A name, or the path of a UNIX socket. Default: the device's name, in\n"
                     "$XDG_RUNTIME_DIR/pcilens")
          ->type_name("NAME|PATH");
  app.add_option("--stream", a->stream,
                 "Serve on a character device instead, such as a virtio port of this guest")
      ->type_name("DEVICE")
      ->excludes(socket);
  app.add_option("--spool", a->spool,
                 "Record into this shared memory, which somebody else reads; see \"pcilens vm\"")
      ->type_name("FILE");
  return [a] { return run(*a); };
}

}  // namespace pcilens::cli
