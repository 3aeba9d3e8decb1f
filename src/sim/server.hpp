#pragma once
// What a simulation is made of: deployments, their replicas with timers, and routing groups.
#include <deque>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "power/power_model.hpp"
#include "serving/replica.hpp"
#include "serving/router.hpp"
#include "sim/calendar.hpp"
#include "sim/handoff.hpp"
#include "sim/memory_bus.hpp"
#include "sim/shared_channel.hpp"

namespace tokenyard::sim {

// A model on a pool, with what is computed once for all its replicas.
struct Deployment {
  Deployment(const scenario::Plan& plan, std::size_t pool_index, const scenario::DeploymentPlan& d)
      : pool(pool_index),
        plan_of(&d),
        model(plan.pools[pool_index], d, plan.scenario.serving, plan.fabric),
        power(plan.pools[pool_index].devices[d.device],
              {.linear_math = d.linear_math,
               .expert_math = d.expert_math,
               .attention_math = d.attention_math,
               .link = plan.pools[pool_index].node.link},
              model.placement()) {}
  std::size_t pool;
  const scenario::DeploymentPlan* plan_of;
  perf::StepModel model;
  power::DevicePower power;
  double prompt_s_per_token = 0.0;  // of a whole step of prompts, for predictions
};

// How a deployment is served: machines scheduled by a compiler finish a batch before the next.
inline scenario::ServingSpec serving_of(const scenario::Plan& plan, const Deployment& deployment) {
  scenario::ServingSpec serving = plan.scenario.serving;
  const scenario::DeploymentPlan& d = *deployment.plan_of;
  if (plan.pools[deployment.pool].devices[d.device].static_schedule)
    serving.scheduler.policy = scenario::BatchPolicy::static_batch;
  return serving;
}

// Replicas that serve the same requests, with their router.
struct Group {
  Group(const scenario::ServingSpec& serving, scenario::RouterKind kind,
        std::vector<std::size_t> members, std::uint64_t seed)
      : servers(std::move(members)), router(kind, servers.size(), seed, serving.router_load_cap) {}
  std::vector<std::size_t> servers;
  serving::Router router;
  bool decodes = false;  // prompts that others have computed
};

enum class Condition {
  on,
  draining,  // takes no new requests, finishes those that it has
  loading,   // its weights are on their way
  off,
  down,  // failed or in maintenance
};

struct Slot;

// A replica with its timer.
struct Server {
  Server(Deployment& d, std::size_t deployment_number, std::int64_t number,
         const scenario::Plan& plan, std::int64_t prefix_block_tokens, serving::RequestSlots& slots,
         bool per_step, const Place& stands, std::unique_ptr<serving::KvTiers> below)
      : deployment(&d),
        role(d.plan_of->spec.role),
        deployment_index(deployment_number),
        index(number),
        place(stands),
        tiers(std::move(below)),
        replica(d.model, serving_of(plan, d), d.plan_of->model.max_context, prefix_block_tokens,
                slots, per_step || d.plan_of->side == scenario::EngineSide::prompts,
                d.plan_of->spec.role, plan.scenario.warmup.base(), tiers.get(),
                static_cast<std::uint64_t>(plan.scenario.seed)) {}
  Deployment* deployment;
  scenario::Role role;        // now
  bool changes_role = false;  // once it is drained
  std::size_t deployment_index;
  std::int64_t index;  // within the deployment
  Place place;
  std::unique_ptr<serving::KvTiers> tiers;  // null: nothing is kept below the devices
  SharedChannel* host_channel = nullptr;    // between its devices and their hosts' DRAM
  SharedChannel* ssd_channel = nullptr;     // of its node
  std::optional<std::size_t> sends_to;  // of one that may only compute prompts: who decodes them
  serving::Replica replica;
  std::size_t metered = 0;
  bool rests = true;           // runs no steps ...
  double rests_since_s = 0.0;  // ... or holds other blocks than before
  // The step that the end of the warm-up falls into, until its run ends.
  std::optional<serving::Replica::StepUnderWay> straddling;
  Calendar::Timer timer = nullptr;
  double armed_s = 0.0;

  Condition condition = Condition::on;
  std::vector<std::pair<Group*, std::size_t>> memberships;  // groups, and its place in them
  double down_until_s = 0.0;
  std::int64_t lost_ranks = 0;  // devices that it does without, see simulation_ranks.cpp
  double booted_s = -1.0;
  std::int64_t loads = 0;        // of weights, under way
  std::int64_t stale_loads = 0;  // ... that a failure has made useless
  double away_s = -1.0;          // once it is drained; negative: it is switched off
  double busy_s = 0.0;           // in steps, up to the end of the last run

  MemoryBus* bus = nullptr;  // absent: no other replica is on its devices ...
  std::size_t beside = 0;    // ... or this one

  Slot* slot = nullptr;                      // absent: its devices are its own
  double waited_for_s = 0.0;                 // since when requests wait for its weights
  std::deque<std::int32_t> adapters_coming;  // from the host's memory, the next first
  std::int64_t adapters_lost = 0;            // of those that came before, of no use any more
  std::int64_t routed = 0;                   // requests, and not finished
};

}  // namespace tokenyard::sim
