#include "scenario/place_deployment.hpp"

#include <algorithm>

#include "scenario/choose_parallelism.hpp"
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

  // The machine cannot do what is asked: an error, or the reason of a row without a result.
  void unfit(const std::string& key, const std::string& message) {
    if (!in_.report_unfit) return problem(key, message);
    if (d_.unfit.empty()) d_.unfit = message;
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

  // `auto`: what the device is usually run in.
  bool resolve_format(const std::string& key, std::string name,
                      std::string catalog::UsualFormats::*usual, catalog::NumberFormat& out,
                      catalog::Catalog& catalog) {
    if (name == "auto" && pool_.devices.empty()) return false;  // its node is not known
    if (name == "auto") name = pool_.devices[d_.device].usual_formats.*usual;
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

  // The device that serves: the node's only kind, or the one that has the engines asked for.
  bool resolve_engines() {
    std::vector<std::string> names;
    const scenario::EngineChoice& wanted = d_.spec.engine;
    for (std::size_t device = 0; device < pool_.devices.size(); ++device) {
      const auto& engines = pool_.devices[device].engines;
      for (const catalog::Engine& engine : engines) names.push_back(engine.name);
      const auto index_of = [&](const std::optional<std::string>& name) {
        std::size_t index = 0;
        while (name && index < engines.size() && engines[index].name != *name) ++index;
        return index;
      };
      d_.device = device;
      d_.engine = index_of(wanted.decode);
      d_.prefill_engine = index_of(wanted.prefill);
      // Until the two are told apart: each of them has to fit.
      const double share = wanted.prompts_kv_share();
      if (wanted.steps == EngineSteps::apart) d_.kv_share = std::min(share, 1.0 - share);
      if (std::max(d_.engine, d_.prefill_engine) < engines.size()) return true;
    }
    for (const auto& [name, key] :
         {std::pair{wanted.prefill, "engine.prefill"}, std::pair{wanted.decode, "engine.decode"}}) {
      if (!name || std::find(names.begin(), names.end(), *name) != names.end()) continue;
      problem(wanted.prefill == wanted.decode ? "engine" : key,
              "no engine '" + *name + "' in node " + pool_.node.name + suggestion(*name, names));
      if (wanted.prefill == wanted.decode) break;
    }
    return false;
  }

  std::string math_format(const std::string& key, const catalog::NumberFormat& format,
                          std::size_t engine_index) {
    const catalog::Device& device = pool_.devices[d_.device];
    const catalog::Engine& engine = device.engines[engine_index];
    for (const std::string& math : format.math) {
      if (engine.peak.contains(math)) return math;
    }
    std::string offered;
    for (const auto& [name, peak] : engine.peak) offered += (offered.empty() ? "" : ", ") + name;
    unfit(key, "'" + format.name + "' cannot be computed with on " + device.name +
                   ", whose engine " + engine.name + " offers " + offered);
    return "";
  }

  bool resolve_formats(catalog::Catalog& catalog) {
    using catalog::UsualFormats;
    const DeploySpec& s = d_.spec;
    bool known = resolve_format("weights", s.weights, &UsualFormats::weights, d_.weights, catalog);
    known = resolve_format("kv", s.kv, &UsualFormats::kv, d_.kv, catalog) && known;
    known = resolve_format("activations", s.activations, &UsualFormats::activations, d_.activations,
                           catalog) &&
            known;
    // An unknown format of the weights has been reported already.
    const bool weights_known = known;
    for (const auto& [key, stated, format] :
         {std::tuple{"lm_head", &s.lm_head, &d_.lm_head},
          std::tuple{"expert_weights", &s.expert_weights, &d_.expert_weights}}) {
      if (!*stated && !weights_known) return false;
      known = resolve_format(key, stated->value_or(s.weights), &UsualFormats::weights, *format,
                             catalog) &&
              known;
    }
    return known;
  }

  void resolve_math() {
    const bool moe = d_.model.ffn.kind == catalog::FfnKind::moe;
    d_.linear_math = math_format("weights", d_.weights, d_.engine);
    d_.expert_math =
        moe ? math_format("expert_weights", d_.expert_weights, d_.engine) : d_.linear_math;
    d_.attention_math = math_format("activations", d_.activations, d_.engine);
    d_.prefill_linear_math = d_.linear_math;
    d_.prefill_expert_math = d_.expert_math;
    d_.prefill_attention_math = d_.attention_math;
    if (d_.prefill_engine == d_.engine) return;
    d_.prefill_linear_math = math_format("weights", d_.weights, d_.prefill_engine);
    d_.prefill_expert_math =
        moe ? math_format("expert_weights", d_.expert_weights, d_.prefill_engine)
            : d_.prefill_linear_math;
    d_.prefill_attention_math = math_format("activations", d_.activations, d_.prefill_engine);
  }

  void check_hardwired() {
    const auto& only = pool_.devices[d_.device].hardwired_model;
    if (only && *only != d_.model.name) {
      unfit("model",
            pool_.devices[d_.device].name + " is built for " + *only + " and runs no other model");
    }
  }

  void check_placement() {
    if (d_.spec.placement == "auto") return;
    std::vector<std::string> tiers;
    for (const catalog::MemoryTier& tier : pool_.devices[d_.device].memory) {
      const bool holds =
          tier.can_hold(catalog::Holds::weights) || tier.can_hold(catalog::Holds::models);
      if (tier.tier == d_.spec.placement && holds) return;
      if (holds) tiers.push_back(tier.tier);
    }
    problem("placement", "no tier '" + d_.spec.placement + "' of " + pool_.devices[d_.device].name +
                             " holds weights" + suggestion(d_.spec.placement, tiers));
  }

  // Whether the stages of a replica may be parts of layers: machines that hold the weights in their
  // working memory are tiled over as many devices as it takes.
  void resolve_tiling() {
    const catalog::Device& device = pool_.devices[d_.device];
    d_.tiled = d_.spec.placement.starts_with("sram") ||
               std::all_of(device.memory.begin(), device.memory.end(), [](const auto& tier) {
                 return !tier.can_hold(catalog::Holds::weights) || tier.tier.starts_with("sram");
               });
  }

  // The smallest numbers of devices that hold the model, where the file says auto.
  bool resolve_auto() {
    const DeploySpec& s = d_.spec;
    if (s.tensor_parallel != kAuto && s.pipeline_parallel != kAuto) return true;
    check(in_.fits != nullptr, "automatic parallelism needs to know what fits");
    const std::string problem =
        choose_parallelism(d_, pool_, in_.serving, most_devices(pool_, in_.free_devices), in_.fits);
    if (!problem.empty()) unfit("tensor_parallel", problem);
    return problem.empty();
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
    if (s.pipeline_parallel > d_.model.layers && !d_.tiled) {
      problem("pipeline_parallel", std::to_string(s.pipeline_parallel) + " stages for the " +
                                       std::to_string(d_.model.layers) + " layers of " +
                                       d_.model.name);
    }
    if (!moe && (s.expert_parallel > 1 || d_.attention_data_parallel > 1)) {
      problem("expert_parallel", d_.model.name + " has no experts; use replicas instead");
    }
    if (!moe && s.expert_weights) problem("expert_weights", d_.model.name + " has no experts");
    if (!moe && s.redundant_experts > 0)
      problem("redundant_experts", d_.model.name + " has no experts");
    if (!moe && s.expert_skew > 0.0) problem("expert_skew", d_.model.name + " has no experts");
    // Experts without their copies may be dealt unevenly when all slots together come out even.
    const std::int64_t experts = d_.model.ffn.experts;
    const bool even = experts % s.expert_parallel == 0 ||
                      (experts + s.redundant_experts) % s.expert_parallel == 0;
    if (moe && (stage % s.expert_parallel != 0 || !even)) {
      problem("expert_parallel", std::to_string(s.expert_parallel) + " does not divide both the " +
                                     std::to_string(stage) + " devices of a stage and the " +
                                     std::to_string(experts) + " experts");
    }
    return diagnostics_.list().size() == before;
  }

  void check_wiring() {
    const std::int64_t in_node = pool_.node.device_count();
    const auto& transfer = in_.serving.kv_transfer;
    if (transfer && !transfer->bandwidth && pool_.node.nics.empty() && !connected(pool_)) {
      diagnostics_.add(
          place_of(in_.scenario, "serving.kv_transfer"), "serving.kv_transfer",
          "node " + pool_.node.name + " has neither NIC nor link; give the transfer a 'bandwidth'");
    }
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
    std::int64_t free_devices = in_.free_devices;
    const std::int64_t in_node = pool_.node.device_count();
    const std::int64_t each = d_.devices_per_replica;
    std::int64_t nodes = pool_.count;
    if (nodes == kAuto) {
      const std::int64_t wanted = d_.spec.replicas.count.value_or(1);
      nodes = each <= in_node ? (wanted + in_node / each - 1) / (in_node / each)
                              : wanted * (each / in_node);
      free_devices = nodes * in_node;
    }
    // A replica does not straddle nodes unless it must.
    const std::int64_t most = each <= in_node && free_devices == nodes * in_node
                                  ? nodes * (in_node / each)
                                  : free_devices / each;
    const std::string sum =
        std::to_string(each) + (each == 1 ? " device each; " : " devices each; ") +
        std::to_string(free_devices) + " of " + std::to_string(nodes * in_node) +
        " devices of pool " + pool_.name + " are free";
    if (!d_.spec.replicas.count) {
      if (!in_.alone)
        problem("replicas", "several deployments share the pool; give each its number of replicas");
      if (most < 1) unfit("replicas", "not one replica fits: " + sum);
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
  const bool have_model = r.resolve_model(catalog);
  const bool have_engines = !in.pool.devices.empty() && r.resolve_engines();
  const bool have_formats = r.resolve_formats(catalog);
  if (!have_model || !have_engines || !have_formats) return;
  r.resolve_math();
  r.check_hardwired();
  r.check_placement();
  r.resolve_tiling();
  if (!d.unfit.empty() || !r.resolve_auto() || !r.resolve_parallelism()) return;
  r.check_wiring();
  r.resolve_replicas();
}

}  // namespace tokenyard::scenario
