#include "study/measured_csv.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <system_error>
#include <utility>

namespace tokenyard::study {
namespace {

constexpr MeasuredKind kKinds[] = {MeasuredKind::steady, MeasuredKind::published,
                                   MeasuredKind::sessions};
constexpr std::string_view kByteOrderMark = "\xef\xbb\xbf";

std::ifstream open(const std::string& path) {
  const auto refuse = [&](const std::string& message) {
    throw InputError(std::vector<Diagnostic>{{{path, 0, 0, ""}, "", message, ""}});
  };
  std::error_code error;
  if (!std::filesystem::exists(path, error)) refuse("there is no such file");
  // Read twice, by its header and as a whole: a pipe cannot be.
  if (!std::filesystem::is_regular_file(path, error)) refuse("is not a regular file");
  std::ifstream file(path, std::ios::binary);
  if (!file) refuse("cannot be read");
  return file;
}

std::string text_of_file(const std::string& path) {
  std::ifstream file = open(path);
  std::string text{std::istreambuf_iterator<char>(file), {}};
  if (file.bad()) throw std::runtime_error(path + ": reading failed");
  return text;
}

std::string_view without_mark(std::string_view text) {
  if (text.substr(0, kByteOrderMark.size()) == kByteOrderMark)
    text.remove_prefix(kByteOrderMark.size());
  return text;
}

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view kBlanks = " \t\r";
  const std::size_t first = text.find_first_not_of(kBlanks);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kBlanks) - first + 1);
}

// The first columns of a kind that a header does not have.
std::string missing(MeasuredKind kind, const std::vector<std::string>& header) {
  constexpr int kShown = 3;
  std::string text;
  int count = 0;
  for (const std::string& column : columns_of(kind)) {
    if (std::find(header.begin(), header.end(), column) != header.end()) continue;
    if (++count <= kShown) text += (text.empty() ? "" : ", ") + column;
  }
  if (count > kShown) text += " and " + std::to_string(count - kShown) + " more";
  return text;
}

MeasuredKind kind_of_header(const std::vector<std::string>& header, const Place& place) {
  std::string reasons;
  for (const MeasuredKind kind : kKinds) {
    const std::string misses = missing(kind, header);
    if (misses.empty()) return kind;
    reasons += (reasons.empty() ? "" : "; ") + text_of(kind) + " misses " + misses;
  }
  throw InputError(std::vector<Diagnostic>{
      {place, "", "the header is of none of the three kinds of measurements: " + reasons, ""}});
}

template <class T>
std::optional<T> parsed(std::string_view text) {
  T value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

}  // namespace

std::string text_of(MeasuredKind kind) {
  switch (kind) {
    case MeasuredKind::steady:
      return "steady";
    case MeasuredKind::published:
      return "published";
    case MeasuredKind::sessions:
      return "sessions";
  }
  throw InternalError("a kind of measurements without a name");
}

std::vector<std::string> columns_of(MeasuredKind kind) {
  switch (kind) {
    case MeasuredKind::steady:
      return {"id",
              "device",
              "num_devices",
              "model",
              "weights",
              "expert_weights",
              "tensor_parallel",
              "attention_data_parallel",
              "expert_parallel",
              "input_tokens",
              "output_tokens",
              "concurrency",
              "metric",
              "value",
              "unit",
              "spread_low",
              "spread_high",
              "repeats",
              "engines"};
    case MeasuredKind::published:
      return {"id",
              "source",
              "url_or_repo_path",
              "hardware",
              "num_devices",
              "model",
              "precision",
              "scenario",
              "isl",
              "osl",
              "batch_or_concurrency_or_rate",
              "metric",
              "value",
              "unit",
              "notes",
              "confidence"};
    case MeasuredKind::sessions:
      return {"session_id",        "agent",         "round_idx",  "t_s",          "input_tokens",
              "prefix_hit_tokens", "output_tokens", "api_time_s", "think_time_s", "from_tool",
              "tool_tokens",       "system_tokens"};
  }
  throw InternalError("a kind of measurements without columns");
}

MeasuredKind measured_kind(const std::string& path) {
  std::ifstream file = open(path);
  std::string header;
  std::getline(file, header);
  return MeasuredCsv(path, std::move(header)).kind();
}

MeasuredCsv::MeasuredCsv(const std::string& path) : MeasuredCsv(path, text_of_file(path)) {}

MeasuredCsv::MeasuredCsv(const std::string& name, std::string text)
    : name_(name), text_(std::make_unique<const std::string>(std::move(text))) {
  source_ = std::make_unique<const input::SourceText>(name_, without_mark(*text_));
  Diagnostics diagnostics;
  read(diagnostics);
  diagnostics.throw_if_any();
}

void MeasuredCsv::read(Diagnostics& diagnostics) {
  if (source_->report_bad_bytes(diagnostics) || !cut(0, diagnostics)) return;
  for (const Field& field : fields_) header_.emplace_back(field.text);
  fields_.clear();
  kind_ = kind_of_header(header_, source_->place(0, 0));
  for (std::size_t i = 0; i < header_.size(); ++i) {
    if (std::find(header_.begin(), header_.begin() + static_cast<std::ptrdiff_t>(i), header_[i]) !=
        header_.begin() + static_cast<std::ptrdiff_t>(i))
      diagnostics.add(source_->place(0, 0), header_[i], "column is given twice");
  }
  for (int line = 1; line < source_->line_count(); ++line) {
    if (trimmed(source_->line(line)).empty()) continue;
    const std::size_t first = fields_.size();
    const bool whole = cut(line, diagnostics);
    const std::size_t found = fields_.size() - first;
    if (whole && found == header_.size()) {
      rows_.push_back({line, first});
      continue;
    }
    fields_.resize(first);
    if (whole) {
      diagnostics.add(
          source_->place(line, 0), "",
          std::to_string(found) + " fields; the header has " + std::to_string(header_.size()));
    }
  }
}

bool MeasuredCsv::cut(int line, Diagnostics& diagnostics) {
  const std::string_view text = source_->line(line);
  std::size_t at = 0;
  while (true) {
    const std::size_t begin = std::min(text.find_first_not_of(" \t", at), text.size());
    std::size_t end = begin;
    std::string_view value;
    if (begin < text.size() && text[begin] == '"') {
      std::string plain;
      end = begin + 1;
      bool closed = false;
      while (end < text.size() && !closed) {
        const bool quote = text[end] == '"';
        const bool twice = quote && end + 1 < text.size() && text[end + 1] == '"';
        closed = quote && !twice;
        if (!closed) plain += text[end];
        end += twice ? 2 : 1;
      }
      const std::size_t next = std::min(text.find(',', end), text.size());
      if (!closed || !trimmed(text.substr(end, next - end)).empty()) {
        diagnostics.add(source_->place(line, static_cast<int>(begin)), "",
                        closed ? "text after the closing quote; a quote inside quotes is \"\""
                               : "the quote is not closed on this line");
        return false;
      }
      value = trimmed(unquoted_.emplace_back(std::move(plain)));
      end = next;
    } else {
      end = std::min(text.find(',', begin), text.size());
      value = trimmed(text.substr(begin, end - begin));
    }
    fields_.push_back({value, static_cast<int>(begin)});
    if (end == text.size()) return true;
    at = end + 1;
  }
}

std::size_t MeasuredCsv::position_of(std::string_view column) const {
  const auto found = std::find(header_.begin(), header_.end(), column);
  check(found != header_.end(), "a column that is not one of the file's kind");
  return static_cast<std::size_t>(found - header_.begin());
}

const MeasuredCsv::Field& MeasuredCsv::field(std::size_t row, std::string_view column) const {
  return fields_[rows_[row].first_field + position_of(column)];
}

std::string_view MeasuredRow::text(std::string_view column) const {
  return csv_->field(index_, column).text;
}

std::string MeasuredRow::word(std::string_view column, Diagnostics& diagnostics) const {
  if (text(column).empty()) refuse(column, "nothing is given", diagnostics);
  return std::string(text(column));
}

std::optional<double> MeasuredRow::number(std::string_view column, Diagnostics& diagnostics) const {
  if (text(column).empty()) return std::nullopt;
  const std::optional<double> value = parsed<double>(text(column));
  if (value && std::isfinite(*value)) return value;
  refuse(column, quote_word(text(column)) + " is not a number", diagnostics);
  return std::nullopt;
}

double MeasuredRow::positive(std::string_view column, Diagnostics& diagnostics) const {
  constexpr double kAnyValid = 1.0;  // so that one mistake is not reported a second time
  if (word(column, diagnostics).empty()) return kAnyValid;
  const std::optional<double> value = number(column, diagnostics);
  if (value && *value <= 0.0)
    refuse(column, quote_word(text(column)) + " is not more than 0", diagnostics);
  return value && *value > 0.0 ? *value : kAnyValid;
}

std::int64_t MeasuredRow::count(std::string_view column, Diagnostics& diagnostics,
                                std::int64_t least) const {
  constexpr std::int64_t kMost = 1'000'000'000'000;
  if (word(column, diagnostics).empty()) return least;
  const std::optional<double> value = parsed<double>(text(column));
  const bool is_whole = value && std::isfinite(*value) && *value == std::floor(*value) &&
                        *value >= static_cast<double>(least);
  if (is_whole && *value <= static_cast<double>(kMost)) return static_cast<std::int64_t>(*value);
  refuse(column,
         quote_word(text(column)) +
             (is_whole ? " is too large; expected " + std::to_string(least) + " to " +
                             std::to_string(kMost)
                       : " is not a whole number of at least " + std::to_string(least)),
         diagnostics);
  return least;
}

void MeasuredRow::refuse(std::string_view column, const std::string& message,
                         Diagnostics& diagnostics) const {
  diagnostics.add(place(column), std::string(column), message);
}

Place MeasuredRow::place() const {
  return csv_->source_->place(csv_->rows_[index_].number, 0);
}

Place MeasuredRow::place(std::string_view column) const {
  return csv_->source_->place(csv_->rows_[index_].number, csv_->field(index_, column).byte_column);
}

}  // namespace tokenyard::study
