// Any text, compiled, evaluated and completed: no crash, no memory error, bounded time.
// Input: the bytes of an expression, then after a 0 byte those of events.
#include <cstdlib>
#include <cstring>
#include <string_view>

#include "core/link/expression.hpp"
#include "core/link/names.hpp"

namespace {

using namespace pcilens;

constexpr EnumValue kModes[] = {{0, "IDLE"}, {1, "RUN"}};
constexpr Field kFields[] = {{.name = "EN", .high = 0, .low = 0},
                             {.name = "MODE", .high = 5, .low = 4, .values = kModes}};
constexpr Register kControl{.name = "CC", .offset = 0x14, .fields = kFields};
constexpr Register kQueue{
    .name = "SQTDBL", .offset = 0x100, .count = 4, .stride = 8, .element_name = "SQ[%].TDBL"};
constexpr const Register* kRegisters[] = {&kControl, &kQueue};
constexpr RegisterMap kMap{.name = "fuzz", .bar = 0, .size = 0x1000, .registers = kRegisters};
static_assert(well_formed(kMap));

std::shared_ptr<const Names> names() {
  static const auto all = [] {
    auto n = std::make_shared<Names>();
    n->functions.push_back({"a0", "00:01.0", {std::make_shared<RegisterLookup>(kMap)}});
    n->functions.push_back({"b0", "00:02.0", {}});
    return std::shared_ptr<const Names>(std::move(n));
  }();
  return all;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  const auto split = std::min(input.find('\0'), input.size());
  const std::string_view text = input.substr(0, split);
  std::string_view events = input.substr(std::min(split + 1, input.size()));

  (void)completions(text, *names());
  const auto expression = Expression::compile(text, names());
  if (!expression) {
    // An error stays a few lines, whatever the text was.
    if (expression.error().message.empty() || expression.error().message.size() > 4096)
      std::abort();
    return 0;
  }
  const Expression again = *Expression::compile(expression->text(), names());
  LastValues last;
  while (events.size() >= 16) {
    Transaction t;
    t.kind = static_cast<Kind>(events[0] & 15);
    t.status = (events[1] & 1) != 0 ? Status::UR : Status::SC;
    t.bar = static_cast<std::int8_t>((events[1] >> 1 & 7) - 2);
    t.function = static_cast<std::uint8_t>(events[2] & 3);
    t.size = static_cast<std::uint8_t>(events[3]);
    std::uint32_t offset;
    std::memcpy(&offset, &events[4], 4);
    t.offset = (events[1] & 16) != 0 ? offset : offset & 0x1ff;
    if ((events[1] & 32) != 0) t.offset |= ~0ull << 32;
    std::memcpy(&t.value, &events[8], 8);
    for (const Phase phase : {Phase::Before, Phase::After}) {
      const EventView view{t, phase, last, *names(), (events[1] & 64) != 0 ? "probe" : ""};
      if (expression->verdict(view) != again.verdict(view)) std::abort();
      if (phase == Phase::Before && expression->needs_completion() && expression->matches(view))
        std::abort();
      if (expression->matches(view) &&
          (expression->reach().kinds & 1u << static_cast<unsigned>(t.kind)) == 0)
        std::abort();
    }
    last.record(t, *names());
    events.remove_prefix(16);
  }
  return 0;
}
