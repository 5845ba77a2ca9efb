// UNIX sockets as the remote target wants them: one owner, nobody else's eyes.
#pragma once

#include <string>

#include "core/result.hpp"

namespace pcilens::remote {

class Fd {
 public:
  explicit Fd(int fd = -1) : fd_(fd) {}
  Fd(Fd&& other) noexcept : fd_(other.release()) {}
  Fd& operator=(Fd&& other) noexcept;
  ~Fd();
  int get() const { return fd_; }
  int release();

 private:
  int fd_;
};

// A listening socket at a path, with the lock that says who serves it. Both files go away with it.
class ListeningSocket {
 public:
  static Result<ListeningSocket> open(const std::string& path);
  ListeningSocket(ListeningSocket&&) noexcept = default;
  ~ListeningSocket();

  const std::string& path() const { return path_; }
  int fd() const { return socket_.get(); }

 private:
  ListeningSocket(std::string path, Fd lock) : path_(std::move(path)), lock_(std::move(lock)) {}

  std::string path_;
  Fd lock_, socket_;
};

Result<Fd> connect_to(const std::string& path);
// Whether the process at the other end belongs to this user or to root.
bool peer_is_ours(int fd);

}  // namespace pcilens::remote
