#pragma once
// Plans for the tests of this room in which everything is free but what a test prices: one pool of
// one node of 8 devices, horizon 5 years, 10 % cost of capital, space rented for nothing.
#include <string>

#include "economics/tco.hpp"

namespace tokenyard::economics {

inline scenario::PoolPlan pool_at(double node_usd, std::int64_t devices = 8,
                                  std::int64_t nodes = 1) {
  scenario::PoolPlan pool;
  pool.name = "main";
  pool.path = "fleet.pools[0]";
  pool.where = {.file = "fleet.yaml", .line = 7, .column = 5, .source_line = ""};
  pool.count = nodes;
  pool.node.name = "box";
  pool.node.devices = {{.device = "chip", .count = devices}};
  pool.node.price = usd(node_usd);
  pool.node.psu_efficiency = 1.0;
  catalog::Device device;
  device.name = "chip";
  device.lifetime = years(50);
  pool.devices = {device};
  return pool;
}

inline scenario::Plan plan_of(scenario::PoolPlan pool) {
  scenario::Plan plan;
  plan.scenario.economics.horizon = years(5);
  plan.pools = {std::move(pool)};
  catalog::Site& site = plan.site;
  site.name = "hall";
  site.pue = 1.0;
  site.facility.colo_per_kw_month = UsdPerWattSecond::from_base(0);
  site.rack.power_limit = watts(1e9);
  site.rack.price = usd(0);
  site.staff.cost_per_person_year = usd(0);
  site.discount_rate = 0.10;
  site.maintenance_per_year = 0.0;
  site.install_share = 0.0;
  site.residual_value = 0.0;
  return plan;
}

// A site and fleet in which everything costs something: two pools, a network, 4 years at 8 %.
inline scenario::Plan costly_plan() {
  scenario::Plan plan = plan_of(pool_at(100e3, 8, 3));
  plan.scenario.economics.horizon = years(4);
  catalog::Site& site = plan.site;
  site.electricity = usd_per_kilowatt_hour(0.08);
  site.pue = 1.2;
  site.carbon_intensity = KilogramsPerJoule::from_base(0.35 / kJoulesPerKilowattHour);
  site.facility.colo_per_kw_month = UsdPerWattSecond::from_base(0.184 * 12 / kSecondsPerYear);
  site.rack.price = usd(5e3);
  site.staff.cost_per_person_year = usd(180e3);
  site.discount_rate = 0.08;
  site.maintenance_per_year = 0.04;
  site.install_share = 0.04;
  site.residual_value = 0.10;
  plan.fabric.name = "cloth";
  plan.fabric.switches.price = usd(36e3);
  plan.fabric.cable.price = usd(600);
  scenario::PoolPlan second = pool_at(0, 2, 5);
  second.name = "small";
  second.node.price.reset();
  second.devices[0].price = usd(9e3);
  second.devices[0].lifetime = years(3);
  second.node.host.price = usd(4e3);
  plan.pools.push_back(second);
  return plan;
}

inline UsageSummary usage_with(double output_tokens, double measured_s = 3600.0) {
  UsageSummary usage;
  usage.measured_s = measured_s;
  usage.output_tokens = output_tokens;
  usage.pools.resize(1);
  return usage;
}

inline UsageSummary busy_usage() {
  UsageSummary usage = usage_with(50e6);
  usage.input_tokens = 400e6;
  usage.cached_tokens = 100e6;
  usage.pools = {{.it_energy_j = 18e3 * 3600,
                  .it_power_peak_w = 24e3,
                  .it_power_idle_w = 6e3,
                  .prefill_device_s = 30e3,
                  .decode_device_s = 50e3},
                 {.it_energy_j = 4e3 * 3600,
                  .it_power_peak_w = 5e3,
                  .it_power_idle_w = 1e3,
                  .prefill_device_s = 0,
                  .decode_device_s = 30e3}};
  usage.switches = 2;
  usage.cables = 40;
  usage.fabric_power_w = 900;
  return usage;
}

inline double sum_of(const CostResult& cost, const std::string& category,
                     const std::string& pool = "") {
  double sum = 0.0;
  for (const CostItem& item : cost.items) {
    if ((category.empty() || item.category == category) && (pool.empty() || item.pool == pool))
      sum += item.usd;
  }
  return sum;
}

}  // namespace tokenyard::economics
