// A disk that fills up while a session records into it. Wants root, for a tmpfs of its own.
#include <sys/mount.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>

#include "core/trace/sqlite.hpp"
#include "target/session_fixture.hpp"

using namespace pcilens;
using namespace pcilens::test;

namespace {

// Two MiB of disk, or none where we may not mount.
class SmallDisk {
 public:
  SmallDisk() {
    char name[] = "/tmp/pcilens-disk-XXXXXX";
    if (::mkdtemp(name) == nullptr) return;
    path_ = name;
    mounted_ = ::geteuid() == 0 && ::mount("none", name, "tmpfs", 0, "size=2m") == 0;
  }
  ~SmallDisk() {
    if (mounted_) ::umount2(path_.c_str(), MNT_DETACH);
    if (!path_.empty()) std::filesystem::remove(path_);
  }
  bool mounted() const { return mounted_; }
  std::string operator/(const std::string& name) const { return path_ + "/" + name; }
  void fill() const {
    std::ofstream filler(*this / "filler", std::ios::binary);
    const std::string block(4096, '\0');
    while (filler.write(block.data(), static_cast<std::streamsize>(block.size())).flush()) {
    }
  }
  void make_room() const {
    std::filesystem::remove(*this / "filler");
    REQUIRE(::mount("none", path_.c_str(), "tmpfs", MS_REMOUNT, "size=64m") == 0);
  }

 private:
  std::string path_;
  bool mounted_ = false;
};

std::uint64_t pokes_in(const std::string& path) {
  auto db = Database::open(path, SQLITE_OPEN_READONLY);
  REQUIRE(db.has_value());
  auto row = db->prepare("SELECT count(*) FROM event WHERE kind = 2 AND origin = 2");
  REQUIRE(row.has_value());
  REQUIRE(row->step() == SQLITE_ROW);
  return row->number(0);
}

}  // namespace

TEST_CASE("a full disk is told in one sentence, loses nothing it has, and the rest comes later") {
  const SmallDisk disk;
  if (!disk.mounted()) {
    WARN("skipped: needs root, to mount a small tmpfs");
    return;
  }
  const std::string trace = disk / "run.trace";
  SessionOptions options;
  options.devices = {{"edu", {}}};
  options.trace = trace;
  options.drive = false;
  std::string told;
  options.not_written = [&](std::string why) { told = std::move(why); };
  const auto read_ids = [](Target& target, int count) {
    for (int i = 0; i < count; ++i)
      static_cast<void>(ask<std::uint64_t>(
          [&](auto done) { target.poke_read({.bar = 0, .offset = 0, .size = 4}, done); }));
  };
  {
    auto target = open_session(options);
    REQUIRE(target.has_value());
    read_ids(**target, 10);
    // An answer about the trace tells of everything before the question.
    REQUIRE(ask<TracePage>([&](auto done) { (*target)->trace_page({}, done); }).has_value());
    disk.fill();
    read_ids(**target, 2000);
  }
  CHECK(told.find(trace) == 0);
  CHECK(told.find("database or disk is full") != std::string::npos);
  CHECK(told.find("make room") != std::string::npos);
  CHECK(pokes_in(trace) >= 10);
  CHECK(pokes_in(trace) < 2010);
  disk.make_room();
  told.clear();
  {
    auto target = open_session(options);
    REQUIRE(target.has_value());
    read_ids(**target, 1);
  }
  CHECK(told.empty());
  CHECK(pokes_in(trace) == 2011);
}
