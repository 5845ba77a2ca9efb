#include "devices/bochs/picture.hpp"

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <fstream>

namespace pcilens::bochs {

std::optional<std::string> fault_of(const Mode& mode, std::uint64_t memory) {
  if (mode.bits != 32) return "only pixels of 32 bits are";
  if (mode.width == 0 || mode.height == 0) return "it has no pixels";
  // Each is 16 bits wide: nothing overflows.
  const std::uint64_t last = (std::uint64_t{mode.y} + mode.height - 1) * mode.line + mode.x;
  if ((last + mode.width) * 4 > memory) return "its last line lies past the video memory";
  return std::nullopt;
}

Result<void> save_picture(const std::string& path, const Mode& mode,
                          std::span<const std::byte> memory) {
  if (fault_of(mode, memory.size())) return {};
  std::string bytes =
      "P6 " + std::to_string(mode.width) + " " + std::to_string(mode.height) + " 255\n";
  std::size_t at = bytes.size();
  bytes.resize(at + std::size_t{3} * mode.width * mode.height);
  const int red = mode.big_endian ? 1 : 2, next = mode.big_endian ? 1 : -1;
  for (std::uint32_t y = 0; y < mode.height; ++y) {
    const std::byte* pixel = memory.data() + (std::size_t{mode.y + y} * mode.line + mode.x) * 4;
    for (std::uint32_t x = 0; x < mode.width; ++x, pixel += 4)
      for (int colour = 0; colour < 3; ++colour)
        bytes[at++] = static_cast<char>(pixel[red + colour * next]);
  }
  const std::string beside = path + ".new";
  std::ofstream file(beside, std::ios::binary);
  file << bytes;
  file.close();
  if (!file || std::rename(beside.c_str(), path.c_str()) != 0)
    return fail("picture=" + path + ": " + std::strerror(errno) + "; no picture is kept");
  return {};
}

}  // namespace pcilens::bochs
