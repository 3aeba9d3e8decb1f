#pragma once
// What the metrics of a run need and its requests and steps do not tell, for the measured window
// unless it says otherwise.
#include <cstdint>
#include <optional>
#include <vector>

#include "metrics/run_result.hpp"

namespace tokenyard::metrics {

// KV caches brought from where prompts are computed to where they decode.
struct Transfers {
  std::int64_t count = 0;
  double bytes = 0.0;
  double seconds = 0.0;       // from the first token to the cache's arrival
  double wait_seconds = 0.0;  // of these, until there was room for it
};

// Replicas that come and go: how often, over the whole run.  Absent: nothing fails, nothing scales.
struct FleetChanges {
  std::optional<std::int64_t> failures;
  std::optional<std::int64_t> scale_ups;
  std::optional<std::int64_t> scale_downs;
};

// Time of the devices that replicas use, and how much of a fleet there was.
//
// Worked example: a pool of two replicas of four devices each, measured for 100 s, is 800 device
// seconds.  One replica fails at 60 s, is down for 20 s and loads for 10 s: 80 + 40 = 120 device
// seconds away, an availability of 1 - 120 / 800 = 85 % and 2 * 680 / 800 = 1.7 replicas on.
//
// What a policy has switched off is not on, but not unavailable: it could be.  Replicas of different
// sizes in one pool count by their devices.
struct Presence {
  double device_s = 0.0;
  double away_device_s = 0.0;  // of these, down or loading
  double replicas_on = 0.0;    // mean
};
Presence presence_of(const std::vector<PoolResult>& pools, double measured_s);

struct RunTotals {
  double measured_s = 0.0;
  std::int64_t devices = 0;  // of the fleet
  std::int64_t replicas = 0;
  double peak_flops_per_s = 0.0;     // of the devices in replicas: dense, in the format used
  double peak_bytes_per_s = 0.0;     // their memory bandwidth
  double kv_blocks = 0.0;            // capacity of all replicas
  double kv_retained_block_s = 0.0;  // blocks times seconds, cached and used by nobody
  Transfers transfers = {};
  std::optional<std::int64_t> model_swaps = {};    // absent: no models share devices
  std::optional<std::int64_t> role_changes = {};   // absent: replicas keep their roles
  std::optional<std::int64_t> adapter_loads = {};  // absent: no model has adapters
  std::vector<KvTierResult> kv_tiers = {};
  // Prompt tokens computed that some replica had computed before; absent: nobody counted.
  std::optional<std::int64_t> recomputed_tokens = {};
  std::int64_t rejected_context =
      0;  // of the rejected, in the whole run: too long for every replica
  std::int64_t rejected_overload = 0;  // ... would have been served too late
  std::int64_t tokens_given_up = 0;    // in the whole run: of attempts whose clients asked again
  FleetChanges changes = {};
  Presence presence = {};
  double it_energy_j = 0.0;
  double facility_energy_j = 0.0;
  double it_power_peak_w = 0.0;
};

}  // namespace tokenyard::metrics
