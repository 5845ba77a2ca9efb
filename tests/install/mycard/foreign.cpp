// What a plug-in built by another compiler looks like from outside.
#include <core/function/device.hpp>

extern "C" [[gnu::visibility("default")]] const pcilens::Device* pcilens_device_entry() {
  static const pcilens::Device device{.name = "foreign", .summary = "must not be called"};
  return &device;
}
extern "C" [[gnu::visibility("default")]] const char* pcilens_device_abi() {
  return "pcilens 99, some other compiler";
}
