#pragma once
// The arithmetic of money over time, independent of what is bought.
//
//   capital recovery factor  CRF(r, Y) = r (1 + r)^Y / ((1 + r)^Y - 1),  1 / Y for r = 0
//   present value            PV(x at t) = x / (1 + r)^t
//   net present value        NPV = sum of PV
//   annualised               NPV * CRF(r, Y): the same amount at the end of each of Y years
//
// Worked example: r = 10 %, Y = 5: CRF = 0.263797.  35,200 USD now are 9,286 USD a year, which over
// 8,760 hours is 1.06 USD an hour.
//
// Y need not be whole; rates are per year and constant.  Leaves out taxes, depreciation as a tax
// shield, and inflation (a nominal rate goes with nominal prices).
#include <vector>

namespace tokenyard::economics {

double capital_recovery_factor(double rate, double years);

double present_value_usd(double usd, double rate, double at_years);

struct CashFlow {
  double at_years = 0.0;
  double usd = 0.0;  // paid; received is negative
};

double net_present_value_usd(double rate, const std::vector<CashFlow>& flows);

}  // namespace tokenyard::economics
