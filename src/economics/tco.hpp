#pragma once
// Total cost of ownership of a fleet and of the tokens it makes.
//
// Cash flows over the horizon of H years, at the site's discount rate r:
//   at 0      nodes, network (switches, cables), racks, install (a share of these), building
//   at k L    nodes again, while k L < H, where their devices live L years; the old ones fetch
//             the residual share
//   yearly    electricity, colocation, maintenance (a share of nodes, network, racks), staff
//   at H      residual value, received: a share of nodes, network and racks.  Nodes bought again
//             are valued by age, in a straight line from their price to the residual share;
//             silicon that is one model (hardwired_model) is worth nothing
//
//   annualised  = NPV(cash at 0 .. H) * CRF(r, H) + yearly cash + building * CRF(r, its lifetime)
//   TCO         = annualised * H
//   financing   = TCO - the undiscounted cash of all items: what time costs, 0 for r = 0
//
// so the items sum to the TCO, in each pool and for the fleet.  A building outlives the horizon:
// its item is price * H / lifetime, and the rest of its annuity is financing.
//
// Worked example: one node of 100,000 USD, r = 10 %, H = 4, residual 10 %, yearly cash 20,000 USD:
// NPV = 100,000 - 10,000 / 1.1^4 = 93,170; * CRF 0.315471 = 29,392 a year; annualised 49,392, TCO
// 197,569.  Items: node 100,000, residual -10,000, yearly 80,000, financing 27,569.
//
// Electricity: mean facility power * mean price, facility power = PUE * (nodes + fabric).  At
// utilization u (share of the simulated throughput that the year delivers; 1 when absent) tokens
// are u times and the nodes' power idle + u * (mean - idle) of the simulation's: what idles keeps
// drawing.
//
// Provisioned power, which colocation and building are paid for, is the peak of the IT load (nodes
// + fabric) as simulated, whatever u: such prices are quoted per watt of critical load, PUE
// included.
//
// Cost per token: usd_per_mtok_output divides the whole cost by the output tokens, as publications
// do.  Where the seconds are known that devices spent in prefill and in decode, the cost is also
// shared: each pool's by its own seconds, the shared cost as that of the pools together, so that
// input * usd_per_mtok_input + output * usd_per_mtok_output_allocated is the whole cost.
//
// Source: Barroso, Hoelzle, Ranganathan, "The Datacenter as a Computer", 3rd ed., ch. 6
// (structure); NREL's annualised cost of energy (financing).  Leaves out taxes, software, spares,
// embodied carbon, switches' rack space, and prices that change over the horizon.
#include <optional>
#include <string>
#include <vector>

#include "economics/usage.hpp"
#include "scenario/plan.hpp"

namespace tokenyard::economics {

// `pool` of what no single pool causes: the network.
inline constexpr const char* kShared = "(shared)";

// Over the whole horizon.  Categories: nodes, network, racks, install, residual, facility,
// electricity, maintenance, staff, financing.
struct CostItem {
  std::string pool, category, item;
  double usd = 0.0;
};

// What else the same work could be bought for.
struct Market {
  // Renting such devices, only for the time they are used.
  std::optional<double> usd_per_device_hour;
  // An API's prices; looked at when there is no rent.
  std::optional<double> usd_per_mtok_input;
  std::optional<double> usd_per_mtok_output;
};

struct CostResult {
  std::vector<CostItem> items;
  double capex_usd = 0.0;          // cash at year 0
  double opex_usd_per_year = 0.0;  // yearly cash
  double annualized_usd = 0.0;
  double tco_usd = 0.0;  // over the horizon
  double usd_per_device_hour = 0.0;

  double input_tokens_per_year = 0.0;
  double output_tokens_per_year = 0.0;
  // Absent without tokens of the kind.
  std::optional<double> usd_per_mtok_output;   // whole cost over output tokens
  std::optional<double> usd_per_mtok_blended;  // whole cost over input and output tokens
  // Shared by device time; absent where that is not known.
  std::optional<double> usd_per_mtok_input;           // over all input tokens, cached ones included
  std::optional<double> usd_per_mtok_uncached_input;  // over those that were computed
  std::optional<double> usd_per_mtok_output_allocated;
  std::optional<double> kgco2_per_mtok_output;  // of electricity, all of it on output tokens

  double facility_energy_per_year_j = 0.0;
  double provisioned_power_w = 0.0;
  std::int64_t racks = 0;

  // The utilization at which owning costs as much as the market asks for the same work; absent
  // without a market, and when not even full use pays.
  std::optional<double> break_even_utilization;
};

// Throws InputError when prices are missing (check_prices).
CostResult compute_cost(const scenario::Plan& plan, const UsageSummary& usage,
                        const Market& market = {});

}  // namespace tokenyard::economics
