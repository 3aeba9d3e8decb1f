#pragma once
// Resolves one deployment of a pool: names, number formats, parallelism, number of replicas.
#include "input/node.hpp"
#include "scenario/choose_parallelism.hpp"

namespace tokenyard::scenario {

// What a deployment is resolved in.
struct Surroundings {
  const PoolPlan& pool;           // without devices when its node is not known; count may be kAuto
  std::int64_t free_devices = 0;  // of the pool, not taken by the deployments before
  bool alone = true;              // the pool's only deployment
  const input::Node& scenario;    // for the places of messages
  const ServingSpec& serving;
  const Fits& fits;           // asked where parallelism is automatic
  bool report_unfit = false;  // what cannot be served goes to DeploymentPlan::unfit
};

// Problems go to `diagnostics`.
void resolve_deployment(DeploymentPlan& deployment, const Surroundings& in,
                        catalog::Catalog& catalog, Diagnostics& diagnostics);

}  // namespace tokenyard::scenario
