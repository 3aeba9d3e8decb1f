#pragma once
// Collects the cash flows of one pool (or of what pools share) and closes with its financing.
#include <string>
#include <vector>

#include "economics/finance.hpp"
#include "economics/tco.hpp"

namespace tokenyard::economics {

struct Terms {
  double horizon_years = 0.0;
  double discount_rate = 0.0;
  double install_share = 0.0;
  double maintenance_per_year = 0.0;
};

// Hardware bought at year 0, and again whenever its life ends before the horizon does.
struct Purchase {
  std::string category, item;
  double usd = 0.0;
  double lifetime_years = 0.0;  // 0: as long as the horizon
  double residual_share = 0.0;
};

class Ledger {
 public:
  Ledger(std::string pool, const Terms& terms);

  void buy(const Purchase& purchase);
  void build(double usd, double lifetime_years);  // the building
  void pay_once(const std::string& category, const std::string& item, double usd, double at_years);
  void pay_yearly(const std::string& category, const std::string& item, double usd_per_year);

  // Adds the items to `result`, and capex, opex and annualised cost; returns the annualised cost.
  double close(CostResult& result);

 private:
  void add(const std::string& category, const std::string& item, double usd);

  std::string pool_;
  Terms terms_;
  std::vector<CostItem> items_;
  std::vector<CashFlow> flows_;  // of hardware
  double capex_usd_ = 0.0;
  double hardware_usd_ = 0.0;   // bought at year 0
  double installed_usd_ = 0.0;  // bought at any time
  double residual_usd_ = 0.0;
  double yearly_usd_ = 0.0;
  double building_usd_per_year_ = 0.0;
};

}  // namespace tokenyard::economics
