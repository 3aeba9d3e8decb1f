#pragma once
// Comma-separated lines without quoting, columns found by name.
#include <algorithm>
#include <array>
#include <charconv>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "workload/trace_stream.hpp"

namespace tokenyard::workload {

// N: how many columns the reader wants.
template <std::size_t N>
class CsvColumns {
 public:
  // Throws BadLine when a wanted column is missing from the header.
  CsvColumns(std::string_view header, const std::array<std::string_view, N>& wanted)
      : names_(wanted) {
    const std::vector<std::string_view> found = cut(header);
    width_ = found.size();
    for (std::size_t i = 0; i < N; ++i) {
      position_[i] = width_;
      for (std::size_t k = 0; k < width_; ++k) {
        if (found[k] == wanted[i]) position_[i] = k;
      }
      if (position_[i] == width_) {
        throw BadLine{
            .key = {},
            .message = "column '" + std::string(wanted[i]) + "' is missing" +
                       suggestion(wanted[i], std::vector<std::string>(found.begin(), found.end())),
            .column = 1};
      }
    }
  }

  void split(std::string_view line) {
    line_ = line;
    fields_.clear();
    std::size_t begin = 0;
    while (true) {
      const std::size_t end = line.find(',', begin);
      fields_.push_back(line.substr(begin, end - begin));
      if (end == std::string_view::npos) break;
      begin = end + 1;
    }
    if (fields_.size() != width_) {
      throw BadLine{.key = {},
                    .message = std::to_string(fields_.size()) + " fields; the header has " +
                               std::to_string(width_),
                    .column = 1};
    }
  }

  [[nodiscard]] std::string_view text(std::size_t i) const { return fields_[position_[i]]; }
  [[nodiscard]] int column(std::size_t i) const {
    return static_cast<int>(text(i).data() - line_.data()) + 1;
  }
  [[noreturn]] void refuse(std::size_t i, const std::string& message) const {
    throw BadLine{.key = std::string(names_[i]), .message = message, .column = column(i)};
  }

  [[nodiscard]] std::int64_t integer(std::size_t i) const {
    return number<std::int64_t>(i, "a whole number");
  }
  [[nodiscard]] double not_negative(std::size_t i) const {
    const auto value = number<double>(i, "a number");
    if (!(value >= 0.0 && value < 1e12))
      refuse(i, "'" + std::string(text(i)) + "' is out of range; expected at least 0");
    return value;
  }
  [[nodiscard]] std::int64_t count(std::size_t i) const {
    const std::int64_t value = integer(i);
    if (value < 0 || value > kMaxTokens) {
      refuse(i, std::to_string(value) + " is out of range; expected 0 to " +
                    std::to_string(kMaxTokens) + " tokens");
    }
    return value;
  }
  [[nodiscard]] std::int64_t tokens(std::size_t i) const {
    const std::int64_t value = integer(i);
    check_tokens(value, names_[i], column(i));
    return value;
  }

 private:
  static std::vector<std::string_view> cut(std::string_view line) {
    std::vector<std::string_view> parts;
    std::size_t begin = 0;
    while (begin <= line.size()) {
      const std::size_t end = std::min(line.find(',', begin), line.size());
      parts.push_back(line.substr(begin, end - begin));
      begin = end + 1;
    }
    return parts;
  }

  template <class T>
  [[nodiscard]] T number(std::size_t i, std::string_view what) const {
    const std::string_view field = text(i);
    T value{};
    const auto [end, status] = std::from_chars(field.data(), field.data() + field.size(), value);
    if (status != std::errc() || end != field.data() + field.size() || field.empty()) {
      refuse(i, "'" + std::string(field.substr(0, 40)) + "' is not " + std::string(what));
    }
    return value;
  }

  std::array<std::string_view, N> names_;
  std::array<std::size_t, N> position_{};
  std::size_t width_ = 0;
  std::string_view line_;
  std::vector<std::string_view> fields_;
};

}  // namespace tokenyard::workload
