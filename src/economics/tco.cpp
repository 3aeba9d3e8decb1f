#include "economics/tco.hpp"

#include <algorithm>

#include "base/error.hpp"
#include "economics/ledger.hpp"
#include "economics/prices.hpp"

namespace tokenyard::economics {
namespace {

constexpr double kTokensPerMtok = 1e6;
constexpr double kHoursPerYear = kSecondsPerYear / kSecondsPerHour;

double in_years(Seconds time) {
  return time.base() / kSecondsPerYear;
}

Terms terms_of(const scenario::Plan& plan) {
  return {.horizon_years = in_years(plan.scenario.economics.horizon),
          .discount_rate = plan.site.discount_rate,
          .install_share = plan.site.install_share,
          .maintenance_per_year = plan.site.maintenance_per_year};
}

double utilization_of(const scenario::Plan& plan) {
  return plan.scenario.economics.utilization.share.value_or(1.0);
}

// Power that follows use, and power that does not.
struct PowerNeed {
  double idle_w = 0.0;
  double dynamic_w = 0.0;  // at the simulated throughput
  double peak_w = 0.0;
  [[nodiscard]] double mean_w(double utilization) const { return idle_w + utilization * dynamic_w; }
};

PowerNeed power_of(const PoolUsage& usage, double measured_s) {
  const double mean_w = usage.it_energy_j / measured_s;
  // A pool that slept through part of the window draws less than idle nodes would; that is its
  // floor.
  const double idle_w = std::min(usage.it_power_idle_w, mean_w);
  return {.idle_w = idle_w, .dynamic_w = mean_w - idle_w, .peak_w = usage.it_power_peak_w};
}

// Electricity and building, for one pool or for the fabric.
void pay_for_power(Ledger& ledger, const scenario::Plan& plan, const PowerNeed& power,
                   CostResult& result) {
  const double facility_j =
      power.mean_w(utilization_of(plan)) * plan.site.pue.value * kSecondsPerYear;
  ledger.pay_yearly("electricity", "electricity",
                    facility_j * mean_electricity_price(plan.site).base());
  const catalog::Facility& facility = plan.site.facility;
  if (facility.colo_per_kw_month) {
    ledger.pay_yearly("facility", "colocation",
                      power.peak_w * facility.colo_per_kw_month->value.base() * kSecondsPerYear);
  } else {
    ledger.build(power.peak_w * facility.capex_per_watt.value().value.base(),
                 in_years(facility.lifetime.value));
  }
  result.facility_energy_per_year_j += facility_j;
  result.provisioned_power_w += power.peak_w;
}

// Engineering and masks of every model that follows the first within the horizon, as far as this
// fleet bears them; those of the first are in the price of the devices.
void pay_for_respins(Ledger& ledger, const scenario::Plan& plan, const catalog::Device& device) {
  const scenario::EconomicsSpec& economics = plan.scenario.economics;
  if (!device.hardwired_model || !device.respin || !economics.model_lifetime) return;
  const double life = in_years(*economics.model_lifetime);
  const double usd = device.respin->cost.value.base() * economics.respin_share;
  for (int model = 1; model * life < in_years(economics.horizon) * (1.0 - 1e-9); ++model)
    ledger.pay_once("nodes", "engineering and masks of another model", usd, model * life);
}

// Silicon that is a model is replaced when another model is wanted.
void buy_nodes(Ledger& ledger, const scenario::Plan& plan, const scenario::PoolPlan& pool) {
  double lifetime_years = 0.0;
  bool hardwired = false;
  const std::optional<Seconds> model_lifetime = plan.scenario.economics.model_lifetime;
  for (const catalog::Device& device : pool.devices) {
    double years = in_years(device.lifetime.value);
    if (device.hardwired_model && model_lifetime)
      years = std::min(years, in_years(*model_lifetime));
    lifetime_years = lifetime_years == 0.0 ? years : std::min(lifetime_years, years);
    hardwired = hardwired || device.hardwired_model.has_value();
  }
  for (const PricePart& part : node_price(pool)) {
    ledger.buy({.category = "nodes",
                .item = part.item,
                .usd = part.usd * static_cast<double>(pool.count),
                .lifetime_years = lifetime_years,
                .residual_share = hardwired ? 0.0 : plan.site.residual_value.value});
  }
}

// A model is engineered once, however many pools have its silicon.
std::size_t first_pool_with(const scenario::Plan& plan, const std::string& device) {
  std::size_t index = 0;
  const auto has = [&](const catalog::Device& d) { return d.name == device; };
  while (std::none_of(plan.pools[index].devices.begin(), plan.pools[index].devices.end(), has))
    ++index;
  return index;
}

double pay_for_pool(const scenario::Plan& plan, std::size_t index, const UsageSummary& usage,
                    CostResult& result) {
  const scenario::PoolPlan& pool = plan.pools[index];
  const catalog::Site& site = plan.site;
  Ledger ledger(pool.name, terms_of(plan));
  buy_nodes(ledger, plan, pool);
  for (const catalog::Device& device : pool.devices) {
    if (first_pool_with(plan, device.name) == index) pay_for_respins(ledger, plan, device);
  }
  const std::int64_t each = nodes_per_rack(pool, site.rack);
  const std::int64_t racks = (pool.count + each - 1) / each;
  ledger.buy({.category = "racks",
              .item = "racks",
              .usd = static_cast<double>(racks) * site.rack.price.value.base(),
              .lifetime_years = 0.0,
              .residual_share = site.residual_value});
  result.racks += racks;
  pay_for_power(ledger, plan, power_of(usage.pools[index], usage.measured_s), result);
  ledger.pay_yearly("staff", "staff",
                    static_cast<double>(pool.device_count()) / site.staff.devices_per_person.value *
                        site.staff.cost_per_person_year.value.base());
  return ledger.close(result);
}

double pay_for_network(const scenario::Plan& plan, const UsageSummary& usage, CostResult& result) {
  Ledger ledger(kShared, terms_of(plan));
  const auto buy = [&](const std::string& item, std::int64_t count,
                       const std::optional<input::Sourced<Usd>>& price) {
    if (count == 0) return;
    ledger.buy({.category = "network",
                .item = item,
                .usd = static_cast<double>(count) * price.value().value.base(),
                .lifetime_years = 0.0,
                .residual_share = plan.site.residual_value});
  };
  buy("switches", usage.switches, plan.fabric.switches.price);
  buy("cables", usage.cables, plan.fabric.cable.price);
  const PowerNeed power{
      .idle_w = usage.fabric_power_w, .dynamic_w = 0.0, .peak_w = usage.fabric_power_w};
  pay_for_power(ledger, plan, power, result);
  return ledger.close(result);
}

std::optional<double> per_mtok(double usd, double tokens) {
  if (tokens <= 0.0) return std::nullopt;
  return usd / tokens * kTokensPerMtok;
}

// The part of the annualised cost that input tokens cause; none where no device time is known.
std::optional<double> input_share(const UsageSummary& usage, const std::vector<double>& pool_usd) {
  double input_usd = 0.0;
  double all_usd = 0.0;
  bool known = false;
  for (std::size_t p = 0; p < pool_usd.size(); ++p) {
    const double busy_s = usage.pools[p].prefill_device_s + usage.pools[p].decode_device_s;
    if (busy_s > 0.0) {
      input_usd += pool_usd[p] * usage.pools[p].prefill_device_s / busy_s;
      known = true;
    }
    all_usd += pool_usd[p];
  }
  if (!known || all_usd <= 0.0) return std::nullopt;
  return input_usd / all_usd;
}

void price_tokens(CostResult& result, const scenario::Plan& plan, const UsageSummary& usage,
                  std::optional<double> share_of_input) {
  const double windows_per_year = kSecondsPerYear / usage.measured_s * utilization_of(plan);
  result.input_tokens_per_year = usage.input_tokens * windows_per_year;
  result.output_tokens_per_year = usage.output_tokens * windows_per_year;
  const double input = result.input_tokens_per_year;
  const double output = result.output_tokens_per_year;
  const double all_usd = result.annualized_usd;
  result.usd_per_mtok_output = per_mtok(all_usd, output);
  result.usd_per_mtok_blended = per_mtok(all_usd, input + output);
  result.kgco2_per_mtok_output =
      per_mtok(result.facility_energy_per_year_j * plan.site.carbon_intensity.value.base(), output);
  if (!share_of_input) return;
  const double input_usd = all_usd * *share_of_input;
  const double computed = (usage.input_tokens - usage.cached_tokens) * windows_per_year;
  result.usd_per_mtok_input = per_mtok(input_usd, input);
  result.usd_per_mtok_uncached_input = per_mtok(input_usd, computed);
  result.usd_per_mtok_output_allocated = per_mtok(all_usd - input_usd, output);
}

// What a year of the simulated throughput is worth on the market.
double market_usd_per_year(const UsageSummary& usage, const Market& market, double devices) {
  if (market.usd_per_device_hour) return *market.usd_per_device_hour * devices * kHoursPerYear;
  const double windows_per_year = kSecondsPerYear / usage.measured_s;
  return (usage.input_tokens * market.usd_per_mtok_input.value_or(0.0) +
          usage.output_tokens * market.usd_per_mtok_output.value_or(0.0)) /
         kTokensPerMtok * windows_per_year;
}

// Owning costs fixed + u * dynamic a year, the market u * its price: they meet at
// u = fixed / (price - dynamic).
std::optional<double> break_even(const CostResult& result, const scenario::Plan& plan,
                                 const UsageSummary& usage, double market_usd) {
  double dynamic_w = 0.0;
  for (const PoolUsage& pool : usage.pools) dynamic_w += power_of(pool, usage.measured_s).dynamic_w;
  const double dynamic_usd =
      dynamic_w * plan.site.pue.value * kSecondsPerYear * mean_electricity_price(plan.site).base();
  const double fixed_usd = result.annualized_usd - utilization_of(plan) * dynamic_usd;
  if (fixed_usd > market_usd - dynamic_usd) return std::nullopt;
  return fixed_usd / (market_usd - dynamic_usd);
}

}  // namespace

CostResult compute_cost(const scenario::Plan& plan, const UsageSummary& usage,
                        const Market& market) {
  check(usage.measured_s > 0.0, "cost needs a measured window longer than nothing");
  check(usage.pools.size() == plan.pools.size(), "usage has other pools than the plan");
  Diagnostics diagnostics;
  check_prices(plan, diagnostics);
  diagnostics.throw_if_any();

  CostResult result;
  std::vector<double> pool_usd;
  double devices = 0.0;
  for (std::size_t p = 0; p < plan.pools.size(); ++p) {
    pool_usd.push_back(pay_for_pool(plan, p, usage, result));
    devices += static_cast<double>(plan.pools[p].device_count());
  }
  pay_for_network(plan, usage, result);
  result.tco_usd = result.annualized_usd * terms_of(plan).horizon_years;
  if (devices > 0.0) result.usd_per_device_hour = result.annualized_usd / devices / kHoursPerYear;
  price_tokens(result, plan, usage, input_share(usage, pool_usd));
  if (market.usd_per_device_hour || market.usd_per_mtok_output) {
    result.break_even_utilization =
        break_even(result, plan, usage, market_usd_per_year(usage, market, devices));
  }
  return result;
}

}  // namespace tokenyard::economics
