#include "inspector-ui/cli/processes.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstring>

namespace pcilens::cli {
namespace {

std::vector<char*> arguments_of(const std::vector<std::string>& command) {
  std::vector<char*> arguments;
  for (const std::string& word : command) arguments.push_back(const_cast<char*>(word.c_str()));
  arguments.push_back(nullptr);
  return arguments;
}

// In the child, before exec: the console's blocked signals are not the child's.
void become_ordinary() {
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
}

[[noreturn]] void become(const std::vector<char*>& arguments) {
  execvp(arguments[0], arguments.data());
  dprintf(STDERR_FILENO, "pcilens: cannot start %s: %s\n", arguments[0], std::strerror(errno));
  _exit(127);
}

// "kernel.sh 6.6", as far as it fits a line.
std::string in_short(const std::vector<std::string>& command) {
  constexpr std::size_t kMost = 100;
  std::string text = command.front().substr(command.front().rfind('/') + 1);
  for (std::size_t i = 1; i < command.size() && text.size() <= kMost; ++i) text += " " + command[i];
  if (text.size() > kMost) text = text.substr(0, kMost) + "...";
  return text;
}

}  // namespace

std::string shell_word(const std::string& text) {
  static constexpr std::string_view kPlain =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_./+-=:@,";
  if (!text.empty() && text.find_first_not_of(kPlain) == text.npos) return text;
  std::string quoted = "'";
  for (const char c : text) quoted += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return quoted + "'";
}

Result<std::vector<std::string>> run_for_lines(const std::vector<std::string>& command) {
  const auto arguments = arguments_of(command);
  int pipe_fds[2];
  if (pipe2(pipe_fds, O_CLOEXEC) != 0) return fail(fmt::format("pipe: {}", std::strerror(errno)));
  const pid_t parent = getpid();
  const pid_t child = fork();
  if (child == 0) {
    become_ordinary();
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    if (getppid() != parent) _exit(127);
    dup2(pipe_fds[1], STDOUT_FILENO);
    become(arguments);
  }
  close(pipe_fds[1]);
  std::string text;
  char buffer[4096];
  for (ssize_t n; (n = read(pipe_fds[0], buffer, sizeof buffer)) != 0;) {
    if (n > 0) text.append(buffer, static_cast<std::size_t>(n));
    if (n < 0 && errno != EINTR) break;
  }
  close(pipe_fds[0]);
  int status = 0;
  if (child < 0) return fail(fmt::format("fork: {}", std::strerror(errno)));
  while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
    return fail(fmt::format("{} did not succeed; what it said above tells why", in_short(command)));
  std::vector<std::string> lines;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = std::min(text.find('\n', at), text.size());
    if (end > at) lines.push_back(text.substr(at, end - at));
    at = end + 1;
  }
  return lines;
}

Result<int> run_here(const std::vector<std::string>& command) {
  const auto arguments = arguments_of(command);
  const pid_t parent = getpid();
  const pid_t child = fork();
  if (child < 0) return fail(fmt::format("fork: {}", std::strerror(errno)));
  if (child == 0) {
    become_ordinary();
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    if (getppid() != parent) _exit(127);
    become(arguments);
  }
  int status = 0;
  while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

Result<int> start_bound(const std::vector<std::string>& command, const std::string& output) {
  const auto arguments = arguments_of(command);
  const int out = open(output.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  const int in = open("/dev/null", O_RDONLY | O_CLOEXEC);
  const pid_t parent = getpid();
  const pid_t child = out < 0 || in < 0 ? -1 : fork();
  if (child == 0) {
    become_ordinary();
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent) _exit(127);
    setsid();
    dup2(in, STDIN_FILENO);
    dup2(out, STDOUT_FILENO);
    dup2(out, STDERR_FILENO);
    become(arguments);
  }
  const int why = errno;
  if (out >= 0) close(out);
  if (in >= 0) close(in);
  if (child < 0)
    return fail(fmt::format("cannot start {}: {}", command.front(), std::strerror(why)));
  return child;
}

Result<int> remove_at_end(const std::vector<std::string>& paths, bool folders) {
  std::vector<std::string> command{"rm", folders ? "-rf" : "-f", "--"};
  command.insert(command.end(), paths.begin(), paths.end());
  const auto arguments = arguments_of(command);
  int pipe_fds[2];
  if (pipe2(pipe_fds, O_CLOEXEC) != 0) return fail(fmt::format("pipe: {}", std::strerror(errno)));
  const pid_t child = fork();
  if (child < 0) return fail(fmt::format("fork: {}", std::strerror(errno)));
  if (child == 0) {
    // Again, so that nobody has to wait for it; away from the terminal's signals and pipes.
    if (fork() != 0) _exit(0);
    setsid();
    close(pipe_fds[1]);
    const int null = open("/dev/null", O_RDWR);
    for (const int fd : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) dup2(null, fd);
    char byte;
    while (read(pipe_fds[0], &byte, 1) < 0 && errno == EINTR) {
    }
    become(arguments);
  }
  close(pipe_fds[0]);
  while (waitpid(child, nullptr, 0) < 0 && errno == EINTR) {
  }
  return pipe_fds[1];
}

}  // namespace pcilens::cli
