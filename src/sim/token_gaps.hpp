#pragma once
// The gaps between tokens that a run of steps made, for the inter-token latency.
//
// Where a step gives a sequence several tokens (speculative decoding whose acceptance is drawn), they
// come together: one gap of the step, and of 0 for each token more.  So a request's gaps still sum up
// to the time from its first token to its last, and the mean is comparable with that of plain
// decoding; quantiles below the share of such tokens are 0.
#include "metrics/accumulator.hpp"
#include "serving/replica.hpp"

namespace tokenyard::sim {

void record_gaps(const serving::RunReport& report, metrics::RunAccumulator& accumulator);

}  // namespace tokenyard::sim
