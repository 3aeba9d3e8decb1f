#pragma once
// How much longer matrix products take on a weight-stationary systolic array whose side the
// matrices do not fill.
//
// The array holds T x T weights at a time, so a product with a K x N weight matrix takes the time
// of ceil(K/T) T x ceil(N/T) T.  One factor for each group of products of a layer: the sum of the
// rounded sizes over the sum of the true ones, both of this device's part of the matrices (cut by
// tensor parallelism along H, K, f or the vocabulary, experts by the devices that share one).
//
// Worked example: T = 128 and an FFN of 8,000 x 15,000: 63 x 118 tiles, 8,064 x 15,104 / 120 M =
// 1.01498.
// Source: Jouppi et al., "In-Datacenter Performance Analysis of a Tensor Processing Unit", ISCA
// 2017.  Leaves out rows that the batch does not fill: they stream through, without rounding.
#include <cstdint>

#include "scenario/plan.hpp"

namespace tokenyard::perf {

struct TileFactors {
  double attention = 1.0;  // with the router
  double dense = 1.0;
  double shared = 1.0;
  double expert = 1.0;
  double head = 1.0;
};

// All 1 where tile is 0.
TileFactors tile_factors(const scenario::DeploymentPlan& deployment, std::int64_t tile);

}  // namespace tokenyard::perf
