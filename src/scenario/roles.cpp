#include "scenario/roles.hpp"

#include <map>

#include "scenario/place_of.hpp"

namespace tokenyard::scenario {
namespace {

struct Roles {
  const DeploymentPlan* prefill = nullptr;
  const DeploymentPlan* decode = nullptr;
};

std::int64_t adapters_of(const DeploymentPlan& d) {
  return d.spec.lora ? d.spec.lora->adapters : 0;
}

void check_model(const std::string& model, const Roles& roles, Diagnostics& diagnostics) {
  const auto problem = [&](const DeploymentPlan& d, const char* key, const std::string& text) {
    diagnostics.add(d.where, d.path + '.' + key, text);
  };
  if (roles.decode == nullptr) {
    problem(*roles.prefill, "role",
            "no pool decodes " + model + "; give a deployment of it the role 'decode'");
  } else if (roles.prefill == nullptr) {
    problem(
        *roles.decode, "role",
        "no pool computes prompts for " + model + "; give a deployment of it the role 'prefill'");
  } else if (adapters_of(*roles.prefill) != adapters_of(*roles.decode)) {
    problem(*roles.decode, "lora",
            "prompts are computed with " + std::to_string(adapters_of(*roles.prefill)) +
                " adapters and decoded with " + std::to_string(adapters_of(*roles.decode)));
  } else if (roles.prefill->kv.name != roles.decode->kv.name) {
    problem(*roles.decode, "kv",
            "the KV cache comes in " + roles.prefill->kv.name + " and cannot become " +
                roles.decode->kv.name + " on its way");
  }
}

// Who may change, and by what.
void check_changes(const Plan& plan, const input::Node& root, Diagnostics& diagnostics) {
  const auto add = [&](const std::string& path, const std::string& text) {
    diagnostics.add(place_of(root, path), path, text);
  };
  const bool asked_for = plan.scenario.serving.role_switch.has_value();
  bool any = false;
  for (const PoolPlan& pool : plan.pools) {
    for (const DeploymentPlan& d : pool.deployments) {
      if (!d.spec.role_may_change) continue;
      any = true;
      const std::string path = d.path + ".role_may_change";
      if (d.spec.role == Role::both)
        add(path, "has no effect without 'role: prefill' or 'role: decode'");
      if (!asked_for) add(path, "has no effect without serving.role_switch");
    }
  }
  if (!asked_for) return;
  if (!any) add("serving.role_switch", "no deployment says 'role_may_change: true'");
  if (plan.scenario.autoscaling)
    add("serving.role_switch", "replicas that come and go ('autoscaling') do not change roles");
}

}  // namespace

void check_roles(const Plan& plan, const input::Node& root, Diagnostics& diagnostics) {
  check_changes(plan, root, diagnostics);
  std::map<std::string, Roles> by_model;
  for (const PoolPlan& pool : plan.pools) {
    for (const DeploymentPlan& d : pool.deployments) {
      if (d.spec.role == Role::both || d.model.name.empty()) continue;
      if (d.spec.engine.steps == EngineSteps::apart) continue;  // its partner is on its devices
      Roles& roles = by_model[d.model.name];
      (d.spec.role == Role::prefill ? roles.prefill : roles.decode) = &d;
    }
  }
  if (by_model.empty()) return;
  for (const auto& [model, roles] : by_model) check_model(model, roles, diagnostics);
  if (!plan.scenario.serving.kv_transfer) return;
  const std::string path = "serving.kv_transfer";
  diagnostics.add(
      place_of(root, path), path,
      "stands for the transfer between pools that are not simulated; with roles it is simulated");
}

}  // namespace tokenyard::scenario
