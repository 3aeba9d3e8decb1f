#include "economics/prices.hpp"

#include <algorithm>
#include <cmath>

#include "base/error.hpp"
#include "base/quantity_text.hpp"
#include "economics/usage.hpp"

namespace tokenyard::economics {
namespace {

std::string file_of(const std::string& folder, const std::string& name) {
  return "hardware_catalog/" + folder + "/" + name + ".yaml";
}

void check_node_price(const scenario::PoolPlan& pool, Diagnostics& diagnostics) {
  const catalog::NodeSpec& node = pool.node;
  if (node.price) return;
  const std::string whole = ", or 'price' for the whole node to " + file_of("nodes", node.name);
  const auto missing = [&](const std::string& what, const std::string& where) {
    diagnostics.add(pool.where, pool.path, what + " has no price; add " + where + whole);
  };
  for (const catalog::Device& device : pool.devices) {
    if (device.price) continue;
    missing("device '" + device.name + "' of node '" + node.name + "'",
            "'price' to " + file_of("devices", device.name));
  }
  if (!node.host.price) missing("the host of node '" + node.name + "'", "'host.price'");
  for (std::size_t i = 0; i < node.nics.size(); ++i) {
    if (node.nics[i].price) continue;
    const std::string key = "nics[" + std::to_string(i) + "]";
    missing(key + " of node '" + node.name + "'", "'" + key + ".price'");
  }
}

void check_fabric_price(const scenario::Plan& plan, Diagnostics& diagnostics) {
  std::int64_t nodes = 0;
  for (const scenario::PoolPlan& pool : plan.pools) nodes += pool.count;
  if (nodes < 2) return;
  const auto missing = [&](const std::string& what) {
    diagnostics.add(plan.pools.front().where, "fleet.fabric",
                    "the " + what + " of fabric '" + plan.fabric.name + "' has no price; add '" +
                        what + ".price' to " + file_of("fabrics", plan.fabric.name));
  };
  if (!plan.fabric.switches.price && plan.fabric.kind != catalog::FabricKind::torus)
    missing("switch");
  if (!plan.fabric.cable.price) missing("cable");
}

}  // namespace

std::string rack_problem(const scenario::Plan& plan, const scenario::PoolPlan& pool) {
  const catalog::RackSpec& rack = plan.site.rack;
  std::string problem;
  if (pool.node.rack_units > rack.units) {
    problem = "is " + std::to_string(pool.node.rack_units) + " units high, but a rack of site '" +
              plan.site.name + "' has " + std::to_string(rack.units);
  }
  const Watts each =
      watts(rated_power_w(pool) / static_cast<double>(std::max<std::int64_t>(pool.count, 1)));
  if (each > rack.power_limit.value) {
    problem += (problem.empty() ? "" : "; it ") + std::string("draws up to ") + to_text(each) +
               ", but a rack of site '" + plan.site.name + "' delivers " +
               to_text(rack.power_limit.value);
  }
  return problem.empty() ? "" : "node '" + pool.node.name + "' " + problem;
}

void check_prices(const scenario::Plan& plan, Diagnostics& diagnostics) {
  for (const scenario::PoolPlan& pool : plan.pools) {
    check_node_price(pool, diagnostics);
    const std::string problem = rack_problem(plan, pool);
    if (!problem.empty()) diagnostics.add(pool.where, pool.path, problem);
  }
  if (!plan.pools.empty()) check_fabric_price(plan, diagnostics);
  const catalog::Facility& facility = plan.site.facility;
  if (facility.capex_per_watt.has_value() == facility.colo_per_kw_month.has_value()) {
    diagnostics.add({}, "fleet.site",
                    "site '" + plan.site.name +
                        "' must have one of 'facility.capex_per_watt' and " +
                        "'facility.colo_per_kw_month'; see " + file_of("sites", plan.site.name));
  }
}

std::vector<PricePart> node_price(const scenario::PoolPlan& pool) {
  const catalog::NodeSpec& node = pool.node;
  if (node.price) return {{.item = "nodes", .usd = node.price->value.base()}};
  PricePart devices{.item = "devices", .usd = 0.0};
  for (std::size_t i = 0; i < node.devices.size(); ++i) {
    devices.usd +=
        pool.devices.at(i).price.value().value.base() * static_cast<double>(node.devices[i].count);
  }
  PricePart nics{.item = "NICs", .usd = 0.0};
  for (const catalog::Nic& nic : node.nics) {
    nics.usd += nic.price.value().value.base() * static_cast<double>(nic.count);
  }
  return {devices, {.item = "hosts", .usd = node.host.price.value().value.base()}, nics};
}

std::int64_t nodes_per_rack(const scenario::PoolPlan& pool, const catalog::RackSpec& rack) {
  const std::int64_t by_height = rack.units / pool.node.rack_units;
  const double rated_w = rated_power_w(pool);
  if (rated_w <= 0.0) return by_height;
  const double each_w = rated_w / static_cast<double>(pool.count);
  // The addend keeps nodes that fill a rack to the last watt from losing a place to rounding.
  const double by_power = std::floor(rack.power_limit.value.base() / each_w + 1e-9);
  return by_power < static_cast<double>(by_height) ? static_cast<std::int64_t>(by_power)
                                                   : by_height;
}

UsdPerJoule mean_electricity_price(const catalog::Site& site) {
  if (site.tariff.empty()) return site.electricity;
  UsdPerJoule weighted;
  for (std::size_t i = 0; i < site.tariff.size(); ++i) {
    const std::int64_t until = i + 1 < site.tariff.size() ? site.tariff[i + 1].from_hour
                                                          : 24 + site.tariff.front().from_hour;
    weighted += site.tariff[i].price * static_cast<double>(until - site.tariff[i].from_hour);
  }
  return weighted / 24.0;
}

}  // namespace tokenyard::economics
