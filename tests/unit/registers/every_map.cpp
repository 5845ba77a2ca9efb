// Runs over every register map of every device that is built in: a new device is tested by being
// there.
#include "catch.hpp"
#include "core/function/device.hpp"
#include "core/registers/checks.hpp"
#include "core/registers/map_check.hpp"
#include "registers/sample_map.hpp"

using namespace pcilens;

namespace {

// A link that answers nothing: enough for a function that is only looked at and reset.
class SilentPort final : public Port {
 public:
  std::uint64_t now() const override { return 0; }
  void submit(Operation&) override {}
  void cancel(Operation&) override {}
  void interrupt(std::uint32_t) override {}
  void intx(bool) override {}
  void state_changed(std::int8_t, std::uint64_t, std::uint32_t, std::uint64_t) override {}
  void note(std::string_view) override {}
  bool host_keeps_msix() const override { return false; }
};

struct Live {
  SilentPort port;
  std::unique_ptr<Function> function;
};

Live make(const Device& device) {
  Live live;
  auto made = device.create({});
  INFO(device.name << ": " << (made ? "" : made.error().message));
  REQUIRE(made);
  live.function = std::move(*made);
  return live;
}

template <typename Visit>
void for_each_map(Visit visit) {
  REQUIRE_FALSE(built_in_devices().empty());
  int maps = 0;
  for (const Device* device : built_in_devices()) {
    Live live = make(*device);
    live.function->plug(live.port);
    for (int bar = 0; bar < 6; ++bar)
      if (const RegisterBank* bank = std::as_const(*live.function).bank(bar)) {
        ++maps;
        INFO(device->name << ", BAR" << bar);
        visit(*device, *live.function, bar, *bank);
      }
  }
  REQUIRE(maps > 0);
}

template <typename Visit>
void for_each_element(const RegisterMap& map, Visit visit) {
  for (const Register* r : map.registers)
    for (std::uint32_t i = 0; i < r->count; ++i) visit(RegisterRef{r, i});
}

std::vector<std::uint64_t> stored(const RegisterBank& bank) {
  std::vector<std::uint64_t> values;
  for_each_element(
      bank.map(), [&](const RegisterRef& ref) { values.push_back(bank.get(*ref.reg, ref.index)); });
  return values;
}

// Whether a driver can change any bit. What it cannot change may depend on a device's options.
bool writable(const Register& r) {
  const auto acts = [](Access a) { return a != Access::RO && a != Access::Reserved; };
  std::uint64_t uncovered = r.mask();
  for (const Field& f : r.fields) {
    if (acts(f.access)) return true;
    uncovered &= ~f.mask();
  }
  return uncovered != 0 && acts(r.access);
}

}  // namespace

TEST_CASE("every built-in map is well-formed and documented") {
  for_each_map([](const Device&, Function&, int bar, const RegisterBank& bank) {
    CHECK(well_formed(bank.map()));
    CHECK_FALSE(find_fault(bank.map()).has_value());
    CHECK(bank.map().bar == bar);
    for (const Register* r : bank.map().registers) {
      INFO(r->name);
      CHECK_FALSE(r->doc.empty());
      for (const Field& f : r->fields) {
        INFO(f.name);
        CHECK_FALSE(f.doc.empty());
      }
    }
  });
}

TEST_CASE("every built-in map answers as its access types say") {
  for_each_map([](const Device&, Function&, int, const RegisterBank& bank) {
    for (const std::string& failure : check_semantics(bank.map())) FAIL_CHECK(failure);
  });
}

TEST_CASE("every built-in function begins with the declared reset values") {
  for_each_map([](const Device&, Function&, int, const RegisterBank& bank) {
    for_each_element(bank.map(), [&](const RegisterRef& ref) {
      INFO(name_of(ref));
      if (writable(*ref.reg)) CHECK(bank.get(*ref.reg, ref.index) == ref.reg->reset);
    });
  });
}

TEST_CASE("a peek of any register of any built-in function changes nothing") {
  for_each_map([](const Device&, Function& function, int bar, const RegisterBank& bank) {
    const auto before = stored(bank);
    for_each_element(bank.map(), [&](const RegisterRef& ref) {
      INFO(name_of(ref));
      const auto once = function.peek(static_cast<std::int8_t>(bar), ref.offset(), ref.reg->width);
      const auto twice = function.peek(static_cast<std::int8_t>(bar), ref.offset(), ref.reg->width);
      CHECK(once == twice);
      CHECK(bank.peek(ref) == bank.peek(ref.offset(), ref.reg->width));
    });
    CHECK(stored(bank) == before);
  });
}

TEST_CASE("FLR gives every built-in function the registers of a fresh one") {
  for_each_map([](const Device& device, Function& function, int bar, const RegisterBank& bank) {
    for_each_element(bank.map(), [&](const RegisterRef& ref) {
      REQUIRE(function.force(static_cast<std::int8_t>(bar), ref.offset(), ref.reg->width,
                             ~bank.get(*ref.reg, ref.index)));
    });
    function.reset(ResetKind::Flr);
    const Live fresh = make(device);
    const RegisterBank& expected = *std::as_const(*fresh.function).bank(bar);
    for_each_element(bank.map(), [&](const RegisterRef& ref) {
      INFO(name_of(ref));
      CHECK(bank.get(*ref.reg, ref.index) == expected.get(*ref.reg, ref.index));
    });
  });
}

TEST_CASE("the checks pass over a map with one of everything") {
  for (const std::string& failure : check_semantics(sample::kMap)) FAIL_CHECK(failure);
}
