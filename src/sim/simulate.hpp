#pragma once
// One run of a plan on SimGrid, in this process.
#include "metrics/run_result.hpp"
#include "scenario/plan.hpp"
#include "sim/simulation.hpp"

namespace tokenyard::sim {

// Builds the fleet's network and the SimGrid engine, and runs.  Once per process: SimGrid cannot be
// started twice, so callers fork first.  Throws InputError for a workload that cannot be read or
// does not go with the plan, InternalError when a conservation law is violated.
metrics::RunResult simulate(const scenario::Plan& plan, const SimulationOptions& options);

// What must be bought to connect the fleet, from its graph.
metrics::FabricInventory fabric_inventory(const scenario::Plan& plan);

}  // namespace tokenyard::sim
