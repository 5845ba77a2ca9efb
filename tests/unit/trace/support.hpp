// What the trace's tests share: a folder that goes away, and the sqlite3 program as the outside
// judge of what is in a file.
#pragma once

#include <stdlib.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <filesystem>
#include <sstream>
#include <string>

#include "core/link/transaction.hpp"

namespace pcilens::test {

class Folder {
 public:
  Folder() {
    std::string name = (std::filesystem::temp_directory_path() / "pcilens-trace-XXXXXX").string();
    path_ = mkdtemp(name.data());
  }
  ~Folder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  std::string operator/(const std::string& name) const { return path_ + "/" + name; }
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

// What a shell command prints, without the last newline.
inline std::string output_of(const std::string& command) {
  std::string text;
  std::array<char, 65536> buffer;
  FILE* pipe = popen(command.c_str(), "r");
  if (pipe == nullptr) return "popen failed";
  while (const auto n = fread(buffer.data(), 1, buffer.size(), pipe)) text.append(buffer.data(), n);
  pclose(pipe);
  while (!text.empty() && text.back() == '\n') text.pop_back();
  return text;
}

inline std::string ask(const std::string& file, const std::string& sql) {
  return output_of("sqlite3 '" + file + "' \"" + sql + "\" 2>&1");
}

// The first line in which two texts differ; empty if they are the same.
inline std::string first_difference(const std::string& a, const std::string& b) {
  std::istringstream left(a), right(b);
  std::string x, y;
  for (int line = 1;; ++line) {
    const bool more_x = static_cast<bool>(std::getline(left, x));
    const bool more_y = static_cast<bool>(std::getline(right, y));
    if (!more_x && !more_y) return {};
    if (more_x != more_y || x != y)
      return "line " + std::to_string(line) + ": " + (more_x ? x : "(none)") + " instead of " +
             (more_y ? y : "(none)");
  }
}

inline Transaction mem_write(std::uint64_t seq, std::uint64_t offset, std::uint64_t value) {
  Transaction t;
  t.seq = seq;
  t.t_ns = seq * 100;
  t.done_ns = seq * 100 + 10;
  t.kind = Kind::MemWrite;
  t.status = Status::SC;
  t.bar = 0;
  t.offset = offset;
  t.size = 4;
  t.value = value;
  return t;
}

}  // namespace pcilens::test
