// Any bytes as a CMSIS-SVD file: an error of one line that names the file, or maps that keep every
// rule and whose registers a bank can store. No crash, no memory error, bounded time.
#include <cstdlib>
#include <string_view>

#include "core/registers/bank.hpp"
#include "core/registers/svd.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace pcilens;
  const auto svd = read_svd({reinterpret_cast<const char*>(data), size}, "fuzz.svd");
  if (!svd) {
    const std::string& message = svd.error().message;
    if (message.find("fuzz.svd") == std::string::npos || message.find('\n') != std::string::npos ||
        message.size() > 4096)
      std::abort();
    return 0;
  }
  for (const SvdPeripheral& peripheral : svd->peripherals) {
    const RegisterMap& map = *peripheral.map;
    if (find_fault(map)) std::abort();
    if (map.registers.size() > 64) continue;  // the rest costs time and shows nothing new
    RegisterBank bank(map);
    for (const Register* r : map.registers) {
      bank.write(r->offset, r->width, ~0ull);
      const auto shown = bank.peek(r->offset, r->width);
      if (shown != bank.read(r->offset, r->width)) std::abort();
    }
  }
  return 0;
}
