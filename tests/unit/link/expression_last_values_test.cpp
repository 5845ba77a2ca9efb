// The last value of each byte on the road, against a plain map of bytes.
#include <ctime>
#include <map>
#include <random>

#include "expression_fixture.hpp"

using namespace example;

namespace {

Transaction access(Kind kind, std::int8_t bar, std::uint64_t offset, std::uint32_t size,
                   std::uint64_t value, std::uint8_t function = 0) {
  Transaction t;
  t.kind = kind;
  t.bar = bar;
  t.offset = offset;
  t.size = size;
  t.value = value;
  t.function = function;
  t.status = Status::SC;
  return t;
}

}  // namespace

TEST_CASE("last values agree with a map of bytes, across pages, BARs and functions") {
  std::mt19937_64 random(1);
  LastValues last;
  std::map<std::tuple<int, int, std::uint64_t>, std::uint8_t> bytes;
  for (int i = 0; i < 100000; ++i) {
    const auto function = static_cast<std::uint8_t>(random() % 3);
    const auto bar = static_cast<std::int8_t>(random() % 4 - 1);
    // Around the end of a page, and far away.
    const std::uint64_t offset = (random() % 2 == 0 ? 4090 : 1ull << 40) + random() % 80;
    const auto size = static_cast<std::uint32_t>(random() % 8 + 1);
    if (random() % 2 == 0) {
      const std::uint64_t value = random() & mask_of_size(size);
      const Kind kind = bar < 0             ? Kind::CfgWrite
                        : random() % 2 == 0 ? Kind::MemRead
                                            : Kind::MemWrite;
      last.record(access(kind, bar, offset, size, value, function), *names());
      for (std::uint32_t b = 0; b < size; ++b)
        bytes[{function, bar, offset + b}] = static_cast<std::uint8_t>(value >> (b * 8));
      continue;
    }
    const auto v = last.before(function, bar, offset, size);
    std::uint64_t value = 0, known = 0;
    for (std::uint32_t b = 0; b < size; ++b) {
      const auto it = bytes.find({function, bar, offset + b});
      if (it == bytes.end()) continue;
      value |= std::uint64_t{it->second} << (b * 8);
      known |= 0xffull << (b * 8);
    }
    if (v.value != value || v.known != known || v.unseen != (mask_of_size(size) & ~known))
      FAIL("differs at " << offset << " size " << size);
  }
  CHECK(bytes.size() > 1000);
}

TEST_CASE("a value that was lost is neither known nor unseen") {
  LastValues last;
  last.record(access(Kind::MemWrite, 0, 4090, 64, 0), *names());
  const auto v = last.before(0, 0, 4088, 8);
  CHECK(v.known == 0);
  CHECK(v.unseen == 0xffff);
  CHECK(last.before(0, 0, 4096 + 58, 1).unseen == 0xff);
  last.record(access(Kind::MemRead, 0, 4092, 4, 0x11223344), *names());
  CHECK(last.before(0, 0, 4092, 4).value == 0x11223344);
}

TEST_CASE("pending and failed accesses, DMA and interrupts leave no value") {
  LastValues last;
  auto t = access(Kind::MemRead, 0, 0, 4, 5);
  t.status = Status::Pending;
  last.record(t, *names());
  t.status = Status::CA;
  last.record(t, *names());
  last.record(access(Kind::DmaWrite, kBarDma, 0, 4, 5), *names());
  last.record(access(Kind::State, 0, 0, 4, 5), *names());
  CHECK(last.before(0, 0, 0, 4).known == 0);
  CHECK(last.before(0, kBarDma, 0, 4).known == 0);
}

TEST_CASE("memory stays bounded; what was refused is unknown, not unseen") {
  LastValues last;
  const std::uint64_t pages = LastValues::kMaxBytes / 4096;
  for (std::uint64_t page = 0; page < pages; ++page)
    last.record(access(Kind::MemWrite, 0, page * 4096, 4, 1), *names());
  CHECK(last.before(0, 0, 0, 4).known == 0xffffffff);
  const auto v = last.before(0, 0, (pages - 1) * 4096, 4);
  CHECK(v.known == 0);
  CHECK(v.unseen == 0);
  last.clear();
  CHECK(last.before(0, 0, 0, 4).unseen == 0xffffffff);
}

TEST_CASE("making room beforehand changes no value and stays bounded") {
  LastValues last;
  last.record(access(Kind::MemWrite, 0, 4092, 4, 7), *names());
  last.prepare(0, 0, 4000, 5000);
  last.prepare(0, 1, 0, ~0ull);
  last.prepare(0, 2, ~0ull, 5);
  last.prepare(0, 2, 0, 0);
  CHECK(last.before(0, 0, 4092, 4).value == 7);
  CHECK(last.before(0, 0, 4096, 4).unseen == 0xffffffff);
  // All room went to BAR 1; others are refused, BAR 1 is not.
  last.record(access(Kind::MemWrite, 3, 0, 4, 7), *names());
  CHECK(last.before(0, 3, 0, 4).known == 0);
  last.record(access(Kind::MemWrite, 1, 0, 4, 7), *names());
  CHECK(last.before(0, 1, 0, 4).value == 7);
}

TEST_CASE("extreme offsets and sizes are harmless") {
  LastValues last;
  last.record(access(Kind::MemWrite, 0, ~0ull, 8, 1), *names());
  last.record(access(Kind::MemWrite, 0, ~0ull - 3, 4, 7), *names());
  last.record(access(Kind::MemWrite, 0, 0, ~0u, 1), *names());
  last.record(access(Kind::MemWrite, 0, 0, 0, 1), *names());
  CHECK(last.before(0, 0, 0, 0).known == 0);
  CHECK(last.before(0, 0, 0, 9).known == 0);
  CHECK(last.before(0, 0, 0, 8).unseen == 0);  // the monstrous access touched everything
}

TEST_CASE("bench: a register condition and a record cost nanoseconds", "[.bench]") {
  Road road;
  const Expression e = compiled("CC.EN 0->1");
  const Transaction w = road.write(0x14, 0x460001), r = road.write(0x14, 0x460000);
  road.pass(r);
  const std::shared_ptr<const Names> all = names();
  constexpr int kTimes = 10'000'000;
  unsigned hits = 0;
  // Processor time: other processes do not count.
  const auto a = std::clock();
  for (int i = 0; i < kTimes; ++i)
    hits += e.matches({i % 2 == 0 ? w : r, Phase::Before, road.last, *all});
  const auto b = std::clock();
  for (int i = 0; i < kTimes; ++i) road.last.record(i % 2 == 0 ? w : r, *names());
  const auto c = std::clock();
  const auto ns = [](std::clock_t d) { return double(d) / CLOCKS_PER_SEC * 1e9 / kTimes; };
  WARN("matches " << ns(b - a) << " ns, record " << ns(c - b) << " ns");
  CHECK(hits == kTimes / 2);
}
