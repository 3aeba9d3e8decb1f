#include "scenario/place_deployment.hpp"

#include <algorithm>

#include "scenario/place_of.hpp"

namespace tokenyard::scenario {
namespace {

class Resolver {
 public:
  Resolver(DeploymentPlan& d, const Surroundings& in, Diagnostics& diagnostics)
      : d_(d), in_(in), pool_(in.pool), diagnostics_(diagnostics) {}

  void problem(const std::string& key, const std::string& message) {
    const std::string path = d_.path + '.' + key;
    diagnostics_.add(place_of(in_.scenario, path), path, message);
  }

  bool resolve_model(catalog::Catalog& catalog) {
    const std::string& name = d_.spec.model;
    if (name.empty() && is_no_scalar(in_.scenario, d_.path + ".model")) return false;
    if (!catalog.exists(catalog::EntryKind::model, name)) {
      problem("model", "no model '" + name + "' in the catalog" +
                           suggestion(name, catalog.names(catalog::EntryKind::model)));
      return false;
    }
    const catalog::Model* model = catalog.model(name, diagnostics_);
    if (model != nullptr) d_.model = *model;
    return model != nullptr;
  }

  bool resolve_format(const std::string& key, const std::string& name, catalog::NumberFormat& out,
                      catalog::Catalog& catalog) {
    const catalog::NumberFormat* format = catalog.format(name, diagnostics_);
    if (format == nullptr) {
      const std::vector<std::string> known = catalog.format_names(diagnostics_);
      // None: the file of the formats has errors, which have been said.
      if (!known.empty()) problem(key, "no number format '" + name + "'" + suggestion(name, known));
      return false;
    }
    out = *format;
    return true;
  }

  // The device that serves: the node's only kind, or the one that has the engine asked for.
  bool resolve_engine() {
    std::vector<std::string> names;
    for (std::size_t device = 0; device < pool_.devices.size(); ++device) {
      const auto& engines = pool_.devices[device].engines;
      for (std::size_t engine = 0; engine < engines.size(); ++engine) {
        names.push_back(engines[engine].name);
        if (d_.spec.engine && *d_.spec.engine != engines[engine].name) continue;
        d_.device = device;
        d_.engine = engine;
        return true;
      }
    }
    problem("engine", "no engine '" + d_.spec.engine.value_or("") + "' in node " + pool_.node.name +
                          suggestion(d_.spec.engine.value_or(""), names));
    return false;
  }

  std::string math_format(const std::string& key, const catalog::NumberFormat& format) {
    const catalog::Device& device = pool_.devices[d_.device];
    const catalog::Engine& engine = device.engines[d_.engine];
    for (const std::string& math : format.math) {
      if (engine.peak.contains(math)) return math;
    }
    std::string offered;
    for (const auto& [name, peak] : engine.peak) offered += (offered.empty() ? "" : ", ") + name;
    problem(key, "'" + format.name + "' cannot be computed with on " + device.name +
                     ", whose engine " + engine.name + " offers " + offered);
    return "";
  }

  void check_hardwired() {
    const auto& only = pool_.devices[d_.device].hardwired_model;
    if (only && *only != d_.model.name) {
      problem("model", pool_.devices[d_.device].name + " is built for " + *only +
                           " and runs no other model");
    }
  }

  void check_placement() {
    if (d_.spec.placement == "auto") return;
    std::vector<std::string> tiers;
    for (const catalog::MemoryTier& tier : pool_.devices[d_.device].memory) {
      if (tier.tier == d_.spec.placement && tier.can_hold(catalog::Holds::weights)) return;
      if (tier.can_hold(catalog::Holds::weights)) tiers.push_back(tier.tier);
    }
    problem("placement", "no tier '" + d_.spec.placement + "' of " + pool_.devices[d_.device].name +
                             " holds weights" + suggestion(d_.spec.placement, tiers));
  }

  bool resolve_parallelism() {
    const DeploySpec& s = d_.spec;
    const std::size_t before = diagnostics_.list().size();
    d_.attention_data_parallel = s.attention_data_parallel.value_or(
        s.data_parallel_attention ? std::max<std::int64_t>(1, s.expert_parallel / s.tensor_parallel)
                                  : 1);
    const std::int64_t stage = s.tensor_parallel * d_.attention_data_parallel;
    d_.devices_per_replica = stage * s.pipeline_parallel;
    const bool moe = d_.model.ffn.kind == catalog::FfnKind::moe;
    if (d_.model.attention.heads % s.tensor_parallel != 0) {
      problem("tensor_parallel", std::to_string(s.tensor_parallel) + " does not divide the " +
                                     std::to_string(d_.model.attention.heads) +
                                     " attention heads of " + d_.model.name);
    }
    if (s.pipeline_parallel > d_.model.layers) {
      problem("pipeline_parallel", std::to_string(s.pipeline_parallel) + " stages for the " +
                                       std::to_string(d_.model.layers) + " layers of " +
                                       d_.model.name);
    }
    if (!moe && (s.expert_parallel > 1 || d_.attention_data_parallel > 1)) {
      problem("expert_parallel", d_.model.name + " has no experts; use replicas instead");
    }
    if (moe && (stage % s.expert_parallel != 0 || d_.model.ffn.experts % s.expert_parallel != 0)) {
      problem("expert_parallel", std::to_string(s.expert_parallel) + " does not divide both the " +
                                     std::to_string(stage) + " devices of a stage and the " +
                                     std::to_string(d_.model.ffn.experts) + " experts");
    }
    return diagnostics_.list().size() == before;
  }

  void check_wiring() {
    const std::int64_t in_node = pool_.node.device_count();
    if (d_.devices_per_replica > 1 && in_node > 1 &&
        pool_.node.topology == catalog::NodeTopology::none) {
      problem("tensor_parallel", "the devices of node " + pool_.node.name + " are not connected");
    }
    if (d_.devices_per_replica > in_node && pool_.node.nics.empty()) {
      problem("tensor_parallel", "a replica of " + std::to_string(d_.devices_per_replica) +
                                     " devices spans nodes, and node " + pool_.node.name +
                                     " has no NIC");
    }
    if (d_.devices_per_replica > in_node && d_.devices_per_replica % in_node != 0) {
      problem("tensor_parallel", "a replica of " + std::to_string(d_.devices_per_replica) +
                                     " devices fills no whole number of nodes of " +
                                     std::to_string(in_node));
    }
  }

  void resolve_replicas() {
    const std::int64_t free_devices = in_.free_devices;
    const std::int64_t in_node = pool_.node.device_count();
    const std::int64_t each = d_.devices_per_replica;
    // A replica does not straddle nodes unless it must.
    const std::int64_t most = each <= in_node && free_devices == pool_.device_count()
                                  ? pool_.count * (in_node / each)
                                  : free_devices / each;
    const std::string sum =
        std::to_string(each) + (each == 1 ? " device each; " : " devices each; ") +
        std::to_string(free_devices) + " of " + std::to_string(pool_.device_count()) +
        " devices of pool " + pool_.name + " are free";
    if (!d_.spec.replicas.count) {
      if (!in_.alone)
        problem("replicas", "several deployments share the pool; give each its number of replicas");
      if (most < 1) problem("replicas", "not one replica fits: " + sum);
      d_.replicas = most;
      return;
    }
    d_.replicas = std::min(*d_.spec.replicas.count, most);
    if (*d_.spec.replicas.count > most)
      problem("replicas", std::to_string(*d_.spec.replicas.count) + " replicas of " + sum);
  }

 private:
  DeploymentPlan& d_;
  const Surroundings& in_;
  const PoolPlan& pool_;
  Diagnostics& diagnostics_;
};

}  // namespace

void resolve_deployment(DeploymentPlan& d, const Surroundings& in, catalog::Catalog& catalog,
                        Diagnostics& diagnostics) {
  Resolver r(d, in, diagnostics);
  if (d.spec.role != Role::both) {
    r.problem(
        "role",
        "separate prefill and decode pools are not simulated by this version; expected 'both'");
  }
  const bool have_model = r.resolve_model(catalog);
  bool have_formats = r.resolve_format("weights", d.spec.weights, d.weights, catalog);
  have_formats = r.resolve_format("kv", d.spec.kv, d.kv, catalog) && have_formats;
  have_formats =
      r.resolve_format("activations", d.spec.activations, d.activations, catalog) && have_formats;
  if (in.pool.devices.empty() || !r.resolve_engine() || !have_model) return;
  if (have_formats) {
    d.linear_math = r.math_format("weights", d.weights);
    d.attention_math = r.math_format("activations", d.activations);
  }
  r.check_hardwired();
  r.check_placement();
  if (!r.resolve_parallelism()) return;
  r.check_wiring();
  r.resolve_replicas();
}

}  // namespace tokenyard::scenario
