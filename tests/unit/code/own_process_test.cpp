#include "core/code/own_process.hpp"

#include "catch.hpp"

using namespace pcilens;

TEST_CASE("a symbol is shown without parameters, template return type and our own namespace") {
  CHECK(short_symbol("_ZN7pcilens3edu12_GLOBAL__N_15startERNS_3sim4MmioE") == "edu::start");
  CHECK(short_symbol("main") == "main");
  CHECK(short_symbol("nvme_probe") == "nvme_probe");
  CHECK(short_symbol("_Z3addIiET_S0_S0_") == "add<int>");
}

namespace {

// noinline: it must have a return address of its own.
[[gnu::noinline]] std::uintptr_t where_from() {
  return reinterpret_cast<std::uintptr_t>(__builtin_return_address(0));
}

}  // namespace

TEST_CASE("a return address leads to the function that called, inside its code") {
  OwnProcess process;
  const CodePlace place = process.returning_to(where_from());
  CHECK(place.displacement > 0);
  REQUIRE_FALSE(place.code.empty());
  CHECK(place.displacement <= place.code.size());
  const auto begin = reinterpret_cast<std::uintptr_t>(place.code.data());
  CHECK(place.displacement + begin <= begin + place.code.size());
  // Without debug information there is no file; with it, it is this one.
  if (!place.file.empty()) CHECK(place.file.ends_with("own_process_test.cpp"));
}
