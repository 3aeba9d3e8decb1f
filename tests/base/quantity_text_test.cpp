#include "base/quantity_text.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>
#include <string>
#include <vector>

#include "base/random.hpp"

using namespace tokenyard;

namespace {

std::string problem(std::string_view text, Dim expected) {
  const ParsedQuantity parsed = parse_quantity(text, expected);
  CHECK_FALSE(parsed.ok);
  return parsed.problem;
}

double value(std::string_view text, Dim expected) {
  const ParsedQuantity parsed = parse_quantity(text, expected);
  CAPTURE(text);
  CHECK(parsed.problem == "");
  CHECK(parsed.ok);
  return parsed.value;
}

std::vector<Dim> every_named_dimension() {
  return {kNone,
          kTime,
          kData,
          kFlop,
          kEnergy,
          kMoney,
          kToken,
          kMass,
          BytesPerSecond::kDim,
          FlopsPerSecond::kDim,
          Watts::kDim,
          JoulesPerByte::kDim,
          JoulesPerFlop::kDim,
          UsdPerJoule::kDim,
          UsdPerWatt::kDim,
          UsdPerWattSecond::kDim,
          UsdPerSecond::kDim,
          KilogramsPerJoule::kDim,
          PerSecond::kDim,
          BytesPerToken::kDim,
          FlopsPerToken::kDim,
          kToken / kTime,
          kFlop / kData,
          kFlop / kEnergy,
          kData / kEnergy,
          kMoney / kData,
          kMoney / BytesPerSecond::kDim,
          BytesPerSecond::kDim / kMoney,
          FlopsPerSecond::kDim / kMoney};
}

}  // namespace

TEST_CASE("every unit has its size") {
  struct Row {
    const char* text;
    Dim dim;
    double base;
  };
  // 365-day years, months of a twelfth of that.
  const std::vector<Row> rows = {
      {"1 s", kTime, 1},
      {"1 second", kTime, 1},
      {"2 seconds", kTime, 2},
      {"1 min", kTime, 60},
      {"1 h", kTime, 3600},
      {"1 hour", kTime, 3600},
      {"2 hours", kTime, 7200},
      {"1 day", kTime, 86400},
      {"2 days", kTime, 172800},
      {"12 months", kTime, 31536000},
      {"1 month", kTime, 2628000},
      {"1 year", kTime, 31536000},
      {"4 years", kTime, 126144000},
      {"1 B", kData, 1},
      {"8 bit", kData, 1},
      {"8 b", kData, 1},
      {"1 KiB", kData, 1024},
      {"1 MiB", kData, 1048576},
      {"1 GiB", kData, 1073741824},
      {"1 TiB", kData, 1099511627776},
      {"1 PiB", kData, 1125899906842624},
      {"1 FLOP", kFlop, 1},
      {"1 OP", kFlop, 1},
      {"1 op", kFlop, 1},
      {"1 J", kEnergy, 1},
      {"1 Wh", kEnergy, 3600},
      {"1 kWh", kEnergy, 3.6e6},
      {"1 MWh", kEnergy, 3.6e9},
      {"1 GWh", kEnergy, 3.6e12},
      {"1 W", kEnergy / kTime, 1},
      {"1 USD", kMoney, 1},
      {"1 kg", kMass, 1},
      {"1000 g", kMass, 1},
      {"1 t", kMass, 1000},
      {"1 token", kToken, 1},
      {"3 tokens", kToken, 3},
      {"50 %", kNone, 0.5},
      {"7", kNone, 7},
      {"671 G", kNone, 671e9},
      {"7 M", kNone, 7e6},
      {"1.8 T", kNone, 1.8e12},
      {"32 k", kNone, 32e3},
      {"3.35 TB/s", kData / kTime, 3.35e12},
      {"400 Gbit/s", kData / kTime, 50e9},
      {"400 Gb/s", kData / kTime, 50e9},
      {"989 TFLOP/s", kFlop / kTime, 989e12},
      {"4 pJ/bit", kEnergy / kData, 32e-12},
      {"0.4 pJ/FLOP", kEnergy / kFlop, 0.4e-12},
      {"0.36 USD/kWh", kMoney / kEnergy, 1e-7},
      // 2628 USD per kilowatt and month of 2,628,000 s is 1e-6 USD per watt and second.
      {"2628 USD/kW/month", kMoney / kEnergy, 1e-6},
      {"11 USD/W", kMoney * kTime / kEnergy, 11},
      {"2 USD/h", kMoney / kTime, 2.0 / 3600},
      {"0.36 kg/kWh", kMass / kEnergy, 1e-7},
      {"5 /s", kNone / kTime, 5},
      {"5/s", kNone / kTime, 5},
      {"3 k/s", kNone / kTime, 3000},
      {"120 /min", kNone / kTime, 2},
      {"320 kB/token", kData / kToken, 320e3},
      {"140 GFLOP/token", kFlop / kToken, 140e9},
      {"1 W*h", kEnergy, 3600},
      {"1 kW*h/h", kEnergy / kTime, 1000},
  };
  for (const Row& row : rows) {
    CAPTURE(row.text);
    CHECK(value(row.text, row.dim) == doctest::Approx(row.base).epsilon(1e-15));
  }
}

TEST_CASE("every prefix has its size, and only time, energy and power go below one") {
  struct Row {
    const char* prefix;
    double scale;
  };
  for (const Row& row : std::vector<Row>{
           {"k", 1e3}, {"M", 1e6}, {"G", 1e9}, {"T", 1e12}, {"P", 1e15}, {"E", 1e18}}) {
    CHECK(value(std::string("1 ") + row.prefix + "B", kData) == row.scale);
    CHECK(value(std::string("1 ") + row.prefix + "FLOP", kFlop) == row.scale);
    CHECK(value(std::string("1 ") + row.prefix + "USD", kMoney) == row.scale);
  }
  for (const Row& row : std::vector<Row>{{"m", 1e-3}, {"u", 1e-6}, {"n", 1e-9}, {"p", 1e-12}}) {
    CHECK(value(std::string("1 ") + row.prefix + "s", kTime) == row.scale);
    CHECK(value(std::string("1 ") + row.prefix + "J", kEnergy) == row.scale);
    CHECK(value(std::string("1 ") + row.prefix + "W", kEnergy / kTime) == row.scale);
    CHECK_FALSE(parse_quantity(std::string("1 ") + row.prefix + "B", kData).ok);
    CHECK_FALSE(parse_quantity(std::string("1 ") + row.prefix + "USD", kMoney).ok);
  }
}

TEST_CASE("GB is decimal and GiB binary: 80 GiB is 85.899 GB") {
  CHECK(value("80 GiB", kData) == 85'899'345'920.0);
  CHECK(value("80 GB", kData) == 80'000'000'000.0);
}

TEST_CASE("numbers may have signs, points, exponents and any spacing") {
  CHECK(value("1e3 B", kData) == 1000);
  CHECK(value("1.5E+3B", kData) == 1500);
  CHECK(value(" .5 s ", kTime) == 0.5);
  CHECK(value("5.\ts", kTime) == 5);
  CHECK(value("+5 s", kTime) == 5);
  CHECK(value("-5 s", kTime) == -5);
  // "1E" followed by a B is one exabyte, not a number with half an exponent.
  CHECK(value("1EB", kData) == 1e18);
  CHECK(value("3.35 TB / s", kData / kTime) == 3.35e12);
}

TEST_CASE("factors are read from the left: 6 /s*h is 21600, and 6 /s/s is no plain number") {
  CHECK(value("6 /s*h", kNone) == 21600);
  CHECK(problem("6 /s/s", kNone) ==
        "'6 /s/s' is a quantity in '/s/s'; expected a plain number, such as '0.08', '8 %' or '671 "
        "G'");
}

TEST_CASE("what is not a quantity says what would be") {
  CHECK(problem("", kTime) == "'' is not a quantity; expected a time, such as '1.5 ms'");
  CHECK(problem("fast", kData / kTime) ==
        "'fast' is not a quantity; expected data per time, such as '3.35 TB/s'");
  CHECK(problem("inf s", kTime) == "'inf s' is not a quantity; expected a time, such as '1.5 ms'");
  CHECK(problem("nan", kNone) ==
        "'nan' is not a quantity; expected a plain number, such as '0.08', '8 %' or '671 G'");
  CHECK(problem("+-5 s", kTime) == "'+-5 s' is not a quantity; expected a time, such as '1.5 ms'");
  CHECK(problem("1e400 s", kTime) == "'1e400 s' is too large or too small for a number");
  CHECK(problem("1e-400 s", kTime) == "'1e-400 s' is too large or too small for a number");
  CHECK(problem("1e308 kB", kData) == "'1e308 kB' is too large or too small for a number");
  CHECK(problem("1e-320 ps", kTime) == "'1e-320 ps' is too large or too small for a number");
}

TEST_CASE("a missing unit is an error that shows one") {
  CHECK(problem("700", kEnergy / kTime) == "'700' has no unit; expected a power, such as '700 W'");
  CHECK(problem("5", kNone / kTime) == "'5' has no unit; expected a rate, such as '5 /s'");
  CHECK(problem("5 /", kNone / kTime) ==
        "'5 /': a unit is missing beside '/' or '*'; expected a rate, such as '5 /s'");
  CHECK(problem("5 TB//s", kData / kTime) ==
        "'5 TB//s': a unit is missing beside '/' or '*'; expected data per time, such as '3.35 "
        "TB/s'");
}

TEST_CASE("a wrong dimension is named, beside the right one") {
  CHECK(problem("16 GB", kData / kTime) ==
        "'16 GB' is an amount of data; expected data per time, such as '3.35 TB/s'");
  CHECK(problem("700 W", kEnergy) == "'700 W' is a power; expected an energy, such as '3.6 MJ'");
  CHECK(problem("8 %", kTime) == "'8 %' is a plain number; expected a time, such as '1.5 ms'");
  CHECK(problem("0.08 USD/kWh", kMoney) ==
        "'0.08 USD/kWh' is money per energy; expected an amount of money, such as '30 kUSD'");
  CHECK(problem("671 B", kNone) ==
        "'671 B' is an amount of data; expected a plain number, such as '0.08', '8 %' or '671 G'");
  CHECK(problem("3 s*s", kTime) ==
        "'3 s*s' is a quantity in 's*s'; expected a time, such as '1.5 ms'");
}

TEST_CASE("every dimension with a name is described by an example of itself") {
  for (const Dim dim : every_named_dimension()) {
    const std::string described = describe_dim(dim);
    CAPTURE(described);
    CHECK(described.rfind(name_dim(dim) + ", such as '", 0) == 0);
    const std::size_t begin = described.find('\'') + 1;
    const std::string example = described.substr(begin, described.find('\'', begin) - begin);
    CHECK(parse_quantity(example, dim).problem == "");
  }
  CHECK(name_dim(kData / kTime) == "data per time");
  CHECK(name_dim(kMoney / kEnergy) == "money per energy");
  CHECK(name_dim(kTime * kTime) == "a quantity in 's*s'");
}

TEST_CASE("a quantity of any dimension tells its own, and is what its dimension's reader reads") {
  for (const Dim dim : every_named_dimension()) {
    const ParsedAnyQuantity any = parse_any_quantity(exact_quantity(0.1, dim));
    CAPTURE(any.problem);
    CHECK(any.ok);
    CHECK(any.value == 0.1);
    CHECK(any.dim == dim);
  }
  const ParsedAnyQuantity bandwidth = parse_any_quantity(" 3.35 TB / s");
  CHECK(bandwidth.value == 3.35e12);
  CHECK(bandwidth.dim == kData / kTime);
  CHECK(parse_any_quantity("8 %").value == 0.08);
  CHECK(parse_any_quantity("12").dim == kNone);
}

TEST_CASE("what is no quantity of any dimension says what would be") {
  const auto refused = [](std::string_view text) {
    const ParsedAnyQuantity any = parse_any_quantity(text);
    CHECK_FALSE(any.ok);
    return any.problem;
  };
  CHECK(refused("") == "'' is not a quantity; expected a number with a unit, such as '3.35 TB/s'");
  CHECK(refused("80 gb") == "'80 gb': unknown unit 'gb'; did you mean 'GB'?");
  CHECK(refused("5 parsec") ==
        "'5 parsec': unknown unit 'parsec'; expected a number with a unit, such as '3.35 TB/s'");
  CHECK(refused("5 TB/") ==
        "'5 TB/': a unit is missing beside '/' or '*'; expected a number with a unit, such as "
        "'3.35 TB/s'");
  CHECK(refused("1e308 kB") == "'1e308 kB' is too large or too small for a number");
}

TEST_CASE("an unknown unit names the nearest one of the right kind") {
  CHECK(problem("80 gb", kData) == "'80 gb': unknown unit 'gb'; did you mean 'GB'?");
  CHECK(problem("80 Gib", kData) == "'80 Gib': unknown unit 'Gib'; did you mean 'GiB'?");
  CHECK(problem("3 kwh", kEnergy) == "'3 kwh': unknown unit 'kwh'; did you mean 'kWh'?");
  CHECK(problem("989 TFLOPS", kFlop / kTime) ==
        "'989 TFLOPS': unknown unit 'TFLOPS'; expected operations per time, such as '989 TFLOP/s'");
  CHECK(problem("989 TFLOPs/s", kFlop / kTime) ==
        "'989 TFLOPs/s': unknown unit 'TFLOPs'; did you mean 'TFLOP'?");
  CHECK(problem("5 w", kEnergy / kTime) == "'5 w': unknown unit 'w'; did you mean 'W'?");
  CHECK(problem("5 year s", kTime) == "'5 year s': unknown unit 'year s'; did you mean 'years'?");
}

TEST_CASE("where no unit is near, the message shows an example instead of a wild guess") {
  CHECK(problem("30000 $", kMoney) ==
        "'30000 $': unknown unit '$'; expected an amount of money, such as '30 kUSD'");
  CHECK(problem("5 parsec", kTime) ==
        "'5 parsec': unknown unit 'parsec'; expected a time, such as '1.5 ms'");
  CHECK(problem("0x10 s", kTime) ==
        "'0x10 s': unknown unit 'x10 s'; expected a time, such as '1.5 ms'");
  CHECK(problem("1_000", kNone) ==
        "'1_000': unknown unit '_000'; expected a plain number, such as '0.08', '8 %' or '671 G'");
}

TEST_CASE("a product of very many units is refused before its exponents overflow") {
  std::string text = "1 s";
  for (int i = 0; i < 256; ++i) text += "*s";  // 257 modulo 256 is 1: a time, if exponents wrapped
  CHECK_FALSE(parse_quantity(text, kTime).ok);
}

TEST_CASE("a long wrong word is cut in the message") {
  CHECK(problem(std::string(1000, 'x'), kTime) ==
        "'" + std::string(60, 'x') + "...' is not a quantity; expected a time, such as '1.5 ms'");
}

TEST_CASE("exact text reads back as the same double in every named dimension") {
  RandomStream random(1, "round trip");
  for (const Dim dim : every_named_dimension()) {
    std::vector<double> samples = {0.0,
                                   1.0,
                                   0.1,
                                   -2.5,
                                   1.0 / 3.0,
                                   std::numeric_limits<double>::max(),
                                   std::numeric_limits<double>::min(),
                                   std::numeric_limits<double>::denorm_min()};
    for (int i = 0; i < 2000; ++i) {
      const double magnitude = std::exp2(random.uniform(-300.0, 300.0));
      samples.push_back(random.uniform() < 0.5 ? magnitude : -magnitude);
    }
    for (const double sample : samples) {
      const std::string text = exact_quantity(sample, dim);
      CAPTURE(text);
      const ParsedQuantity parsed = parse_quantity(text, dim);
      REQUIRE(parsed.ok);
      CHECK(parsed.value == sample);
    }
  }
}

TEST_CASE("exact text reads back in dimensions without a name too: USD per token and second") {
  const Dim dim = kMoney / kToken / kTime;
  CHECK(exact_quantity(2.5, dim) == "2.5 USD/token/s");
  CHECK(value("2.5 USD/token/s", dim) == 2.5);
  CHECK(exact_quantity(2.5, kNone / kTime / kTime) == "2.5 /s/s");
  CHECK(value("2.5 /s/s", kNone / kTime / kTime) == 2.5);
}

TEST_CASE("text for people reads back within its three digits in every named dimension") {
  RandomStream random(2, "shown");
  for (const Dim dim : every_named_dimension()) {
    for (int i = 0; i < 2000; ++i) {
      const double sample = std::exp2(random.uniform(-60.0, 60.0));
      const std::string text = format_quantity(sample, dim);
      CAPTURE(text);
      const ParsedQuantity parsed = parse_quantity(text, dim);
      REQUIRE(parsed.ok);
      CHECK(parsed.value == doctest::Approx(sample).epsilon(0.0051));
    }
  }
}

TEST_CASE("people see prefixes where they use them") {
  CHECK(format_quantity(3.35e12, kData / kTime) == "3.35 TB/s");
  CHECK(format_quantity(80e9, kData) == "80.0 GB");
  CHECK(format_quantity(999.6e6, kData) == "1.00 GB");
  CHECK(format_quantity(0.0015, kTime) == "1.50 ms");
  CHECK(format_quantity(59.0, kTime) == "59.0 s");
  CHECK(format_quantity(119.0, kTime) == "119 s");
  CHECK(format_quantity(120.0, kTime) == "2.00 min");
  CHECK(format_quantity(7200.0, kTime) == "2.00 h");
  CHECK(format_quantity(2 * 86400.0, kTime) == "2.00 days");
  CHECK(format_quantity(4 * kSecondsPerYear, kTime) == "4.00 years");
  CHECK(format_quantity(0.0, kTime) == "0 s");
  CHECK(format_quantity(0.0, kEnergy / kTime) == "0 W");
  CHECK(format_quantity(-700.0, kEnergy / kTime) == "-700 W");
  CHECK(format_quantity(0.08 / kJoulesPerKilowattHour, kMoney / kEnergy) == "0.0800 USD/kWh");
  CHECK(format_quantity(0.38 / kJoulesPerKilowattHour, kMass / kEnergy) == "0.380 kg/kWh");
  CHECK(format_quantity(5.0, kNone / kTime) == "5.00 /s");
  CHECK(format_quantity(0.08, kNone) == "0.0800");
  CHECK(format_quantity(3.9e-12, kEnergy / kData) == "3.90 pJ/B");
  CHECK(format_quantity(4e-9, kMoney / kData) == "4.00 USD/GB");
  CHECK(format_quantity(9e-9, kMoney / BytesPerSecond::kDim) == "9.00 USD*s/GB");
  CHECK(format_quantity(295.0, kFlop / kData) == "295 FLOP/B");
  CHECK(format_quantity(1.4e12, kFlop / kEnergy) == "1.40 TFLOP/J");
  CHECK(format_quantity(0.25, kData) == "0.250 B");
  CHECK(to_text(gigabytes(141)) == "141 GB");
}

TEST_CASE("three digits, whatever the size") {
  CHECK(three_digits(0.0) == "0");
  CHECK(three_digits(-0.0) == "0");
  CHECK(three_digits(0.0123) == "0.0123");
  CHECK(three_digits(12.3) == "12.3");
  CHECK(three_digits(1.0) == "1.00");
  CHECK(three_digits(0.001) == "0.00100");
  CHECK(three_digits(0.0001) == "0.000100");
  CHECK(three_digits(0.00009999) == "1.00e-04");
  CHECK(three_digits(1234.0) == "1230");
  CHECK(three_digits(12345678.0) == "1.23e+07");
  CHECK(three_digits(-1234.0) == "-1230");
  CHECK(three_digits(std::nan("")) == "n/a");
  CHECK(three_digits(std::numeric_limits<double>::infinity()) == "n/a");
}

TEST_CASE("rounding to three digits carries: 9.996 is 10.0, 999.7 is 1000, 999600 is 1.00e+06") {
  CHECK(three_digits(9.996) == "10.0");
  CHECK(three_digits(99.96) == "100");
  CHECK(three_digits(999.7) == "1000");
  CHECK(three_digits(999400.0) == "999000");
  CHECK(three_digits(999600.0) == "1.00e+06");
}

TEST_CASE("a quantity keeps the unit that it was written in, and its scale") {
  const ParsedAnyQuantity cache = parse_any_quantity(" 504 KiB ");
  CHECK(cache.unit == "KiB");
  CHECK(cache.scale == 1024.0);
  CHECK(parse_any_quantity("0.518 USD/Mtokens").unit == "USD/Mtokens");
  CHECK(parse_any_quantity("0.518 USD/Mtokens").scale == doctest::Approx(1e-6));
  CHECK(parse_any_quantity("45 %").unit == "%");
  CHECK(parse_any_quantity("12").unit == "");
  CHECK(parse_any_quantity("12").scale == 1.0);
}

TEST_CASE("in a chosen unit: three digits, whole numbers from 1,000 to 10 million in full") {
  CHECK(quantity_in(516096.0, "KiB", 1024.0) == "504 KiB");
  CHECK(quantity_in(0.518286e-6, "USD/Mtokens", 1e-6) == "0.518 USD/Mtokens");
  CHECK(quantity_in(0.45, "%", 0.01) == "45.0 %");
  CHECK(quantity_in(87072.0, "USD", 1.0) == "87072 USD");
  CHECK(quantity_in(87072.5, "USD", 1.0) == "87100 USD");
  CHECK(quantity_in(1749e3, "kB", 1e3) == "1749 kB");
  CHECK(quantity_in(1e7, "", 1.0) == "1.00e+07");
  CHECK(quantity_in(-131072.0, "", 1.0) == "-131072");
}
