#pragma once
// On which nodes of the fleet the replicas of a pool stand.
//
// Deployments take the devices of the pool one after the other; a replica that fits a node does not
// straddle two.
//
// Worked example: nodes of 8 devices; two replicas of 3 and one of 4: the first two on node 0, the third
// on node 1.
#include <algorithm>
#include <limits>

#include "perf/model_switch.hpp"
#include "scenario/plan.hpp"
#include "sim/handoff.hpp"

namespace tokenyard::sim {

class ReplicaPlaces {
 public:
  // `first_node`: the pool's, in the fleet.
  ReplicaPlaces(const scenario::PoolPlan& pool, std::int64_t first_node)
      : pool_(&pool), first_node_(first_node) {}

  // Of the next replica, of deployment `d`.
  Place next(const scenario::DeploymentPlan& d) {
    const std::int64_t in_node = pool_->node.device_count();
    const std::int64_t devices = d.devices_per_replica;
    if (used_ % in_node + std::min(devices, in_node) > in_node)
      used_ = (used_ / in_node + 1) * in_node;
    Place place;
    place.first_node = first_node_ + used_ / in_node;
    place.nodes = (devices + in_node - 1) / in_node;
    if (devices < in_node) {
      const double first = static_cast<double>(used_ % in_node);
      place.nics = {.first = first / static_cast<double>(in_node),
                    .last = (first + static_cast<double>(devices)) / static_cast<double>(in_node)};
    }
    const catalog::Link* link = pool_->devices[d.device].find_link(pool_->node.link);
    if (link != nullptr) {
      place.inside_bytes_per_s = static_cast<double>(std::min(devices, in_node)) *
                                 link->bandwidth.value.base() * link->efficiency.value;
    }
    // Where the host's memory is the devices' own, nothing has to be brought.
    place.host_bytes_per_s = std::numeric_limits<double>::infinity();
    if (const auto of_one = perf::host_bandwidth(*pool_, d))
      place.host_bytes_per_s = static_cast<double>(devices) * of_one->base();
    used_ += devices;
    return place;
  }

 private:
  const scenario::PoolPlan* pool_;
  std::int64_t first_node_;
  std::int64_t used_ = 0;  // devices
};

}  // namespace tokenyard::sim
