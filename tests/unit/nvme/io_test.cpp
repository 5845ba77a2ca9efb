// Reading and writing blocks (NVMe 1.4, chapter 6) by PRPs (4.3).
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "nvme/rig.hpp"

using namespace pcilens;
using namespace pcilens::nvme;
using namespace pcilens::nvme::test;

namespace {

void fill(std::span<std::byte> bytes, unsigned seed) {
  for (std::size_t i = 0; i < bytes.size(); ++i)
    bytes[i] = static_cast<std::byte>(seed + i * 7 + i / 512);
}

// A disk image of its own, removed afterwards.
class Disk {
 public:
  explicit Disk(std::uint64_t size) {
    static int count = 0;
    path_ = (std::filesystem::temp_directory_path() /
             ("pcilens-nvme-" + std::to_string(::getpid()) + "-" + std::to_string(count++)))
                .string();
    std::ofstream(path_).put('\0');
    std::filesystem::resize_file(path_, size);
  }
  ~Disk() { std::filesystem::remove(path_); }
  const std::string& path() const { return path_; }
  std::vector<char> read(std::uint64_t at, std::size_t bytes) const {
    std::vector<char> data(bytes);
    std::ifstream file(path_, std::ios::binary);
    file.seekg(static_cast<std::streamoff>(at));
    file.read(data.data(), static_cast<std::streamsize>(bytes));
    return data;
  }

 private:
  std::string path_;
};

}  // namespace

TEST_CASE("nvme: what was written is read back, also where the data begins inside a page") {
  Rig rig;
  rig.up();
  const std::uint64_t there = rig.alloc(3 * 4096), back = rig.alloc(3 * 4096);
  fill(rig.bytes(there, 3 * 4096), 1);
  CHECK(rig.status_of(1, rig.rw(kWrite, 10, 8, there + 512)) == kSuccess);
  CHECK(rig.status_of(1, rig.rw(kRead, 10, 8, back + 512)) == kSuccess);
  CHECK(std::ranges::equal(rig.bytes(there + 512, 4096), rig.bytes(back + 512, 4096)));
  CHECK(std::ranges::all_of(rig.bytes(back, 512), [](std::byte b) { return b == std::byte{0}; }));
}

TEST_CASE("nvme: a PRP list that goes on in a second page moves every byte") {
  Rig rig;
  rig.up();
  // 128 pages: the list begins 16 bytes before the end of its page, so it holds one entry and the
  // pointer to its second page.
  constexpr std::uint64_t kPages = 128, kBytes = kPages * 4096;
  const std::uint64_t data = rig.alloc(kBytes), first = rig.alloc(4096), second = rig.alloc(4096);
  fill(rig.bytes(data, kBytes), 3);
  rig.put64(first + 4080, data + 4096);
  rig.put64(first + 4088, second);
  for (std::uint64_t i = 2; i < kPages; ++i) rig.put64(second + 8 * (i - 2), data + i * 4096);
  const auto move = [&](std::uint8_t opcode) {
    return Submission(opcode, 1)
        .set(part(kSqe, "PRP1"), data)
        .set(part(kSqe, "PRP2"), first + 4080)
        .set(part(kRwEntry, "CDW12.NLB"), kBytes / 512 - 1);
  };
  CHECK(rig.status_of(1, move(kWrite)) == kSuccess);
  const std::vector<std::byte> sent(rig.bytes(data, kBytes).begin(), rig.bytes(data, kBytes).end());
  std::ranges::fill(rig.bytes(data, kBytes), std::byte{0});
  CHECK(rig.status_of(1, move(kRead)) == kSuccess);
  CHECK(std::ranges::equal(rig.bytes(data, kBytes), sent));
}

TEST_CASE("nvme: PRPs that point nowhere give Data Transfer Error and change no block") {
  Rig rig;
  rig.up();
  CHECK(rig.status_of(1, rig.rw(kWrite, 0, 1, 0xdead'0000'0000)) == 0x004);
  CHECK(rig.status_of(1, rig.rw(kRead, 0, 1, 0xdead'0000'0000)) == 0x004);
  const std::uint64_t page = rig.alloc(4096);
  auto list = rig.rw(kWrite, 0, 128, page);  // 16 pages
  list.set(part(kSqe, "PRP2"), 0xdead'0000);
  fill(rig.bytes(page, 4096), 9);
  CHECK(rig.status_of(1, list) == 0x004);
  CHECK(rig.status_of(1, rig.rw(kRead, 0, 8, page)) == kSuccess);
  CHECK(std::ranges::all_of(rig.bytes(page, 4096), [](std::byte b) { return b == std::byte{0}; }));
}

TEST_CASE("nvme: PRP offsets that the specification forbids give Invalid PRP Offset") {
  Rig rig;
  rig.up();
  const std::uint64_t page = rig.alloc(3 * 4096);
  CHECK(rig.status_of(1, rig.rw(kRead, 0, 1, page + 2)) == 0x013);
  auto two = rig.rw(kRead, 0, 16, page);
  two.set(part(kSqe, "PRP2"), page + 4096 + 4);
  CHECK(rig.status_of(1, two) == 0x013);
  auto list = rig.rw(kRead, 0, 24, page);
  list.set(part(kSqe, "PRP2"), page + 4);
  CHECK(rig.status_of(1, list) == 0x013);
}

TEST_CASE("nvme: SGLs are refused, as identify says there are none") {
  Rig rig;
  rig.up();
  CHECK(rig.status_of(1, rig.rw(kRead, 0, 1, rig.alloc(4096)).set(part(kSqe, "CDW0.PSDT"), 1)) ==
        0x002);
}

TEST_CASE("nvme: wrong blocks, namespaces and sizes get the status that the specification names") {
  Rig rig(DeviceOptions{{"size", "1M"}});
  rig.up();
  const std::uint64_t page = rig.alloc(4096);
  CHECK(rig.status_of(1, rig.rw(kRead, 2048, 1, page)) == 0x080);
  CHECK(rig.status_of(1, rig.rw(kRead, 2047, 2, page)) == 0x080);
  CHECK(rig.status_of(1, rig.rw(kRead, ~0ull, 1, page)) == 0x080);
  CHECK(rig.status_of(1, rig.rw(kRead, 2047, 1, page)) == kSuccess);
  CHECK(rig.status_of(1, rig.rw(kRead, 0, 1, page).set(part(kSqe, "NSID"), 2)) == 0x00b);
  CHECK(rig.status_of(1, rig.rw(kRead, 0, 1, page).set(part(kSqe, "NSID"), 0)) == 0x00b);
  CHECK(rig.status_of(1, rig.rw(kRead, 0, 1025, page)) == 0x002);  // above MDTS
  CHECK(rig.status_of(1, rig.rw(kRead, 0, 1, page).set(part(kSqe, "CDW0.FUSE"), 1)) == 0x002);
  CHECK(rig.status_of(1, Submission(kFlush, 0xffff'ffff)) == kSuccess);
  CHECK(rig.status_of(1, Submission(kFlush, 3)) == 0x00b);
}

TEST_CASE("nvme: write zeroes and deallocate leave zeroes, and nothing else changes") {
  Rig rig;
  rig.up();
  const std::uint64_t data = rig.alloc(8192), back = rig.alloc(8192), ranges = rig.alloc(4096);
  fill(rig.bytes(data, 8192), 5);
  REQUIRE(rig.status_of(1, rig.rw(kWrite, 0, 16, data)) == kSuccess);
  CHECK(rig.status_of(1, rig.rw(kWriteZeroes, 2, 3, 0)) == kSuccess);
  store(rig.bytes(ranges, 16), part(kRange, "SLBA"), 8);
  store(rig.bytes(ranges, 16), part(kRange, "BLOCKS"), 2);
  const auto trim = Submission(kDatasetManagement, 1)
                        .set(part(kSqe, "PRP1"), ranges)
                        .set(part(kDsmEntry, "CDW11.AD"), 1);
  CHECK(rig.status_of(1, trim) == kSuccess);
  std::ranges::fill(rig.bytes(data + 2 * 512, 3 * 512), std::byte{0});
  std::ranges::fill(rig.bytes(data + 8 * 512, 2 * 512), std::byte{0});
  REQUIRE(rig.status_of(1, rig.rw(kRead, 0, 16, back)) == kSuccess);
  CHECK(std::ranges::equal(rig.bytes(data, 8192), rig.bytes(back, 8192)));
}

TEST_CASE("nvme: a deallocate with one range outside changes no block") {
  Rig rig(DeviceOptions{{"size", "1M"}});
  rig.up();
  const std::uint64_t data = rig.alloc(4096), ranges = rig.alloc(4096);
  fill(rig.bytes(data, 4096), 5);
  REQUIRE(rig.status_of(1, rig.rw(kWrite, 0, 8, data)) == kSuccess);
  store(rig.bytes(ranges, 16), part(kRange, "BLOCKS"), 8);
  store(rig.bytes(ranges + 16, 16), part(kRange, "SLBA"), 2047);
  store(rig.bytes(ranges + 16, 16), part(kRange, "BLOCKS"), 2);
  CHECK(rig.status_of(1, Submission(kDatasetManagement, 1)
                             .set(part(kSqe, "PRP1"), ranges)
                             .set(part(kDsmEntry, "CDW10.NR"), 1)
                             .set(part(kDsmEntry, "CDW11.AD"), 1)) == 0x080);
  CHECK(rig.status_of(1, rig.rw(kCompare, 0, 8, data)) == kSuccess);
}

TEST_CASE("nvme: compare tells equal from different blocks") {
  Rig rig;
  rig.up();
  const std::uint64_t data = rig.alloc(4096);
  fill(rig.bytes(data, 4096), 1);
  REQUIRE(rig.status_of(1, rig.rw(kWrite, 0, 8, data)) == kSuccess);
  CHECK(rig.status_of(1, rig.rw(kCompare, 0, 8, data)) == kSuccess);
  rig.bytes(data, 4096)[4095] ^= std::byte{1};
  CHECK(rig.status_of(1, rig.rw(kCompare, 0, 8, data)) == 0x285);
}

TEST_CASE("nvme: a format to 4096-byte blocks changes the namespace and erases it") {
  Rig rig;
  rig.up();
  const std::uint64_t data = rig.alloc(4096);
  fill(rig.bytes(data, 4096), 1);
  REQUIRE(rig.status_of(1, rig.rw(kWrite, 0, 8, data)) == kSuccess);
  const auto format = [](std::uint32_t lbaf) {
    return Submission(kFormat, 1).set(part(kFormatEntry, "CDW10.LBAF"), lbaf);
  };
  CHECK(rig.status_of(0, format(2)) == 0x10a);
  CHECK(rig.status_of(0, format(0).set(part(kFormatEntry, "CDW10.SES"), 2)) == 0x002);
  CHECK(rig.status_of(0, format(1)) == kSuccess);
  const auto page = rig.identify(0, 1);
  CHECK(load(page, part(kIdNamespace, "FLBAS")) == 1);
  CHECK(load(page, part(kIdNamespace, "NSZE")) == (64u << 20) / 4096);
  CHECK(rig.status_of(1, rig.rw(kRead, 0, 1, data)) == kSuccess);  // a block of 4096 now
  CHECK(std::ranges::all_of(rig.bytes(data, 4096), [](std::byte b) { return b == std::byte{0}; }));
}

TEST_CASE("nvme: an acknowledged write lies in the file whatever reset comes next") {
  for (const char* how : {"disable", "flr", "subsystem", "shutdown", "unplug"}) {
    INFO(how);
    const Disk disk(1 << 20);
    {
      Rig rig(DeviceOptions{{"disk", disk.path()}});
      rig.up();
      const std::uint64_t data = rig.alloc(4096);
      fill(rig.bytes(data, 4096), 77);
      REQUIRE(rig.status_of(1, rig.rw(kWrite, 16, 8, data)) == kSuccess);
      const std::string_view h = how;
      if (h == "disable") rig.write(kCc, 0);
      if (h == "flr")
        rig.link.reset_function({.value = static_cast<std::uint64_t>(ResetKind::Flr)});
      if (h == "subsystem") rig.write(kNssr, kSubsystemReset);
      if (h == "shutdown") rig.write(kCc, 0x0046'4001);
      if (h == "unplug") rig.link.unplug(0, "test");
    }
    std::vector<std::byte> expected(4096);
    fill(expected, 77);
    const auto read = disk.read(16 * 512, 4096);
    CHECK(std::memcmp(read.data(), expected.data(), 4096) == 0);
  }
}

TEST_CASE("nvme: a write cut by a reset leaves the block as it was") {
  // With a latency the command waits inside the controller when the reset comes.
  Rig rig(DeviceOptions{{"latency_us", "100"}});
  rig.up();
  const std::uint64_t data = rig.alloc(4096);
  fill(rig.bytes(data, 4096), 1);
  Submission s = rig.rw(kWrite, 0, 8, data);
  rig.put(1, s);
  rig.ring(1);
  CHECK_FALSE(rig.take(1).has_value());
  rig.write(kCc, 0);
  CHECK_FALSE(rig.link.fire_timer(0, 1, 1'000'000, 0));  // nobody waits any more
  CHECK_FALSE(rig.take(1).has_value());
}

TEST_CASE("nvme: with a latency a command can be aborted before it is done") {
  Rig rig(DeviceOptions{{"latency_us", "100"}});
  rig.up();
  Submission s = rig.rw(kRead, 0, 8, rig.alloc(4096));
  const std::uint16_t cid = rig.put(1, s);
  rig.ring(1);
  const auto abort = Submission(kAbort)
                         .set(part(kAbortEntry, "CDW10.SQID"), 1)
                         .set(part(kAbortEntry, "CDW10.CID"), cid);
  CHECK(rig.run(0, abort).dw0 == 0);
  REQUIRE(rig.link.fire_timer(0, 1, 1'000'000, 0));
  const auto answer = rig.take(1);
  REQUIRE(answer.has_value());
  CHECK(answer->status == 0x007);
}

TEST_CASE("nvme: a snapshot is written to and the file stays as it was") {
  const Disk disk(1 << 20);
  Rig rig(DeviceOptions{{"disk", disk.path()}, {"snapshot", "on"}});
  rig.up();
  const std::uint64_t data = rig.alloc(4096), back = rig.alloc(4096);
  fill(rig.bytes(data, 4096), 7);
  REQUIRE(rig.status_of(1, rig.rw(kWrite, 3, 8, data)) == kSuccess);
  REQUIRE(rig.status_of(1, rig.rw(kRead, 3, 8, back)) == kSuccess);
  CHECK(std::ranges::equal(rig.bytes(data, 4096), rig.bytes(back, 4096)));
  const auto file = disk.read(0, 1 << 16);
  CHECK(std::ranges::all_of(file, [](char c) { return c == 0; }));
}

TEST_CASE("nvme: a file without write permission is a write protected namespace") {
  const Disk disk(1 << 20);
  std::filesystem::permissions(disk.path(), std::filesystem::perms::owner_read);
  Rig rig(DeviceOptions{{"disk", disk.path()}});
  rig.up();
  const std::uint64_t data = rig.alloc(4096);
  CHECK(rig.status_of(1, rig.rw(kRead, 0, 8, data)) == kSuccess);
  CHECK(rig.status_of(1, rig.rw(kWrite, 0, 8, data)) == 0x020);
  CHECK(rig.status_of(1, rig.rw(kWriteZeroes, 0, 8, 0)) == 0x020);
  CHECK(load(rig.identify(0, 1), part(kIdNamespace, "NSATTR")) == 1);
}

TEST_CASE("nvme: a disk that cannot be one is refused with a sentence that says why") {
  const auto refused = [](const DeviceOptions& options) {
    auto made = device().create(options);
    REQUIRE_FALSE(made.has_value());
    return made.error().message;
  };
  const Disk odd(1000), empty(0);
  CHECK(refused({{"disk", odd.path()}}).find("no multiple of the block size") != std::string::npos);
  CHECK(refused({{"disk", empty.path()}}).find("it is empty") != std::string::npos);
  CHECK(refused({{"disk", "/nonexistent/disk"}}).find("No such file") != std::string::npos);
  CHECK(refused({{"block", "1024"}}).find("512 or 4096") != std::string::npos);
  CHECK(refused({{"colour", "red"}}).find("there is no option colour") != std::string::npos);
  CHECK(refused({{"queues", "65"}}).find("1 to 64") != std::string::npos);
}
