#include "perf/kv_tier_places.hpp"

#include <algorithm>

#include "perf/model_switch.hpp"
#include "perf/placement.hpp"

namespace tokenyard::perf {
namespace {

using scenario::KvTierKind;

constexpr double kKeptShare = 0.8;  // assumed: the rest is the operating system's and the engine's
constexpr double kDramJoulesPerByte = 220e-12;
constexpr double kSsdJoulesPerByte = 2200e-12;
constexpr double kRemoteJoulesPerByte = 600e-12;

double default_energy(KvTierKind kind) {
  switch (kind) {
    case KvTierKind::dram:
      return kDramJoulesPerByte;
    case KvTierKind::ssd:
      return kSsdJoulesPerByte;
    case KvTierKind::remote:
      return kRemoteJoulesPerByte;
  }
  return 0.0;
}

// What the node has of it, whole; absent: none.
std::optional<double> node_capacity(const catalog::NodeSpec& node, KvTierKind kind) {
  if (kind == KvTierKind::dram && node.host.dram) return node.host.dram->capacity.value.base();
  if (kind == KvTierKind::ssd && node.host.ssd) return node.host.ssd->capacity.value.base();
  return std::nullopt;
}

double nic_bytes_per_s(const catalog::NodeSpec& node) {
  double sum = 0.0;
  for (const catalog::Nic& nic : node.nics)
    sum += nic.bandwidth.value.base() * static_cast<double>(nic.count);
  return sum;
}

}  // namespace

std::vector<KvTierPlace> kv_tier_places(const scenario::PoolPlan& pool,
                                        const scenario::DeploymentPlan& d,
                                        const scenario::KvCacheSpec& spec) {
  const auto devices = static_cast<double>(d.devices_per_replica);
  const double nodes = devices / static_cast<double>(pool.node.device_count());
  const std::optional<BytesPerSecond> of_one = host_bandwidth(pool, d);
  std::vector<KvTierPlace> places;
  for (const scenario::KvTierSpec& tier : spec.offload) {
    KvTierPlace place;
    place.kind = tier.tier;
    place.joules_per_byte = tier.energy ? tier.energy->base() : default_energy(tier.tier);
    if (tier.tier == KvTierKind::remote) {
      place.capacity_bytes = tier.capacity->base();
      place.bytes_per_s = nic_bytes_per_s(pool.node) * std::max(1.0, nodes);
    } else {
      const double whole = tier.capacity
                               ? tier.capacity->base()
                               : kKeptShare * node_capacity(pool.node, tier.tier).value_or(0.0);
      place.capacity_bytes = whole * nodes;
      const double link_bytes_per_s = of_one ? devices * of_one->base() : 0.0;
      if (tier.bandwidth) {
        place.bytes_per_s = tier.bandwidth->base() * nodes;
      } else if (tier.tier == KvTierKind::dram) {
        place.bytes_per_s = link_bytes_per_s;
      } else if (pool.node.host.ssd) {
        place.bytes_per_s = std::min(
            pool.node.host.ssd->bandwidth.value.base() * std::max(1.0, nodes), link_bytes_per_s);
      }
    }
    places.push_back(place);
  }
  return places;
}

double kept_block_bytes(const scenario::DeploymentPlan& deployment, std::int64_t block_tokens) {
  // Far behind any window only the layers grow that look at everything.
  constexpr std::int64_t kFar = std::int64_t{1} << 30;
  return cache_bytes(deployment, kFar + block_tokens) - cache_bytes(deployment, kFar);
}

void check_kv_tiers(const scenario::Plan& plan, Diagnostics& diagnostics) {
  const scenario::ServingSpec& serving = plan.scenario.serving;
  for (const scenario::PoolPlan& pool : plan.pools) {
    for (const scenario::DeploymentPlan& d : pool.deployments) {
      if (!d.unfit.empty() || d.spec.role == scenario::Role::decode) continue;
      const std::vector<KvTierPlace> places = kv_tier_places(pool, d, serving.kv_cache);
      for (const KvTierPlace& place : places) {
        if (place.capacity_bytes > 0.0 && place.bytes_per_s > 0.0) continue;
        const std::string tier(enum_names(place.kind)[static_cast<std::size_t>(place.kind)]);
        diagnostics.add(d.where, d.path,
                        "serving.kv_cache.offload: no KV cache can be kept in '" + tier +
                            "' of node '" + pool.node.name +
                            "', whose catalog entry lacks its memory or the devices' link to the "
                            "host; give the tier a 'capacity' and a 'bandwidth', or leave it out");
      }
    }
  }
}

}  // namespace tokenyard::perf
