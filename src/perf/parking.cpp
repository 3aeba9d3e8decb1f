#include "perf/parking.hpp"

#include <algorithm>
#include <limits>
#include <vector>

#include "base/as_double.hpp"
#include "catalog/host_link.hpp"
#include "perf/model_switch.hpp"

namespace tokenyard::perf {
namespace {

using scenario::Parked;

struct Store {
  Parked kind = Parked::network;
  std::string name;
  double capacity = 0.0;     // of a device
  double bytes_per_s = 0.0;  // likewise
};

// What the served models, each alone, leave of a tier of the device.
double left_of(const scenario::PoolPlan& pool, const std::vector<Placement>& placed,
               std::size_t tier) {
  const catalog::Device& device = pool.devices[pool.deployments.front().device];
  double most = 0.0;
  for (const Placement& p : placed)
    most = std::max(most, p.tiers[tier].weight_bytes + p.tiers[tier].kv_bytes);
  return device.memory[tier].capacity.value.base() - most;
}

// The nearest first; those of which nothing is known are left out.
std::vector<Store> stores(const scenario::PoolPlan& pool, const std::vector<Placement>& placed) {
  const scenario::DeploymentPlan& first = pool.deployments.front();
  const catalog::Device& device = pool.devices[first.device];
  const double devices = as_double(pool.node.device_count());
  std::vector<Store> out;
  if (const auto tier = parking_tier(device, placed.front())) {
    const catalog::MemoryTier& memory = device.memory[*tier];
    out.push_back({Parked::device, memory.tier, left_of(pool, placed, *tier),
                   memory.bandwidth.value.base() * memory.ingress_efficiency.value});
  }
  if (const auto rate = host_bandwidth(pool, first)) {
    out.push_back({Parked::dram, "host DRAM", pool.node.host.dram->capacity.value.base() / devices,
                   rate->base()});
  }
  if (const auto& ssd = pool.node.host.ssd) {
    double rate = ssd->bandwidth.value.base() / devices;
    if (const catalog::Link* link = catalog::host_link(device))
      rate = std::min(rate, link->bandwidth.value.base() * link->efficiency.value);
    out.push_back({Parked::ssd, "host SSD", ssd->capacity.value.base() / devices, rate});
  }
  out.push_back({Parked::network, "the network", std::numeric_limits<double>::infinity(),
                 pool.sharing->load_bandwidth.base() / as_double(first.devices_per_replica)});
  return out;
}

}  // namespace

Parking park_models(const scenario::PoolPlan& pool, const scenario::ServingSpec& serving) {
  Parking parking;
  std::vector<Placement> placed;
  for (const scenario::DeploymentPlan& d : pool.deployments) {
    placed.push_back(place(pool, d, serving));
    parking.bytes_per_device += placed.back().weight_bytes;
  }
  const Parked wanted = pool.sharing->parked;
  for (const Store& store : stores(pool, placed)) {
    if (wanted != Parked::automatic && store.kind != wanted) continue;
    if (store.capacity < parking.bytes_per_device) {
      parking.problem = "the models take " + format_quantity(parking.bytes_per_device, kData) +
                        " of each device's share of " + store.name + ", which is " +
                        format_quantity(std::max(0.0, store.capacity), kData);
      continue;
    }
    parking.where = store.name;
    parking.bytes_per_s = store.bytes_per_s;
    parking.problem.clear();
    return parking;
  }
  if (parking.problem.empty()) {
    const bool tier = wanted == Parked::device;
    parking.problem =
        tier ? "no memory tier of " + pool.devices[pool.deployments.front().device].name +
                   " is behind the one that serves"
             : "node " + pool.node.name + " has no such memory, or its bandwidth is not known";
  }
  return parking;
}

void check_parking(const scenario::Plan& plan, Diagnostics& diagnostics) {
  for (const scenario::PoolPlan& pool : plan.pools) {
    if (!pool.sharing) continue;
    const Parking parking = park_models(pool, plan.scenario.serving);
    if (!parking.problem.empty())
      diagnostics.add(pool.where, pool.path + ".sharing.parked", parking.problem);
  }
}

}  // namespace tokenyard::perf
