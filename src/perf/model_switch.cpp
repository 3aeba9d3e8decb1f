#include "perf/model_switch.hpp"

#include <algorithm>

#include "catalog/host_link.hpp"

namespace tokenyard::perf {

using catalog::Device;
using catalog::MemoryTier;

std::optional<std::size_t> parking_tier(const Device& device, const Placement& placement) {
  std::size_t lowest = 0;
  for (std::size_t i = 0; i < device.memory.size(); ++i) {
    if (device.memory[i].can_hold(catalog::Holds::models)) return i;
    if (placement.tiers[i].weight_bytes > 0.0) lowest = i;
  }
  if (lowest + 1 < device.memory.size()) return lowest + 1;
  return std::nullopt;
}

std::optional<BytesPerSecond> host_bandwidth(const scenario::PoolPlan& pool,
                                             const scenario::DeploymentPlan& deployment) {
  const catalog::Link* link = catalog::host_link(pool.devices[deployment.device]);
  if (!pool.node.host.dram || link == nullptr) return std::nullopt;
  const double share =
      pool.node.host.dram->bandwidth.value.base() / static_cast<double>(pool.node.device_count());
  return BytesPerSecond::from_base(
      std::min(share, link->bandwidth.value.base() * link->efficiency.value));
}

std::optional<ModelSwitch> model_switch(const scenario::PoolPlan& pool,
                                        const scenario::DeploymentPlan& deployment,
                                        const Placement& placement) {
  const Device& device = pool.devices[deployment.device];
  if (device.hardwired_model) {
    if (!device.respin) return std::nullopt;
    return ModelSwitch{"new silicon", device.respin->lead_time.value.base()};
  }
  if (const auto index = parking_tier(device, placement)) {
    const MemoryTier& tier = device.memory[*index];
    return ModelSwitch{tier.tier, placement.weight_bytes / (tier.bandwidth.value.base() *
                                                            tier.ingress_efficiency.value)};
  }
  const std::optional<BytesPerSecond> rate = host_bandwidth(pool, deployment);
  if (!rate) return std::nullopt;
  return ModelSwitch{"host DRAM", placement.weight_bytes / rate->base()};
}

}  // namespace tokenyard::perf
