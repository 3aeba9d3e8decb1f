#pragma once
// Lines of a file in blocks of 4 MiB: memory stays the same however long the file is.
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "workload/byte_source.hpp"

namespace tokenyard::workload {

class LineReader {
 public:
  // Bytes behind every line that may be read, though they mean nothing: what simdjson asks for.
  static constexpr std::size_t kPadding = 64;

  explicit LineReader(const std::string& path);

  // The next line that is not blank, without its end (LF or CRLF); valid until the next call. False
  // at the end.  Throws InputError for a line longer than a block.
  bool next(std::string_view& line);
  // Makes next() return the last line again.
  void put_back();

  [[nodiscard]] int line_number() const { return number_; }  // of the last line, from 1
  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  bool next_raw(std::string_view& line);
  bool fill();

  std::string path_;
  std::unique_ptr<ByteSource> source_;
  std::vector<char> block_;
  std::size_t begin_ = 0;  // of what has not been returned yet
  std::size_t end_ = 0;
  std::string_view last_;
  bool put_back_ = false;
  bool at_end_ = false;
  int number_ = 0;
};

}  // namespace tokenyard::workload
