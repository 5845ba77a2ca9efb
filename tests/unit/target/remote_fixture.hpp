// Served targets for tests, in a folder of their own.
#pragma once

#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstring>
#include <filesystem>
#include <mutex>
#include <string>
#include <vector>

#include "catch.hpp"
#include "core/target/remote.hpp"

namespace pcilens::test {

class SocketFolder {
 public:
  SocketFolder() { REQUIRE(::mkdtemp(path_) != nullptr); }
  ~SocketFolder() { std::filesystem::remove_all(path_); }
  std::string path(const std::string& name) const { return std::string(path_) + "/" + name; }

 private:
  char path_[32] = "/tmp/pcilens-test-XXXXXX";
};

// Nothing but a listening socket, as a process leaves it that was killed.
inline int listen_at(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::strncpy(address.sun_path, path.c_str(), sizeof address.sun_path - 1);
  const int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  REQUIRE(::bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
  REQUIRE(::listen(fd, 4) == 0);
  return fd;
}

inline int connect_at(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::strncpy(address.sun_path, path.c_str(), sizeof address.sun_path - 1);
  const int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  REQUIRE(::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
  return fd;
}

// Answers nothing before it is told to.
class SilentTarget final : public Target {
 public:
  SilentTarget() {
    auto s = std::make_shared<Snapshot>();
    s->version = 1;
    s->names = std::make_shared<Names>();
    snapshot_ = s;
  }
  std::size_t asked() {
    const std::lock_guard lock(mutex_);
    return pauses_.size();
  }
  void answer() {
    const std::lock_guard lock(mutex_);
    for (auto& done : pauses_) done({});
    pauses_.clear();
  }

  std::shared_ptr<const Snapshot> snapshot() const override { return snapshot_; }
  void on_change(std::function<void()>) override {}
  void pause(Done<void> done) override {
    const std::lock_guard lock(mutex_);
    pauses_.push_back(std::move(done));
  }
  void resume(Done<void> done) override { done({}); }
  void step(Step, Done<void> done) override { done({}); }
  void edit(std::uint64_t, Done<void> done) override { done({}); }
  void add_breakpoint(Breakpoint, Done<std::uint32_t> done) override { done(1); }
  void enable_breakpoint(std::uint32_t, bool, Done<void> done) override { done({}); }
  void remove_breakpoint(std::uint32_t, Done<void> done) override { done({}); }
  void add_fault(Fault, Done<std::uint32_t> done) override { done(1); }
  void enable_fault(std::uint32_t, bool, Done<void> done) override { done({}); }
  void remove_fault(std::uint32_t, Done<void> done) override { done({}); }
  void poke_read(Place, Done<std::uint64_t> done) override { done(0); }
  void poke_write(Place, std::uint64_t, Done<void> done) override { done({}); }
  void force(Place, std::uint64_t, Done<void> done) override { done({}); }
  void reset_function(std::uint8_t, ResetKind, Done<void> done) override { done({}); }
  void restart(Done<void> done) override { done({}); }
  void trace_page(TraceRequest, Done<TracePage> done) override { done(TracePage{}); }
  void trace_payload(std::uint64_t, Done<std::vector<std::byte>> done) override {
    done(fail("no"));
  }
  void code_at(std::uint64_t, Done<CodeView> done) override { done(CodeView{}); }
  void count_matches(std::string, Done<MatchCount> done) override { done(MatchCount{}); }
  void commands(CommandRequest, Done<CommandPage> done) override { done(CommandPage{}); }
  void dma_mappings(Done<std::vector<DmaMapping>> done) override { done(fail("no")); }
  void dma_look(std::uint8_t, std::uint64_t, std::uint32_t,
                Done<std::vector<std::byte>> done) override {
    done(fail("no"));
  }

 private:
  std::shared_ptr<const Snapshot> snapshot_;
  std::mutex mutex_;
  std::vector<Done<void>> pauses_;
};

}  // namespace pcilens::test
