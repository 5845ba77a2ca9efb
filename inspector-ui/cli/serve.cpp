// pcilens serve: a device and its driver that consoles and windows attach to.
#include <fmt/format.h>
#include <poll.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <csignal>

#include "core/target/remote.hpp"
#include "inspector-ui/cli/session_arguments.hpp"
#include "inspector-ui/cli/subcommands.hpp"

namespace pcilens::cli {
namespace {

// Until Ctrl-C, SIGTERM or SIGHUP: the socket and the trace are closed as they should be.
void wait_for_end() {
  sigset_t set;
  sigemptyset(&set);
  for (const int signal : {SIGINT, SIGTERM, SIGHUP}) sigaddset(&set, signal);
  int signal = 0;
  sigwait(&set, &signal);
}

void block_ends() {
  sigset_t set;
  sigemptyset(&set);
  for (const int signal : {SIGINT, SIGTERM, SIGHUP}) sigaddset(&set, signal);
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
}

int serve(const SessionArguments& session, std::string socket) {
  block_ends();  // before the target makes its threads
  auto target = open(session);
  if (!target) return cannot(target.error().message);
  if (socket.empty()) {
    const auto snapshot = (*target)->snapshot();
    socket = snapshot->functions.empty() ? "pcilens" : snapshot->functions.front().device;
  }
  auto path = socket_path(socket);
  if (!path) return cannot(path.error().message);
  auto server = TargetServer::on_socket(**target, *path, {.said = [](std::string line) {
    fmt::print("{}\n", line);
    std::fflush(stdout);
  }});
  if (!server) return cannot(server.error().message);
  fmt::print("serving {}; \"pcilens attach {}\" opens a console on it, Ctrl-C ends it\n",
             (*server)->path(), socket);
  std::fflush(stdout);
  wait_for_end();
  return kOk;
}

}  // namespace

Run declare_serve(CLI::App& app) {
  auto session = std::make_shared<SessionArguments>();
  auto socket = std::make_shared<std::string>();
  add_session_options(app, *session);
  app.add_option("-s,--socket", *socket,
                 "A name, or the path of a UNIX socket. Default: the device's name, in\n"
                 "$XDG_RUNTIME_DIR/pcilens")
      ->type_name("NAME|PATH");
  return [session, socket] { return serve(*session, *socket); };
}

}  // namespace pcilens::cli
