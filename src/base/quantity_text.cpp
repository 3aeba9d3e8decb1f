#include "base/quantity_text.hpp"

#include <array>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <string>
#include <utility>

#include "base/json_writer.hpp"

namespace tokenyard {
namespace {

struct Described {
  Dim dim;
  std::string_view text;
};
constexpr auto kDescribed = std::to_array<Described>({
    {kNone, "a plain number, such as '0.08', '8 %' or '671 G'"},
    {kTime, "a time, such as '1.5 ms'"},
    {kData, "an amount of data, such as '80 GB'"},
    {kFlop, "a number of operations, such as '4.8 GFLOP'"},
    {kEnergy, "an energy, such as '3.6 MJ'"},
    {kMoney, "an amount of money, such as '30 kUSD'"},
    {kToken, "a number of tokens, such as '1000 tokens'"},
    {kMass, "a mass, such as '105 kg'"},
    {kData / kTime, "data per time, such as '3.35 TB/s'"},
    {kFlop / kTime, "operations per time, such as '989 TFLOP/s'"},
    {kEnergy / kTime, "a power, such as '700 W'"},
    {kEnergy / kData, "energy per data, such as '3.9 pJ/bit'"},
    {kEnergy / kFlop, "energy per operation, such as '0.4 pJ/FLOP'"},
    {kMoney / kEnergy,
     "money per energy, such as '0.08 USD/kWh', or per power and time, such as '184 USD/kW/month'"},
    {kMoney * kTime / kEnergy, "money per power, such as '11.7 USD/W'"},
    {kMoney / kTime, "money per time, such as '2 USD/h'"},
    {kMass / kEnergy, "mass per energy, such as '0.38 kg/kWh'"},
    {kNone / kTime, "a rate, such as '5 /s'"},
    {kToken / kTime, "tokens per time, such as '1000 token/s'"},
    {kData / kToken, "data per token, such as '320 kB/token'"},
    {kFlop / kToken, "operations per token, such as '140 GFLOP/token'"},
    {kFlop / kData, "operations per data, such as '295 FLOP/B'"},
    {kFlop / kEnergy, "operations per energy, such as '1.4 TFLOP/J'"},
    {kData / kEnergy, "data per energy, such as '30 GB/J'"},
    {kMoney / kData, "money per data, such as '4 USD/GB'"},
    {kMoney * kTime / kData, "money per data rate, such as '9 USD*s/GB'"},
    {kData / kTime / kMoney, "data per time and money, such as '100 MB/s/USD'"},
    {kFlop / kTime / kMoney, "operations per time and money, such as '33 GFLOP/s/USD'"},
});

struct Shown {
  Dim dim;
  std::string_view unit;
  enum { plain, large, small_too } prefixes;
};
// The base unit that people read a dimension in, and which prefixes are customary with it.
constexpr auto kShown = std::to_array<Shown>({
    {kTime, "s", Shown::plain},
    {kData, "B", Shown::large},
    {kFlop, "FLOP", Shown::large},
    {kEnergy, "J", Shown::small_too},
    {kMoney, "USD", Shown::large},
    {kToken, "token", Shown::large},
    {kMass, "kg", Shown::plain},
    {kData / kTime, "B/s", Shown::large},
    {kFlop / kTime, "FLOP/s", Shown::large},
    {kEnergy / kTime, "W", Shown::small_too},
    {kEnergy / kData, "J/B", Shown::small_too},
    {kEnergy / kFlop, "J/FLOP", Shown::small_too},
    {kMoney / kEnergy, "USD/J", Shown::plain},
    {kMoney * kTime / kEnergy, "USD/W", Shown::plain},
    {kMoney / kTime, "USD/s", Shown::plain},
    {kMass / kEnergy, "kg/J", Shown::plain},
    {kToken / kTime, "token/s", Shown::large},
    {kData / kToken, "B/token", Shown::large},
    {kFlop / kToken, "FLOP/token", Shown::large},
    {kNone / kTime, "/s", Shown::plain},
    {kFlop / kData, "FLOP/B", Shown::large},
    {kFlop / kEnergy, "FLOP/J", Shown::large},
    {kData / kEnergy, "B/J", Shown::large},
    {kData / kTime / kMoney, "B/s/USD", Shown::large},
    {kFlop / kTime / kMoney, "FLOP/s/USD", Shown::large},
});

struct Customary {
  Dim dim;
  std::string_view unit;
  double denominator;  // base units of it in one unit
};
// Where people read another unit than the base unit with a prefix before it.
constexpr auto kCustomary = std::to_array<Customary>({
    {kMoney / kEnergy, "USD/kWh", kJoulesPerKilowattHour},
    {kMass / kEnergy, "kg/kWh", kJoulesPerKilowattHour},
    {kMoney / kData, "USD/GB", 1e9},
    {kMoney * kTime / kData, "USD*s/GB", 1e9},
});

const Shown* find_shown(Dim dim) {
  for (const Shown& s : kShown) {
    if (s.dim == dim) return &s;
  }
  return nullptr;
}

std::string scaled(double value, std::string_view unit, bool below_one) {
  static constexpr auto kSteps = std::to_array<std::pair<double, std::string_view>>({{1e15, "P"},
                                                                                     {1e12, "T"},
                                                                                     {1e9, "G"},
                                                                                     {1e6, "M"},
                                                                                     {1e3, "k"},
                                                                                     {1.0, ""},
                                                                                     {1e-3, "m"},
                                                                                     {1e-6, "u"},
                                                                                     {1e-9, "n"},
                                                                                     {1e-12, "p"}});
  const double magnitude = std::abs(value);
  for (const auto& [step, prefix] : kSteps) {
    if (step < 1.0 && !below_one) break;
    // 0.9995 rounds to 1.00 of the step above; below the last step there is no other.
    const bool last = prefix == "p" && magnitude >= 1e-4 * step;
    if (magnitude >= 0.9995 * step || last)
      return three_digits(value / step) + ' ' + std::string(prefix) + std::string(unit);
  }
  return three_digits(value) + ' ' + std::string(unit);
}

std::string format_time(double s) {
  const double magnitude = std::abs(s);
  if (magnitude >= kSecondsPerYear) return three_digits(s / kSecondsPerYear) + " years";
  if (magnitude >= 2.0 * kSecondsPerDay) return three_digits(s / kSecondsPerDay) + " days";
  if (magnitude >= 2.0 * kSecondsPerHour) return three_digits(s / kSecondsPerHour) + " h";
  if (magnitude >= 120.0) return three_digits(s / 60.0) + " min";
  if (magnitude >= 0.9995 || s == 0.0) return three_digits(s) + " s";
  return scaled(s, "s", true);
}

// Any dimension spelled out in base units: "B*s/USD", "/s".
std::string base_units(Dim dim) {
  const auto parts = std::to_array<std::pair<int, std::string_view>>({{dim.data, "B"},
                                                                      {dim.flop, "FLOP"},
                                                                      {dim.energy, "J"},
                                                                      {dim.money, "USD"},
                                                                      {dim.token, "token"},
                                                                      {dim.mass, "kg"},
                                                                      {dim.time, "s"}});
  std::string text;
  for (const auto& [exponent, name] : parts) {
    for (int i = 0; i < exponent; ++i) text += (text.empty() ? "" : "*") + std::string(name);
  }
  for (const auto& [exponent, name] : parts) {
    for (int i = 0; i < -exponent; ++i) text += '/' + std::string(name);
  }
  return text;
}

}  // namespace

std::string describe_dim(Dim dim) {
  for (const Described& d : kDescribed) {
    if (d.dim == dim) return std::string(d.text);
  }
  return "a quantity in '" + base_units(dim) + "'";
}

std::string name_dim(Dim dim) {
  const std::string described = describe_dim(dim);
  return described.substr(0, described.find(", such as"));
}

std::string three_digits(double value) {
  if (!std::isfinite(value)) return "n/a";
  if (value == 0.0) return "0";
  const double magnitude = std::abs(value);
  std::array<char, 64> buffer{};
  // The upper bound is where "%.2e" starts to show a million.
  if (magnitude >= 999500.0 || magnitude < 1e-4) {
    std::snprintf(buffer.data(), buffer.size(), "%.2e", value);
  } else {
    // Rounded to three digits first, so that 999.7 becomes 1000 and not 999.70.
    std::array<char, 32> rounded{};
    std::snprintf(rounded.data(), rounded.size(), "%.2e", value);
    double number = 0.0;
    std::from_chars(rounded.data(), rounded.data() + rounded.size(), number);
    const int digits_before = static_cast<int>(std::floor(std::log10(std::abs(number)))) + 1;
    const int decimals = digits_before >= 3 ? 0 : 3 - digits_before;
    std::snprintf(buffer.data(), buffer.size(), "%.*f", decimals, number);
  }
  return buffer.data();
}

std::string format_quantity(double base_value, Dim dim) {
  if (dim == kTime) return format_time(base_value);
  for (const Customary& c : kCustomary) {
    if (c.dim == dim) return three_digits(base_value * c.denominator) + ' ' + std::string(c.unit);
  }
  const Shown* shown = find_shown(dim);
  if (shown == nullptr) {
    return three_digits(base_value) + (dim == kNone ? "" : ' ' + base_units(dim));
  }
  if (shown->prefixes == Shown::plain || base_value == 0.0) {
    return three_digits(base_value) + ' ' + std::string(shown->unit);
  }
  return scaled(base_value, shown->unit, shown->prefixes == Shown::small_too);
}

std::string quantity_in(double base_value, const std::string& unit, double scale) {
  const double number = base_value / scale;
  const double whole = std::round(number);
  // What was written in decimal comes back from base units with a rounding error.
  const bool is_whole = std::abs(number - whole) <= 1e-12 * std::abs(number);
  const bool in_full = is_whole && std::abs(whole) >= 1000.0 && std::abs(whole) < 1e7;
  const std::string text =
      in_full ? std::to_string(static_cast<long long>(whole)) : three_digits(number);
  return unit.empty() ? text : text + ' ' + unit;
}

std::string exact_quantity(double base_value, Dim dim) {
  const Shown* shown = find_shown(dim);
  const std::string unit = shown != nullptr ? std::string(shown->unit) : base_units(dim);
  return json_number(base_value) + (unit.empty() ? "" : ' ' + unit);
}

}  // namespace tokenyard
