// Any bytes as QEMU's log, plain or gzip'd: taken or refused, never a crash.
#include <cstdint>
#include <sstream>
#include <string>

#include "core/trace/import.hpp"

namespace {

class Nowhere final : public pcilens::Recorder {
 public:
  void event(const pcilens::Transaction&) override {}
  void completion(const pcilens::Transaction&) override {}
  void edit(std::uint64_t, std::uint64_t, std::uint64_t, std::uint64_t, std::uint64_t,
            std::uint32_t) override {}
  void blob(pcilens::BlobKind, std::uint64_t, std::span<const std::byte>) override {}
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::istringstream in(std::string(reinterpret_cast<const char*>(data), size));
  Nowhere out;
  const auto summary = pcilens::import_stream("qemu-log", in, {.name = "fuzz"}, out);
  if (!summary && summary.error().message.empty()) __builtin_trap();
  return 0;
}
