#include "economics/ledger.hpp"

#include <algorithm>
#include <utility>

namespace tokenyard::economics {

Ledger::Ledger(std::string pool, const Terms& terms) : pool_(std::move(pool)), terms_(terms) {}

void Ledger::add(const std::string& category, const std::string& item, double usd) {
  if (usd != 0.0) items_.push_back({.pool = pool_, .category = category, .item = item, .usd = usd});
}

void Ledger::buy(const Purchase& purchase) {
  const double horizon = terms_.horizon_years;
  const double life = purchase.lifetime_years > 0.0 ? purchase.lifetime_years : horizon;
  const double salvage_usd = purchase.usd * purchase.residual_share;
  const double paid_usd = purchase.usd * (1.0 + terms_.install_share);
  // A purchase less than a part in a billion before the horizon is the horizon itself, rounded.
  double bought_at = 0.0;
  std::int64_t purchases = 1;
  flows_.push_back({.at_years = 0.0, .usd = paid_usd});
  while (bought_at + life < horizon * (1.0 - 1e-9)) {
    bought_at = static_cast<double>(purchases) * life;
    flows_.push_back({.at_years = bought_at, .usd = paid_usd - salvage_usd});
    residual_usd_ += salvage_usd;
    ++purchases;
  }
  // What was bought again is worth more the younger it is; what was bought once fetches the share.
  const double age_share = purchases > 1 ? std::min(1.0, (horizon - bought_at) / life) : 1.0;
  const double left_usd = purchase.usd - (purchase.usd - salvage_usd) * age_share;
  flows_.push_back({.at_years = horizon, .usd = -left_usd});
  residual_usd_ += left_usd;

  const double bought_usd = purchase.usd * static_cast<double>(purchases);
  add(purchase.category, purchase.item, purchase.usd);
  add(purchase.category, purchase.item + ", bought again", bought_usd - purchase.usd);
  capex_usd_ += paid_usd;
  hardware_usd_ += purchase.usd;
  installed_usd_ += bought_usd;
}

void Ledger::build(double usd, double lifetime_years) {
  add("facility", "building", usd * terms_.horizon_years / lifetime_years);
  capex_usd_ += usd;
  building_usd_per_year_ += usd * capital_recovery_factor(terms_.discount_rate, lifetime_years);
}

void Ledger::pay_once(const std::string& category, const std::string& item, double usd,
                      double at_years) {
  add(category, item, usd);
  flows_.push_back({.at_years = at_years, .usd = usd});
}

void Ledger::pay_yearly(const std::string& category, const std::string& item, double usd_per_year) {
  add(category, item, usd_per_year * terms_.horizon_years);
  yearly_usd_ += usd_per_year;
}

double Ledger::close(CostResult& result) {
  add("install", "install", installed_usd_ * terms_.install_share);
  add("residual", "residual value", -residual_usd_);
  pay_yearly("maintenance", "maintenance", hardware_usd_ * terms_.maintenance_per_year);
  const double rate = terms_.discount_rate;
  const double annualized_usd =
      net_present_value_usd(rate, flows_) * capital_recovery_factor(rate, terms_.horizon_years) +
      building_usd_per_year_ + yearly_usd_;
  double cash_usd = 0.0;
  for (const CostItem& item : items_) cash_usd += item.usd;
  // Without interest there is nothing to finance; what rounding leaves is no item.
  if (rate > 0.0)
    add("financing", "cost of capital", annualized_usd * terms_.horizon_years - cash_usd);
  result.items.insert(result.items.end(), items_.begin(), items_.end());
  result.capex_usd += capex_usd_;
  result.opex_usd_per_year += yearly_usd_;
  result.annualized_usd += annualized_usd;
  return annualized_usd;
}

}  // namespace tokenyard::economics
