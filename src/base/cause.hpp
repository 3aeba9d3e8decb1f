#pragma once
// The constraints that the time of a device is attributed to: the meter's categories.
//
// Those up to kImbalance come from steps (the performance model splits each step's time over them);
// the rest are times between steps.
#include <array>
#include <cstddef>
#include <string_view>

namespace tokenyard {

enum class Cause {
  compute,        // arithmetic units
  weight_bw,      // memory bandwidth, reading weights
  kv_bw,          // memory bandwidth, reading and writing the KV cache
  act_bw,         // memory bandwidth, activations
  net_bw,         // links between devices: bytes
  net_lat,        // links between devices: latency of collectives
  launch,         // kernel launches
  host,           // scheduler, sampler and other host work between steps
  pp_bubble,      // pipeline stages with nothing to do
  imbalance,      // waiting for the slowest expert rank
  capacity_wait,  // no step: requests wait that do not fit the KV cache
  arrival_idle,   // no step: nothing to do; what is in the front end has not arrived here
  policy_wait,    // no step: work exists that a policy holds back
  loading,        // no step: weights are being loaded
  down,           // failed, under repair or in maintenance
  powered_off,    // switched off by a policy
};
inline constexpr std::size_t kCauses = 16;
inline constexpr std::size_t kStepCauses = 10;

constexpr auto enum_names(Cause) {
  return std::array<std::string_view, kCauses>{
      "compute",     "weight_bw", "kv_bw",     "act_bw",     "net_bw",        "net_lat",
      "launch",      "host",      "pp_bubble", "imbalance",  "capacity_wait", "arrival_idle",
      "policy_wait", "loading",   "down",      "powered_off"};
}

using CauseSeconds = std::array<double, kCauses>;

}  // namespace tokenyard
