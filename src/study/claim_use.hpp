#pragma once
// Which givens the claims of a scenario rest on.
//
//   given:  a: 1;  b: a + 1;  c: 2;   expect: compute b * 2, assuming c
//   b and, through it, a are used; c is not, and assuming something of it changes nothing.
#include "scenario/scenario_file.hpp"

namespace tokenyard::study {

// Reports givens that no claim needs, and assumptions about givens that the claim's computation
// does not need: both are mistakes of whoever wrote them.
void refuse_unused(const scenario::ScenarioFile& scenario, Diagnostics& diagnostics);

}  // namespace tokenyard::study
