// What can fail at run time returns a Result: the value, or an Error that a person can act on.
#pragma once

#include <string>
#include <tl/expected.hpp>
#include <utility>

namespace pcilens {

// One clear sentence: where, what, and what to do next.
struct Error {
  std::string message;
};

template <typename T>
using Result = tl::expected<T, Error>;

// `return fail("BAR0+0x1c: 8-byte read of a 4-byte register; split it in two");`
inline tl::unexpected<Error> fail(std::string message) {
  return tl::unexpected<Error>(Error{std::move(message)});
}

}  // namespace pcilens
