#include "core/trace/import.hpp"

#include <unistd.h>

#include <fstream>
#include <sstream>

#include "catch.hpp"
#include "core/registers/map_json.hpp"
#include "trace/support.hpp"

using namespace pcilens;
using pcilens::test::ask;
using pcilens::test::output_of;

namespace {

const std::string kRecordings = PCILENS_SOURCE_DIR "/tests/data/recordings/";
const std::string kParser = PCILENS_SOURCE_DIR "/tests/unit/trace/independent_parser.sh";

// The trace's accesses in the words of independent_parser.sh.
const std::string kAccesses =
    "SELECT (t_ns / 1000) || CASE kind"
    " WHEN 0 THEN printf(' cfgread %s 0x%x 0x%x', f.bdf, offset, value)"
    " WHEN 1 THEN printf(' cfgwrite %s 0x%x 0x%x', f.bdf, offset, value)"
    " WHEN 5 THEN printf(' message 0x%x', value)"
    " WHEN 6 THEN printf(' message 0x%x', value)"
    " ELSE printf(' %s 0x%llx 0x%llx %d', CASE kind WHEN 2 THEN 'read' ELSE 'write' END,"
    "   offset + (SELECT json_extract(b.value, '\\$.address') FROM json_each(f.bars) b"
    "             WHERE json_extract(b.value, '\\$.index') = e.bar), value, size) END"
    " FROM event e JOIN function f ON f.id = e.function ORDER BY seq";

// Answers what a call records, in memory.
class Collector final : public Recorder {
 public:
  void event(const Transaction& t) override {
    events.push_back(t);
    events.back().payload = {};
  }
  void completion(const Transaction&) override {}
  void edit(std::uint64_t, std::uint64_t, std::uint64_t, std::uint64_t, std::uint64_t,
            std::uint32_t) override {}
  void blob(BlobKind what, std::uint64_t, std::span<const std::byte> bytes) override {
    if (what == BlobKind::Note)
      notes.emplace_back(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  }
  std::vector<Transaction> events;
  std::vector<std::string> notes;
};

Result<ImportSummary> take(std::string_view format, const std::string& text, Collector& out) {
  std::istringstream in(text);
  ImportOptions options;
  options.name = "f";
  return import_stream(format, in, options, out);
}

std::string refusal(std::string_view format, const std::string& text) {
  Collector out;
  const auto summary = take(format, text, out);
  return summary ? "taken" : summary.error().message;
}

std::string contents(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

const std::string kVersion = "VERSION 20070824\n";

}  // namespace

TEST_CASE("an imported mmiotrace equals what a second parser reads, access by access") {
  const std::string name = GENERATE("nvme", "e1000e");
  test::Folder folder;
  const auto source = kRecordings + name + "-q72-linux61/" + name + ".mmiotrace";
  const auto summary = import_file("mmiotrace", source, folder / "t.db", {});
  REQUIRE(summary);
  const auto expected = output_of(kParser + " mmiotrace " + source);
  CHECK(std::count(expected.begin(), expected.end(), '\n') + 1 == (name == "nvme" ? 287 : 4881));
  CHECK(test::first_difference(ask(folder / "t.db", kAccesses), expected) == "");
}

TEST_CASE("an imported QEMU log equals what a second parser reads, access by access") {
  const std::string name = GENERATE("nvme", "e1000e");
  test::Folder folder;
  const auto source = kRecordings + name + "-q72-linux61/qemu-trace.log.gz";
  const auto summary = import_file("qemu-log", source, folder / "t.db", {});
  REQUIRE(summary);
  const auto expected = output_of(kParser + " qemu " + source);
  CHECK(std::count(expected.begin(), expected.end(), '\n') + 1 == (name == "nvme" ? 1703 : 6680));
  CHECK(test::first_difference(ask(folder / "t.db", kAccesses), expected) == "");
  CHECK(ask(folder / "t.db", "SELECT count(*) FROM note") == (name == "nvme" ? "3387" : "618"));
}

TEST_CASE("both recordings of one run hold the same accesses of the driver") {
  const std::string name = GENERATE("nvme", "e1000e");
  test::Folder folder;
  const auto base = kRecordings + name + "-q72-linux61/";
  REQUIRE(import_file("mmiotrace", base + name + ".mmiotrace", folder / "m.db", {}));
  REQUIRE(import_file("qemu-log", base + "qemu-trace.log.gz", folder / "q.db", {}));
  const std::string rows = "SELECT kind, bar, offset, size, value FROM event WHERE bar >= 0";
  const auto kernel = ask(folder / "m.db", rows + " ORDER BY seq");
  const auto count = std::count(kernel.begin(), kernel.end(), '\n') + 1;
  // QEMU's log has the firmware's accesses before.
  const auto emulator = ask(folder / "q.db",
                            "SELECT kind, bar, offset, size, value FROM (SELECT * "
                            "FROM event WHERE bar >= 0 AND function = 0 ORDER BY "
                            "seq DESC LIMIT " +
                                std::to_string(count) + ") ORDER BY seq");
  CHECK(test::first_difference(emulator, kernel) == "");
}

TEST_CASE("BARs and identity of an imported function are what lspci saw") {
  test::Folder folder;
  const auto base = kRecordings + "nvme-q72-linux61/";
  REQUIRE(import_file("qemu-log", base + "qemu-trace.log.gz", folder / "q.db", {}));
  REQUIRE(import_file("mmiotrace", base + "nvme.mmiotrace", folder / "m.db", {}));
  // lspci.txt: "Region 0: Memory at febf0000 (64-bit, non-prefetchable) [size=16K]", [1b36:0010],
  // class 0108 prog-if 02.
  for (const auto* file : {"q.db", "m.db"}) {
    CHECK(ask(folder / file,
              "SELECT bar, address, size, is_64bit, prefetchable FROM bars WHERE "
              "function = 0") == "0|0xfebf0000|16384|1|0");
    CHECK(ask(folder / file,
              "SELECT bdf, printf('%04x:%04x', vendor_id, device_id) FROM function "
              "WHERE id = 0") == "00:04.0|1b36:0010");
  }
  CHECK(ask(folder / "q.db", "SELECT printf('%06x', class_code) FROM function WHERE id = 0") ==
        "010802");
}

TEST_CASE("an interrupt message gets the vector that QEMU's device raised") {
  test::Folder folder;
  const auto source = kRecordings + "nvme-q72-linux61/qemu-trace.log.gz";
  REQUIRE(import_file("qemu-log", source, folder / "q.db", {}));
  // The device's own line stands before each message.
  const auto raised = output_of("gzip -dc " + source +
                                " | sed -n 's/.*pci_nvme_irq_msix raising MSI-X IRQ vector //p'");
  CHECK(ask(folder / "q.db", "SELECT offset FROM event WHERE kind = 6 ORDER BY seq") == raised);
}

TEST_CASE("register names are there where a map is known for the ids") {
  static constexpr Field kFields[] = {{.name = "EN", .high = 0, .low = 0}};
  static constexpr Register kCc{.name = "CC", .offset = 0x14, .fields = kFields};
  static constexpr Register kBells{
      .name = "BELL", .offset = 0x1000, .count = 4, .stride = 8, .element_name = "SQ[%].TDBL"};
  static constexpr const Register* kRegisters[] = {&kCc, &kBells};
  static constexpr RegisterMap kMap{
      .name = "nvme", .bar = 0, .size = 16384, .registers = kRegisters};
  test::Folder folder;
  ImportOptions options;
  options.known_device = [](std::uint16_t vendor, std::uint16_t device) {
    KnownDevice known;
    if (vendor == 0x1b36 && device == 0x10) known = {"nvme", {map_to_json(kMap)}};
    return known;
  };
  const auto source = kRecordings + "nvme-q72-linux61/nvme.mmiotrace";
  REQUIRE(import_file("mmiotrace", source, folder / "m.db", options));
  CHECK(ask(folder / "m.db",
            "SELECT DISTINCT place, register FROM accesses WHERE register IS NOT "
            "NULL ORDER BY 1") == "BAR0+0x1000|SQ[0].TDBL\nBAR0+0x1008|SQ[1].TDBL\nBAR0+0x14|CC");
  CHECK(ask(folder / "m.db",
            "SELECT r.name, f.name, f.access FROM field f JOIN register r ON r.id = "
            "f.register") == "CC|EN|RW");
}

TEST_CASE("an access that no BAR covers is kept with its absolute address") {
  Collector out;
  const auto summary = take("mmiotrace", kVersion + "R 4 1.000000 1 0xfed00000 0x7 0x0 0\n", out);
  REQUIRE(summary);
  REQUIRE(out.events.size() == 1);
  CHECK(out.events[0].bar == 0);
  CHECK(out.events[0].offset == 0xfed00000);
  CHECK(summary->remarks.size() == 1);
}

TEST_CASE("marks are notes, lost and undecoded accesses are gaps") {
  Collector out;
  REQUIRE(take("mmiotrace",
               kVersion + "MARK 1.000000 probe start\nMARK 0.000000 mmiotrace has lost 12 events.\n"
                          "UNKNOWN 1.500000 1 0xfebf0000 66,0f,6f 0x0 0\n",
               out));
  REQUIRE(out.notes.size() == 1);
  CHECK(out.notes[0] == "probe start");
  REQUIRE(out.events.size() == 2);
  CHECK(out.events[0].kind == Kind::Gap);
  CHECK(out.events[0].value == 12);
  CHECK(out.events[1].value == 1);
  CHECK(out.events[1].t_ns == 500'000'000);
}

TEST_CASE("a BAR is followed through sizing and moves") {
  Collector out;
  REQUIRE(take("qemu-log",
               "pci_cfg_write x 00:04.0 @0x10 <- 0xffffffff\n"
               "pci_cfg_read x 00:04.0 @0x10 -> 0xfffff000\n"
               "pci_cfg_write x 00:04.0 @0x10 <- 0xe0000000\n"
               "memory_region_ops_read cpu 0 mr 0x1 addr 0xe0000010 value 0x1 size 4 name 'x'\n"
               "pci_cfg_write x 00:04.0 @0x10 <- 0xd0000000\n"
               "memory_region_ops_write cpu 1 mr 0x1 addr 0xd0000018 value 0x2 size 8\n"
               "memory_region_ops_read cpu 0 mr 0x1 addr 0xe0000010 value 0x1 size 4 name 'x'\n",
               out));
  REQUIRE(out.events.size() == 7);
  CHECK(out.events[3].function == 0);
  CHECK(out.events[3].offset == 0x10);
  CHECK(out.events[5].kind == Kind::MemWrite);
  CHECK(out.events[5].offset == 0x18);
  CHECK(out.events[5].size == 8);
  CHECK(out.events[5].cpu == 1);
  CHECK(out.events[6].function == 1);  // elsewhere: nothing lies there any more
}

TEST_CASE("accesses to a passed-through device are taken from QEMU's vfio lines") {
  Collector out;
  REQUIRE(take("qemu-log",
               "vfio_region_write  (0000:01:00.0:region0+0x10, 0xdeadbeef, 4)\n"
               "vfio_region_read  (0000:01:00.0:region2+0x8, 8) = 0x8000000000000001\n"
               "vfio_pci_read_config  (0000:01:00.0, @0x4, len=0x2) 0x10\n"
               "vfio_pci_write_config  (0000:01:00.0, @0x4, 0x107, len=0x2)\n",
               out));
  REQUIRE(out.events.size() == 4);
  CHECK(out.events[0].bar == 0);
  CHECK(out.events[0].value == 0xdeadbeef);
  CHECK(out.events[1].bar == 2);
  CHECK(out.events[1].value == 0x8000000000000001);
  CHECK(out.events[1].size == 8);
  CHECK(out.events[2].kind == Kind::CfgRead);
  CHECK(out.events[3].kind == Kind::CfgWrite);
  CHECK(out.events[3].size == 2);
}

TEST_CASE("a malformed line is refused with file, line and reason") {
  struct Case {
    std::string format, text, says;
  };
  const auto c = GENERATE_COPY(values<Case>({
      {"mmiotrace", "", "f: is empty; a mmiotrace begins with \"VERSION 20070824\""},
      {"mmiotrace", "VERSION 7\n", "f:1: a mmiotrace begins with \"VERSION 20070824\""},
      {"mmiotrace", kVersion + "R 4 3.95\n", "f:2: an access wants width, time"},
      {"mmiotrace", kVersion + "R 3 3.000000 1 0x0 0x0 0x0 0\n", "f:2: an access is 1, 2, 4 or 8"},
      {"mmiotrace", kVersion + "R 4 3.000000 1 0xg 0x0 0x0 0\n", "f:2: an access wants"},
      {"mmiotrace", kVersion + "R 4 3.000000 1 0x11112222333344445 0x0 0x0 0\n", "f:2: an access"},
      {"mmiotrace", kVersion + "MARK\n", "f:2: MARK wants a time"},
      {"mmiotrace", kVersion + "PCIDEV 0020 1b360010 a febf0004\n", "f:2: PCIDEV wants 17"},
      {"mmiotrace", kVersion + "\nMAP 1.000000 1 0x0\n", "f:3: MAP wants"},
      {"mmiotrace", kVersion + "hello\n", "f:2: no line of a mmiotrace begins like this"},
      {"mmiotrace", kVersion + "R 4 3.000000 1 0x0 0x0 0x0 0", "f:2: the last line has no end"},
      {"mmiotrace", kVersion + std::string(70000, 'x'), "f:2: the line is longer than 65536 bytes"},
      {"qemu-log", "", "f: holds no access"},
      {"qemu-log", "nothing here\n", "f: holds no access"},
      {"qemu-log", "#!/bin/sh\n", "f:1: no event of QEMU's log begins like this"},
      {"qemu-log", "12@34 pci_cfg_read\n", "f:1: a thread and a time should begin the line"},
      {"qemu-log", "memory_region_ops_read cpu 0 mr 0x1 addr 0x2\n", "f:1: a memory access wants"},
      {"qemu-log", "memory_region_ops_read cpu 0 mr 0x1 addr 0x2 value 0x1 size 3\n",
       "f:1: a memory"},
      {"qemu-log", "memory_region_ops_read cpu 0 mr 0x1 addr 0x2 value 0x1 size 4 name 'x\n",
       "f:1: the region's name should end the line"},
      {"qemu-log", "pci_cfg_read x 00:04.0 @0x1000 -> 0x0\n", "f:1: config space has 4096 bytes"},
      {"qemu-log", "pci_cfg_read x 00:04.0 @0x10\n", "f:1: a config access wants"},
      {"qemu-log", "vfio_region_read  (x, 4) = 0x1\n", "f:1: a vfio access wants"},
      {"qemu-log", "\x1f\x8b rubbish\n", "f: its gzip data is damaged"},
      {"tcpdump", "", "there is no import format \"tcpdump\"; there are mmiotrace and qemu-log"},
  }));
  INFO(c.text.substr(0, 100));
  CHECK(refusal(c.format, c.text).substr(0, c.says.size()) == c.says);
}

TEST_CASE("a recording that is cut anywhere but between two lines is refused") {
  const auto whole = contents(kRecordings + "nvme-q72-linux61/nvme.mmiotrace").substr(0, 1500);
  for (std::size_t n = kVersion.size() + 1; n < whole.size(); ++n) {
    const bool at_end = whole[n - 1] == '\n';
    const auto said = refusal("mmiotrace", whole.substr(0, n));
    INFO(whole.substr(0, n));
    REQUIRE((said == "taken") == at_end);
  }
}

TEST_CASE("a gzip file that is cut is refused, and leaves no trace behind") {
  test::Folder folder;
  const auto whole = contents(kRecordings + "nvme-q72-linux61/qemu-trace.log.gz");
  std::ofstream(folder / "cut.log.gz", std::ios::binary) << whole.substr(0, whole.size() / 2);
  const auto summary = import_file("qemu-log", folder / "cut.log.gz", folder / "t.db", {});
  REQUIRE_FALSE(summary);
  CHECK(summary.error().message.find("cut.log.gz: its gzip data is cut off after line ") !=
        std::string::npos);
  CHECK(output_of("ls " + folder.path()) == "cut.log.gz");
}

TEST_CASE("an import never replaces a file that is there") {
  test::Folder folder;
  std::ofstream(folder / "t.db") << "mine";
  const auto source = kRecordings + "nvme-q72-linux61/nvme.mmiotrace";
  const auto summary = import_file("mmiotrace", source, folder / "t.db", {});
  REQUIRE_FALSE(summary);
  CHECK(summary.error().message ==
        (folder / "t.db") + ": exists already; choose another name or remove it first");
  ImportOptions overwrite;
  overwrite.overwrite = true;
  CHECK_FALSE(import_file("mmiotrace", source, folder / "t.db", overwrite));
  CHECK(contents(folder / "t.db") == "mine");
}

TEST_CASE("what cannot be read is refused with its reason") {
  test::Folder folder;
  CHECK(import_file("mmiotrace", folder / "none", folder / "t.db", {}).error().message ==
        (folder / "none") + ": cannot open: No such file or directory");
  CHECK(import_file("mmiotrace", folder.path(), folder / "t.db", {}).error().message ==
        folder.path() + ": is a folder; give the recording's file");
}
