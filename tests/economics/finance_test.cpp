#include "economics/finance.hpp"

#include <doctest/doctest.h>

#include "base/error.hpp"

namespace tokenyard::economics {
namespace {

using doctest::Approx;

TEST_CASE("CRF(10 %, 5) = 0.1 * 1.61051 / 0.61051 = 0.263797") {
  CHECK(capital_recovery_factor(0.10, 5) == Approx(0.1 * 1.61051 / 0.61051).epsilon(1e-12));
}

TEST_CASE(
    "without interest a fifth is paid back in each of five years, and a tiny rate is near that") {
  CHECK(capital_recovery_factor(0.0, 5) == 0.2);
  // CRF(r, Y) = 1/Y + r (Y + 1) / (2 Y) + ...
  CHECK(capital_recovery_factor(1e-9, 5) == Approx(0.2 + 0.6e-9).epsilon(1e-14));
}

TEST_CASE("one year later 100 at 10 % are worth 90.91, two years 82.64") {
  CHECK(present_value_usd(110, 0.10, 1) == Approx(100));
  CHECK(present_value_usd(100, 0.10, 2) == Approx(100 / 1.21));
}

TEST_CASE("CRF paid at the end of every year is worth 1 today") {
  for (const double rate : {0.0, 0.03, 0.10, 0.25}) {
    for (const int years : {1, 4, 15}) {
      std::vector<CashFlow> flows;
      for (int y = 1; y <= years; ++y) {
        flows.push_back(
            {.at_years = static_cast<double>(y), .usd = capital_recovery_factor(rate, years)});
      }
      CHECK(net_present_value_usd(rate, flows) == Approx(1.0).epsilon(1e-12));
    }
  }
}

TEST_CASE("a negative rate or no time at all is a mistake of ours") {
  CHECK_THROWS_AS(capital_recovery_factor(-0.1, 5), InternalError);
  CHECK_THROWS_AS(capital_recovery_factor(0.1, 0), InternalError);
}

}  // namespace
}  // namespace tokenyard::economics
