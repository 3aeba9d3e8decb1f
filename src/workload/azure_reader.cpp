#include <chrono>

#include "workload/csv.hpp"
#include "workload/readers.hpp"

namespace tokenyard::workload {
namespace {

constexpr std::array<std::string_view, 3> kColumns{"TIMESTAMP", "ContextTokens", "GeneratedTokens"};
constexpr std::size_t kTimestamp = 0, kInput = 1, kOutput = 2;
constexpr std::int64_t kTicksPerSecond = 10'000'000;  // 100 ns, the resolution of the traces

// Reads digits, all of them; false otherwise.
bool read_digits(std::string_view text, int& out) {
  const auto [end, status] = std::from_chars(text.data(), text.data() + text.size(), out);
  return status == std::errc() && end == text.data() + text.size() && text.front() != '-';
}

// ".6805900" and shorter or longer; what is finer than a tick is dropped.
bool read_fraction(std::string_view text, std::int64_t& ticks) {
  std::int64_t unit = kTicksPerSecond;
  for (const char c : text) {
    if (c < '0' || c > '9') return false;
    unit /= 10;
    ticks += unit * (c - '0');
  }
  return !text.empty();
}

// "2023-11-16 18:15:46.6805900", optionally with "+00:00", as ticks since 1970; false when it is
// not.
bool read_timestamp(std::string_view text, std::int64_t& ticks) {
  constexpr std::size_t kWholeSeconds = 19;
  if (text.ends_with("+00:00")) text.remove_suffix(6);
  if (text.size() < kWholeSeconds || text[4] != '-' || text[7] != '-' ||
      (text[10] != ' ' && text[10] != 'T') || text[13] != ':' || text[16] != ':') {
    return false;
  }
  int year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0;
  if (!read_digits(text.substr(0, 4), year) || !read_digits(text.substr(5, 2), month) ||
      !read_digits(text.substr(8, 2), day) || !read_digits(text.substr(11, 2), hour) ||
      !read_digits(text.substr(14, 2), minute) || !read_digits(text.substr(17, 2), second)) {
    return false;
  }
  const std::chrono::year_month_day date{std::chrono::year(year),
                                         std::chrono::month(static_cast<unsigned>(month)),
                                         std::chrono::day(static_cast<unsigned>(day))};
  if (!date.ok() || hour > 23 || minute > 59 || second > 60) return false;
  std::int64_t fraction = 0;
  if (text.size() > kWholeSeconds) {
    if (text[kWholeSeconds] != '.' || !read_fraction(text.substr(kWholeSeconds + 1), fraction))
      return false;
  }
  const std::int64_t days = std::chrono::sys_days(date).time_since_epoch().count();
  ticks = (((days * 24 + hour) * 60 + minute) * 60 + second) * kTicksPerSecond + fraction;
  return true;
}

class AzureStream : public TraceStream {
 public:
  AzureStream(const TraceSpec& spec, const std::string& path, double rate_scale)
      : TraceStream(spec, path, rate_scale), columns_(read_header()) {
    independent_ = true;
  }

  bool next(Request& out) override {
    if (!take_one()) return false;
    out = Request{};
    if (!next_record([&](std::string_view line) { return parse(line, out); })) return false;
    out.id = next_id_++;
    return true;
  }

 private:
  CsvColumns<3> read_header() {
    std::string_view line;
    if (!lines().next(line)) {
      refuse({.key = {},
              .message = "the file is empty; expected TIMESTAMP,ContextTokens,GeneratedTokens"},
             line);
    }
    try {
      return CsvColumns<3>(line, kColumns);
    } catch (const BadLine& bad) {
      refuse(bad, line);
    }
  }

  bool parse(std::string_view line, Request& out) {
    columns_.split(line);
    std::int64_t ticks = 0;
    if (!read_timestamp(columns_.text(kTimestamp), ticks)) {
      columns_.refuse(kTimestamp, "'" + std::string(columns_.text(kTimestamp).substr(0, 40)) +
                                      "' is not a time such as '2023-11-16 18:15:46.6805900'");
    }
    if (first_ && ticks < last_) {
      columns_.refuse(kTimestamp, "comes before the request above it; sort the trace by TIMESTAMP");
    }
    out.input_tokens = columns_.tokens(kInput);
    out.output_tokens = columns_.tokens(kOutput);
    if (!first_) first_ = ticks;
    last_ = ticks;
    out.arrival_s =
        scaled(static_cast<double>(ticks - *first_) / static_cast<double>(kTicksPerSecond));
    return true;
  }

  CsvColumns<3> columns_;
  std::optional<std::int64_t> first_;
  std::int64_t last_ = 0;
  std::int64_t next_id_ = 0;
};

}  // namespace

std::unique_ptr<RequestStream> read_azure_trace(const TraceSpec& spec, const std::string& path,
                                                double rate_scale) {
  return std::make_unique<AzureStream>(spec, path, rate_scale);
}

}  // namespace tokenyard::workload
