// The Target API between processes: Cap'n Proto (target.capnp) over a UNIX socket, or over any byte
// stream such as the virtio port of a guest.
//
// One client controls: the first, or whoever asked for it last. The others watch: snapshots, trace
// and code are theirs, commands get an Error. Nothing listens on a network; SSH forwards a UNIX
// socket where that is wanted.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "core/result.hpp"
#include "core/target/target.hpp"

namespace pcilens {

// Where sockets lie: $XDG_RUNTIME_DIR/pcilens, or /tmp/pcilens-UID; made with mode 0700 for who
// serves, and not made for who only looks. Refused where it belongs to somebody else or others may
// enter.
enum class FolderOfSocket : std::uint8_t { Made, LookedAt };
Result<std::string> socket_folder(FolderOfSocket what = FolderOfSocket::Made);
// FOLDER/NAME.sock for a name; what has a slash is a path already.
Result<std::string> socket_path(const std::string& name_or_path,
                                FolderOfSocket what = FolderOfSocket::Made);
// The sockets in the folder that somebody serves now, sorted.
Result<std::vector<std::string>> served_sockets();

class TargetServer {
 public:
  struct Options {
    bool first_controls = true;  // false: nobody controls without asking for it
    bool take_changes = true;    // false: the caller has the target's on_change and calls changed()
    std::function<void(std::string)> said = {};  // one line for each client that comes or goes
  };
  // Makes the socket (0600) and accepts clients, of the same user or root, until destroyed. A
  // socket that a dead process left is replaced; one that lives is an Error. The target outlives
  // the server.
  static Result<std::unique_ptr<TargetServer>> on_socket(Target& target, const std::string& path,
                                                         Options options);
  // The same on a stream socket or character device that is open for reading and writing; takes the
  // descriptor over. A device that another client opens later is served again.
  static Result<std::unique_ptr<TargetServer>> on_stream(Target& target, int fd, Options options);
  ~TargetServer();
  TargetServer(const TargetServer&) = delete;
  TargetServer& operator=(const TargetServer&) = delete;

  void changed();  // the target has a newer snapshot; any thread
  const std::string& path() const;

 private:
  struct State;
  explicit TargetServer(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

struct ConnectOptions {
  bool control = false;  // take it over from who has it
  // How long the other side may take until its first answer: a guest has to boot first.
  std::chrono::milliseconds patience{10'000};
  // Asked, on the connection's thread, once it has ended: why, in one sentence; empty: nobody knows
  // better than the connection. May take a moment.
  std::function<std::string()> why_ended = {};
};

// A target that lives elsewhere. When the connection ends, whatever is under way is answered with
// an Error, and the snapshot says so: it is gone, the reason in `driver`.
Result<std::unique_ptr<Target>> connect_target(const std::string& path,
                                               ConnectOptions options = {});
// Takes over a stream socket.
Result<std::unique_ptr<Target>> connect_target(int fd, const std::string& name,
                                               ConnectOptions options = {});

}  // namespace pcilens
