#include "scenario/engines_apart.hpp"

#include "scenario/place_of.hpp"

namespace tokenyard::scenario {
namespace {

bool works_apart(const DeploymentPlan& d) {
  return d.spec.engine.steps == EngineSteps::apart;
}

// What one of the two says of a deployment that works apart, and whether its batches are static.
bool check_deployment(const PoolPlan& pool, const DeploymentPlan& d, const input::Node& root,
                      Diagnostics& diagnostics) {
  const auto add = [&](const std::string& key, const std::string& text) {
    const std::string path = d.path + '.' + key;
    diagnostics.add(place_of(root, path), path, text);
  };
  if (d.side == EngineSide::both && d.spec.role != Role::both)
    add("role",
        "of engines that work apart one computes prompts and the other decodes; expected 'both'");
  if (pool.sharing)
    add("engine.steps",
        "models that take turns on the devices use both engines together; expected 'together'");
  if (d.spec.lora) add("lora", "adapters on engines that work apart are not simulated");
  return d.device < pool.devices.size() && pool.devices[d.device].static_schedule;
}

}  // namespace

void split_engines(PoolPlan& pool) {
  DeploymentPlan& prompts = pool.deployments.back();
  const bool fits = works_apart(prompts) && prompts.engine != prompts.prefill_engine;
  if (!fits || pool.sharing || prompts.spec.role != Role::both || prompts.spec.role_may_change)
    return;
  const double share = prompts.spec.engine.prompts_kv_share();
  DeploymentPlan decoding = prompts;
  prompts.side = EngineSide::prompts;
  prompts.spec.role = Role::prefill;
  prompts.kv_share = share;
  prompts.engine = prompts.prefill_engine;
  prompts.linear_math = prompts.prefill_linear_math;
  prompts.expert_math = prompts.prefill_expert_math;
  prompts.attention_math = prompts.prefill_attention_math;
  decoding.side = EngineSide::decoding;
  decoding.spec.role = Role::decode;
  decoding.kv_share = 1.0 - share;
  decoding.prefill_engine = decoding.engine;
  decoding.prefill_linear_math = decoding.linear_math;
  decoding.prefill_expert_math = decoding.expert_math;
  decoding.prefill_attention_math = decoding.attention_math;
  pool.deployments.push_back(std::move(decoding));
}

void check_engines_apart(const Plan& plan, const input::Node& root, Diagnostics& diagnostics) {
  const ServingSpec& serving = plan.scenario.serving;
  const auto& scaling = plan.scenario.autoscaling;
  bool any = false;
  bool scales = false;
  bool fixed_batches = serving.scheduler.policy == BatchPolicy::static_batch;
  for (const PoolPlan& pool : plan.pools) {
    for (const DeploymentPlan& d : pool.deployments) {
      if (!works_apart(d) || d.side == EngineSide::decoding) continue;
      any = true;
      scales = scales || (scaling && (!scaling->pool || *scaling->pool == pool.name));
      if (check_deployment(pool, d, root, diagnostics)) fixed_batches = true;
    }
  }
  if (!any) return;
  const auto add = [&](const std::string& path, const std::string& text) {
    diagnostics.add(place_of(root, path), path, text);
  };
  if (scales)
    add("autoscaling",
        "replicas whose engines work apart do not come and go; give 'autoscaling' the 'pool' that "
        "it is for");
  if (fixed_batches)
    add("serving.scheduler",
        "engines that work apart hand requests on one by one; machines and policies with static "
        "batches cannot take them");
  if (serving.kv_transfer)
    add("serving.kv_transfer",
        "stands for the transfer to another pool; engines that work apart share their memory, and "
        "nothing is sent");
}

}  // namespace tokenyard::scenario
