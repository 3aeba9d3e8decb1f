#pragma once
// Checks what the parts of a plan with models that share devices must have in common.
#include "scenario/plan.hpp"

namespace tokenyard::scenario {

// Problems go to `diagnostics`.
void check_sharing(const Plan& plan, const input::Node& root, Diagnostics& diagnostics);

}  // namespace tokenyard::scenario
