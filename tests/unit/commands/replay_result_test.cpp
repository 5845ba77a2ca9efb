#include "inspector-ui/commands/replay_result.hpp"

#include "catch.hpp"
#include "fixture.hpp"

using namespace example;

TEST_CASE("divergences are listed in the order of the trace, whenever they were found") {
  ReplayResult result{.stimuli = 9, .divergences = 2};
  result.by_reason[0] = 2;
  result.listed = {{.seq = 30, .place = "LATER", .expected = "1", .got = "2"},
                   {.seq = 20, .place = "EARLIER", .expected = "1", .got = "nothing"}};
  const std::string text = render(replay_output(result, 1, 1), {.width = 0, .colour = false});
  INFO(text);
  CHECK(has(text, "#20 EARLIER"));
  CHECK(text.find("EARLIER") < text.find("LATER"));
}
