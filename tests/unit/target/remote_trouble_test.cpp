// What goes wrong between two processes: one clear sentence, no crash, every call answered once.
#include <fcntl.h>
#include <sys/stat.h>

#include <atomic>
#include <fstream>
#include <thread>

#include "catch.hpp"
#include "target/remote_fixture.hpp"
#include "target/session_fixture.hpp"

using namespace pcilens;
using namespace pcilens::test;

namespace {

std::unique_ptr<TargetServer> serve(Target& target, const std::string& path) {
  auto server = TargetServer::on_socket(target, path, {});
  REQUIRE(server.has_value());
  return std::move(*server);
}

std::unique_ptr<Target> attach(const std::string& path) {
  auto target = connect_target(path, {});
  REQUIRE(target.has_value());
  return std::move(*target);
}

}  // namespace

TEST_CASE("a call that is under way when the server ends is answered once, with an error") {
  SocketFolder folder;
  SilentTarget silent;
  auto server = serve(silent, folder.path("s"));
  auto remote = attach(folder.path("s"));
  std::atomic<int> answers = 0, errors = 0;
  remote->pause([&](Result<void> r) {
    ++answers;
    if (!r) ++errors;
  });
  REQUIRE(eventually([&] { return silent.asked() == 1; }));
  server.reset();
  REQUIRE(eventually([&] { return answers == 1; }));
  CHECK(errors == 1);
  CHECK(remote->snapshot()->state == RunState::Ended);
  CHECK(remote->snapshot()->driver.find("has ended") != std::string::npos);
  silent.answer();  // too late for everybody
  remote.reset();
  CHECK(answers == 1);
}

TEST_CASE("a call that is under way when the client goes is answered once, with an error") {
  SocketFolder folder;
  SilentTarget silent;
  auto server = serve(silent, folder.path("s"));
  auto remote = attach(folder.path("s"));
  std::atomic<int> answers = 0;
  remote->pause([&](Result<void> r) { answers += r ? 100 : 1; });
  REQUIRE(eventually([&] { return silent.asked() == 1; }));
  remote.reset();
  CHECK(answers == 1);
  silent.answer();
  auto next = attach(folder.path("s"));  // the server is still there
  CHECK(next->snapshot()->version == 1);
}

TEST_CASE("a call after the connection has ended fails at once") {
  SocketFolder folder;
  SilentTarget silent;
  auto server = serve(silent, folder.path("s"));
  auto remote = attach(folder.path("s"));
  server.reset();
  REQUIRE(reaches(*remote, RunState::Ended));
  CHECK_FALSE(ask<void>([&](auto done) { remote->resume(done); }).has_value());
}

TEST_CASE("who knows better why a connection has ended is asked, and everybody hears it") {
  SocketFolder folder;
  SilentTarget silent;
  auto server = serve(silent, folder.path("s"));
  auto remote = connect_target(folder.path("s"),
                               {.why_ended = [] { return std::string("it was unplugged"); }});
  REQUIRE(remote.has_value());
  std::string under_way;
  std::atomic<bool> answered = false;
  (*remote)->pause([&](Result<void> r) {
    under_way = r ? "" : r.error().message;
    answered = true;
  });
  CHECK_FALSE((*remote)->snapshot()->gone);
  REQUIRE(eventually([&] { return silent.asked() == 1; }));
  server.reset();
  REQUIRE(eventually([&] { return answered.load(); }));
  CHECK(under_way == "it was unplugged");
  CHECK((*remote)->snapshot()->gone);
  CHECK((*remote)->snapshot()->driver == "it was unplugged");
  const auto later = ask<void>([&](auto done) { (*remote)->resume(done); });
  REQUIRE_FALSE(later.has_value());
  CHECK(later.error().message == "it was unplugged");
}

TEST_CASE("a second server on a socket is refused with one sentence") {
  SocketFolder folder;
  SilentTarget silent;
  auto server = serve(silent, folder.path("s"));
  const auto second = TargetServer::on_socket(silent, folder.path("s"), {});
  REQUIRE_FALSE(second.has_value());
  CHECK(second.error().message.find("serves this socket already") != std::string::npos);
  attach(folder.path("s"));  // and the first one goes on
}

TEST_CASE("a socket that a dead process left is replaced") {
  SocketFolder folder;
  ::close(listen_at(folder.path("s")));
  SilentTarget silent;
  auto server = serve(silent, folder.path("s"));
  attach(folder.path("s"));
}

TEST_CASE("a file that is no socket is left alone") {
  SocketFolder folder;
  std::ofstream(folder.path("s")) << "mine";
  SilentTarget silent;
  const auto server = TargetServer::on_socket(silent, folder.path("s"), {});
  REQUIRE_FALSE(server.has_value());
  CHECK(std::filesystem::is_regular_file(folder.path("s")));
}

TEST_CASE("the socket is for its user alone, and goes away with the server") {
  SocketFolder folder;
  SilentTarget silent;
  auto server = serve(silent, folder.path("s"));
  struct stat there{};
  REQUIRE(::stat(folder.path("s").c_str(), &there) == 0);
  CHECK((there.st_mode & 0777) == 0600);
  server.reset();
  CHECK(std::filesystem::is_empty(folder.path("")));
}

TEST_CASE("attaching where nobody serves says what to do") {
  SocketFolder folder;
  const auto target = connect_target(folder.path("s"), {});
  REQUIRE_FALSE(target.has_value());
  CHECK(target.error().message.find("pcilens serve") != std::string::npos);
}

TEST_CASE("a server that never answers is given up after the client's patience") {
  SocketFolder folder;
  const int fd = listen_at(folder.path("s"));
  const auto target =
      connect_target(folder.path("s"), {.patience = std::chrono::milliseconds(100)});
  REQUIRE_FALSE(target.has_value());
  CHECK(target.error().message.find("no answer") != std::string::npos);
  ::close(fd);
}

TEST_CASE("a server that talks nonsense is an error") {
  SocketFolder folder;
  const int fd = listen_at(folder.path("s"));
  std::thread other([fd] {
    const int client = ::accept(fd, nullptr, nullptr);
    const std::string nonsense(4096, '\x07');
    [[maybe_unused]] const auto n = ::write(client, nonsense.data(), nonsense.size());
    ::close(client);
  });
  const auto target = connect_target(folder.path("s"), {});
  CHECK_FALSE(target.has_value());
  other.join();
  ::close(fd);
}

TEST_CASE("hostile and truncated messages end their own connection only") {
  SocketFolder folder;
  SilentTarget silent;
  auto server = serve(silent, folder.path("s"));
  auto good = attach(folder.path("s"));
  std::vector<std::string> messages = {
      "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n",
      std::string(64, '\xff'),                        // 2^32 segments
      std::string("\0\0\0\0\xff\xff\xff\x7f", 8),     // one segment of 16 GiB
      std::string("\0\0\0\0\x02\0\0\0\0\0\0\0", 12),  // cut in the middle
      std::string("\0\0\0\0\x01\0\0\0\xff\xff\xff\xff\xff\xff\xff\xff", 16),  // a wild pointer
      std::string("\0\0\0\0\0\0\0\0", 8),  // no segment content at all
  };
  for (std::uint32_t seed = 1; seed <= 200; ++seed) {
    std::string noise("\0\0\0\0\x20\0\0\0", 8);
    std::uint32_t x = seed;
    for (int i = 0; i < 256; ++i) {
      x ^= x << 13;
      x ^= x >> 17;
      x ^= x << 5;
      noise += static_cast<char>(x % 7 == 0 ? x >> 8 : x % 3);
    }
    messages.push_back(std::move(noise));
  }
  for (const std::string& message : messages) {
    const int fd = connect_at(folder.path("s"));
    ::fcntl(fd, F_SETFL, O_NONBLOCK);
    [[maybe_unused]] const auto n = ::send(fd, message.data(), message.size(), MSG_NOSIGNAL);
    ::close(fd);
  }
  CHECK(ask<void>([&](auto done) { good->resume(done); }).has_value());
  attach(folder.path("s"));
}
