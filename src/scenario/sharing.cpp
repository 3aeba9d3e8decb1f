#include "scenario/sharing.hpp"

#include <algorithm>
#include <set>

#include "scenario/place_of.hpp"

namespace tokenyard::scenario {
namespace {

// The slots of a pool are the same devices for each of its models.
void check_slots(const PoolPlan& pool, const input::Node& root, Diagnostics& diagnostics) {
  const DeploymentPlan& first = pool.deployments.front();
  std::set<std::string> models;
  for (const DeploymentPlan& d : pool.deployments) {
    const auto add = [&](const std::string& key, const std::string& message) {
      const std::string path = d.path + '.' + key;
      diagnostics.add(place_of(root, path), path, message);
    };
    if (!models.insert(d.model.name).second)
      add("model", d.model.name + " is in the list twice; models that share devices are distinct");
    if (d.spec.role != Role::both)
      add("role", "models that share devices compute prompts and decode; expected 'both'");
    if (d.device != first.device) add("engine", "models that share devices need the same ones");
    if (d.devices_per_replica != first.devices_per_replica) {
      add("tensor_parallel", "models that share devices need as many each: " +
                                 std::to_string(first.devices_per_replica) + " for " +
                                 first.model.name + ", " + std::to_string(d.devices_per_replica) +
                                 " for " + d.model.name);
    } else if (d.replicas != first.replicas) {
      add("replicas", "models that share devices have as many replicas each: " +
                          std::to_string(first.replicas) + " of " + first.model.name + ", " +
                          std::to_string(d.replicas) + " of " + d.model.name);
    }
  }
}

}  // namespace

void describe(input::Fields& f, SharingSpec& x) {
  f.optional("policy", x.policy, "swap: one of the models is loaded at a time, the others wait");
  f.optional("swap_after", x.swap_after,
             "when a model that requests wait for is loaded: idle (nobody asks for the one that is "
             "there), or residence (also after its min_residence; what runs is finished first)");
  f.optional(
       "min_residence", x.min_residence,
       "how long a model may stay though others are waited for; default: ten times as long as "
       "it takes to load")
      .at_least(0.001);
  f.optional("parked", x.parked,
             "where models are that are not loaded: device (a memory tier behind the one that "
             "serves), dram or ssd of the host, network; auto: the nearest that holds all of them");
  f.optional("load_bandwidth", x.load_bandwidth, "of a replica, from the store on the network")
      .more_than(0.0);
  if (f.is_reading() && x.min_residence && x.swap_after == SwapAfter::idle)
    f.problem("min_residence", "has no effect with 'swap_after: idle'");
}

void check_sharing(const Plan& plan, const input::Node& root, Diagnostics& diagnostics) {
  for (const PoolPlan& pool : plan.pools) {
    if (!pool.sharing) continue;
    const std::string path = pool.path + ".sharing";
    const auto add = [&](const std::string& message) {
      diagnostics.add(place_of(root, path), path, message);
    };
    if (pool.deployments.size() < 2) {
      add("one model has nobody to share with; expected a list of models in 'deploy'");
      continue;
    }
    if (plan.scenario.faults.enabled)
      add("failures of devices that several models share are not simulated");
    const auto& scaling = plan.scenario.autoscaling;
    if (scaling && (!scaling->pool || *scaling->pool == pool.name))
      add("replicas of models that share devices do not come and go; give 'autoscaling' the 'pool' "
          "that it is for");
    const auto known = [](const DeploymentPlan& d) { return !d.model.name.empty(); };
    if (std::all_of(pool.deployments.begin(), pool.deployments.end(), known))
      check_slots(pool, root, diagnostics);
  }
}

}  // namespace tokenyard::scenario
