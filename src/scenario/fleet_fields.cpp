// Pools and what is deployed on them.
#include "scenario/scenario_file.hpp"

namespace tokenyard::scenario {
namespace {

constexpr std::int64_t kMostWays = 65'536;  // products of three stay far inside 64 bits

// A number, or `auto` for kAuto.
input::Field<AutoCount> auto_count(input::Fields& f, std::string_view key, std::int64_t& number,
                                   AutoCount& shown, std::string_view doc) {
  shown.count = number == kAuto ? std::nullopt : std::optional(number);
  auto field = f.optional(key, shown, doc);
  if (f.is_reading()) number = shown.count.value_or(kAuto);
  return field;
}

void at_most(input::Fields& f, std::string_view key, std::int64_t number, std::int64_t bound) {
  if (!f.is_reading() || number <= bound) return;
  f.problem(key, "'" + std::to_string(number) + "' is out of range; expected at most " +
                     std::to_string(bound));
}

}  // namespace

void describe(input::Fields& f, LoraSpec& x) {
  f.required("adapters", x.adapters, "how many there are; requests name them from 0")
      .at_least(1)
      .at_most(1e6);
  f.optional("rank", x.rank, "of their matrices").at_least(1).at_most(4096);
  f.optional("resident", x.resident,
             "that device memory has room for, the others being in the host's DRAM; default: all")
      .at_least(1);
  f.optional("targets", x.targets,
             "adapted projections: those of attention, or all but routed experts");
}

void describe(input::Fields& f, EngineChoice& x) {
  f.required("prefill", x.prefill, "engine that computes prompts");
  f.required("decode", x.decode, "engine that generates");
  f.optional("steps", x.steps,
             "together: a step has both and takes the longer of the two; apart: each engine has "
             "steps of its own, and they share the memory's bandwidth");
  f.optional("prefill_kv_share", x.prefill_kv_share,
             "of the KV blocks, for prompts, where 'steps: apart'; default: 0.5")
      .more_than(0.0)
      .less_than(1.0);
  if (!f.is_reading()) return;
  if (x.prefill_kv_share && x.steps == EngineSteps::together)
    f.problem("prefill_kv_share", "has no effect without 'steps: apart'");
  if (x.steps == EngineSteps::apart && x.prefill && x.prefill == x.decode)
    f.problem("steps",
              "'apart' needs two engines; prompts and decoding are both on '" + *x.prefill + "'");
}

void describe(input::Fields& f, DeploySpec& x) {
  f.required("model", x.model, "a file of workloads/models, without .yaml");
  f.optional("role", x.role,
             "what the replicas do: both, or prefill (compute prompts and send their KV cache on), "
             "or decode");
  f.optional("role_may_change", x.role_may_change,
             "replicas may change to the other role as serving.role_switch says");
  f.optional("engine", x.engine,
             "which engine of the device, or {prefill: ..., decode: ..., steps: ...}; default: its "
             "first");
  f.optional("weights", x.weights,
             "number format of the weights, from workloads/formats.yaml; auto: the device's usual");
  f.optional("kv", x.kv, "number format of the KV cache");
  f.optional("activations", x.activations, "number format of the activations");
  f.optional("expert_weights", x.expert_weights,
             "number format of routed experts; default: that of the weights");
  f.optional("lm_head", x.lm_head, "number format of the LM head; default: that of the weights");
  f.optional("placement", x.placement, "auto, or the memory tier that must hold the weights");
  AutoCount shown;
  auto_count(f, "tensor_parallel", x.tensor_parallel, shown,
             "devices that share each layer; auto: as few as hold the model");
  at_most(f, "tensor_parallel", x.tensor_parallel, kMostWays);
  auto_count(f, "pipeline_parallel", x.pipeline_parallel, shown,
             "groups of layers on devices of their own; auto: as few as hold the model");
  at_most(f, "pipeline_parallel", x.pipeline_parallel, kMostWays);
  f.optional("expert_parallel", x.expert_parallel, "groups of devices that share the experts")
      .at_least(1)
      .at_most(kMostWays);
  f.optional("redundant_experts", x.redundant_experts,
             "copies of the busiest experts of a layer, beside the experts")
      .at_least(0)
      .at_most(kMostWays);
  f.optional("expert_skew", x.expert_skew, "Zipf exponent of the experts' popularity; 0: all alike")
      .at_least(0.0)
      .at_most(3.0);
  f.optional("data_parallel_attention", x.data_parallel_attention,
             "attention on whole sequences, expert_parallel / tensor_parallel ways");
  f.optional("attention_data_parallel", x.attention_data_parallel,
             "the same, with the number of ways")
      .at_least(1)
      .at_most(kMostWays);
  f.optional("replicas", x.replicas, "model instances; auto: as many as the pool's devices carry");
  f.optional("lora", x.lora, "adapters that requests run with beside the model");
  f.optional("min_kv_tokens", x.min_kv_tokens,
             "KV cache that automatic parallelism leaves room for; default: the model's longest "
             "context, at most 32768")
      .at_least(1);
  f.optional("memory_utilization", x.memory_utilization,
             "share of device memory for weights, KV cache and activations")
      .more_than(0.0)
      .at_most(1.0);
}

void describe(input::Fields& f, PoolSpec& x) {
  if (f.is_reading()) x.where = f.node().place;
  f.required("name", x.name, "how results and overrides call this pool");
  f.required("node", x.node,
             "a file of hardware_catalog/nodes, without .yaml; or of devices: one in a bare host");
  AutoCount shown;
  auto_count(f, "count", x.count, shown, "nodes; auto: as many as one replica takes");
  at_most(f, "count", x.count, 100'000);
  f.required("deploy", x.deploy, "the model served here, or a list of them");
  f.optional("sharing", x.sharing,
             "the models of the list share the pool's devices; default: each has its own");
  // Whose keys are wrong shares all the same: what follows from not sharing is no second mistake.
  if (f.has("sharing") && f.node().find("sharing")->kind == input::Node::Kind::map && !x.sharing)
    x.sharing.emplace();
}

void describe(input::Fields& f, FleetSpec& x) {
  f.optional("site", x.site, "a file of hardware_catalog/sites, without .yaml");
  f.optional("fabric", x.fabric, "a file of hardware_catalog/fabrics, without .yaml");
  f.required("pools", x.pools, "groups of equal nodes");
  if (f.has("pools") && f.node().find("pools")->kind == input::Node::Kind::sequence &&
      x.pools.empty()) {
    f.problem("pools", "the list is empty; expected at least one pool");
  }
}

}  // namespace tokenyard::scenario
