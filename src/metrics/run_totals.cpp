#include "metrics/run_totals.hpp"

#include <algorithm>

namespace tokenyard::metrics {

Presence presence_of(const std::vector<PoolResult>& pools, double measured_s) {
  Presence presence;
  for (const PoolResult& pool : pools) {
    const auto of = [&](Cause cause) {
      return pool.device_seconds[static_cast<std::size_t>(cause)];
    };
    const double used_s = static_cast<double>(pool.devices_used) * measured_s;
    if (used_s <= 0.0) continue;
    // Devices that no replica uses wait for a policy all the time; the rest of such waits is of
    // replicas that are switched off and keep their power.
    const double unused_s = static_cast<double>(pool.devices - pool.devices_used) * measured_s;
    const double off_s = of(Cause::powered_off) + std::max(0.0, of(Cause::policy_wait) - unused_s);
    const double away_s = of(Cause::down) + of(Cause::loading);
    presence.device_s += used_s;
    presence.away_device_s += away_s;
    presence.replicas_on += static_cast<double>(pool.replicas) * (1.0 - (away_s + off_s) / used_s);
  }
  return presence;
}

}  // namespace tokenyard::metrics
