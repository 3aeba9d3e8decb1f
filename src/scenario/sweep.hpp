#pragma once
// The variants of a scenario: every combination of the values under `sweep:`.
//
//   sweep:
//     fleet.pools[main].count: [1, 2, 4]          3 values
//     zip:                                        2 values, in step
//       scale: [1, 2]
//       serving.scheduler.max_batch: [128, 256]   -> 6 variants, the last key turning fastest
#include <string>
#include <utility>
#include <vector>

#include "input/node.hpp"

namespace tokenyard::scenario {

using Parameters = std::vector<std::pair<std::string, std::string>>;  // path, value

struct Variant {
  input::Node root;  // the scenario with this variant's values, `sweep` removed
  Parameters parameters;
};

// At least one; a scenario without `sweep` is its own only variant.  Every variant has the
// parameters `common` first.  Problems go to `diagnostics`.
std::vector<Variant> expand_sweep(const input::Node& scenario, const Parameters& common,
                                  Diagnostics& diagnostics);

}  // namespace tokenyard::scenario
