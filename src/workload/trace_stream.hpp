#pragma once
// What all trace readers share: lines, the place of a mistake, skipping, the limit, time scaling.
#include <string>
#include <string_view>
#include <utility>

#include "workload/line_reader.hpp"
#include "workload/workload.hpp"

namespace tokenyard::workload {

// One line is malformed.  Thrown by the parsers; TraceStream, which knows file and line, either
// counts the line or makes an InputError of it.  column 0: where the key stands in the line.
struct BadLine {
  std::string key;
  std::string message;
  int column = 0;
  bool printable = true;  // false when the line is not valid UTF-8
};

class TraceStream : public RequestStream {
 protected:
  TraceStream(const TraceSpec& spec, const std::string& path, double rate_scale);

  // Hands line after line to `parse` until it returns true (it made a record); false at the end of
  // the file.  A BadLine from `parse` is counted or becomes an InputError, as the workload says.
  template <class Parse>
  bool next_record(Parse&& parse) {
    std::string_view line;
    while (lines_.next(line)) {
      try {
        if (parse(line)) return true;
      } catch (const BadLine& bad) {
        reject(bad, line);
      }
    }
    return false;
  }
  // For the line that says what the others mean: wrong is always an error.
  [[noreturn]] void refuse(const BadLine& bad, std::string_view line) const;

  // Arrival time in the simulation of a time in the trace.
  [[nodiscard]] double scaled(double trace_s) const { return trace_s * time_factor_; }
  // True when one more request (session) is wanted; counts it.
  bool take_one();

  LineReader& lines() { return lines_; }

 private:
  void reject(const BadLine& bad, std::string_view line);

  LineReader lines_;
  double time_factor_;
  std::optional<std::int64_t> limit_;
  std::int64_t taken_ = 0;
  bool skip_bad_lines_;
};

// Throws BadLine unless 1 <= tokens <= kMaxTokens.
void check_tokens(std::int64_t tokens, std::string_view key, int column = 0);

}  // namespace tokenyard::workload
