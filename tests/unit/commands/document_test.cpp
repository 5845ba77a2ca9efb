// docs/console.md ends with a reference that is written from the command table:
//   test_commands "[write-docs]"
#include <fstream>
#include <sstream>

#include "catch.hpp"
#include "fixture.hpp"

using namespace example;

namespace {

constexpr const char* kFile = PCILENS_SOURCE_DIR "/docs/console.md";
constexpr std::string_view kMark =
    "<!-- From here on written from the command table: test_commands \"[write-docs]\" -->\n";

std::string section(const Command& c) {
  std::string out = "### " + std::string(c.id) + "\n\n`" + usage(c) + "`\n\n";
  std::string summary(c.summary);
  summary[0] = static_cast<char>(std::toupper(static_cast<unsigned char>(summary[0])));
  out += summary + ".\n";
  if (!c.arguments.empty()) out += "\n";
  for (const Argument& a : c.arguments)
    out += "- `" + std::string(a.keyword.empty() ? a.name : a.keyword) +
           "`: " + std::string(a.doc) + "\n";
  std::string prose, examples;
  std::istringstream help{std::string(c.help)};
  for (std::string line; std::getline(help, line);) {
    if (line.starts_with("  "))
      examples += line.substr(2) + "\n";
    else
      prose += line + "\n";
  }
  if (!prose.empty()) out += "\n" + prose;
  if (!examples.empty()) out += "\n```\n" + examples + "```\n";
  std::string keys;
  for (const Action& a : c.actions)
    if (a.key)
      keys += (keys.empty() ? "" : ", ") + name_of(a.key) + " (" + std::string(a.label) + ")";
  if (!c.aliases.empty()) out += "\nAlso: `" + std::string(c.aliases) + "`.\n";
  if (!keys.empty()) out += "\nIn the window: " + keys + ".\n";
  return out + "\n";
}

std::string reference() {
  std::string out;
  std::vector<std::string_view> groups;
  const auto commands = CommandTable::standard().commands();
  for (const Command& c : commands)
    if (std::find(groups.begin(), groups.end(), c.group) == groups.end()) groups.push_back(c.group);
  for (const auto& group : groups) {
    out += "## " + std::string(group) + "\n\n";
    for (const Command& c : commands)
      if (c.group == group) out += section(c);
  }
  out.pop_back();
  return out;
}

std::string file_text() {
  std::ifstream file(kFile);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

}  // namespace

TEST_CASE("docs/console.md describes every command as the table has it") {
  const std::string text = file_text();
  const std::size_t mark = text.find(kMark);
  REQUIRE(mark != std::string::npos);
  CHECK(text.substr(mark + kMark.size()) == "\n" + reference());
}

TEST_CASE("the reference in docs/console.md is written again", "[.][write-docs]") {
  const std::string text = file_text();
  const std::string head = text.substr(0, text.find(kMark));
  std::ofstream(kFile) << head << kMark << "\n" << reference();
}
