// The deployments of a plan, their replicas, and the devices that these stand on.
#include "sim/simulation.hpp"

namespace tokenyard::sim {

void Simulation::build_deployments() {
  std::int64_t first_node = 0;
  for (std::size_t p = 0; p < plan_->pools.size(); ++p) {
    const scenario::PoolPlan& pool = plan_->pools[p];
    ReplicaPlaces places(pool, first_node);
    ReplicaPlaces of_prompts = places;
    for (const scenario::DeploymentPlan& d : pool.deployments) {
      const bool beside = d.side == scenario::EngineSide::decoding;
      if (pool.sharing) places = ReplicaPlaces(pool, first_node);
      if (beside) places = of_prompts;
      of_prompts = places;
      add_deployment(p, d, places);
      if (beside) pair_engines();
    }
    if (pool.sharing) build_slots(p);
    first_node += pool.count;
  }
}

void Simulation::add_deployment(std::size_t p, const scenario::DeploymentPlan& d,
                                ReplicaPlaces& places) {
  const bool first_of_pool = deployments_.empty() || deployments_.back()->pool != p;
  deployments_.push_back(std::make_unique<Deployment>(*plan_, p, d));
  Deployment& deployment = *deployments_.back();
  const std::int64_t chunk = plan_->scenario.serving.scheduler.max_batch_tokens;
  const perf::PrefillSlice whole{.tokens = chunk, .cached = 0, .samples = true};
  deployment.prompt_s_per_token =
      deployment.model.mixed_step({&whole, 1}, {}).total_s() / static_cast<double>(chunk);
  for (std::int64_t i = 0; i < d.replicas; ++i) {
    const Place place = places.next(d);
    auto server = std::make_unique<Server>(deployment, deployments_.size() - 1, i, *plan_,
                                           stream_->block_tokens(), slots_, options_.per_step,
                                           place, build_tiers(deployment, place));
    add_channels(*server);
    // The devices that models share are those of the first one.
    const bool shares = plan_->pools[p].sharing && !first_of_pool;
    server->metered =
        shares ? servers_[servers_.size() - static_cast<std::size_t>(d.replicas)]->metered
               : meter_.add_replica(p, deployment.power, d.devices_per_replica, d.side);
    servers_.push_back(std::move(server));
  }
}

}  // namespace tokenyard::sim
