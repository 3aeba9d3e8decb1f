#include "perf/layer_costs.hpp"

#include <algorithm>
#include <cmath>

#include "perf/constants.hpp"

namespace tokenyard::perf {
namespace {

// Below this ratio the smaller term of a P-norm is lost in rounding.
constexpr double kNegligible = 1e-5;

double as_double(std::int64_t n) {
  return static_cast<double>(n);
}

double peak_of(const catalog::Engine& engine, const std::string& format) {
  const auto found = engine.peak.find(format);
  check(found != engine.peak.end(), "the plan names a number format that the engine lacks");
  return found->second.value.base();
}

// Tokens attended to by a chunk of n on c cached tokens, causal, each at most `window` back.
double pairs_in_window(double n, double c, double window) {
  const double growing = std::clamp(window - c, 0.0, n);  // tokens that still see everything
  return growing * c + growing * (growing + 1.0) / 2.0 + (n - growing) * window;
}

// The devices of a stage follow one another, stage after stage, node after node.
double share_of_hops_between_nodes(const scenario::DeploymentPlan& d,
                                   std::int64_t devices_per_node) {
  const std::int64_t stage = d.spec.tensor_parallel * d.attention_data_parallel;
  const std::int64_t hops = (d.spec.pipeline_parallel - 1) * stage;
  std::int64_t between = 0;
  for (std::int64_t i = 0; i < hops; ++i) {
    if (i / devices_per_node != (i + stage) / devices_per_node) ++between;
  }
  return hops > 0 ? as_double(between) / as_double(hops) : 0.0;
}

}  // namespace

StageLayers stage_layers(const scenario::DeploymentPlan& d) {
  const catalog::ParameterCount count = catalog::count_parameters(d.model);
  const double layers = as_double(d.model.layers);
  const double each = layers / as_double(d.spec.pipeline_parallel);
  const double stage = d.tiled ? each : std::ceil(each);
  StageLayers s;
  s.dense = stage * as_double(count.dense_layers) / layers;
  s.moe = stage * as_double(count.moe_layers) / layers;
  const auto& window = d.model.attention.window;
  if (d.model.attention.sparse) {
    s.context = s.window = stage;
  } else {
    s.window = window ? stage * as_double(window->layers) / layers : 0.0;
    s.context = stage - s.window;
  }
  return s;
}

double main_bandwidth(const catalog::Device& device, const Placement& placement) {
  for (std::size_t i = 0; i < device.memory.size(); ++i) {
    const TierUse& use = placement.tiers[i];
    if (use.weight_bytes > 0.0 || use.kv_bytes > 0.0)
      return device.memory[i].bandwidth.value.base();
  }
  return 0.0;
}

LayerCosts::LayerCosts(const scenario::PoolPlan& pool, const scenario::DeploymentPlan& d,
                       const scenario::ServingSpec& serving, const Collectives& collectives,
                       const Placement& placement, Phase phase)
    : deployment_(&d),
      engine_(
          &pool.devices[d.device].engines[phase == Phase::prefill ? d.prefill_engine : d.engine]),
      collectives_(collectives),
      count_(catalog::count_parameters(d.model)),
      layers_(stage_layers(d)),
      experts_(d.model.ffn, d.spec),
      tiles_(tile_factors(d, engine_->systolic_tile)) {
  const bool prefill = phase == Phase::prefill;
  const catalog::Efficiency& eta = engine_->efficiency;
  const double share = 1.0 - engine_->sms_for_comm.value;
  peak_ = peak_of(*engine_, prefill ? d.prefill_linear_math : d.linear_math);
  linear_s_ = 1.0 / (peak_ * share * eta.prefill.value);
  const double attention_peak =
      peak_of(*engine_, prefill ? d.prefill_attention_math : d.attention_math);
  attention_s_ = 1.0 / (attention_peak * share * eta.attention_prefill.value);
  weight_s_ = placement.weight_seconds_per_byte / eta.decode.value;
  kv_s_ = placement.kv_seconds_per_byte / eta.attention_decode.value;
  const double bandwidth = main_bandwidth(pool.devices[d.device], placement);
  act_s_ = bandwidth > 0.0 ? 1.0 / (bandwidth * eta.decode.value) : 0.0;
  tensor_ = as_double(d.spec.tensor_parallel);
  attention_data_ = as_double(d.attention_data_parallel);
  weight_bytes_ = d.weights.bytes();
  act_bytes_ = d.activations.bytes();
  head_bytes_ = d.lm_head.bytes();
  weight_read_ = 1.0 - serving.activation_sparsity;
  kv_bytes_ = placement.kv_bytes_per_token_layer;
  index_bytes_ = placement.index_bytes_per_token_layer;
  const catalog::Attention& a = d.model.attention;
  window_tokens_ = as_double(a.sparse ? a.sparse->top_k : (a.window ? a.window->tokens : 0));
  tensor_shown_ = 1.0 - serving.overlap.tensor;
  expert_shown_ = 1.0 - serving.overlap.expert;
  if (d.tiled) head_share_ = 1.0 / as_double(d.spec.pipeline_parallel);
  hops_between_ = share_of_hops_between_nodes(d, collectives.devices_per_node());
}

void LayerCosts::add_op(StepCost& cost, const Op& op, double times) const {
  const double memory = op.weight_s + op.kv_s + op.act_s;
  const double larger = std::max(op.compute_s, memory);
  if (larger <= 0.0) return;
  const double exponent = engine_->roofline_exponent.value;
  const double ratio = std::min(op.compute_s, memory) / larger;
  const double power = ratio > kNegligible ? std::pow(ratio, exponent) : 0.0;
  const double total = times * larger * (power > 0.0 ? std::pow(1.0 + power, 1.0 / exponent) : 1.0);
  const double larger_share = 1.0 / (1.0 + power);
  const double compute_share = op.compute_s >= memory ? larger_share : 1.0 - larger_share;
  cost[Cause::compute] += total * compute_share;
  if (memory <= 0.0) return;
  const double per_memory_second = total * (1.0 - compute_share) / memory;
  cost[Cause::weight_bw] += per_memory_second * op.weight_s;
  cost[Cause::kv_bw] += per_memory_second * op.kv_s;
  cost[Cause::act_bw] += per_memory_second * op.act_s;
}

void LayerCosts::add_collective(StepCost& cost, const CollectiveTime& time, double shown) const {
  cost[Cause::net_lat] += shown * time.latency_s;
  cost[Cause::net_bw] += shown * time.bytes_s;
  cost[Work::bytes_link] += time.bytes_sent;
}

void LayerCosts::add_products(StepCost& cost, const Products& p) const {
  if (p.parameters <= 0.0) return;
  const double flops = 2.0 * p.parameters * p.tokens;
  const double bytes = p.parameters * p.weight_bytes;
  add_op(cost, {flops * p.tile_factor * linear_s_, bytes * weight_s_, 0.0, 0.0});
  cost[Work::flops_linear] += flops;
  cost[Work::bytes_weights] += bytes;
  cost[Cause::launch] += p.kernels * engine_->launch_overhead.value.base();
}

StepCost LayerCosts::attention_products(const Tokens& tokens) const {
  StepCost cost;
  // Routers are small and replicated; they ride with the attention products.
  const double router =
      layers_.moe > 0.0 ? count_.router_per_layer * layers_.moe / layers_.total() : 0.0;
  const double weights = count_.attention_per_layer / tensor_ + router;
  const double bytes = weights * weight_bytes_ * weight_read_;
  const double flops = 2.0 * weights * tokens.rank;
  const double kv_written = tokens.rank * (kv_bytes_ + index_bytes_);
  add_op(cost, {flops * tiles_.attention * linear_s_, bytes * weight_s_, kv_written * kv_s_, 0.0});
  cost[Work::flops_linear] += flops;
  cost[Work::bytes_weights] += bytes;
  cost[Work::bytes_kv] += kv_written;
  // Norms, rotary embedding, residuals and gates: half of this traffic shrinks with tensor
  // parallelism.
  const double hidden = as_double(deployment_->model.hidden);
  const double traffic =
      engine_->activation_traffic.value * tokens.rank * hidden * act_bytes_ * (0.5 + 0.5 / tensor_);
  add_op(cost, {0.0, 0.0, 0.0, traffic * act_s_});
  cost[Work::bytes_activations] += traffic;
  const bool mla = deployment_->model.attention.kind == catalog::AttentionKind::mla;
  cost[Cause::launch] += (mla ? kMlaKernels : kGqaKernels) * engine_->launch_overhead.value.base();
  return cost;
}

void LayerCosts::add_experts(StepCost& cost, double tokens, double times) const {
  const catalog::Ffn& ffn = deployment_->model.ffn;
  const double devices = tensor_ * attention_data_;
  const ExpertReads reads = experts_.reads(tokens);
  const double flops = 2.0 * tokens * as_double(ffn.experts_per_token) * count_.expert / devices;
  const double bytes_each = count_.expert * weight_bytes_ * weight_read_ / devices;
  const Op mean{flops * tiles_.expert * linear_s_, reads.distinct * bytes_each * weight_s_, 0.0,
                0.0};
  StepCost mean_cost;
  add_op(mean_cost, mean, times);
  cost.add(mean_cost);
  cost[Work::flops_linear] += flops * times;
  cost[Work::bytes_weights] += reads.distinct * bytes_each * times;
  cost[Cause::launch] += times * kMoeKernels * engine_->launch_overhead.value.base();
  if (deployment_->spec.expert_parallel <= 1) return;
  StepCost slow_cost;
  const double slow_bytes = reads.slowest_distinct * bytes_each;
  add_op(slow_cost, {reads.load * mean.compute_s, slow_bytes * weight_s_, 0.0, 0.0}, times);
  cost[Cause::imbalance] += slow_cost.total_s() - mean_cost.total_s();
}

// Dispatch of the tokens to the ranks that hold their experts, and the way back.
void LayerCosts::add_exchange(StepCost& cost, const Tokens& tokens, bool halves) const {
  const auto devices = deployment_->spec.tensor_parallel * deployment_->attention_data_parallel;
  // A token goes once to each of the distinct ranks that hold its experts.
  const double r = as_double(devices);
  const double k = as_double(deployment_->model.ffn.experts_per_token);
  const double ranks = r * (1.0 - std::pow(1.0 - 1.0 / r, k)) * (r - 1.0) / r;
  const double sent = tokens.rank / tensor_ * ranks * as_double(deployment_->model.hidden);
  // fp8 where weights are
  const double dispatched_bytes = std::min(act_bytes_, std::max(1.0, weight_bytes_));
  const double share = halves ? 0.5 : 1.0;
  const double shown = halves ? expert_shown_ : 1.0;
  for (int i = 0; i < (halves ? 2 : 1); ++i) {
    add_collective(cost, collectives_.all_to_all(share * sent * dispatched_bytes, devices), shown);
    add_collective(cost, collectives_.all_to_all(share * sent * act_bytes_, devices), shown);
  }
}

StepCost LayerCosts::moe_ffn(const Tokens& tokens) const {
  StepCost cost;
  const double shared = count_.shared_experts_per_layer / tensor_;
  add_products(cost,
               {shared, tokens.rank, weight_bytes_ * weight_read_, tiles_.shared, kFfnKernels});
  const bool dispatches = deployment_->attention_data_parallel > 1;
  const bool halves = dispatches && expert_shown_ < 1.0 && tokens.total >= 2.0;
  if (halves) {
    add_experts(cost, 0.5 * tokens.total, 2.0);
  } else {
    add_experts(cost, tokens.total, 1.0);
  }
  if (dispatches) add_exchange(cost, tokens, halves);
  return cost;
}

StepCost LayerCosts::ends(const Tokens& tokens) const {
  StepCost cost;
  const double sampled = tokens.sampled / attention_data_;
  if (sampled > 0.0) {
    StepCost head;
    add_products(head, {count_.lm_head / tensor_, sampled, head_bytes_, tiles_.head, kHeadKernels});
    const double logits = sampled * as_double(deployment_->model.vocabulary) * act_bytes_;
    add_collective(head, collectives_.all_gather(logits, deployment_->spec.tensor_parallel), 1.0);
    cost.add(head, head_share_);
  }
  if (deployment_->spec.pipeline_parallel > 1) {
    const double bytes = tokens.rank * as_double(deployment_->model.hidden) * act_bytes_ / tensor_;
    const CollectiveTime between = collectives_.point_to_point(bytes, true);
    const CollectiveTime inside = collectives_.point_to_point(bytes, false);
    cost[Cause::net_lat] += mean_hop(between.latency_s, inside.latency_s);
    cost[Cause::net_bw] += mean_hop(between.bytes_s, inside.bytes_s);
    cost[Work::bytes_link] += mean_hop(between.bytes_sent, inside.bytes_sent);
  }
  return cost;
}

LinearParts LayerCosts::linear(const Tokens& tokens) const {
  LinearParts parts;
  parts.attention = attention_products(tokens);
  const double row = as_double(deployment_->model.hidden) * act_bytes_;
  const CollectiveTime reduce =
      collectives_.all_reduce(tokens.rank * row, deployment_->spec.tensor_parallel);
  add_collective(parts.attention, reduce, tensor_shown_);
  if (layers_.dense > 0.0) {
    add_products(parts.dense, {count_.dense_ffn_per_layer / tensor_, tokens.rank,
                               weight_bytes_ * weight_read_, tiles_.dense, kFfnKernels});
    add_collective(parts.dense, reduce, tensor_shown_);
  }
  if (layers_.moe > 0.0) {
    parts.moe = moe_ffn(tokens);
    if (deployment_->attention_data_parallel == 1) add_collective(parts.moe, reduce, tensor_shown_);
  }
  parts.ends = ends(tokens);
  return parts;
}

void LayerCosts::add_attention_core(StepCost& cost, double flops, double bytes) const {
  add_op(cost, {flops * attention_s_, 0.0, bytes * kv_s_, 0.0});
  cost[Work::flops_attention] += flops;
  cost[Work::bytes_kv] += bytes;
}

CoreParts LayerCosts::core_per_context(double tokens) const {
  const catalog::Attention& a = deployment_->model.attention;
  const double heads = as_double(a.heads) / tensor_;
  const double flops = a.kind == catalog::AttentionKind::mla
                           ? 2.0 * heads * as_double(2 * a.kv_lora_rank + a.qk_rope_dim)
                           : 4.0 * heads * as_double(a.head_dim);
  CoreParts core;
  if (a.sparse) {
    const double index_flops = 2.0 * as_double(a.sparse->index_heads * a.sparse->index_dim);
    add_attention_core(core.context, tokens * index_flops, index_bytes_);
  } else {
    add_attention_core(core.context, tokens * flops, kv_bytes_);
  }
  if (layers_.window > 0.0) add_attention_core(core.window, tokens * flops, kv_bytes_);
  return core;
}

double LayerCosts::chunk_flops(double chunk, double cached, double pairs) const {
  const catalog::Attention& a = deployment_->model.attention;
  const double heads = as_double(a.heads) / tensor_;
  if (a.kind == catalog::AttentionKind::gqa) return 4.0 * heads * as_double(a.head_dim) * pairs;
  // MLA: either expand the latents to full keys and values, or work on the latents; the cheaper
  // one.  Tokens that choose their own latents work on them as they are.
  const double absorbed = 2.0 * heads * as_double(2 * a.kv_lora_rank + a.qk_rope_dim) * pairs;
  if (a.sparse) return absorbed;
  const auto qk = as_double(a.qk_nope_dim + a.qk_rope_dim);
  const double naive = 2.0 * heads * (qk + as_double(a.v_dim)) * pairs +
                       2.0 * (chunk + cached) * as_double(a.kv_lora_rank) * heads *
                           as_double(a.qk_nope_dim + a.v_dim);
  return std::min(naive, absorbed);
}

CoreParts LayerCosts::core_of(const PrefillSlice& slice) const {
  const double n = as_double(slice.tokens);
  const double c = as_double(slice.cached);
  const auto& sparse = deployment_->model.attention.sparse;
  const double pairs = n * c + n * (n + 1.0) / 2.0;
  CoreParts core;
  if (sparse) {
    const double index_flops = 2.0 * as_double(sparse->index_heads * sparse->index_dim);
    add_attention_core(core.context, index_flops * pairs, (n + c) * index_bytes_);
  } else if (layers_.context > 0.0) {
    add_attention_core(core.context, chunk_flops(n, c, pairs), (n + c) * kv_bytes_);
  }
  if (layers_.window > 0.0) {
    const double seen = pairs_in_window(n, c, window_tokens_);
    const double read = sparse ? std::min(seen, n + c) : n + std::min(c, window_tokens_ - 1.0);
    add_attention_core(core.window, chunk_flops(n, c, seen), read * kv_bytes_);
  }
  return core;
}

}  // namespace tokenyard::perf
