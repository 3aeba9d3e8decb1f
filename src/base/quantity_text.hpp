#pragma once
// Text <-> quantity: the only place where units of measure are spelled.
//
// Accepted: a number, optional space, a unit; units combine with '/' and '*' ("3.35 TB/s",
// "0.08 USD/kWh", "184 USD/kW/month").  Decimal prefixes are decimal (GB = 1e9 B), binary ones
// binary (GiB = 2^30 B), always.  Without dimension: a plain number, "8 %", and counts such as "671
// G".
#include <string>
#include <string_view>

#include "base/units.hpp"

namespace tokenyard {

struct ParsedQuantity {
  bool ok = false;
  double value = 0.0;   // base units
  std::string problem;  // when !ok: what is wrong and what would be right, ready to print
};

// Reads `text` as a quantity of dimension `expected`.  Never throws.
ParsedQuantity parse_quantity(std::string_view text, Dim expected);

struct ParsedAnyQuantity {
  bool ok = false;
  double value = 0.0;  // base units
  Dim dim{};
  std::string problem;    // when !ok
  std::string unit = {};  // as it was written: "KiB"; empty of a plain number
  double scale = 1.0;     // base units in one of it
};

// Reads `text` as a quantity of whatever dimension its unit has; a bare number is a plain one.
// Never throws.
ParsedAnyQuantity parse_any_quantity(std::string_view text);

// "a time, such as '1.5 ms'": how to call a dimension in a message that asks for one.
std::string describe_dim(Dim dim);

// "a time": the same without the example.
std::string name_dim(Dim dim);

// For people: three significant digits and a prefix, "3.35 TB/s", "80.0 GB", "1.50 ms".
std::string format_quantity(double base_value, Dim dim);

// For people, in a unit of their choice: "0.518 USD/Mtokens".  Whole numbers of four to seven
// digits in full, everything else in three significant ones.
std::string quantity_in(double base_value, const std::string& unit, double scale);

// Full precision in base units, for storing ("3.35e+12 B/s"); parses back to the same double.
std::string exact_quantity(double base_value, Dim dim);

template <Dim D>
std::string to_text(Quantity<D> q) {
  return format_quantity(q.base(), D);
}

// Three significant digits, no unit: "0.0123", "12.3", "1230", "1.23e+07".
std::string three_digits(double value);

}  // namespace tokenyard
