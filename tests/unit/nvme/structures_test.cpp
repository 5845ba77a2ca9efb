// Our declarations against those of libnvme, which nvme-cli decodes with.
#include <algorithm>
#include <fstream>
#include <map>
#include <sstream>
#include <string>

#include "catch.hpp"
#include "devices/nvme/nvme_structures.hpp"

using namespace pcilens;
using namespace pcilens::nvme;

namespace {

std::map<std::string, unsigned> libnvme() {
  std::ifstream file(PCILENS_SOURCE_DIR "/tests/unit/nvme/libnvme_offsets.txt");
  std::map<std::string, unsigned> offsets;
  for (std::string line; std::getline(file, line);) {
    std::istringstream words(line);
    std::string name;
    unsigned offset = 0;
    if (line[0] != '#' && words >> name >> offset) offsets[name] = offset;
  }
  return offsets;
}

// What libnvme calls a member, where it is not the specification's short name.
const std::map<std::string, std::string> kOtherNames = {
    {"critical", "critical_warning"},
    {"spare_thresh", "spare_thresh"},
    {"data_read", "data_units_read"},
    {"data_written", "data_units_written"},
    {"read_commands", "host_reads"},
    {"write_commands", "host_writes"},
    {"error_entries", "num_err_log_entries"},
    {"count", "error_count"},
    {"cid", "cmdid"},
    {"status", "status_field"},
    {"location", "parm_error_location"},
    {"lbaf0", "lbaf"},
    {"blocks", "nlb"},
};

unsigned compare(const Structure& ours, const std::string& theirs) {
  const auto offsets = libnvme();
  REQUIRE(offsets.size() > 60);
  unsigned compared = 0;
  for (const StructureField& member : ours.members) {
    std::string name(member.name);
    std::ranges::transform(name, name.begin(),
                           [](char c) { return static_cast<char>(tolower(c)); });
    if (const auto other = kOtherNames.find(name); other != kOtherNames.end()) name = other->second;
    const auto found = offsets.find(theirs + "." + name);
    if (found == offsets.end()) continue;
    INFO(ours.name << " " << member.name);
    CHECK(member.offset == found->second);
    ++compared;
  }
  return compared;
}

}  // namespace

TEST_CASE("nvme: identify pages, logs and ranges lie as libnvme has them") {
  CHECK(compare(kIdController, "nvme_id_ctrl") >= 26);
  CHECK(compare(kIdNamespace, "nvme_id_ns") >= 10);
  CHECK(compare(kSmart, "nvme_smart_log") >= 12);
  CHECK(compare(kErrorEntry, "nvme_error_log_page") == 7);
  CHECK(compare(kRange, "nvme_dsm_range") == 2);
}
