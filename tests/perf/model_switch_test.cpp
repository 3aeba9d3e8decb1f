// How long another model takes, and engines that need no host between steps.
//
// Toy model: 8 GB in bf16.
#include "perf/model_switch.hpp"
#include "perf_fixture.hpp"

namespace tokenyard::perf {
namespace {

using test::ToyOptions;

std::optional<ModelSwitch> switch_of(const scenario::Plan& plan) {
  const scenario::PoolPlan& pool = plan.pools.front();
  const scenario::DeploymentPlan& d = pool.deployments.front();
  return model_switch(pool, d, place(pool, d, plan.scenario.serving));
}

catalog::MemoryTier tier(const std::string& name, double gb, double gb_per_s,
                         std::vector<catalog::Holds> holds) {
  catalog::MemoryTier t;
  t.tier = name;
  t.capacity = gigabytes(gb);
  t.bandwidth = gigabytes_per_second(gb_per_s);
  t.holds = std::move(holds);
  return t;
}

}  // namespace

TEST_CASE("8 GB from a tier that parks models at 200 GB/s: 40 ms") {
  ToyOptions options;
  options.device.memory.push_back(tier("ddr", 1500, 200, {catalog::Holds::models}));
  const auto change = switch_of(test::toy_plan(options));
  REQUIRE(change.has_value());
  CHECK(change->from == "ddr");
  CHECK(change->seconds == near(0.040));
}

TEST_CASE("SRAM is loaded from the DRAM below it: 8 GB at 136 GB/s entering at 45 % take 0.131 s") {
  ToyOptions options;
  options.device.memory = {tier("sram", 16, 10'000, {catalog::Holds::weights}),
                           tier("lpddr", 32, 136, {catalog::Holds::kv})};
  options.device.memory[1].ingress_efficiency = 0.45;
  const auto change = switch_of(test::toy_plan(options));
  REQUIRE(change.has_value());
  CHECK(change->from == "lpddr");
  CHECK(change->seconds == near(8e9 / (136e9 * 0.45)));
}

TEST_CASE(
    "without a tier below, weights come from the host: PCIe at 50 GB/s, or a share of its DRAM") {
  ToyOptions options;
  options.devices_per_node = 2;
  catalog::Link pcie;
  pcie.name = "pcie5";
  pcie.bandwidth = gigabytes_per_second(100);
  pcie.efficiency = 0.5;
  options.device.links.push_back(pcie);
  scenario::Plan plan = test::toy_plan(options);
  CHECK_FALSE(switch_of(plan).has_value());  // no DRAM is known
  catalog::Dram dram;
  dram.bandwidth = gigabytes_per_second(400);
  plan.pools.front().node.host.dram = dram;
  CHECK(switch_of(plan)->seconds == near(8.0 / 50));
  plan.pools.front().node.host.dram->bandwidth = gigabytes_per_second(40);
  CHECK(switch_of(plan)->seconds == near(8.0 / 20));
}

TEST_CASE("another model on hard-wired silicon takes as long as silicon takes") {
  ToyOptions options;
  options.device.hardwired_model = "toy-4b";
  CHECK_FALSE(switch_of(test::toy_plan(options)).has_value());
  options.device.respin = catalog::Respin{.lead_time = years(1.0 / 6), .cost = usd(5e6)};
  const auto change = switch_of(test::toy_plan(options));
  CHECK(change->from == "new silicon");
  CHECK(change->seconds == near(kSecondsPerYear / 6));
}

TEST_CASE("an engine that goes on by itself has no host time, whatever the scenario says") {
  ToyOptions options;
  options.serving.host = {.per_step = milliseconds(0.5), .per_sequence = microseconds(5)};
  const double with_host = Toy(options).decode(1)[Cause::host];
  CHECK(with_host == near(0.505e-3));
  options.device.engines.front().autonomous = true;
  CHECK(Toy(options).decode(1)[Cause::host] == 0.0);
}

}  // namespace tokenyard::perf
