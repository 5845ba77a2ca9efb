// commands and command on a pretended target with three commands: one good, one failed, one
// outstanding.
#include "catch.hpp"
#include "fixture.hpp"

using namespace example;

TEST_CASE("commands lists each command with its status and its transactions") {
  Desk desk;
  const std::string said = desk.said("commands");
  CHECK(said.find("READ") != std::string::npos);
  CHECK(said.find("LBA out of range") != std::string::npos);
  CHECK(said.find("outstanding") != std::string::npos);
  CHECK(said.find("#20..#22") != std::string::npos);
}

TEST_CASE("command shows the transactions of one command") {
  Desk desk;
  const std::string said = desk.said("command 2");
  CHECK(said.find("WRITE") != std::string::npos);
  CHECK(said.find("#21") != std::string::npos);
  CHECK(said.find("fetch") != std::string::npos);
  CHECK(said.find("READ") == std::string::npos);
}

TEST_CASE("command refuses a number that there is not, and says which there are") {
  Desk desk;
  CHECK(desk.said("command 9") == "error: there is no command 9; there are 1 to 3");
}

TEST_CASE("commands refuses a function that there is not") {
  Desk desk;
  CHECK(desk.said("commands of nobody0").starts_with("error: there is no function nobody0"));
}
