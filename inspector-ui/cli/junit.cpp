#include "inspector-ui/cli/junit.hpp"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>
#include <string_view>

namespace pcilens::cli {
namespace {

// The bytes of the UTF-8 character at `i` that XML 1.0 can hold (2.2, Char); 0: none begins there.
std::size_t character_at(std::string_view text, std::size_t i) {
  const auto byte = [&](std::size_t k) {
    return i + k < text.size() ? static_cast<unsigned char>(text[i + k]) : 0u;
  };
  const unsigned c = byte(0);
  const auto follows = [&](std::size_t k) { return (byte(k) & 0xc0) == 0x80; };
  if (c < 0x80) return c >= 0x20 || c == '\t' || c == '\n' || c == '\r' ? 1 : 0;
  if (c >= 0xc2 && c < 0xe0) return follows(1) ? 2 : 0;
  if (c >= 0xe0 && c < 0xf0) {
    if (!follows(1) || !follows(2)) return 0;
    const unsigned point = (c & 0xf) << 12 | (byte(1) & 0x3f) << 6 | (byte(2) & 0x3f);
    return point < 0x800 || (point >= 0xd800 && point < 0xe000) || point >= 0xfffe ? 0 : 3;
  }
  if (c >= 0xf0 && c < 0xf5) {
    if (!follows(1) || !follows(2) || !follows(3)) return 0;
    const unsigned point =
        (c & 7) << 18 | (byte(1) & 0x3f) << 12 | (byte(2) & 0x3f) << 6 | (byte(3) & 0x3f);
    return point < 0x10000 || point > 0x10ffff ? 0 : 4;
  }
  return 0;
}

// For an attribute, where a bare line end reads as a blank, or for text between tags.
std::string escaped(std::string_view text, bool attribute = true) {
  std::string out;
  for (std::size_t i = 0; i < text.size();) {
    const std::size_t length = character_at(text, i);
    switch (text[i]) {
      case '&': out += "&amp;"; break;
      case '<': out += "&lt;"; break;
      case '>': out += "&gt;"; break;
      case '"': out += "&quot;"; break;
      case '\n': out += attribute ? "&#10;" : "\n"; break;
      case '\r': out += "&#13;"; break;
      default: out += length == 0 ? std::string_view("?") : text.substr(i, length);
    }
    i += std::max<std::size_t>(1, length);
  }
  return out;
}

std::size_t failures_of(const JunitSuite& suite) {
  return static_cast<std::size_t>(
      std::count_if(suite.cases.begin(), suite.cases.end(),
                    [](const JunitCase& c) { return !c.failure.empty(); }));
}

}  // namespace

std::string junit(const std::vector<JunitSuite>& suites, const JunitRun& run) {
  std::size_t tests = 0, failures = 0;
  for (const JunitSuite& suite : suites) {
    tests += suite.cases.size();
    failures += failures_of(suite);
  }
  const double seconds = std::chrono::duration<double>(run.took).count();
  const double each = tests == 0 ? 0 : seconds / static_cast<double>(tests);
  // ISO 8601, as the format wants it.
  const std::string when = fmt::format(
      "{:%Y-%m-%dT%H:%M:%SZ}", fmt::gmtime(std::chrono::system_clock::to_time_t(run.began)));
  std::string out = fmt::format(
      "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
      "<testsuites name=\"pcilens check\" tests=\"{}\" failures=\"{}\" errors=\"0\" "
      "time=\"{:.6f}\" timestamp=\"{}\">\n",
      tests, failures, seconds, when);
  for (const JunitSuite& suite : suites) {
    const std::string name = escaped(suite.name);
    out += fmt::format(
        "  <testsuite name=\"{}\" tests=\"{}\" failures=\"{}\" errors=\"0\" skipped=\"0\" "
        "time=\"{:.6f}\" timestamp=\"{}\">\n",
        name, suite.cases.size(), failures_of(suite),
        each * static_cast<double>(suite.cases.size()), when);
    for (const JunitCase& c : suite.cases) {
      out += fmt::format(
          "    <testcase name=\"{}\" classname=\"{}\" file=\"{}\" line=\"{}\" time=\"{:.6f}\">\n",
          escaped(c.name), name, escaped(c.file), c.line, each);
      if (!c.failure.empty())
        out += fmt::format("      <failure message=\"{}\" type=\"assertion\">{}</failure>\n",
                           escaped(c.failure), escaped(c.details, false));
      else if (!c.details.empty())
        out += fmt::format("      <system-out>{}</system-out>\n", escaped(c.details, false));
      out += "    </testcase>\n";
    }
    out += "  </testsuite>\n";
  }
  return out + "</testsuites>\n";
}

}  // namespace pcilens::cli
