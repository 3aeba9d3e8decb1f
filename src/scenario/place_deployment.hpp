#pragma once
// Resolves one deployment of a pool: names, number formats, parallelism, number of replicas.
#include "scenario/plan.hpp"

namespace tokenyard::scenario {

// `free_devices`: of the pool, not yet taken by deployments before this one; `alone`: it is the
// pool's only deployment.  Problems go to `diagnostics` at deployment.where.
void resolve_deployment(DeploymentPlan& deployment, const PoolPlan& pool, std::int64_t free_devices,
                        bool alone, catalog::Catalog& catalog, Diagnostics& diagnostics);

}  // namespace tokenyard::scenario
