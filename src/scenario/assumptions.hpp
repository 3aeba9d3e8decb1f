#pragma once
// What a plan rests on that nobody measured or stated: the estimates and assumptions among the
// numbers of the catalog entries it uses, and the scenario's own defaults for the host.
#include <vector>

#include "scenario/plan.hpp"

namespace tokenyard::scenario {

std::vector<Assumption> collect_assumptions(const Plan& plan);

}  // namespace tokenyard::scenario
