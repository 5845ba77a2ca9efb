#include "core/function/device.hpp"

#include <algorithm>

#define PCILENS_STRING_(x) #x
#define PCILENS_STRING(x) PCILENS_STRING_(x)

namespace pcilens {
namespace {

std::vector<const Device*>& registry() {
  static std::vector<const Device*> devices;
  return devices;
}

}  // namespace

std::string_view abi_identity() {
  // A string literal: the plug-in hands out its data(), which must be terminated.
  static constexpr std::string_view identity =
      "pcilens 0 device 1, C++ ABI " PCILENS_STRING(__GXX_ABI_VERSION)
#ifdef _GLIBCXX_RELEASE
          ", libstdc++ " PCILENS_STRING(_GLIBCXX_RELEASE)
#endif
#if defined(_GLIBCXX_USE_CXX11_ABI) && !_GLIBCXX_USE_CXX11_ABI
              ", old strings"
#endif
#ifdef _GLIBCXX_DEBUG
              ", debug containers"
#endif
#ifdef __SANITIZE_ADDRESS__
              ", address sanitizer"
#endif
#ifdef __SANITIZE_THREAD__
              ", thread sanitizer"
#endif
      ;
  return identity;
}

detail::BuiltIn::BuiltIn(const Device& device) {
  auto& devices = registry();
  devices.push_back(&device);
  std::sort(devices.begin(), devices.end(),
            [](const Device* a, const Device* b) { return a->name < b->name; });
}

std::span<const Device* const> built_in_devices() {
  return registry();
}

}  // namespace pcilens
