#include "core/trace/line_source.hpp"

#include <fmt/format.h>
#include <zlib.h>

#include <array>
#include <utility>

#include "core/printable.hpp"

namespace pcilens {
namespace {

constexpr std::size_t kChunk = 65536;

}  // namespace

struct LineSource::Inflate {
  z_stream stream{};
  std::array<char, kChunk> in;
  bool ended = false;
  Inflate() { inflateInit2(&stream, 15 + 16); }
  ~Inflate() { inflateEnd(&stream); }
};

LineSource::LineSource(std::istream& in, std::string name) : in_(in), name_(std::move(name)) {}
LineSource::~LineSource() = default;

// Appends some bytes to the buffer; false at the end.
Result<bool> LineSource::fill() {
  const auto old = buffer_.size();
  if (!inflate_) {
    buffer_.resize(old + kChunk);
    in_.read(buffer_.data() + old, kChunk);
    buffer_.resize(old + static_cast<std::size_t>(in_.gcount()));
    if (in_.bad()) return fail(fmt::format("{}: cannot be read", name_));
    if (!started_ && buffer_.size() >= 2 && buffer_[0] == '\x1f' && buffer_[1] == '\x8b') {
      inflate_ = std::make_unique<Inflate>();
      std::copy(buffer_.begin(), buffer_.end(), inflate_->in.begin());
      inflate_->stream.next_in = reinterpret_cast<Bytef*>(inflate_->in.data());
      inflate_->stream.avail_in = static_cast<uInt>(buffer_.size());
      buffer_.clear();
      started_ = true;
      return fill();
    }
    started_ = true;
    return buffer_.size() > old;
  }
  z_stream& z = inflate_->stream;
  buffer_.resize(old + kChunk);
  z.next_out = reinterpret_cast<Bytef*>(buffer_.data() + old);
  z.avail_out = kChunk;
  while (z.avail_out == kChunk) {
    if (z.avail_in == 0) {
      in_.read(inflate_->in.data(), kChunk);
      z.next_in = reinterpret_cast<Bytef*>(inflate_->in.data());
      z.avail_in = static_cast<uInt>(in_.gcount());
      if (z.avail_in == 0) {
        if (!inflate_->ended)
          return fail(fmt::format("{}: its gzip data is cut off after line {}; copy it again",
                                  name_, number_));
        break;
      }
    }
    // Several gzip members in a row are one text (RFC 1952, 2.2).
    if (inflate_->ended && inflateReset(&z) == Z_OK) inflate_->ended = false;
    const int rc = inflate(&z, Z_NO_FLUSH);
    inflate_->ended = rc == Z_STREAM_END;
    if (rc != Z_OK && rc != Z_STREAM_END && rc != Z_BUF_ERROR)
      return fail(
          fmt::format("{}: its gzip data is damaged after line {}; copy it again", name_, number_));
  }
  buffer_.resize(old + kChunk - z.avail_out);
  return buffer_.size() > old;
}

Result<bool> LineSource::next(std::string_view& line) {
  auto searched = begin_;
  for (;;) {
    const auto end = buffer_.find('\n', searched);
    if (end != std::string::npos) {
      line = std::string_view(buffer_).substr(begin_, end - begin_);
      if (line.ends_with('\r')) line.remove_suffix(1);
      begin_ = end + 1;
      line_ = line;
      ++number_;
      return true;
    }
    buffer_.erase(0, begin_);
    begin_ = 0;
    searched = buffer_.size();
    if (buffer_.size() > kLongestLine)
      return fail(fmt::format("{}:{}: the line is longer than {} bytes; is this a text file?",
                              name_, number_ + 1, kLongestLine));
    auto more = fill();
    if (!more) return more;
    if (!*more) break;
  }
  if (buffer_.empty()) return false;
  ++number_;
  line_ = buffer_;
  return refuse("the last line has no end and may be cut off; complete it, or remove it");
}

tl::unexpected<Error> LineSource::refuse(std::string_view what) const {
  return fail(
      fmt::format("{}:{}: {}: \"{}\"", name_, number_, what, printable(line_, kLongestName)));
}

}  // namespace pcilens
