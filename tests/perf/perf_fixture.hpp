#pragma once
// A step model on the toy fleet or on one of the shipped catalog, and comparison by ratio.
#include <doctest/doctest.h>

#include <string>

#include "perf/step_model.hpp"
#include "support/toy.hpp"

namespace tokenyard::perf {

// Equal but for rounding, whatever the size of the number.
inline doctest::Approx near(double value, double relative = 1e-12) {
  return doctest::Approx(value).epsilon(relative).scale(0.0);
}

// The toy with a mixture of experts in each layer: an expert is 2 x 8,000 x 100 = 1.6 M parameters.
inline test::ToyOptions mixture(std::int64_t experts = 64, std::int64_t experts_per_token = 4) {
  test::ToyOptions options;
  options.model.ffn = {.kind = catalog::FfnKind::moe,
                       .gated = false,
                       .experts = experts,
                       .experts_per_token = experts_per_token,
                       .expert_hidden = 100};
  return options;
}

// Owns the plan that the model points into.
struct Toy {
  explicit Toy(const test::ToyOptions& options = {}) : Toy(test::toy_plan(options)) {}
  explicit Toy(scenario::Plan p)
      : plan(std::move(p)),
        model(plan.pools.front(), plan.pools.front().deployments.front(), plan.scenario.serving,
              plan.fabric) {}
  Toy(const Toy&) = delete;
  Toy& operator=(const Toy&) = delete;

  // One step in which `sequences` sequences decode, attending to `context` tokens together.
  [[nodiscard]] StepCost decode(std::int64_t sequences, double context = 0.0) const {
    return model.mixed_step({}, {.sequences = sequences, .context = context});
  }
  [[nodiscard]] StepCost prefill(std::int64_t tokens, std::int64_t cached = 0,
                                 bool samples = false) const {
    const PrefillSlice slice{.tokens = tokens, .cached = cached, .samples = samples};
    return model.mixed_step({&slice, 1}, {});
  }

  scenario::Plan plan;
  StepModel model;
};

inline catalog::Model shipped_model(const std::string& name) {
  catalog::Catalog catalog(catalog::find_catalog_root(""));
  Diagnostics diagnostics;
  const catalog::Model* model = catalog.model(name, diagnostics);
  diagnostics.throw_if_any();
  return *model;
}

// The toy fleet's plan with the devices, wiring, host and number formats of the catalog.
inline scenario::Plan shipped_plan(const std::string& node, test::ToyOptions options) {
  catalog::Catalog catalog(catalog::find_catalog_root(""));
  Diagnostics diagnostics;
  const catalog::NodeSpec spec = *catalog.node(node, diagnostics);
  options.device = *catalog.device(spec.devices.front().device, diagnostics);
  options.devices_per_node = spec.device_count();
  options.memory_utilization = 0.9;
  options.serving = {};
  diagnostics.throw_if_any();
  scenario::Plan plan = test::toy_plan(options);
  plan.pools.front().node = spec;
  scenario::DeploymentPlan& d = plan.pools.front().deployments.front();
  d.weights = *catalog.format(options.weights, diagnostics);
  d.lm_head = d.expert_weights = d.weights;
  d.kv = *catalog.format(options.kv, diagnostics);
  return plan;
}

}  // namespace tokenyard::perf
