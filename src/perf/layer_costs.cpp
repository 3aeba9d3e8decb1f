#include "perf/layer_costs.hpp"

#include <algorithm>
#include <cmath>

#include "base/as_double.hpp"
#include "perf/constants.hpp"

namespace tokenyard::perf {
namespace {

// Below this ratio the smaller term of a P-norm is lost in rounding.
constexpr double kNegligible = 1e-5;

double peak_of(const catalog::Engine& engine, const std::string& format) {
  const auto found = engine.peak.find(format);
  check(found != engine.peak.end(), "the plan names a number format that the engine lacks");
  return found->second.value.base();
}

double product_efficiency(const catalog::Efficiency& eta, const std::string& format) {
  const auto found = eta.prefill_by_format.find(format);
  return found == eta.prefill_by_format.end() ? eta.prefill.value : found->second.value;
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

// Share of communication that is not hidden behind `work`: no more of it can be than there is work.
double shown(double overlap, double communication_s, const StepCost& work) {
  if (overlap <= 0.0 || communication_s <= 0.0) return 1.0;
  return 1.0 - std::min(overlap, work.total_s() / communication_s);
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
  const std::string& linear_math = prefill ? d.prefill_linear_math : d.linear_math;
  const std::string& expert_math = prefill ? d.prefill_expert_math : d.expert_math;
  peak_ = peak_of(*engine_, linear_math);
  linear_s_ = 1.0 / (peak_ * share * product_efficiency(eta, linear_math));
  expert_peak_ = peak_of(*engine_, expert_math);
  expert_s_ =
      1.0 / (expert_peak_ * share * product_efficiency(eta, expert_math) * eta.experts.value);
  const std::string& attention_math = prefill ? d.prefill_attention_math : d.attention_math;
  const double attention_peak = peak_of(*engine_, attention_math);
  converting_ = linear_math != attention_math ? kQuantizeKernels : 0.0;
  expert_kernels_ = kMoeKernels + (expert_math != attention_math ? kQuantizeKernels : 0.0);
  attention_s_ = 1.0 / (attention_peak * share * eta.attention_prefill.value);
  adapter_s_ = 1.0 / (attention_peak * share * product_efficiency(eta, attention_math));
  adapter_values_ = adapter_values_on_device(d);
  weight_s_ = placement.weight_seconds_per_byte / eta.decode.value;
  kv_s_ = placement.kv_seconds_per_byte / eta.attention_decode.value;
  const double bandwidth = main_bandwidth(pool.devices[d.device], placement);
  act_s_ = bandwidth > 0.0 ? 1.0 / (bandwidth * eta.decode.value) : 0.0;
  tensor_ = as_double(d.spec.tensor_parallel);
  attention_data_ = as_double(d.attention_data_parallel);
  weight_bytes_ = d.weights.bytes();
  expert_bytes_ = d.expert_weights.bytes();
  act_bytes_ = d.activations.bytes();
  head_bytes_ = d.lm_head.bytes();
  weight_read_ = 1.0 - serving.activation_sparsity;
  kv_bytes_ = placement.kv_bytes_per_token_layer;
  index_bytes_ = placement.index_bytes_per_token_layer;
  const catalog::Attention& a = d.model.attention;
  window_tokens_ = as_double(a.sparse ? a.sparse->top_k : (a.window ? a.window->tokens : 0));
  tensor_overlap_ = serving.overlap.tensor;
  expert_overlap_ = serving.overlap.expert;
  if (d.tiled) head_share_ = 1.0 / as_double(d.spec.pipeline_parallel);
  hops_between_ = share_of_hops_between_nodes(d, collectives.devices_per_node());
  hidden_ = as_double(d.model.hidden);
  vocabulary_ = as_double(d.model.vocabulary);
  launch_s_ = engine_->launch_overhead.value.base();
  unfused_ = engine_->activation_traffic.value / kFusedTraffic;
  exponent_ = engine_->roofline_exponent.value;
  set_products();
  core_ = core_flops();
  ranks_reached_ = ranks_reached();
}

LayerCosts::Products LayerCosts::products(double parameters, double bytes_each, double tile_factor,
                                          double kernels) const {
  Products p;
  if (parameters <= 0.0) return p;
  p.flops = 2.0 * parameters;
  p.bytes = parameters * bytes_each;
  p.read_s = p.bytes * weight_s_;
  p.tile_factor = tile_factor;
  p.launch_s = kernels * launch_s_;
  return p;
}

void LayerCosts::set_products() {
  const double read = weight_bytes_ * weight_read_;
  // Routers are small and replicated; they ride with the attention products.
  const double router =
      layers_.moe > 0.0 ? count_.router_per_layer * layers_.moe / layers_.total() : 0.0;
  const bool mla = deployment_->model.attention.kind == catalog::AttentionKind::mla;
  attention_ = products(count_.attention_per_layer / tensor_ + router, read, tiles_.attention,
                        (mla ? kMlaKernels : kGqaKernels) + converting_);
  dense_ =
      products(count_.dense_ffn_per_layer / tensor_, read, tiles_.dense, kFfnKernels + converting_);
  shared_ = products(count_.shared_experts_per_layer / tensor_, read, tiles_.shared,
                     kFfnKernels + converting_);
  head_ = products(count_.lm_head / tensor_, head_bytes_, tiles_.head, kHeadKernels);
}

LayerCosts::CoreFlops LayerCosts::core_flops() const {
  const catalog::Attention& a = deployment_->model.attention;
  const double heads = as_double(a.heads) / tensor_;
  CoreFlops core;
  if (a.kind == catalog::AttentionKind::gqa) {
    core.pair = 4.0 * heads * as_double(a.head_dim);
  } else {
    core.pair = 2.0 * heads * as_double(2 * a.kv_lora_rank + a.qk_rope_dim);
    core.expands = !a.sparse;  // tokens that choose their own latents work on them as they are
    core.naive_pair = 2.0 * heads * as_double(a.qk_nope_dim + a.qk_rope_dim + a.v_dim);
    core.expanded_token =
        2.0 * as_double(a.kv_lora_rank) * heads * as_double(a.qk_nope_dim + a.v_dim);
  }
  if (a.sparse) core.index_pair = 2.0 * as_double(a.sparse->index_heads * a.sparse->index_dim);
  return core;
}

// A token goes once to each of the distinct ranks that hold its experts.
double LayerCosts::ranks_reached() const {
  const double devices = tensor_ * attention_data_;
  const double groups = as_double(deployment_->spec.expert_parallel);
  const double k = as_double(deployment_->model.ffn.experts_per_token);
  const double reached = groups * (1.0 - std::pow(1.0 - 1.0 / groups, k));
  return reached * devices / groups * (devices - 1.0) / devices;
}

LayerCosts::OpTime LayerCosts::time_of(const Op& op, double times) const {
  OpTime time;
  time.memory_s = op.weight_s + op.kv_s + op.act_s;
  const double larger = std::max(op.compute_s, time.memory_s);
  if (larger <= 0.0) return time;
  const double ratio = std::min(op.compute_s, time.memory_s) / larger;
  const double power = ratio > kNegligible ? std::pow(ratio, exponent_) : 0.0;
  time.total_s = times * larger;
  if (power > 0.0) time.total_s *= std::pow(1.0 + power, 1.0 / exponent_);
  const double larger_share = 1.0 / (1.0 + power);
  time.compute_share = op.compute_s >= time.memory_s ? larger_share : 1.0 - larger_share;
  return time;
}

double LayerCosts::add_op(StepCost& cost, const Op& op, double times) const {
  const OpTime time = time_of(op, times);
  if (time.total_s <= 0.0) return 0.0;
  cost[Cause::compute] += time.total_s * time.compute_share;
  if (time.memory_s <= 0.0) return time.total_s;
  const double per_memory_second = time.total_s * (1.0 - time.compute_share) / time.memory_s;
  cost[Cause::weight_bw] += per_memory_second * op.weight_s;
  cost[Cause::kv_bw] += per_memory_second * op.kv_s;
  cost[Cause::act_bw] += per_memory_second * op.act_s;
  return time.total_s;
}

void LayerCosts::add_collective(StepCost& cost, const CollectiveTime& time, double shown,
                                double times) const {
  cost[Cause::net_lat] += times * shown * time.latency_s;
  cost[Cause::net_bw] += times * shown * time.bytes_s;
  cost[Work::bytes_link] += times * time.bytes_sent;
}

void LayerCosts::add_products(StepCost& cost, const Products& p, double tokens,
                              double kv_written_s) const {
  const double flops = p.flops * tokens;
  add_op(cost, {flops * p.tile_factor * linear_s_, p.read_s, kv_written_s, 0.0});
  cost[Work::flops_linear] += flops;
  cost[Work::bytes_weights] += p.bytes;
  cost[Cause::launch] += p.launch_s;
}

CollectiveTime LayerCosts::all_reduce(const Tokens& tokens) const {
  return collectives_.all_reduce(tokens.rank * (hidden_ * act_bytes_),
                                 deployment_->spec.tensor_parallel);
}

StepCost LayerCosts::attention_products(const Tokens& tokens, const CollectiveTime& reduce) const {
  StepCost cost;
  const double kv_written = tokens.rank * (kv_bytes_ + index_bytes_);
  add_products(cost, attention_, tokens.rank, kv_written * kv_s_);
  cost[Work::bytes_kv] += kv_written;
  // Norms, rotary embedding, residuals and gates: half of this traffic shrinks with tensor
  // parallelism.
  const double traffic = engine_->activation_traffic.value * tokens.rank * hidden_ * act_bytes_ *
                         (0.5 + 0.5 / tensor_);
  cost[Cause::act_bw] += traffic * act_s_;
  cost[Work::bytes_activations] += traffic;
  add_collective(cost, reduce, shown(tensor_overlap_, reduce.total_s(), cost));
  return cost;
}

StepCost LayerCosts::dense_ffn(const Tokens& tokens, const CollectiveTime& reduce) const {
  StepCost cost;
  add_products(cost, dense_, tokens.rank);
  add_collective(cost, reduce, shown(tensor_overlap_, reduce.total_s(), cost));
  return cost;
}

void LayerCosts::add_experts(StepCost& cost, double tokens, double times) const {
  const catalog::Ffn& ffn = deployment_->model.ffn;
  const double devices = tensor_ * attention_data_;
  const ExpertReads reads = experts_.reads(tokens);
  const double flops = 2.0 * tokens * as_double(ffn.experts_per_token) * count_.expert / devices;
  const double bytes_each = count_.expert * expert_bytes_ * weight_read_ / devices;
  const double chosen = tokens * as_double(ffn.experts_per_token);
  const double dense_s = flops * tiles_.expert * expert_s_;
  // Of an expert that few tokens chose, a whole tile is computed.
  const double tiles = engine_->expert_tile.value / chosen;
  const Op mean{dense_s * std::max(1.0, tiles * reads.distinct),
                reads.distinct * bytes_each * weight_s_, 0.0, 0.0};
  const double mean_s = add_op(cost, mean, times);
  const double groups = as_double(deployment_->spec.expert_parallel);
  const double traffic = unfused_ * chosen / groups * act_bytes_ *
                         (kExpertHiddenMoves * hidden_ +
                          kExpertWidthMoves * as_double(ffn.expert_hidden) * groups / devices);
  cost[Cause::act_bw] += times * traffic * act_s_;
  cost[Work::bytes_activations] += times * traffic;
  cost[Work::flops_experts] += flops * times;
  cost[Work::bytes_weights] += reads.distinct * bytes_each * times;
  cost[Cause::launch] += times * expert_kernels_ * launch_s_;
  if (deployment_->spec.expert_parallel <= 1) return;
  const Op slow{dense_s * std::max(reads.load, tiles * reads.slowest_distinct),
                reads.slowest_distinct * bytes_each * weight_s_, 0.0, 0.0};
  cost[Cause::imbalance] += time_of(slow, times).total_s - mean_s;
}

// Dispatch of the tokens to the ranks that hold their experts, and the way back.
void LayerCosts::add_exchange(StepCost& cost, const Tokens& tokens, bool halves) const {
  const auto devices = deployment_->spec.tensor_parallel * deployment_->attention_data_parallel;
  const double sent = tokens.rank / tensor_ * ranks_reached_ * hidden_;
  // In the format that the experts compute in, and no narrower than fp8.
  const double dispatched_bytes = std::min(act_bytes_, std::max(1.0, expert_bytes_));
  const double share = halves ? 0.5 : 1.0;
  const double times = halves ? 2.0 : 1.0;
  const CollectiveTime out = collectives_.all_to_all(share * sent * dispatched_bytes, devices);
  const CollectiveTime back = collectives_.all_to_all(share * sent * act_bytes_, devices);
  const double part =
      halves ? shown(expert_overlap_, times * (out.total_s() + back.total_s()), cost) : 1.0;
  add_collective(cost, out, part, times);
  add_collective(cost, back, part, times);
}

StepCost LayerCosts::moe_ffn(const Tokens& tokens, const CollectiveTime& reduce) const {
  StepCost cost;
  add_products(cost, shared_, tokens.rank);
  const bool dispatches = deployment_->attention_data_parallel > 1;
  const bool halves = dispatches && expert_overlap_ > 0.0 && tokens.total >= 2.0;
  if (halves) {
    add_experts(cost, 0.5 * tokens.total, 2.0);
  } else {
    add_experts(cost, tokens.total, 1.0);
  }
  if (dispatches) {
    add_exchange(cost, tokens, halves);
  } else {
    add_collective(cost, reduce, shown(tensor_overlap_, reduce.total_s(), cost));
  }
  return cost;
}

StepCost LayerCosts::ends(const Tokens& tokens) const {
  StepCost cost;
  const double sampled = tokens.sampled / attention_data_;
  if (sampled > 0.0) {
    add_products(cost, head_, sampled);
    const double moved = unfused_ * kLogitMoves * kLogitBytes * sampled * vocabulary_;
    cost[Cause::act_bw] += moved * act_s_;
    cost[Work::bytes_activations] += moved;
    const double logits = sampled * vocabulary_ * act_bytes_;
    add_collective(cost, collectives_.all_gather(logits, deployment_->spec.tensor_parallel), 1.0);
    if (head_share_ < 1.0) cost.scale(head_share_);
  }
  if (deployment_->spec.pipeline_parallel > 1) {
    const double bytes = tokens.rank * hidden_ * act_bytes_ / tensor_;
    const CollectiveTime between = collectives_.point_to_point(bytes, true);
    const CollectiveTime inside = collectives_.point_to_point(bytes, false);
    cost[Cause::net_lat] += mean_hop(between.latency_s, inside.latency_s);
    cost[Cause::net_bw] += mean_hop(between.bytes_s, inside.bytes_s);
    cost[Work::bytes_link] += mean_hop(between.bytes_sent, inside.bytes_sent);
  }
  return cost;
}

double LayerCosts::add_attention_core(StepCost& cost, double flops, double bytes) const {
  cost[Work::flops_attention] += flops;
  cost[Work::bytes_kv] += bytes;
  return add_op(cost, {flops * attention_s_, 0.0, bytes * kv_s_, 0.0});
}

CoreParts LayerCosts::core_per_context(double tokens) const {
  CoreParts core;
  if (deployment_->model.attention.sparse) {
    add_attention_core(core.context, tokens * core_.index_pair, index_bytes_);
  } else {
    add_attention_core(core.context, tokens * core_.pair, kv_bytes_);
  }
  if (layers_.window > 0.0) add_attention_core(core.window, tokens * core_.pair, kv_bytes_);
  return core;
}

// Of MLA the cheaper one: to expand the latents of `tokens` tokens to full keys and values, or to
// work on the latents.
double LayerCosts::chunk_flops(double tokens, double pairs) const {
  const double stored = core_.pair * pairs;
  if (!core_.expands) return stored;
  return std::min(core_.naive_pair * pairs + core_.expanded_token * tokens, stored);
}

double LayerCosts::add_core_of(const PrefillSlice& slice, CoreParts& core) const {
  const double n = as_double(slice.tokens);
  const double c = as_double(slice.cached);
  const bool sparse = deployment_->model.attention.sparse.has_value();
  const double pairs = n * c + n * (n + 1.0) / 2.0;
  double context_s = 0.0;
  double window_s = 0.0;
  if (sparse) {
    context_s = add_attention_core(core.context, core_.index_pair * pairs, (n + c) * index_bytes_);
  } else if (layers_.context > 0.0) {
    context_s = add_attention_core(core.context, chunk_flops(n + c, pairs), (n + c) * kv_bytes_);
  }
  if (layers_.window > 0.0) {
    const double seen = pairs_in_window(n, c, window_tokens_);
    const double read = sparse ? std::min(seen, n + c) : n + std::min(c, window_tokens_ - 1.0);
    window_s = add_attention_core(core.window, chunk_flops(n + c, seen), read * kv_bytes_);
  }
  return layers_.context * context_s + layers_.window * window_s;
}

}  // namespace tokenyard::perf
