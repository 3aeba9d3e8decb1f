#include <array>
#include <charconv>
#include <cmath>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/error.hpp"
#include "base/quantity_text.hpp"

namespace tokenyard {
namespace {

constexpr double kGibi = 1073741824.0;

struct Unit {
  std::string_view name;
  double scale;
  Dim dim;
};

// Units with a scale of their own.  A prefix alone is a count: "671 G" parameters.
constexpr auto kUnits = std::to_array<Unit>({
    {"%", 0.01, kNone},
    {"min", 60.0, kTime},
    {"h", kSecondsPerHour, kTime},
    {"hour", kSecondsPerHour, kTime},
    {"hours", kSecondsPerHour, kTime},
    {"day", kSecondsPerDay, kTime},
    {"days", kSecondsPerDay, kTime},
    {"month", kSecondsPerYear / 12.0, kTime},
    {"months", kSecondsPerYear / 12.0, kTime},
    {"year", kSecondsPerYear, kTime},
    {"years", kSecondsPerYear, kTime},
    {"second", 1.0, kTime},
    {"seconds", 1.0, kTime},
    {"KiB", 1024.0, kData},
    {"MiB", 1048576.0, kData},
    {"GiB", kGibi, kData},
    {"TiB", 1024.0 * kGibi, kData},
    {"PiB", 1048576.0 * kGibi, kData},
    {"Wh", 3600.0, kEnergy},
    {"kWh", kJoulesPerKilowattHour, kEnergy},
    {"MWh", 3.6e9, kEnergy},
    {"GWh", 3.6e12, kEnergy},
    {"kg", 1.0, kMass},
    {"g", 1e-3, kMass},
    {"t", 1e3, kMass},
    {"op", 1.0, kFlop},
    {"k", 1e3, kNone},
    {"M", 1e6, kNone},
    {"G", 1e9, kNone},
    {"T", 1e12, kNone},
});

// Units that take a prefix.
constexpr auto kPrefixable = std::to_array<Unit>({
    {"s", 1.0, kTime},
    {"B", 1.0, kData},
    {"bit", 0.125, kData},
    {"b", 0.125, kData},
    {"FLOP", 1.0, kFlop},
    {"OP", 1.0, kFlop},
    {"J", 1.0, kEnergy},
    {"W", 1.0, kEnergy / kTime},
    {"USD", 1.0, kMoney},
    {"token", 1.0, kToken},
    {"tokens", 1.0, kToken},
});

struct Prefix {
  char letter;
  double scale;
};
constexpr auto kPrefixes = std::to_array<Prefix>({{'k', 1e3},
                                                  {'M', 1e6},
                                                  {'G', 1e9},
                                                  {'T', 1e12},
                                                  {'P', 1e15},
                                                  {'E', 1e18},
                                                  {'m', 1e-3},
                                                  {'u', 1e-6},
                                                  {'n', 1e-9},
                                                  {'p', 1e-12}});

// Hertz-like rates and "millitokens" are not things anybody writes; only time and energy go
// below 1.
bool takes_small_prefix(Dim dim) {
  return dim == kTime || dim == kEnergy || dim == kEnergy / kTime;
}

std::optional<Unit> find_unit(std::string_view name) {
  for (const Unit& u : kUnits) {
    if (u.name == name) return u;
  }
  for (const Unit& u : kPrefixable) {
    if (u.name == name) return u;
  }
  for (const Unit& u : kPrefixable) {
    if (name.size() != u.name.size() + 1 || name.substr(1) != u.name) continue;
    for (const Prefix& p : kPrefixes) {
      if (p.letter != name[0]) continue;
      if (p.scale < 1.0 && !takes_small_prefix(u.dim)) continue;
      return Unit{name, u.scale * p.scale, u.dim};
    }
  }
  return std::nullopt;
}

// Names to suggest: of the expected dimension, or all.  "b" for bit is accepted but never
// suggested; it is too easily taken for a byte.
std::vector<std::string> unit_names(std::optional<Dim> expected) {
  std::vector<std::string> names;
  const auto add = [&](const std::string& name, Dim dim) {
    if (!expected || *expected == dim) names.push_back(name);
  };
  for (const Unit& u : kUnits) add(std::string(u.name), u.dim);
  for (const Unit& u : kPrefixable) {
    if (u.name == "b") continue;
    add(std::string(u.name), u.dim);
    for (const Prefix& p : kPrefixes) {
      if (p.scale >= 1.0 || takes_small_prefix(u.dim)) add(p.letter + std::string(u.name), u.dim);
    }
  }
  return names;
}

std::string_view trim(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

// "USD/kW/month": factors joined by '/' and '*', read from the left.  A leading '/' ("5 /s") makes
// the first factor a divisor.  Returns the factor that is no unit in `unknown`.
std::optional<Unit> parse_unit(std::string_view text, std::string& unknown) {
  constexpr int kMostFactors = 8;  // keeps the exponents far inside their eight bits
  Unit total{text, 1.0, kNone};
  char op = '*';
  if (text.front() == '/') {
    op = '/';
    text.remove_prefix(1);
  }
  for (int factors = 0; factors < kMostFactors; ++factors) {
    const std::size_t end = text.find_first_of("/*");
    const std::string_view factor = trim(text.substr(0, end));
    const auto unit = find_unit(factor);
    if (!unit) {
      unknown = std::string(factor);
      return std::nullopt;
    }
    if (op == '*') {
      total.scale *= unit->scale;
      total.dim = total.dim * unit->dim;
    } else {
      total.scale /= unit->scale;
      total.dim = total.dim / unit->dim;
    }
    if (end == std::string_view::npos) return total;
    op = text[end];
    text.remove_prefix(end + 1);
  }
  unknown = std::string(total.name);
  return std::nullopt;
}

// What would be right where a quantity is wrong; without a dimension, any quantity would.
std::string wanted(std::optional<Dim> expected) {
  return "; expected " +
         (expected ? describe_dim(*expected) : "a number with a unit, such as '3.35 TB/s'");
}

ParsedAnyQuantity refused(std::string problem) {
  return {.ok = false, .value = 0.0, .dim = kNone, .problem = std::move(problem)};
}

ParsedAnyQuantity out_of_range(std::string_view text) {
  return refused(quote_word(text) + " is too large or too small for a number");
}

ParsedAnyQuantity unknown_unit(std::string_view text, std::string_view unit,
                               const std::string& unknown, std::optional<Dim> expected) {
  if (unknown.empty()) {
    return refused(quote_word(text) + ": a unit is missing beside '/' or '*'" + wanted(expected));
  }
  // Inside a product any unit may stand; alone, only one of the dimension that is expected.
  const bool alone = unknown == unit;
  const std::string nearest = nearest_name(unknown, unit_names(alone ? expected : std::nullopt));
  return refused(quote_word(text) + ": unknown unit " + quote_word(unknown) +
                 (nearest.empty() ? wanted(expected) : "; did you mean '" + nearest + "'?"));
}

// Reads a quantity of dimension `expected`, or of any.
ParsedAnyQuantity parse(std::string_view text, std::optional<Dim> expected) {
  std::string_view rest = trim(text);
  // from_chars takes no '+' itself; "+-5" stays wrong.
  if (rest.size() > 1 && rest.front() == '+' && rest[1] != '-') rest.remove_prefix(1);
  double number = 0.0;
  const auto [end, status] = std::from_chars(rest.data(), rest.data() + rest.size(), number);
  if (status == std::errc::result_out_of_range) return out_of_range(text);
  // from_chars accepts "inf" and "nan"; a quantity is neither.
  if (status != std::errc() || !std::isfinite(number)) {
    return refused(quote_word(text) + " is not a quantity" + wanted(expected));
  }
  rest = trim(rest.substr(static_cast<std::size_t>(end - rest.data())));
  if (rest.empty()) {
    if (expected.value_or(kNone) == kNone) return {true, number, kNone, {}};
    return refused(quote_word(text) + " has no unit" + wanted(expected));
  }
  std::string unknown;
  const auto unit = parse_unit(rest, unknown);
  if (!unit) return unknown_unit(text, rest, unknown, expected);
  if (expected && !(unit->dim == *expected)) {
    return refused(quote_word(text) + " is " + name_dim(unit->dim) + wanted(expected));
  }
  const double value = number * unit->scale;
  if (!std::isfinite(value) || (value == 0.0 && number != 0.0)) return out_of_range(text);
  return {true, value, unit->dim, {}, std::string(rest), unit->scale};
}

}  // namespace

ParsedQuantity parse_quantity(std::string_view text, Dim expected) {
  ParsedAnyQuantity parsed = parse(text, expected);
  return {parsed.ok, parsed.value, std::move(parsed.problem)};
}

ParsedAnyQuantity parse_any_quantity(std::string_view text) {
  return parse(text, std::nullopt);
}

}  // namespace tokenyard
