#pragma once
// What a simulation says about money: tokens, joules, watts, and what the network consists of.
#include <cstdint>
#include <vector>

#include "metrics/run_result.hpp"
#include "scenario/plan.hpp"

namespace tokenyard::economics {

struct PoolUsage {
  double it_energy_j = 0.0;      // of the pool's nodes over the measured window, without fabric
  double it_power_peak_w = 0.0;  // the most they drew at once
  double it_power_idle_w = 0.0;  // what they draw with nothing to do; see idle_power_w
  // Time of the pool's devices in prefill and in decode, for sharing cost between input and output
  // tokens.  Both zero: not known.
  double prefill_device_s = 0.0;
  double decode_device_s = 0.0;
};

struct UsageSummary {
  double measured_s = 0.0;
  double input_tokens = 0.0;   // of requests finished in the window, cached ones included
  double cached_tokens = 0.0;  // of the input, not computed again
  double output_tokens = 0.0;
  std::vector<PoolUsage> pools;  // parallel to the plan's
  std::int64_t switches = 0;     // of the fabric
  std::int64_t cables = 0;
  double fabric_power_w = 0.0;  // switches and optics, always drawn
};

// Power of a pool's nodes at the wall (behind their power supplies) with nothing to do, and with
// everything at its rated maximum.
//   (sum of devices + host + NICs + overhead) / PSU efficiency
double idle_power_w(const scenario::PoolPlan& pool);
double rated_power_w(const scenario::PoolPlan& pool);

// From a run: tokens from its metrics input_tokens_per_s, output_tokens_per_s and prefix_hit_rate;
// energy from its pools, the component `fabric` counted apart and `facility_overhead` left out (the
// site's PUE adds it).
UsageSummary usage_of(const scenario::Plan& plan, const metrics::RunResult& run);

}  // namespace tokenyard::economics
