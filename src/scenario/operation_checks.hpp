#pragma once
// What how a fleet is operated needs of the rest of the scenario, and what it takes from it.
#include "base/error.hpp"
#include "input/node.hpp"
#include "scenario/plan.hpp"

namespace tokenyard::scenario {

// Problems, each at its place: pools and nodes that do not exist, mechanisms that do not go together.
// Limits that are left out become those of the SLO.
void check_operation(Plan& plan, const input::Node& root, Diagnostics& diagnostics);

}  // namespace tokenyard::scenario
