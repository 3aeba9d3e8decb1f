// Energy is power integrated over time, worked out independently of the meter.
#include <doctest/doctest.h>

#include "serving/replica_driver.hpp"
#include "support/in_process.hpp"
#include "support/toy.hpp"

namespace {

using namespace tokenyard;
using metrics::EnergyComponent;
using test::metric_of;

double joules(const metrics::RunResult& result, EnergyComponent component, std::size_t pool = 0) {
  return result.pools[pool].joules[static_cast<std::size_t>(component)];
}

// A toy fleet in which everything draws power.
test::ToyOptions hungry() {
  test::ToyOptions options;
  options.device.power.active = watts(20);
  return options;
}

scenario::Plan hungry_plan(const test::ToyOptions& options) {
  auto plan = test::toy_plan(options);
  catalog::NodeSpec& node = plan.pools[0].node;
  node.host.power_idle = watts(200);
  node.host.power_max = watts(500);
  node.nics[0].power = watts(25);
  node.overhead_power = watts(60);
  node.psu_efficiency = 0.9;
  plan.site.pue = 1.25;
  return plan;
}

}  // namespace

TEST_CASE("energy of one request by pencil: 8 GB and 8 GFLOP a step, its KV cache, 100 W idle") {
  test::ListStream stream({test::request_at(0, 0.0, 16, 1001)});
  const auto result = test::run_here(test::toy_plan(), stream);
  double bytes = 8e9 + 64e3 * (16 + 16);
  double flops = 6.4e9 * 16 + 1.6e9 + 256e3 * (16 * 17 / 2);
  for (int i = 1; i <= 1000; ++i) {
    const double attended = 16.0 + i;
    bytes += 8e9 + 64e3 * (1.0 + attended);
    flops += 8e9 + 256e3 * attended;
  }
  CHECK(joules(result, EnergyComponent::memory) == doctest::Approx(bytes * 100e-12).epsilon(1e-9));
  CHECK(joules(result, EnergyComponent::compute) == doctest::Approx(flops * 1e-12).epsilon(1e-9));
  CHECK(joules(result, EnergyComponent::device_idle) ==
        doctest::Approx(100.0 * result.simulated_s).epsilon(1e-12));
  CHECK(joules(result, EnergyComponent::fabric) ==
        doctest::Approx(500.0 * result.simulated_s).epsilon(1e-12));
  for (const EnergyComponent none : {EnergyComponent::device_active, EnergyComponent::link,
                                     EnergyComponent::host, EnergyComponent::node_overhead,
                                     EnergyComponent::psu_loss, EnergyComponent::facility_overhead})
    CHECK(joules(result, none) == 0.0);
}

TEST_CASE(
    "energy is the sum over the replica's runs of power times time, and what stands idle between") {
  test::ToyOptions options = hungry();
  options.kv_blocks = 80;  // with preemptions
  test::ReplicaDriver driver(options);
  std::vector<workload::Request> requests;
  RandomStream random(5, "requests");
  double at_s = 0.0;
  for (int i = 0; i < 80; ++i) {
    at_s += random.exponential(0.2);
    requests.push_back(test::request_at(i, at_s, random.integer(1, 300), random.integer(1, 200)));
    driver.arrive(at_s, requests.back());
  }
  driver.finish();
  // IT power at each moment: what runs draws above idle, and the node does not care how much.
  double device_j = 0.0;
  double busy_s = 0.0;
  int preemptions = 0;
  for (const serving::RunReport& run : driver.reports()) {
    using perf::Work;
    const double duration_s = run.end_s - run.start_s;
    const double dynamic_j = 1e-12 * (run.cost[Work::flops_linear] + run.cost[Work::flops_experts] +
                                      run.cost[Work::flops_attention]) +
                             100e-12 * (run.cost[Work::bytes_weights] + run.cost[Work::bytes_kv]);
    REQUIRE(100.0 + 20.0 + dynamic_j / duration_s < 300.0);  // within the TDP
    device_j += dynamic_j + 20.0 * duration_s;
    busy_s += duration_s;
  }
  for (int i = 0; i < 80; ++i) preemptions += driver.of(i).preemptions;
  CHECK(preemptions > 0);
  test::ListStream stream(requests);
  const auto result = test::run_here(hungry_plan(options), stream);
  const double end_s = result.simulated_s;
  const double node_j = (100.0 + 200.0 + 25.0 + 60.0) * end_s + (500.0 - 200.0) * busy_s + device_j;
  const double it_j = node_j / 0.9 + 500.0 * end_s;
  CHECK(metric_of(result, "it_energy_j") == doctest::Approx(it_j).epsilon(1e-9));
  CHECK(metric_of(result, "facility_energy_j") == doctest::Approx(1.25 * it_j).epsilon(1e-9));
  CHECK(metric_of(result, "it_power_mean_w") == doctest::Approx(it_j / end_s).epsilon(1e-9));
}

TEST_CASE(
    "an idle fleet draws what stands: devices, hosts, NICs, overhead through the supply, and the "
    "switch") {
  // One request of a single token in the first 8 ms, another after 1,000 s: idle in between.
  test::ToyOptions options = hungry();
  options.nodes = 3;
  options.workload = {};
  test::ListStream stream({test::request_at(0, 0.0, 1, 1), test::request_at(1, 1000.0, 1, 1)});
  const auto result = test::run_here(hungry_plan(options), stream);
  const double standing_w = 3.0 * (100.0 + 200.0 + 25.0 + 60.0) / 0.9 + 500.0;
  CHECK(metric_of(result, "it_power_mean_w") == doctest::Approx(standing_w).epsilon(1e-4));
  CHECK(metric_of(result, "it_power_mean_w") > standing_w);
}

TEST_CASE("a device that would draw more than its TDP is held at it") {
  test::ToyOptions options;
  options.device.power.tdp = watts(150);  // 100 W idle; decoding would draw 100 W of memory more
  test::ListStream stream({test::request_at(0, 0.0, 16, 1001)});
  const auto result = test::run_here(test::toy_plan(options), stream);
  const double dynamic_j =
      joules(result, EnergyComponent::memory) + joules(result, EnergyComponent::compute);
  CHECK(dynamic_j == doctest::Approx(50.0 * result.simulated_s).epsilon(1e-9));
}

TEST_CASE(
    "the highest power of a run is above its mean and below what everything can draw at once") {
  test::ToyOptions options = hungry();
  options.nodes = 2;
  options.workload = test::toy_workload(6.0, 200, 400, 50);
  const auto result = test::run_here(hungry_plan(options));
  const double most_w = 2.0 * (300.0 + 500.0 + 25.0 + 60.0) / 0.9 + 500.0;
  CHECK(metric_of(result, "it_power_peak_w") > metric_of(result, "it_power_mean_w"));
  CHECK(metric_of(result, "it_power_peak_w") < most_w);
}

TEST_CASE(
    "the fabric's power is shared among pools by their nodes, and the pools' joules are the "
    "fleet's") {
  test::ToyOptions options;
  options.workload = test::toy_workload(5.0, 100, 50, 20);
  auto plan = test::toy_plan(options);
  test::ToyOptions other;
  other.nodes = 3;
  scenario::PoolPlan pool = test::toy_pool(other);
  pool.name = "other";
  plan.pools.push_back(pool);
  const auto result = test::run_here(plan);
  CHECK(joules(result, EnergyComponent::fabric, 1) ==
        doctest::Approx(3.0 * joules(result, EnergyComponent::fabric, 0)).epsilon(1e-12));
  double all_j = 0.0;
  for (const auto& p : result.pools) {
    for (const double j : p.joules) all_j += j;
  }
  CHECK(metric_of(result, "facility_energy_j") == doctest::Approx(all_j).epsilon(1e-12));
}
