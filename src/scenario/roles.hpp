#pragma once
// Whether the deployments that only compute prompts and those that only decode go together.
//
// Of a model both kinds are needed, with the KV cache in one format; a scheduler that lets requests come
// and go; and a fabric on which one route between two nodes is all that there is.
#include "scenario/plan.hpp"

namespace tokenyard::scenario {

// Contract: the plan's deployments are resolved.  Problems go to `diagnostics`, with their places.
void check_roles(const Plan& plan, const input::Node& root, Diagnostics& diagnostics);

}  // namespace tokenyard::scenario
