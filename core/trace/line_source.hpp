// The lines of a text, plain or gzip'd.
#pragma once

#include <cstdint>
#include <istream>
#include <memory>
#include <string>
#include <string_view>

#include "core/result.hpp"

namespace pcilens {

class LineSource {
 public:
  static constexpr std::size_t kLongestLine = 65536;  // bytes

  // `name` is what errors call the text. gzip is told by its magic (RFC 1952, 2.3.1).
  LineSource(std::istream& in, std::string name);
  ~LineSource();

  // The next line without its end; false after the last. Refused: a line that is too long, a last
  // line without its newline (it may be cut), damaged or cut gzip data.
  Result<bool> next(std::string_view& line);
  std::uint64_t number() const { return number_; }  // of the line that next() gave, from 1
  const std::string& name() const { return name_; }

  // "nvme.log:12: what: "the line"": for an error in the current line.
  tl::unexpected<Error> refuse(std::string_view what) const;

 private:
  struct Inflate;
  Result<bool> fill();

  std::istream& in_;
  std::string name_;
  std::unique_ptr<Inflate> inflate_;
  std::string buffer_;
  std::size_t begin_ = 0;  // of what is not yet given out
  std::string_view line_;
  std::uint64_t number_ = 0;
  bool started_ = false;
};

}  // namespace pcilens
