#include "economics/usage.hpp"

#include <string_view>

#include "base/error.hpp"

namespace tokenyard::economics {
namespace {

// A run leaves out what it cannot define, such as the hit rate of no input: that is none of it.
double metric_of(const metrics::RunResult& run, std::string_view name) {
  for (const metrics::MetricValue& metric : run.metrics) {
    if (metric.name == name) return metric.value;
  }
  return 0.0;
}

double joules_of(const metrics::PoolResult& pool, metrics::EnergyComponent component) {
  return pool.joules[static_cast<std::size_t>(component)];
}

double nodes_at_the_wall_w(const scenario::PoolPlan& pool, double devices_w, double host_w) {
  double inside_w = devices_w + host_w + pool.node.overhead_power.value.base();
  for (const catalog::Nic& nic : pool.node.nics) {
    inside_w += nic.power.value.base() * static_cast<double>(nic.count);
  }
  return static_cast<double>(pool.count) * inside_w / pool.node.psu_efficiency.value;
}

double devices_w(const scenario::PoolPlan& pool,
                 input::Sourced<Watts> catalog::DevicePower::*power) {
  double watts = 0.0;
  for (std::size_t i = 0; i < pool.node.devices.size(); ++i) {
    watts += (pool.devices.at(i).power.*power).value.base() *
             static_cast<double>(pool.node.devices[i].count);
  }
  return watts;
}

}  // namespace

double idle_power_w(const scenario::PoolPlan& pool) {
  return nodes_at_the_wall_w(pool, devices_w(pool, &catalog::DevicePower::idle),
                             pool.node.host.power_idle.value.base());
}

double rated_power_w(const scenario::PoolPlan& pool) {
  return nodes_at_the_wall_w(pool, devices_w(pool, &catalog::DevicePower::tdp),
                             pool.node.host.power_max.value.base());
}

UsageSummary usage_of(const scenario::Plan& plan, const metrics::RunResult& run) {
  check(run.pools.size() == plan.pools.size(), "the run has other pools than its plan");
  UsageSummary usage;
  usage.measured_s = run.measured_s;
  usage.input_tokens = metric_of(run, "input_tokens_per_s") * run.measured_s;
  usage.output_tokens = metric_of(run, "output_tokens_per_s") * run.measured_s;
  usage.cached_tokens = metric_of(run, "prefix_hit_rate") * usage.input_tokens;
  usage.switches = run.fabric.switches;
  usage.cables = run.fabric.cables;
  double fabric_j = 0.0;
  for (std::size_t p = 0; p < run.pools.size(); ++p) {
    const metrics::PoolResult& pool = run.pools[p];
    double all_j = 0.0;
    for (const double joules : pool.joules) all_j += joules;
    const double pool_fabric_j = joules_of(pool, metrics::EnergyComponent::fabric);
    fabric_j += pool_fabric_j;
    usage.pools.push_back(
        {.it_energy_j =
             all_j - pool_fabric_j - joules_of(pool, metrics::EnergyComponent::facility_overhead),
         .it_power_peak_w = pool.it_power_peak_w,
         .it_power_idle_w = idle_power_w(plan.pools[p]),
         .prefill_device_s = pool.prefill_device_s,
         .decode_device_s = pool.decode_device_s});
  }
  usage.fabric_power_w = run.measured_s > 0.0 ? fabric_j / run.measured_s : 0.0;
  return usage;
}

}  // namespace tokenyard::economics
