#pragma once
// A catalog number together with where it comes from.
//
// In a file a number is written short ("3.35 TB/s"), and then has the file's own `source` and
// `confidence`, or long: {value: 3.35 TB/s, low: 3.0 TB/s, high: 3.4 TB/s, source: "...",
// confidence: vendor, date: 2026-04}.  low and high are the band for the uncertainty analysis.
// {value: unknown, low: ..., high: ...} is a number that nobody has published: it stands for the
// middle of its band (geometric, when the band does not reach zero), or for either end when the
// reader is told so, and results that rest on it say so.
#include <array>
#include <optional>
#include <string>
#include <string_view>

namespace tokenyard::input {

enum class Confidence { measured, vendor, analysis, estimate, assumed };
constexpr auto enum_names(Confidence) {
  return std::array<std::string_view, 5>{"measured", "vendor", "analysis", "estimate", "assumed"};
}

// What an unknown number stands for.
enum class BandEnd { low, middle, high };
constexpr auto enum_names(BandEnd) {
  return std::array<std::string_view, 3>{"low", "middle", "high"};
}

template <class T>
struct Sourced {
  T value{};
  std::optional<T> low, high;
  std::string source;
  Confidence confidence = Confidence::assumed;
  std::string date;
  bool unknown = false;

  Sourced() = default;
  Sourced(T v) : value(v) {}  // NOLINT(google-explicit-constructor): a default written in the code
  // NOLINTNEXTLINE(google-explicit-constructor): reads like the number
  operator T() const { return value; }
};

}  // namespace tokenyard::input
