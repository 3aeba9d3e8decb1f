#include "workload/trace_stream.hpp"

namespace tokenyard::workload {
namespace {

int column_of(const BadLine& bad, std::string_view line) {
  if (bad.column > 0) return bad.column;
  const std::size_t at = line.find('"' + bad.key + '"');
  return at == std::string_view::npos || bad.key.empty() ? 1 : static_cast<int>(at) + 1;
}

}  // namespace

TraceStream::TraceStream(const TraceSpec& spec, const std::string& path, double rate_scale)
    : lines_(path),
      time_factor_(spec.time_scale / rate_scale),
      limit_(spec.limit),
      skip_bad_lines_(spec.skip_bad_lines) {
  check(rate_scale > 0 && spec.time_scale > 0, "a trace's time scale must be positive");
}

void TraceStream::refuse(const BadLine& bad, std::string_view line) const {
  Place place{.file = lines_.path(),
              .line = lines_.line_number(),
              .column = column_of(bad, line),
              .source_line = {}};
  if (bad.printable) place.source_line = std::string(line.substr(0, 200));
  throw InputError(
      {{.place = std::move(place), .path = bad.key, .message = bad.message, .note = {}}});
}

void TraceStream::reject(const BadLine& bad, std::string_view line) {
  if (!skip_bad_lines_) refuse(bad, line);
  ++skipped_;
}

bool TraceStream::take_one() {
  if (limit_ && taken_ >= *limit_) return false;
  ++taken_;
  return true;
}

void check_tokens(std::int64_t tokens, std::string_view key, int column) {
  if (tokens >= 1 && tokens <= kMaxTokens) return;
  throw BadLine{.key = std::string(key),
                .message = std::to_string(tokens) + " is out of range; expected 1 to " +
                           std::to_string(kMaxTokens) + " tokens",
                .column = column};
}

}  // namespace tokenyard::workload
