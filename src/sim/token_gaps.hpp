#pragma once
// The gaps between tokens that a run of steps made, for the inter-token latency.
#include "metrics/accumulator.hpp"
#include "serving/replica.hpp"

namespace tokenyard::sim {

void record_gaps(const serving::RunReport& report, metrics::RunAccumulator& accumulator);

}  // namespace tokenyard::sim
