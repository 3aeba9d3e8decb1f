#include "economics/finance.hpp"

#include <cmath>

#include "base/error.hpp"

namespace tokenyard::economics {

double capital_recovery_factor(double rate, double years) {
  check(rate >= 0.0 && years > 0.0, "a recovery factor needs a rate of at least 0 and a time");
  if (rate == 0.0) return 1.0 / years;
  // r / (1 - (1 + r)^-Y), in the form that keeps its digits for small rates.
  return rate / -std::expm1(-years * std::log1p(rate));
}

double present_value_usd(double usd, double rate, double at_years) {
  return usd * std::exp(-at_years * std::log1p(rate));
}

double net_present_value_usd(double rate, const std::vector<CashFlow>& flows) {
  double sum = 0.0;
  for (const CashFlow& flow : flows) sum += present_value_usd(flow.usd, rate, flow.at_years);
  return sum;
}

}  // namespace tokenyard::economics
