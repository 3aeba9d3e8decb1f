#include "economics/tco.hpp"

#include <doctest/doctest.h>

#include <cmath>

#include "books.hpp"
#include "economics/finance.hpp"

namespace tokenyard::economics {
namespace {

using doctest::Approx;

constexpr double kHours = 8760.0;

TEST_CASE(
    "100,000 USD, 10 % over 4 years, 10 % residual, 20,000 a year: TCO 197,569, financing 27,569") {
  scenario::Plan plan = plan_of(pool_at(100e3));
  plan.scenario.economics.horizon = years(4);
  plan.site.residual_value = 0.10;
  plan.site.maintenance_per_year = 0.20;
  const CostResult cost = compute_cost(plan, usage_with(1));
  const double capital = (100e3 - 10e3 / 1.4641) * 0.14641 / 0.4641;
  CHECK(cost.annualized_usd == Approx(capital + 20e3).epsilon(1e-12));
  CHECK(std::round(cost.tco_usd) == 197569);
  CHECK(std::round(sum_of(cost, "financing")) == 27569);
  CHECK(sum_of(cost, "nodes") == 100e3);
  CHECK(sum_of(cost, "residual") == Approx(-10e3));
  CHECK(sum_of(cost, "maintenance") == Approx(80e3));
  CHECK(cost.capex_usd == 100e3);
  CHECK(cost.opex_usd_per_year == Approx(20e3));
}

TEST_CASE(
    "35,200 USD per device at 10 % over 5 years are 1.06 USD/h; 148 USD/kW/month on 1.73 kW add "
    "0.35") {
  scenario::Plan plan = plan_of(pool_at(8 * 35.2e3));
  CHECK(compute_cost(plan, usage_with(1)).usd_per_device_hour == Approx(1.06).epsilon(1e-4));
  plan.site.facility.colo_per_kw_month = UsdPerWattSecond::from_base(0.148 * 12 / kSecondsPerYear);
  UsageSummary usage = usage_with(1);
  usage.pools[0].it_power_peak_w = 8 * 1.73e3;
  const CostResult cost = compute_cost(plan, usage);
  CHECK(cost.provisioned_power_w == 8 * 1.73e3);
  CHECK(cost.usd_per_device_hour == Approx(1.06 + 148 * 1.73 * 12 / kHours).epsilon(1e-4));
  CHECK(std::round(cost.usd_per_device_hour * 100) == 141);
}

TEST_CASE(
    "a day of 226.75 nodes at 2 USD per device and hour: 87,072 USD, 0.518 per M output, 0.112 "
    "blended") {
  // 907 nodes are four times 226.75, and work through four times 608 G input and 168 G output
  // tokens.
  scenario::Plan plan = plan_of(pool_at(2.0 * 8 * kHours, 8, 907));
  plan.scenario.economics.horizon = years(1);
  plan.site.discount_rate = 0.0;
  plan.fabric.switches.price = plan.fabric.cable.price = usd(0);
  UsageSummary usage = usage_with(4 * 168e9, 86400);
  usage.input_tokens = 4 * 608e9;
  const CostResult cost = compute_cost(plan, usage);
  CHECK(cost.annualized_usd / 365 / 4 == Approx(87072).epsilon(1e-12));
  CHECK(*cost.usd_per_mtok_output == Approx(87072 / 168e3).epsilon(1e-12));
  CHECK(std::round(*cost.usd_per_mtok_output * 1000) == 518);
  CHECK(std::round(*cost.usd_per_mtok_blended * 1000) == 112);
}

TEST_CASE(
    "8B offline: 8xH200 at 1.41 USD/h 0.054 USD/M, a 22,500 USD Xeon 0.207; they meet at 26 % of "
    "the node") {
  scenario::Plan gpus = plan_of(pool_at(8 * 1.41 * kHours / capital_recovery_factor(0.1, 5)));
  const CostResult gpu = compute_cost(gpus, usage_with(58304 * 3600.0));
  CHECK(std::round(*gpu.usd_per_mtok_output * 1000) == 54);
  CHECK(std::round(*compute_cost(gpus, usage_with(41291 * 3600.0)).usd_per_mtok_output * 1000) ==
        76);

  // 0.35 USD/h of opex for 1.73 kW of an H200; the server draws 1.2 kW.
  scenario::Plan cpus = plan_of(pool_at(22.5e3, 2));
  cpus.site.facility.colo_per_kw_month = UsdPerWattSecond::from_base(0.35 / 1730.0 / 3600.0);
  UsageSummary usage = usage_with(1233 * 3600.0);
  usage.pools[0].it_power_peak_w = 1200;
  const CostResult cpu = compute_cost(cpus, usage);
  CHECK(std::round(cpu.annualized_usd / kHours * 100) == 92);
  CHECK(std::round(*cpu.usd_per_mtok_output * 1000) == 207);
  usage.output_tokens = 451 * 3600.0;
  CHECK(std::round(*compute_cost(cpus, usage).usd_per_mtok_output * 1000) == 567);

  // Renting out is no question here: the market is the CPU's price per token.
  const Market market{.usd_per_device_hour = {},
                      .usd_per_mtok_input = {},
                      .usd_per_mtok_output = cpu.usd_per_mtok_output};
  const CostResult crossed = compute_cost(gpus, usage_with(58304 * 3600.0), market);
  CHECK(std::round(*crossed.break_even_utilization * 100) == 26);
  CHECK(std::round(*crossed.break_even_utilization * 58304 / 100) == 151);  // 15.1 k tokens/s
}

TEST_CASE(
    "items sum to the TCO, those of the pools and the shared ones too, whatever the horizon") {
  scenario::Plan plan = costly_plan();
  for (const double horizon : {0.5, 1.0, 3.0, 4.0, 7.5}) {
    plan.scenario.economics.horizon = years(horizon);
    for (const double rate : {0.0, 0.08, 0.2}) {
      plan.site.discount_rate = rate;
      const CostResult cost = compute_cost(plan, busy_usage());
      CHECK(sum_of(cost, "") == Approx(cost.tco_usd).epsilon(1e-9));
      CHECK(sum_of(cost, "", "main") + sum_of(cost, "", "small") + sum_of(cost, "", kShared) ==
            Approx(cost.tco_usd).epsilon(1e-9));
      CHECK(cost.tco_usd == Approx(cost.annualized_usd * horizon).epsilon(1e-12));
    }
  }
}

TEST_CASE("without interest there is no financing, with interest there is") {
  scenario::Plan plan = costly_plan();
  CHECK(sum_of(compute_cost(plan, busy_usage()), "financing") > 0.0);
  plan.site.discount_rate = 0.0;
  CHECK(sum_of(compute_cost(plan, busy_usage()), "financing") == 0.0);
}

TEST_CASE("two pools of a kind cost twice one pool, but for the network they share") {
  scenario::Plan plan = costly_plan();
  plan.pools[1] = plan.pools[0];
  UsageSummary usage = busy_usage();
  usage.pools[1] = usage.pools[0];
  usage.switches = usage.cables = 0;
  usage.fabric_power_w = 0;
  const CostResult both = compute_cost(plan, usage);
  plan.pools.pop_back();
  usage.pools.pop_back();
  const CostResult one = compute_cost(plan, usage);
  CHECK(both.tco_usd == Approx(2 * one.tco_usd).epsilon(1e-12));
  CHECK(both.usd_per_device_hour == Approx(one.usd_per_device_hour).epsilon(1e-12));
}

TEST_CASE(
    "2 switches of 36,000 and 40 cables of 600 USD are shared by the pools: 72,000 + 24,000") {
  const CostResult cost = compute_cost(costly_plan(), busy_usage());
  CHECK(sum_of(cost, "network") == 96e3);
  CHECK(sum_of(cost, "network", kShared) == 96e3);
}

TEST_CASE("electricity: (18 + 4 + 0.9) kW * 1.2 * 8,760 h * 0.08 USD/kWh a year") {
  const CostResult cost = compute_cost(costly_plan(), busy_usage());
  CHECK(cost.facility_energy_per_year_j == Approx(22.9 * 1.2 * kHours * 3.6e6));
  CHECK(sum_of(cost, "electricity") == Approx(4 * 22.9 * 1.2 * kHours * 0.08));
  CHECK(cost.provisioned_power_w == Approx(24e3 + 5e3 + 900));
}

TEST_CASE("half the utilization: half the tokens, and power idle + (mean - idle) / 2") {
  scenario::Plan plan = costly_plan();
  const CostResult full = compute_cost(plan, busy_usage());
  plan.scenario.economics.utilization.share = 0.5;
  const CostResult half = compute_cost(plan, busy_usage());
  CHECK(half.output_tokens_per_year == Approx(full.output_tokens_per_year / 2));
  CHECK(half.provisioned_power_w == full.provisioned_power_w);
  // 6 + 12 / 2 and 1 + 3 / 2 kW; the fabric's 0.9 kW stay.
  CHECK(sum_of(half, "electricity") == Approx(4 * (12 + 2.5 + 0.9) * 1.2 * kHours * 0.08));
  // All else equal, so a token costs twice as much but for energy.
  const double full_rest = full.tco_usd - sum_of(full, "electricity");
  CHECK(half.tco_usd - sum_of(half, "electricity") == Approx(full_rest).epsilon(1e-12));
  plan.site.electricity = usd_per_kilowatt_hour(0);
  const double half_usd = *compute_cost(plan, busy_usage()).usd_per_mtok_output;
  plan.scenario.economics.utilization.share.reset();
  CHECK(half_usd ==
        Approx(2 * *compute_cost(plan, busy_usage()).usd_per_mtok_output).epsilon(1e-12));
}

TEST_CASE("a building of 11.70 USD/W at 8 % over 15 years costs 1,367 USD per kW and year") {
  scenario::Plan plan = plan_of(pool_at(0));
  plan.site.facility = {};
  plan.site.facility.capex_per_watt = UsdPerWatt::from_base(11.70);
  plan.site.discount_rate = 0.08;
  UsageSummary usage = usage_with(1);
  usage.pools[0].it_power_peak_w = 1000;
  const CostResult cost = compute_cost(plan, usage);
  CHECK(std::round(cost.annualized_usd) == 1367);
  CHECK(cost.capex_usd == Approx(11700));
  // 5 of its 15 years.
  CHECK(sum_of(cost, "facility") == Approx(3900));
}

TEST_CASE(
    "what lives one year is bought every year: 1,000 USD at 10 % are 1,100 a year over any "
    "horizon") {
  for (const double horizon : {1.0, 2.0, 4.0}) {
    scenario::Plan plan = plan_of(pool_at(1000));
    plan.pools[0].devices[0].lifetime = years(1);
    plan.scenario.economics.horizon = years(horizon);
    const CostResult cost = compute_cost(plan, usage_with(1));
    CHECK(cost.annualized_usd == Approx(1100).epsilon(1e-12));
    CHECK(sum_of(cost, "nodes") == Approx(1000 * horizon));
    CHECK(cost.capex_usd == 1000);
  }
}

TEST_CASE("a horizon an hour longer than the life of the nodes costs no jump") {
  scenario::Plan plan = plan_of(pool_at(1000));
  plan.site.discount_rate = 0.0;
  plan.site.residual_value = 0.10;
  plan.pools[0].devices[0].lifetime = years(5);
  const double before = compute_cost(plan, usage_with(1)).tco_usd;
  plan.scenario.economics.horizon = years(5) + hours(1);
  const CostResult after = compute_cost(plan, usage_with(1));
  CHECK(sum_of(after, "nodes") == 2000);
  // One hour of five years' straight-line loss of 900 USD: 0.02 USD.
  CHECK(after.tco_usd - before == Approx(900.0 / (5 * kHours)));
}

TEST_CASE("silicon that is one model fetches nothing at the end") {
  scenario::Plan plan = plan_of(pool_at(1000));
  plan.site.residual_value = 0.10;
  CHECK(sum_of(compute_cost(plan, usage_with(1)), "residual") == Approx(-100));
  plan.pools[0].devices[0].hardwired_model = "llama-3.1-8b";
  CHECK(sum_of(compute_cost(plan, usage_with(1)), "residual") == 0.0);
}

TEST_CASE(
    "cost is shared by device time: 95.5 prefill and 131.4 decode nodes, 0.060 and 0.300 USD/M") {
  scenario::Plan plan = plan_of(pool_at(87072.0 * 365));
  plan.scenario.economics.horizon = years(1);
  plan.site.discount_rate = 0.0;
  UsageSummary usage = usage_with(168e9, 86400);
  usage.input_tokens = 608e9;
  usage.cached_tokens = 342e9;
  CHECK(!compute_cost(plan, usage).usd_per_mtok_input);
  usage.pools[0].prefill_device_s = 95.5 * 86400;
  usage.pools[0].decode_device_s = 131.4 * 86400;
  const CostResult cost = compute_cost(plan, usage);
  CHECK(*cost.usd_per_mtok_input == Approx(87072 * 95.5 / 226.9 / 608e3));
  CHECK(*cost.usd_per_mtok_uncached_input == Approx(87072 * 95.5 / 226.9 / 266e3));
  CHECK(*cost.usd_per_mtok_output_allocated == Approx(87072 * 131.4 / 226.9 / 168e3));
  // The same whole whichever way it is told.
  CHECK(*cost.usd_per_mtok_input * 608e3 + *cost.usd_per_mtok_output_allocated * 168e3 ==
        Approx(87072));
  CHECK(*cost.usd_per_mtok_output * 168e3 == Approx(87072));
}

TEST_CASE("each pool's cost is shared by its own seconds: a pool of prefill only is all input") {
  scenario::Plan plan = plan_of(pool_at(3000));
  plan.pools.push_back(pool_at(1000));
  plan.fabric.switches.price = plan.fabric.cable.price = usd(0);
  UsageSummary usage = usage_with(1e6);
  usage.input_tokens = 1e6;
  usage.pools = {{.prefill_device_s = 10}, {.decode_device_s = 99}};
  const CostResult cost = compute_cost(plan, usage);
  CHECK(*cost.usd_per_mtok_input == Approx(3 * *cost.usd_per_mtok_output_allocated).epsilon(1e-12));
}

TEST_CASE(
    "at 1 USD/h to own and 2 USD/h to rent, half the hours pay; at 0.9 USD/h not even all do") {
  scenario::Plan plan = plan_of(pool_at(kHours, 1));
  plan.scenario.economics.horizon = years(1);
  plan.site.discount_rate = 0.0;
  Market market{.usd_per_device_hour = 2.0, .usd_per_mtok_input = {}, .usd_per_mtok_output = {}};
  CHECK(*compute_cost(plan, usage_with(1), market).break_even_utilization == Approx(0.5));
  market.usd_per_device_hour = 0.9;
  CHECK(!compute_cost(plan, usage_with(1), market).break_even_utilization);
  CHECK(!compute_cost(plan, usage_with(1)).break_even_utilization);
}

TEST_CASE(
    "energy that only use draws makes owning pay later: 1 / (2 - 0.1), whatever the utilization "
    "assumed") {
  scenario::Plan plan = plan_of(pool_at(kHours, 1));
  plan.scenario.economics.horizon = years(1);
  plan.site.discount_rate = 0.0;
  plan.site.electricity = usd_per_kilowatt_hour(0.10);
  UsageSummary usage = usage_with(1);
  usage.pools[0].it_energy_j = 1000.0 * 3600;  // 1 kW, none of it idle: 0.10 USD/h
  const Market market{
      .usd_per_device_hour = 2.0, .usd_per_mtok_input = {}, .usd_per_mtok_output = {}};
  CHECK(*compute_cost(plan, usage, market).break_even_utilization == Approx(1 / 1.9));
  plan.scenario.economics.utilization.share = 0.3;
  CHECK(*compute_cost(plan, usage, market).break_even_utilization == Approx(1 / 1.9));
}

TEST_CASE(
    "10.4 kW at PUE 1.12 and 0.35 kg/kWh for 102,909 tokens/s: 11 g of CO2 per million tokens") {
  scenario::Plan plan = plan_of(pool_at(0));
  plan.site.pue = 1.12;
  plan.site.carbon_intensity = KilogramsPerJoule::from_base(0.35 / kJoulesPerKilowattHour);
  UsageSummary usage = usage_with(102909 * 3600.0);
  usage.pools[0].it_energy_j = 10.4e3 * 3600;
  CHECK(std::round(*compute_cost(plan, usage).kgco2_per_mtok_output * 1000) == 11);
}

TEST_CASE("staff: 1,000 devices per person at 180,000 USD a year are 180 USD a device") {
  scenario::Plan plan = plan_of(pool_at(0));
  plan.site.staff.devices_per_person = 1000.0;
  plan.site.staff.cost_per_person_year = usd(180e3);
  CHECK(compute_cost(plan, usage_with(1)).opex_usd_per_year == Approx(8 * 180.0));
}

TEST_CASE("racks: 7 nodes of 10 units, 4 in a rack, take two") {
  scenario::Plan plan = plan_of(pool_at(1, 8, 7));
  plan.pools[0].node.rack_units = 10;
  plan.site.rack.price = usd(5e3);
  plan.fabric.switches.price = plan.fabric.cable.price = usd(0);
  const CostResult cost = compute_cost(plan, usage_with(1));
  CHECK(cost.racks == 2);
  CHECK(sum_of(cost, "racks") == 10e3);
}

TEST_CASE("without tokens there is no price per token") {
  const CostResult cost = compute_cost(plan_of(pool_at(1)), usage_with(0));
  CHECK(!cost.usd_per_mtok_output);
  CHECK(!cost.usd_per_mtok_blended);
  CHECK(!cost.kgco2_per_mtok_output);
}

}  // namespace
}  // namespace tokenyard::economics
