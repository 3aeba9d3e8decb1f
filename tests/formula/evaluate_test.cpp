#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <string>

#include "base/units.hpp"
#include "formula/formula.hpp"
#include "formula/scope.hpp"

using namespace formula_test;
using namespace tokenyard;

TEST_CASE("70.6 G parameters of 2 B over eight times 3.35 TB/s take 5.27 ms") {
  const Value time = value("[70.6 G] * [2 B] / (8 * [3.35 TB/s])");
  CHECK(time.dim == kTime);
  CHECK(time.number == doctest::Approx(141.2e9 / 26.8e12).epsilon(1e-15));
  CHECK(to_text(time) == "5.27 ms");
}

TEST_CASE("dimensions multiply, divide and cancel") {
  CHECK(value("[2 B] * [3 B]").dim == kData * kData);
  CHECK(value("[6 kB] / [2 s]").dim == kData / kTime);
  CHECK(plain("[1 GB] / [1 MB]") == 1000.0);
  CHECK(plain("[700 W] * [1 h] / [1 kWh]") == doctest::Approx(0.7).epsilon(1e-15));
  CHECK(value("1 / [4 s]").dim == kNone / kTime);
  CHECK(value("-[4 s]").number == -4.0);
  CHECK(value("[3 s]^2").dim == kTime * kTime);
  CHECK(value("[3 s]^2").number == 9.0);
  CHECK(value("[2 s]^-1").dim == kNone / kTime);
  CHECK(plain("[2 s]^0") == 1.0);
}

TEST_CASE("money per data rate is readable: 30 kUSD for 3 TB/s is 10 USD per GB/s") {
  CHECK(to_text(value("[30 kUSD] / [3 TB/s]")) == "10.0 USD*s/GB");
  CHECK(to_text(value("[30 kUSD] / [3 TB/s] / [1 s]")) == "10.0 USD/GB");
  CHECK(to_text(value("[990 TFLOP/s] / [30 kUSD]")) == "33.0 GFLOP/s/USD");
  CHECK(to_text(value("[990 TFLOP/s] / [3.3 TB/s]")) == "300 FLOP/B");
  CHECK(to_text(value("[990 TFLOP/s] / [500 W]")) == "1.98 TFLOP/J");
  CHECK(to_text(value("[6 kg] / [2 USD]")) == "3.00 kg/USD");
}

TEST_CASE("tokens are counts, from a quantity, a variable or a function alike") {
  MapScope scope;
  scope.values["speed"] = {17000.0, kToken / kTime};
  CHECK(value("[17000 tokens/s]").dim == kNone / kTime);
  CHECK(value("speed", scope).dim == kNone / kTime);
  CHECK(plain("length(\"abc\")") == 3.0);
  CHECK(plain("[1 Mtokens] / 1e6") == 1.0);
  // 17000 tokens/s that read 2 kB each are 34 MB/s.
  CHECK(to_text(value("speed * [2 kB]", scope)) == "34.0 MB/s");
  CHECK(plain("[320 kB/token] * [1000 tokens] / [320 MB]") == 1.0);
}

TEST_CASE("variables and functions come from the scope") {
  MapScope scope;
  scope.values["weights"] = {140e9, kData};
  scope.values["bandwidth"] = {3.5e12, kData / kTime};
  CHECK(to_text(value("half(weights) / bandwidth", scope)) == "20.0 ms");
  CHECK(to_text(value("half(half(weights) + [10 GB])", scope)) == "40.0 GB");
}

TEST_CASE("min and max keep the dimension; abs drops the sign") {
  CHECK(to_text(value("min([3 ms], [2 ms], [5 ms])")) == "2.00 ms");
  CHECK(to_text(value("max([3 ms], [2 ms], [5 ms])")) == "5.00 ms");
  CHECK(to_text(value("abs([1 GB] - [3 GB])")) == "2.00 GB");
  CHECK(plain("max(-1, -2)") == -1.0);
}

TEST_CASE("ceil, floor, round, sqrt, ln, log2 and exp take plain numbers") {
  CHECK(plain("ceil(2.1)") == 3.0);
  CHECK(plain("ceil([141 GB] / [80 GB])") == 2.0);
  CHECK(plain("floor(-2.1)") == -3.0);
  CHECK(plain("round(2.5)") == 3.0);
  CHECK(plain("round(-2.5)") == -3.0);
  CHECK(plain("sqrt(144)") == 12.0);
  CHECK(plain("ln(exp(2))") == doctest::Approx(2.0).epsilon(1e-15));
  CHECK(plain("log2(1024)") == 10.0);
  CHECK(plain("exp(0)") == 1.0);
  CHECK(problem("1 + ceil([3 s])") == "5: 'ceil' of a time; expected a plain number");
  CHECK(problem("sqrt([4 B])") == "1: 'sqrt' of an amount of data; expected a plain number");
  CHECK(problem("exp([1 USD/kWh])") == "1: 'exp' of money per energy; expected a plain number");
}

TEST_CASE("unlike dimensions do not add or compare; both are named, at the operator") {
  CHECK(problem("[1 s] + [2 GB]") ==
        "7: '+' joins a time and an amount of data; both sides must have the same dimension");
  CHECK(problem("1 - [2 W]") ==
        "3: '-' joins a plain number and a power; both sides must have the same dimension");
  CHECK(problem("[1 s] * ([1 USD/B/s] - [1 s*s])") ==
        "22: '-' joins a quantity in 'USD/B/s' and a quantity in 's*s'; both sides must have the "
        "same dimension");
  CHECK(problem("max(1, [1 s], 2)") ==
        "1: 'max' compares a plain number and a time; all must have the same dimension");
}

TEST_CASE("an exponent is plain, and whole after a value with a dimension") {
  CHECK(plain("2^0.5") == std::sqrt(2.0));
  CHECK(problem("2 ^ [1 s]") == "3: the exponent of '^' is a time; expected a plain number");
  CHECK(problem("[2 s]^0.5") ==
        "6: '^' raises a time to 0.500; expected a whole exponent from -16 to 16");
  CHECK(problem("[2 s]^1e9") ==
        "6: '^' raises a time to 1.00e+09; expected a whole exponent from -16 to 16");
}

TEST_CASE("exponents of units never wrap around: s^16 is the highest, by '^' and by '*'") {
  CHECK(value("[1 s]^16").dim.time == 16);
  CHECK(value("[1 s]^-16").dim.time == -16);
  CHECK(problem("[1 s]^16 * [1 s]") ==
        "10: the result has a unit to the power of 17; the highest is 16");
  CHECK(problem("1 / [1 s]^16 / [1 s]") ==
        "14: the result has a unit to the power of -17; the highest is 16");
  CHECK(problem("([1 s]^16)^16") ==
        "11: the result has a unit to the power of 256; the highest is 16");
}

TEST_CASE("what is no finite number is an error where it arises") {
  MapScope scope;
  scope.values["zero"] = {0.0, kData};
  scope.values["endless"] = {std::numeric_limits<double>::infinity(), kTime};
  CHECK(problem("[1 GB] / zero", scope) == "8: division by zero");
  CHECK(problem("1 + 0 / 0") == "7: division by zero");
  CHECK(problem("0^-1") == "2: division by zero");
  CHECK(problem("1e200 * 1e200") == "7: '*' of 1.00e+200 and 1.00e+200 is no finite number");
  CHECK(problem("(-8)^0.5") == "5: '^' of -8.00 and 0.500 is no finite number");
  CHECK(problem("2 * ln(0)") == "5: 'ln' of 0 is no finite number");
  CHECK(problem("sqrt(-1)") == "1: 'sqrt' of -1.00 is no finite number");
  CHECK(problem("exp(1000)") == "1: 'exp' of 1000 is no finite number");
  CHECK(problem("1 / endless", scope) == "5: the value of 'endless' is no finite number");
  CHECK(plain("0^0") == 1.0);
}

TEST_CASE("a name that does not exist is refused with the nearest, at its column") {
  MapScope scope;
  scope.values["weights"] = {140e9, kData};
  scope.values["bandwidth"] = {3.5e12, kData / kTime};
  CHECK(problem("weights / bandwith", scope) ==
        "11: unknown name 'bandwith'; did you mean 'bandwidth'?");
  CHECK(problem("1 + haf(weights)", scope) == "5: unknown function 'haf'; did you mean 'half'?");
  CHECK(problem("cel(1.5)") == "1: unknown function 'cel'; did you mean 'ceil'?");
  CHECK(problem("xyzzy", scope) ==
        "1: unknown name 'xyzzy'; accepted: half, length, bandwidth, weights");
  CHECK(problem("2 * max") == "5: 'max' is a function; expected '(' after it");
}

TEST_CASE("wrong arguments are refused at the function's column, the scope's own included") {
  CHECK(problem("1 + min(2)") == "5: 'min' has 1 argument; expected two or more");
  CHECK(problem("max()") == "1: 'max' has 0 arguments; expected two or more");
  CHECK(problem("abs(1, 2)") == "1: 'abs' has 2 arguments; expected one");
  CHECK(problem("1 + floor()") == "5: 'floor' has 0 arguments; expected one");
  CHECK(problem("min(1, \"two\")") == "1: 'min' of the text 'two'; expected a value");
  CHECK(problem("1 + length(2)") == "5: expected a text");
  CHECK(problem("half(1 + [1 s])") ==
        "8: '+' joins a plain number and a time; both sides must have the same dimension");
}

TEST_CASE("a value that nobody knows is no mistake: its name is thrown") {
  MapScope scope;
  scope.unknown["price"] = "the vendor has not published it";
  scope.unknown["power"] = "";
  try {
    (void)Formula::parse("2 * price").evaluate(scope);
    FAIL("evaluated");
  } catch (const UnknownValue& e) {
    CHECK(e.name == "price");
    CHECK(std::string(e.what()) ==
          "the value of 'price' is not known: the vendor has not published it");
  }
  CHECK_THROWS_WITH_AS((void)Formula::parse("max(1, power)").evaluate(scope),
                       "the value of 'power' is not known", UnknownValue);
}

TEST_CASE("a misspelt name does not hide behind a value that is not known") {
  MapScope scope;
  scope.unknown["price"] = "";
  CHECK(problem("price * pirce", scope) == "9: unknown name 'pirce'; did you mean 'price'?");
}
