#pragma once
// What things cost before time passes: prices of nodes and network, racks, the tariff's mean.
#include <cstdint>
#include <string>
#include <vector>

#include "scenario/plan.hpp"

namespace tokenyard::economics {

// Everything about prices and racks that is wrong or missing in a plan, before anything is
// simulated: a missing price is an error that names the catalog entry, never a zero; a node must
// fit a rack by height and by rated power; a site has exactly one way to pay for its building.
void check_prices(const scenario::Plan& plan, Diagnostics& diagnostics);

// Why a node of the pool does not fit a rack of the site; "" when it does.
std::string rack_problem(const scenario::Plan& plan, const scenario::PoolPlan& pool);

struct PricePart {
  std::string item;
  double usd = 0.0;
};

// Of one node.  Sold as a system, its price includes devices, host and NICs: one part, "nodes".
// Else the parts "devices", "hosts" and "NICs".  The prices must be known (check_prices).
std::vector<PricePart> node_price(const scenario::PoolPlan& pool);

// Nodes that one rack holds, by height and by rated power; at least 1 after check_prices.
std::int64_t nodes_per_rack(const scenario::PoolPlan& pool, const catalog::RackSpec& rack);

// Mean price of energy over the hours of a day, the load being the same at all hours.
UsdPerJoule mean_electricity_price(const catalog::Site& site);

}  // namespace tokenyard::economics
