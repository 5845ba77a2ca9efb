// docs/expressions.md cannot rot: its examples compile, its error is the real one, and it mentions
// every word of the grammar.
#include <fstream>
#include <sstream>

#include "core/link/expression_words.hpp"
#include "expression_fixture.hpp"

using namespace example;

namespace {

std::string document() {
  std::ifstream file(PCILENS_SOURCE_DIR "/docs/expressions.md");
  REQUIRE(file);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

// The lines of the code blocks of one language.
std::vector<std::string> block_lines(const std::string& language) {
  std::vector<std::string> lines;
  std::istringstream text(document());
  bool inside = false;
  for (std::string line; std::getline(text, line);) {
    if (line.starts_with("```"))
      inside = line == "```" + language;
    else if (inside)
      lines.push_back(line);
  }
  return lines;
}

}  // namespace

TEST_CASE("every example of docs/expressions.md compiles") {
  std::size_t examples = 0;
  for (std::string line : block_lines("pcilens")) {
    if (const auto remark = line.find("  #"); remark != std::string::npos) line.resize(remark);
    const auto e = Expression::compile(line, names());
    if (!e) FAIL_CHECK(e.error().message);
    ++examples;
  }
  CHECK(examples > 50);
}

TEST_CASE("the forms in the tables of docs/expressions.md compile") {
  // The first column of the table of places.
  std::istringstream text(document());
  bool inside = false;
  std::size_t forms = 0;
  for (std::string line; std::getline(text, line);) {
    if (line == "| written | means |") inside = true;
    if (line.empty()) inside = false;
    if (!inside || !line.starts_with("| `")) continue;
    const std::string cell = line.substr(2, line.find(" | ") - 2);
    for (std::size_t at = 0; (at = cell.find('`', at)) != std::string::npos;) {
      const auto end = cell.find('`', at + 1);
      const auto e = Expression::compile(cell.substr(at + 1, end - at - 1), names());
      if (!e) FAIL_CHECK(e.error().message);
      at = end + 1;
      ++forms;
    }
  }
  CHECK(forms > 12);
}

TEST_CASE("the error in docs/expressions.md is the one that is told") {
  std::string shown;
  for (const std::string& line : block_lines("text")) shown += (shown.empty() ? "" : "\n") + line;
  CHECK(shown == refused("STATSU 0->1"));
}

TEST_CASE("docs/expressions.md mentions every word of the grammar") {
  const std::string text = document();
  const auto mentioned = [&](std::string_view word) {
    return has(text, "`" + std::string(word)) || has(text, std::string(word) + "`") ||
           has(text, " " + std::string(word) + " ");
  };
  for (const auto& k : expression::kind_words()) CHECK(mentioned(k.word));
  for (const auto& a : expression::attribute_words()) {
    CHECK(mentioned(a.word));
    if (a.named && a.attribute != expression::Attribute::Function)
      for (const std::string& name : expression::value_names(a.attribute, *names()))
        CHECK(mentioned(name));
  }
  for (const auto word : expression::other_words()) CHECK(mentioned(word));
}
