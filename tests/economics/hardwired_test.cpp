// Silicon that is a model: replaced when another model is wanted.
#include <doctest/doctest.h>

#include "books.hpp"

namespace tokenyard::economics {
namespace {

// One box of 100,000 USD; a model's silicon takes 1 M USD of engineering; 4 years at no interest.
scenario::Plan hardwired_plan() {
  scenario::Plan plan = plan_of(pool_at(100e3));
  plan.scenario.economics.horizon = years(4);
  plan.site.discount_rate = 0.0;
  plan.site.residual_value = 0.10;
  catalog::Device& device = plan.pools[0].devices[0];
  device.hardwired_model = "the-model";
  device.respin = catalog::Respin{.lead_time = years(1.0 / 6), .cost = usd(1e6)};
  return plan;
}

TEST_CASE("a model wanted for the whole horizon: the box once, nothing left of it at the end") {
  const scenario::Plan plan = hardwired_plan();
  const CostResult cost = compute_cost(plan, usage_with(1));
  CHECK(sum_of(cost, "nodes") == 100e3);
  CHECK(sum_of(cost, "residual") == 0.0);
}

TEST_CASE("three refreshes in four years: four boxes and the engineering of three more models") {
  scenario::Plan plan = hardwired_plan();
  plan.scenario.economics.model_lifetime = years(1);
  const CostResult cost = compute_cost(plan, usage_with(1));
  double nodes = 0.0;
  for (const CostItem& item : cost.items) {
    if (item.category != "financing") nodes += item.usd;
  }
  CHECK(nodes == doctest::Approx(4 * 100e3 + 3 * 1e6));
  SUBCASE("of which a fleet may bear a share") {
    plan.scenario.economics.respin_share = 0.1;
    const CostResult shared = compute_cost(plan, usage_with(1));
    CHECK(cost.tco_usd - shared.tco_usd == doctest::Approx(0.9 * 3e6));
  }
  SUBCASE("a second pool of the same silicon pays for boxes only") {
    plan.pools.push_back(plan.pools.front());
    plan.fabric.switches.price = usd(0);
    plan.fabric.cable.price = usd(0);
    UsageSummary usage = usage_with(1);
    usage.pools.push_back(usage.pools.front());
    CHECK(compute_cost(plan, usage).tco_usd - cost.tco_usd == doctest::Approx(4 * 100e3));
  }
}

TEST_CASE("a model that outlives the horizon needs no other") {
  scenario::Plan plan = hardwired_plan();
  const double once = compute_cost(plan, usage_with(1)).tco_usd;
  plan.scenario.economics.model_lifetime = years(10);
  CHECK(compute_cost(plan, usage_with(1)).tco_usd == once);
}

TEST_CASE("programmable silicon does not care how long a model lives") {
  scenario::Plan plan = hardwired_plan();
  plan.pools[0].devices[0].hardwired_model.reset();
  plan.scenario.economics.model_lifetime = years(1);
  CHECK(sum_of(compute_cost(plan, usage_with(1)), "nodes") == 100e3);
}

}  // namespace
}  // namespace tokenyard::economics
