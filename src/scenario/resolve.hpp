#pragma once
// Scenario file -> plans: one for each variant of its sweep.
#include <string>
#include <utility>
#include <vector>

#include "catalog/catalog.hpp"
#include "scenario/plan.hpp"

namespace tokenyard::scenario {

// "--set path=value" of the command line, in order.
using Overrides = std::vector<std::pair<std::string, std::string>>;

// Reads the scenario, applies the overrides, expands `sweep:` (the cartesian product of its lists;
// those under its key `zip` go in step) and resolves every variant.  The overrides are the first
// parameters of every variant, so that runs can be told apart by them.  Throws InputError with
// every problem of the scenario, its workload file and the catalog entries it uses.
// skip_bad_lines: malformed lines of a trace are counted, as if its workload said so.
std::vector<Plan> load_plans(const std::string& scenario_path, const Overrides& overrides,
                             catalog::Catalog& catalog, bool skip_bad_lines = false);

}  // namespace tokenyard::scenario
