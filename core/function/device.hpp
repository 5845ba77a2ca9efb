// How a device makes itself known: a descriptor with its name, its options and what makes one. The
// devices that ship and those that live in a user's own repository use the same entry.
//
//   PCILENS_DEVICE(pcilens::Device{
//       .name = "mycard", .summary = "counts to ten", .create = &create, .drive = &drive});
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/function/function.hpp"
#include "core/function/protocol.hpp"
#include "core/result.hpp"

namespace pcilens {

namespace sim {
class Device;  // core/host/sim/device.hpp: what an example driver holds
}

// name=value pairs as given with --option; the same values make the same function.
struct DeviceOption {
  std::string name;
  std::string value;
};
using DeviceOptions = std::vector<DeviceOption>;

struct OptionDescription {
  std::string_view name;
  std::string_view default_value;
  std::string_view doc;  // with unit and range
};

// How PCI names a kind of function.
struct PciId {
  std::uint16_t vendor, device;
};

struct Device {
  std::string_view name;     // lower case, one word
  std::string_view summary;  // one line
  std::span<const OptionDescription> options = {};
  // Makes one function; a wrong option is an Error.
  Result<std::unique_ptr<Function>> (*create)(const DeviceOptions& options) = nullptr;
  // The example driver: plain sequential code on a thread of its own, on the sim host. It returns
  // when it has done its work; an Error says what it found wrong. May be null.
  Result<void> (*drive)(sim::Device& device) = nullptr;
  // Makes what turns this device's transactions into commands of its protocol. May be null.
  std::unique_ptr<ProtocolDecoder> (*decoder)() = nullptr;
  // Functions of others that have the same registers: recordings of them get these names.
  std::span<const PciId> compatible = {};
  // Set when a trace is replayed: what keeps the fresh function from changing anything outside.
  struct Setting {
    std::string_view name, value;
  };
  std::span<const Setting> on_replay = {};
};

// Compiler, standard library, build flags that change layouts and pcilens' major version, as the
// code sees them that includes this header. A plug-in whose string differs is refused.
#define PCILENS_STRING_(x) #x
#define PCILENS_STRING(x) PCILENS_STRING_(x)
#ifdef _LIBCPP_VERSION
#define PCILENS_ABI_LIBRARY ", libc++ " PCILENS_STRING(_LIBCPP_VERSION)
#elif defined(_GLIBCXX_RELEASE)
#define PCILENS_ABI_LIBRARY ", libstdc++ " PCILENS_STRING(_GLIBCXX_RELEASE)
#else
#define PCILENS_ABI_LIBRARY ""
#endif
#if defined(_GLIBCXX_USE_CXX11_ABI) && !_GLIBCXX_USE_CXX11_ABI
#define PCILENS_ABI_STRINGS ", old strings"
#else
#define PCILENS_ABI_STRINGS ""
#endif
#ifdef _GLIBCXX_DEBUG
#define PCILENS_ABI_DEBUG ", debug containers"
#else
#define PCILENS_ABI_DEBUG ""
#endif
#ifdef __has_feature
#define PCILENS_HAS_FEATURE(x) __has_feature(x)
#else
#define PCILENS_HAS_FEATURE(x) 0
#endif
#if defined(__SANITIZE_ADDRESS__) || PCILENS_HAS_FEATURE(address_sanitizer)
#define PCILENS_ABI_SANITIZER ", address sanitizer"
#elif defined(__SANITIZE_THREAD__) || PCILENS_HAS_FEATURE(thread_sanitizer)
#define PCILENS_ABI_SANITIZER ", thread sanitizer"
#else
#define PCILENS_ABI_SANITIZER ""
#endif
// A macro, not an inline function: a plug-in must say what it was built with itself, and a linker
// keeps only one of two equal functions.
#define PCILENS_ABI_IDENTITY                                       \
  "pcilens 0 device 2, C++ ABI " PCILENS_STRING(__GXX_ABI_VERSION) \
      PCILENS_ABI_LIBRARY PCILENS_ABI_STRINGS PCILENS_ABI_DEBUG PCILENS_ABI_SANITIZER
static constexpr std::string_view abi_identity() {
  return PCILENS_ABI_IDENTITY;
}

namespace detail {
struct BuiltIn {
  explicit BuiltIn(const Device& device);
};
}  // namespace detail

// The devices compiled into this program, by name.
std::span<const Device* const> built_in_devices();

}  // namespace pcilens

#define PCILENS_ENTRY_NAME "pcilens_device_entry"
#define PCILENS_ABI_NAME "pcilens_device_abi"

#ifdef PCILENS_BUILT_IN
#define PCILENS_DEVICE(...)                                        \
  static const ::pcilens::Device pcilens_descriptor = __VA_ARGS__; \
  static const ::pcilens::detail::BuiltIn pcilens_registration{pcilens_descriptor};
#else
#define PCILENS_DEVICE(...)                                                                   \
  extern "C" [[gnu::visibility("default")]] const ::pcilens::Device* pcilens_device_entry() { \
    static const ::pcilens::Device descriptor = __VA_ARGS__;                                  \
    return &descriptor;                                                                       \
  }                                                                                           \
  extern "C" [[gnu::visibility("default")]] const char* pcilens_device_abi() {                \
    return PCILENS_ABI_IDENTITY;                                                              \
  }
#endif
