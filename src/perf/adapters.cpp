#include "perf/adapters.hpp"

#include <algorithm>
#include <cmath>

#include "base/as_double.hpp"
#include "perf/layer_costs.hpp"

namespace tokenyard::perf {
namespace {

// Of attention, or of the FFN: into the rank and out of it, for the products at its beginning together
// and for the one at its end.
constexpr double kBlockKernels = 4.0;

// Inputs and outputs of the projections of one layer's attention.
double attention_ends(const catalog::Model& model) {
  const catalog::Attention& a = model.attention;
  const double h = as_double(model.hidden);
  const double heads = as_double(a.heads);
  if (a.kind == catalog::AttentionKind::gqa) {
    const double query = heads * as_double(a.head_dim);
    const double kv = as_double(a.kv_heads * a.head_dim);
    return 2.0 * (h + query) + 2.0 * (h + kv);
  }
  const double query = heads * as_double(a.qk_nope_dim + a.qk_rope_dim);
  const double latent = as_double(a.kv_lora_rank);
  const double compressed = as_double(a.q_lora_rank);
  const double queries = compressed > 0.0 ? h + compressed + compressed + query : h + query;
  return queries + h + latent + as_double(a.qk_rope_dim) + latent +
         heads * as_double(a.qk_nope_dim + a.v_dim) + heads * as_double(a.v_dim) + h;
}

// Of all layers' dense FFN and shared experts.
double ffn_ends(const catalog::Model& model) {
  const catalog::Ffn& ffn = model.ffn;
  const double products = ffn.gated ? 3.0 : 2.0;
  const auto ends = [&](std::int64_t width) { return products * as_double(model.hidden + width); };
  if (ffn.kind == catalog::FfnKind::dense) return as_double(model.layers) * ends(ffn.hidden);
  return as_double(ffn.dense_layers) * ends(ffn.dense_hidden) +
         as_double((model.layers - ffn.dense_layers) * ffn.shared_experts) *
             ends(ffn.expert_hidden);
}

}  // namespace

double adapter_values(const catalog::Model& model, const scenario::LoraSpec& lora) {
  double ends = as_double(model.layers) * attention_ends(model);
  if (lora.targets == scenario::LoraTargets::all) ends += ffn_ends(model);
  return as_double(lora.rank) * ends;
}

double adapter_bytes(const scenario::DeploymentPlan& d) {
  return d.spec.lora ? adapter_values(d.model, *d.spec.lora) * d.activations.bytes() : 0.0;
}

double adapter_values_on_device(const scenario::DeploymentPlan& d) {
  if (!d.spec.lora) return 0.0;
  const double layers = stage_layers(d).total() / as_double(d.model.layers);
  return adapter_values(d.model, *d.spec.lora) * layers / as_double(d.spec.tensor_parallel);
}

std::int64_t resident_adapters(const scenario::DeploymentPlan& d) {
  if (!d.spec.lora) return 0;
  return std::min(d.spec.lora->adapters, d.spec.lora->resident.value_or(d.spec.lora->adapters));
}

StepCost LayerCosts::adapter_products(const AdapterLoad& load, double verified) const {
  StepCost cost;
  const double ranks = attention_data_;
  const double own = std::ceil(as_double(load.decoding + load.chunks) / ranks);
  const double bytes = std::min(as_double(load.distinct), own) * adapter_values_ * act_bytes_;
  const double tokens = (as_double(load.decoding) * verified + load.chunk_tokens) / ranks;
  const double flops = 2.0 * tokens * adapter_values_;
  add_op(cost, {flops * adapter_s_, bytes * weight_s_, 0.0, 0.0});
  // Counted with those of attention, which have the same format.
  cost[Work::flops_attention] += flops;
  cost[Work::bytes_weights] += bytes;
  const bool all = deployment_->spec.lora->targets == scenario::LoraTargets::all;
  const double kernels = all ? 2.0 * kBlockKernels : kBlockKernels;
  cost[Cause::launch] += kernels * layers_.total() * launch_s_;
  return cost;
}

void check_adapters(const scenario::Plan& plan, Diagnostics& diagnostics) {
  for (const scenario::PoolPlan& pool : plan.pools) {
    for (const scenario::DeploymentPlan& d : pool.deployments) {
      if (!d.spec.lora || !pool.node.host.dram || resident_adapters(d) == d.spec.lora->adapters)
        continue;
      const double need = as_double(d.spec.lora->adapters) * adapter_bytes(d);
      const double room = pool.node.host.dram->capacity.value.base();
      if (need <= room) continue;
      diagnostics.add(d.where, d.path + ".lora.adapters",
                      std::to_string(d.spec.lora->adapters) + " adapters of " +
                          format_quantity(adapter_bytes(d), kData) + " are " +
                          format_quantity(need, kData) + ", and the DRAM of node " +
                          pool.node.name + " is " + format_quantity(room, kData));
    }
  }
}

}  // namespace tokenyard::perf
