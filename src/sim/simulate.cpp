#include "sim/simulate.hpp"

#include "sim/platform.hpp"
#include "sim/simgrid_calendar.hpp"
#include "sim/simgrid_fabric.hpp"
#include "topology/fleet_graph.hpp"

namespace tokenyard::sim {
namespace {

metrics::FabricInventory inventory_of(const topology::FleetGraph& fleet) {
  const topology::Inventory& parts = fleet.inventory();
  return {.switches = parts.switches,
          .cables = parts.cables,
          .diameter_hops = parts.diameter_hops,
          .bisection_bytes_per_s = fleet.bisection_bandwidth().base()};
}

}  // namespace

metrics::FabricInventory fabric_inventory(const scenario::Plan& plan) {
  return inventory_of(topology::FleetGraph(plan));
}

metrics::RunResult simulate(const scenario::Plan& plan, const SimulationOptions& options) {
  const topology::FleetGraph fleet(plan);
  const auto stream = workload::open_stream(plan.scenario.workload.spec, plan.workload_options);
  SimgridCalendar calendar;
  Platform platform(fleet);
  SimgridFabric fabric(platform, fleet, calendar);
  SimulationOptions with_fleet = options;
  with_fleet.fleet = &fleet;
  Simulation simulation(plan, *stream, calendar, inventory_of(fleet), with_fleet, &fabric);
  return simulation.run();
}

}  // namespace tokenyard::sim
