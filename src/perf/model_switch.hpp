#pragma once
// How long a replica takes to serve another model.
//
// Its devices load their shares of the weights at the same time, each from the nearest memory that
// can keep them: the tier that parks models; else the next tier below that of the weights; else the
// host's DRAM, over the device's host link or its share of the DRAM's bandwidth, whichever is
// slower.  Hard-wired silicon has to be made again.
//
//   t = weight bytes of a device / (bandwidth * ingress efficiency)
//
// Worked example: 16 GB from DRAM at 136 GB/s: 0.118 s; entering at 45 %: 0.261 s.
//
// Leaves out warm-up, compilation and whatever must be read from disk first.
#include <optional>
#include <string>

#include "perf/placement.hpp"

namespace tokenyard::perf {

struct ModelSwitch {
  std::string from;  // the tier's name, "host DRAM" or "new silicon"
  double seconds = 0.0;
};

// Between one device and its host's DRAM, one direction: its host link, or its share of the DRAM's
// bandwidth, whichever is slower; nothing when either is not known.
std::optional<BytesPerSecond> host_bandwidth(const scenario::PoolPlan& pool,
                                             const scenario::DeploymentPlan& deployment);

// The tier of the device that keeps weights which are not in use: the one that parks models, else the
// next one below that of the weights; nothing when there is none.
std::optional<std::size_t> parking_tier(const catalog::Device& device, const Placement& placement);

// Nothing when no memory is known that the weights could come from.
std::optional<ModelSwitch> model_switch(const scenario::PoolPlan& pool,
                                        const scenario::DeploymentPlan& deployment,
                                        const Placement& placement);

}  // namespace tokenyard::perf
