#include "workload/line_reader.hpp"

#include <cstring>

#include "base/error.hpp"

namespace tokenyard::workload {
namespace {

constexpr std::size_t kBlock = std::size_t{4} << 20U;
constexpr std::string_view kByteOrderMark = "\xef\xbb\xbf";

}  // namespace

LineReader::LineReader(const std::string& path)
    : path_(path), source_(open_bytes(path)), block_(kBlock + kPadding) {}

bool LineReader::next(std::string_view& line) {
  if (put_back_) {
    put_back_ = false;
    line = last_;
    return true;
  }
  do {
    if (!next_raw(line)) return false;
    ++number_;
    if (number_ == 1 && line.starts_with(kByteOrderMark)) line.remove_prefix(kByteOrderMark.size());
    if (!line.empty() && line.back() == '\r') line.remove_suffix(1);
  } while (line.find_first_not_of(" \t") == std::string_view::npos);
  last_ = line;
  return true;
}

void LineReader::put_back() {
  put_back_ = true;
}

bool LineReader::next_raw(std::string_view& line) {
  std::size_t searched = 0;  // of the line's bytes, those known to hold no end of line
  while (true) {
    const char* start = block_.data() + begin_;
    const std::size_t length = end_ - begin_;
    if (const void* found = std::memchr(start + searched, '\n', length - searched)) {
      line = {start, static_cast<std::size_t>(static_cast<const char*>(found) - start)};
      begin_ += line.size() + 1;
      return true;
    }
    searched = length;
    if (fill()) continue;
    if (begin_ == end_) return false;
    line = {block_.data() + begin_, end_ - begin_};
    begin_ = end_;
    return true;
  }
}

// Moves the unfinished line to the front and reads on behind it; false at the end of the file.
bool LineReader::fill() {
  if (at_end_) return false;
  const std::size_t kept = end_ - begin_;
  if (kept == kBlock) {
    throw InputError(
        {{.place = {.file = path_, .line = number_ + 1, .column = 1, .source_line = {}},
          .path = {},
          .message = "the line is longer than 4 MiB; is this a trace?",
          .note = {}}});
  }
  std::memmove(block_.data(), block_.data() + begin_, kept);
  begin_ = 0;
  end_ = kept;
  const std::size_t got = source_->read(block_.data() + end_, kBlock - end_);
  end_ += got;
  at_end_ = got == 0;
  return got > 0;
}

}  // namespace tokenyard::workload
