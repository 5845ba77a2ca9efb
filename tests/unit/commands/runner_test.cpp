#include "inspector-ui/commands/runner.hpp"

#include <chrono>
#include <condition_variable>
#include <mutex>

#include "catch.hpp"
#include "fixture.hpp"

using namespace example;

namespace {

struct Heard {
  std::mutex mutex;
  std::condition_variable changed;
  std::vector<std::string> lines;
  std::vector<bool> good;

  CommandRunner::Finished finished() {
    return [this](const std::string& line, const Result<Output>& output) {
      const std::lock_guard lock(mutex);
      lines.push_back(line);
      good.push_back(output.has_value());
      changed.notify_all();
    };
  }
  bool wait_for(std::size_t count) {
    std::unique_lock lock(mutex);
    return changed.wait_for(lock, std::chrono::seconds(5), [&] { return lines.size() >= count; });
  }
};

}  // namespace

TEST_CASE("commands of a window run one after another, in order") {
  test::FakeTarget target;
  Heard heard;
  CommandRunner runner(target, CommandTable::standard(), heard.finished());
  for (const char* line : {"break irq", "breakpoints", "frobnicate"}) runner.run(line);
  REQUIRE(heard.wait_for(3));
  CHECK(heard.lines == std::vector<std::string>{"break irq", "breakpoints", "frobnicate"});
  CHECK(heard.good == std::vector<bool>{true, true, false});
}

TEST_CASE("a new command cancels one that waits") {
  test::FakeTarget target;
  target.change([](Snapshot& s) {
    s.state = RunState::Running;
    s.stop.reset();
  });
  Heard heard;
  CommandRunner runner(target, CommandTable::standard(), heard.finished());
  const auto start = std::chrono::steady_clock::now();
  runner.run("wait stop 60s");
  runner.run("pause");
  REQUIRE(heard.wait_for(2));
  CHECK(std::chrono::steady_clock::now() - start < std::chrono::seconds(5));
  CHECK(heard.good == std::vector<bool>{false, true});
}

TEST_CASE("a runner that waits ends with the window") {
  test::FakeTarget target;
  target.change([](Snapshot& s) { s.state = RunState::Running; });
  Heard heard;
  const auto start = std::chrono::steady_clock::now();
  {
    CommandRunner runner(target, CommandTable::standard(), heard.finished());
    runner.run("wait end 60s");
  }
  CHECK(std::chrono::steady_clock::now() - start < std::chrono::seconds(5));
}
