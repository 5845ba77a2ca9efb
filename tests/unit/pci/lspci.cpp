// The judge of a config space is the real lspci, reading our dump.
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "catch.hpp"
#include "core/pci/config_space.hpp"
#include "core/registers/lookup.hpp"
#include "pci/sample_function.hpp"

using namespace pcilens;

namespace {

struct Output {
  std::string text, complaints;
  bool has(const std::string& line) const { return text.find(line) != std::string::npos; }
};

std::string file_text(const std::filesystem::path& path) {
  std::ifstream in(path);
  std::stringstream all;
  all << in.rdbuf();
  return all.str();
}

Output lspci(const std::string& dump) {
  const auto folder =
      std::filesystem::temp_directory_path() / ("pcilens-lspci-" + std::to_string(::getpid()));
  std::filesystem::create_directories(folder);
  std::ofstream(folder / "dump") << dump;
  const std::string command = "lspci -vvv -F '" + (folder / "dump").string() + "' >'" +
                              (folder / "out").string() + "' 2>'" + (folder / "err").string() + "'";
  const int status = std::system(command.c_str());
  INFO("needs lspci, of package pciutils");
  REQUIRE(WIFEXITED(status));
  REQUIRE(WEXITSTATUS(status) == 0);
  Output output{file_text(folder / "out"), ""};
  std::istringstream errors(file_text(folder / "err"));
  // Said of the machine, not of the dump, where no modules are installed for the running kernel.
  for (std::string line; std::getline(errors, line);)
    if (line.find("Unable to load libkmod resources") == std::string::npos)
      output.complaints += line + '\n';
  std::filesystem::remove_all(folder);
  return output;
}

void expect_clean(const Output& output) {
  INFO(output.text);
  CHECK(output.complaints == "");
  for (const char* bad : {"unknown", "Unknown", "!!!", "<access denied>", "<chain", "broken",
                          "invalid", "I/O ports"}) {
    INFO(bad);
    CHECK_FALSE(output.has(bad));
  }
}

}  // namespace

TEST_CASE("lspci decodes a full function without warning or unknown") {
  ConfigSpace config = sample::full();
  config.write(0x10, 4, 0xfebf0000);
  config.write(0x18, 4, 0xc0000000);
  config.write(cfg::kCommand, 2, cfg::kCommandMemory | cfg::kCommandMaster);
  config.write(cfg::kInterruptLine, 1, 11);
  const Output output = lspci(lspci_dump(config.bytes(), "01:00.0"));
  expect_clean(output);
  INFO(output.text);
  for (const char* line : {"01:00.0 Non-Volatile memory controller: ",
                           "(rev 02) (prog-if 02 [NVM Express])",
                           "Control: I/O- Mem+ BusMaster+ ",
                           "Status: Cap+ ",
                           "Interrupt: pin A routed to IRQ 11",
                           "Region 0: Memory at febf0000 (64-bit, non-prefetchable)",
                           "Region 2: Memory at c0000000 (32-bit, prefetchable)",
                           "Power Management version 3",
                           "Status: D0 NoSoftRst+",
                           "MSI: Enable- Count=1/4 Maskable+ 64bit+",
                           "MSI-X: Enable- Count=65 Masked-",
                           "Vector table: BAR=0 offset=00002000",
                           "PBA: BAR=0 offset=00003000",
                           "Express (v2) Endpoint, ",
                           "FLReset+ SlotPowerLimit",
                           "LnkCap:\tPort #0, Speed 5GT/s, Width x1",
                           "LnkSta:\tSpeed 5GT/s",
                           "LnkCap2: Supported",
                           "MaxPayload 128 bytes, MaxReadReq 512 bytes",
                           "Vendor Specific Information: Len=06",
                           "Device Serial Number 01-23-45-67-89-ab-cd-ef"}) {
    INFO("expected: " << line);
    CHECK(output.has(line));
  }
}

TEST_CASE("lspci sees what a driver turned on") {
  ConfigSpace config = sample::full();
  config.write(*config.find_capability(0x11) + 2, 2, 0xc000);
  config.write(*config.find_capability(0x05) + 2, 2, 0x0021);
  config.write(*config.find_capability(0x01) + 4, 2, 3);
  config.write(*config.find_capability(0x10) + 8, 2, 0x5831);
  config.set(*config.find_capability(0x10) + 10, 2, 0x0009);
  const Output output = lspci(lspci_dump(config.bytes(), "01:00.0"));
  INFO(output.text);
  CHECK(output.has("MSI-X: Enable+ Count=65 Masked+"));
  CHECK(output.has("MSI: Enable+ Count=4/4"));
  CHECK(output.has("Status: D3"));
  CHECK(output.has("MaxPayload 256 bytes, MaxReadReq 4096 bytes"));
  CHECK(output.has("DevSta:\tCorrErr+ NonFatalErr- FatalErr- UnsupReq+"));
}

TEST_CASE("lspci decodes the smallest functions") {
  const Bar bar{.index = 0, .size = 0x1000};
  ConfigSpace plain({.vendor = 0x1234, .device = 0x11e8, .class_code = 0x00ff00},
                    std::span(&bar, 1));
  plain.write(0x10, 4, 0xfeb00000);
  const Output bare = lspci(lspci_dump(plain.bytes(), "00:04.0"));
  expect_clean(bare);
  CHECK(bare.has("Memory at feb00000 (32-bit, non-prefetchable) [disabled]"));
  CHECK_FALSE(bare.has("Capabilities"));
  plain.add_msi(1, false, false);
  const Output msi = lspci(lspci_dump(plain.bytes(), "00:04.0"));
  expect_clean(msi);
  CHECK(msi.has("MSI: Enable- Count=1/1 Maskable- 64bit-"));
}

TEST_CASE("the description of a recorded function finds the capabilities that lspci finds") {
  // lspci -xxxx of an Intel 82574L as QEMU 7.2 models it, under Linux 6.1.
  const std::string dump = file_text(PCILENS_SOURCE_DIR "/tests/unit/pci/e1000e.lspci");
  std::vector<std::byte> config;
  std::istringstream lines(dump);
  std::string line;
  std::getline(lines, line);
  while (std::getline(lines, line)) {
    std::istringstream numbers(line.substr(line.find(':') + 1));
    for (unsigned byte; numbers >> std::hex >> byte;) config.push_back(std::byte(byte));
  }
  REQUIRE(config.size() == kConfigSize);

  std::vector<unsigned> expected;
  const std::string shown = lspci(dump).text;
  for (std::size_t at = 0; (at = shown.find("Capabilities: [", at)) != std::string::npos; ++at)
    expected.push_back(static_cast<unsigned>(std::stoul(shown.substr(at + 15), nullptr, 16)));
  REQUIRE(expected.size() == 6);
  std::sort(expected.begin(), expected.end());

  std::vector<unsigned> found;
  unsigned end = 0;
  for (const ConfigItem& item : describe_config(config)) {
    INFO(item.name);
    CHECK(item.offset >= end);  // in order and apart
    end = item.offset + item.width;
    if (item.name.ends_with(".ID") || item.name.ends_with(".HEADER")) found.push_back(item.offset);
  }
  CHECK(found == expected);
}
