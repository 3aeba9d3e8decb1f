// A day of DeepSeek-V3 and R1 in production, as published by its operator in February 2025:
// 608 G tokens in, 168 G out, 226.75 nodes of 8 H800 on average at 2 USD a GPU and hour, 87,072
// USD.
#include <doctest/doctest.h>

#include "economics/tco.hpp"
#include "support/toy.hpp"

namespace tokenyard {
namespace {

constexpr Tokens tokens(double n) {
  return Tokens::from_base(n);
}

// Nodes that take in, or put out, `day` in a day at so many tokens a second each.
double nodes_needed(Tokens day, double tokens_per_s_of_a_node) {
  const auto rate = tokens(tokens_per_s_of_a_node) / seconds(1);
  return day / (rate * seconds(kSecondsPerDay));
}

// 907 nodes for 6 hours are 226.75 for a day.  Devices cost 2 USD an hour for 4 years, and nothing
// else costs anything.
scenario::Plan production_plan() {
  test::ToyOptions options;
  options.nodes = 907;
  options.devices_per_node = 8;
  options.device.price = usd(2.0 * 24 * 365 * 4);
  scenario::Plan plan = test::toy_plan(options);
  plan.site.discount_rate = 0.0;
  return plan;
}

}  // namespace

TEST_CASE(
    "at 73,700 tokens/s in and 14,800 out a node the day takes 95.5 + 131.4 = 226.9 nodes, 226.75 "
    "stated") {
  const double prefill = nodes_needed(tokens(608e9), 73.7e3);
  const double decode = nodes_needed(tokens(168e9), 14.8e3);
  CHECK(prefill == doctest::Approx(95.5).epsilon(0.0005));
  CHECK(decode == doctest::Approx(131.4).epsilon(0.0005));
  CHECK(prefill + decode == doctest::Approx(226.75).epsilon(0.001));
}

TEST_CASE(
    "2 USD a GPU and hour make 87,072 USD a day, 0.518 USD a million tokens out, 0.112 blended") {
  const scenario::Plan plan = production_plan();
  economics::UsageSummary usage;
  usage.measured_s = 6 * kSecondsPerHour;
  usage.input_tokens = 608e9;
  usage.output_tokens = 168e9;
  usage.pools.resize(1);
  const economics::CostResult cost = economics::compute_cost(plan, usage);
  CHECK(cost.usd_per_device_hour == doctest::Approx(2.0).epsilon(1e-9));
  CHECK(cost.annualized_usd * usage.measured_s / kSecondsPerYear ==
        doctest::Approx(87'072).epsilon(1e-9));
  CHECK(cost.usd_per_mtok_output.value() == doctest::Approx(0.518).epsilon(0.001));
  CHECK(cost.usd_per_mtok_blended.value() == doctest::Approx(0.112).epsilon(0.002));
}

}  // namespace tokenyard
