#include "economics/prices.hpp"

#include <doctest/doctest.h>

#include "books.hpp"

namespace tokenyard::economics {
namespace {

std::string problems(const scenario::Plan& plan) {
  Diagnostics diagnostics;
  check_prices(plan, diagnostics);
  std::string text;
  for (const Diagnostic& d : diagnostics.list())
    text += (text.empty() ? "" : "\n") + format_diagnostic(d);
  return text;
}

TEST_CASE(
    "a node sold as a system is one price; else devices, host and NICs: 8 * 10 + 5 + 2 * 1 "
    "thousand") {
  scenario::PoolPlan pool = pool_at(100e3);
  REQUIRE(node_price(pool).size() == 1);
  CHECK(node_price(pool)[0].usd == 100e3);
  pool.node.price.reset();
  pool.devices[0].price = usd(10e3);
  pool.node.host.price = usd(5e3);
  catalog::Nic nic;
  nic.count = 2;
  nic.price = usd(1e3);
  pool.node.nics = {nic};
  double sum = 0.0;
  for (const PricePart& part : node_price(pool)) sum += part.usd;
  CHECK(sum == 87e3);
}

TEST_CASE("every missing price is an error that names its entry, never a zero") {
  scenario::Plan plan = plan_of(pool_at(0, 8, 2));
  plan.pools[0].node.price.reset();
  plan.pools[0].node.nics = {catalog::Nic{}};
  plan.fabric.name = "cloth";
  CHECK(problems(plan) ==
        "fleet.yaml:7:5: error: fleet.pools[0]: device 'chip' of node 'box' has no price; add "
        "'price' to "
        "hardware_catalog/devices/chip.yaml, or 'price' for the whole node to "
        "hardware_catalog/nodes/box.yaml\n"
        "fleet.yaml:7:5: error: fleet.pools[0]: the host of node 'box' has no price; add "
        "'host.price', or "
        "'price' for the whole node to hardware_catalog/nodes/box.yaml\n"
        "fleet.yaml:7:5: error: fleet.pools[0]: nics[0] of node 'box' has no price; add "
        "'nics[0].price', or "
        "'price' for the whole node to hardware_catalog/nodes/box.yaml\n"
        "fleet.yaml:7:5: error: fleet.fabric: the switch of fabric 'cloth' has no price; add "
        "'switch.price' to "
        "hardware_catalog/fabrics/cloth.yaml\n"
        "fleet.yaml:7:5: error: fleet.fabric: the cable of fabric 'cloth' has no price; add "
        "'cable.price' to "
        "hardware_catalog/fabrics/cloth.yaml");
  CHECK_THROWS_AS(compute_cost(plan, usage_with(1)), InputError);
}

TEST_CASE("one node needs no priced fabric") {
  CHECK(problems(plan_of(pool_at(1))).empty());
}

TEST_CASE("a site that neither rents nor builds, or does both, is refused") {
  scenario::Plan plan = plan_of(pool_at(1));
  plan.site.facility.capex_per_watt = UsdPerWatt::from_base(10);
  const std::string both = problems(plan);
  CHECK(both ==
        "error: fleet.site: site 'hall' must have one of 'facility.capex_per_watt' and "
        "'facility.colo_per_kw_month'; see hardware_catalog/sites/hall.yaml");
  plan.site.facility = {};
  CHECK(problems(plan) == both);
}

// 10 kW rated: 8 devices of 1 kW, host 1.5 kW, overhead 0.5 kW.
scenario::PoolPlan ten_kilowatts() {
  scenario::PoolPlan pool = pool_at(1);
  pool.devices[0].power.tdp = watts(1000);
  pool.devices[0].power.idle = watts(100);
  pool.node.host.power_max = watts(1500);
  pool.node.host.power_idle = watts(200);
  pool.node.overhead_power = watts(500);
  return pool;
}

TEST_CASE(
    "rated 8 * 1000 + 1500 + 500 = 10 kW, idle 800 + 200 + 500 = 1.5 kW; at 80 % PSU 12.5 kW") {
  scenario::PoolPlan pool = ten_kilowatts();
  CHECK(rated_power_w(pool) == 10e3);
  CHECK(idle_power_w(pool) == 1.5e3);
  pool.node.psu_efficiency = 0.8;
  CHECK(rated_power_w(pool) == doctest::Approx(12.5e3));
}

TEST_CASE(
    "a rack of 42 units holds 5 nodes of 8 units, but of 10 kW only as many as its power allows") {
  scenario::PoolPlan pool = ten_kilowatts();
  pool.node.rack_units = 8;
  catalog::RackSpec rack;
  rack.power_limit = watts(1e6);
  CHECK(nodes_per_rack(pool, rack) == 5);
  rack.power_limit = watts(40e3);
  CHECK(nodes_per_rack(pool, rack) == 4);
  rack.power_limit = watts(39.9e3);
  CHECK(nodes_per_rack(pool, rack) == 3);
}

TEST_CASE("a node that fits no rack, by height or by power, is refused") {
  scenario::Plan plan = plan_of(ten_kilowatts());
  plan.site.rack.power_limit = watts(8e3);
  plan.pools[0].node.rack_units = 48;
  CHECK(problems(plan) ==
        "fleet.yaml:7:5: error: fleet.pools[0]: node 'box' is 48 units high, but a rack of site "
        "'hall' has 42; it draws up to 10.0 kW, but a rack of site 'hall' delivers 8.00 kW");
}

TEST_CASE(
    "tariff of 0.05 by night (22 to 6 h) and 0.11 by day: (8 * 0.05 + 16 * 0.11) / 24 = 0.09 "
    "USD/kWh") {
  catalog::Site site;
  site.electricity = usd_per_kilowatt_hour(0.5);
  CHECK(mean_electricity_price(site) == usd_per_kilowatt_hour(0.5));
  site.tariff = {{.from_hour = 0, .price = usd_per_kilowatt_hour(0.05)},
                 {.from_hour = 6, .price = usd_per_kilowatt_hour(0.11)},
                 {.from_hour = 22, .price = usd_per_kilowatt_hour(0.05)}};
  CHECK(mean_electricity_price(site).base() * kJoulesPerKilowattHour == doctest::Approx(0.09));
}

}  // namespace
}  // namespace tokenyard::economics
