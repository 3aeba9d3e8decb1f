#include "perf/step_model.hpp"

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

}  // namespace

StepModel::StepModel(const scenario::PoolPlan& pool, const scenario::DeploymentPlan& d,
                     const scenario::ServingSpec& serving, const catalog::FabricSpec& fabric)
    : deployment_(&d),
      engine_(&pool.devices[d.device].engines[d.engine]),
      host_(serving.host),
      collectives_(pool, d, fabric),
      placement_(place(pool, d, serving)),
      count_(catalog::count_parameters(d.model)) {
  const catalog::Device& device = pool.devices[d.device];
  const catalog::Efficiency& eta = engine_->efficiency;
  const double share = 1.0 - engine_->sms_for_comm.value;
  linear_.peak = peak_of(*engine_, d.linear_math);
  linear_.seconds = 1.0 / (linear_.peak * share * eta.prefill.value);
  attention_.peak = peak_of(*engine_, d.attention_math);
  attention_.seconds = 1.0 / (attention_.peak * share * eta.attention_prefill.value);
  exponent_ = engine_->roofline_exponent.value;
  tensor_ = as_double(d.spec.tensor_parallel);
  pipeline_ = as_double(d.spec.pipeline_parallel);
  attention_data_ = as_double(d.attention_data_parallel);
  expert_ = as_double(d.spec.expert_parallel);
  const double layers = as_double(d.model.layers);
  const double stage_layers = std::ceil(layers / pipeline_);
  stage_dense_ = stage_layers * as_double(count_.dense_layers) / layers;
  stage_moe_ = stage_layers * as_double(count_.moe_layers) / layers;
  const auto& window = d.model.attention.window;
  window_tokens_ = window ? window->tokens : 0;
  stage_window_ = window ? stage_layers * as_double(window->layers) / layers : 0.0;
  stage_full_ = stage_layers - stage_window_;
  weight_bytes_ = d.weights.bytes();
  act_bytes_ = d.activations.bytes();
  weight_read_ = 1.0 - serving.activation_sparsity;
  weight_s_ = placement_.weight_seconds_per_byte / eta.decode.value;
  kv_s_ = placement_.kv_seconds_per_byte / eta.attention_decode.value;
  for (std::size_t i = 0; i < device.memory.size() && main_bandwidth_ == 0.0; ++i) {
    const TierUse& use = placement_.tiers[i];
    if (use.weight_bytes > 0.0 || use.kv_bytes > 0.0)
      main_bandwidth_ = device.memory[i].bandwidth.value.base();
  }
  act_s_ = main_bandwidth_ > 0.0 ? 1.0 / (main_bandwidth_ * eta.decode.value) : 0.0;
  kv_bytes_layer_ = placement_.kv_bytes_per_token_layer;
  context_ = context_cost(false);
  window_context_ = context_cost(true);
  decode_.resize(static_cast<std::size_t>(serving.scheduler.max_batch) + 1);
  for (std::size_t b = 1; b < decode_.size(); ++b) {
    const auto sequences = static_cast<double>(b);
    decode_[b] = fixed_cost(sequences, 0.0, sequences, 0.0);
  }
}

void StepModel::add_op(StepCost& cost, const Op& op, double times) const {
  const double memory = op.weight_s + op.kv_s + op.act_s;
  const double larger = std::max(op.compute_s, memory);
  if (larger <= 0.0) return;
  const double ratio = std::min(op.compute_s, memory) / larger;
  const double power = ratio > kNegligible ? std::pow(ratio, exponent_) : 0.0;
  const double total =
      times * larger * (power > 0.0 ? std::pow(1.0 + power, 1.0 / exponent_) : 1.0);
  const double larger_share = 1.0 / (1.0 + power);
  const double compute_share = op.compute_s >= memory ? larger_share : 1.0 - larger_share;
  cost[Cause::compute] += total * compute_share;
  if (memory <= 0.0) return;
  const double per_memory_second = total * (1.0 - compute_share) / memory;
  cost[Cause::weight_bw] += per_memory_second * op.weight_s;
  cost[Cause::kv_bw] += per_memory_second * op.kv_s;
  cost[Cause::act_bw] += per_memory_second * op.act_s;
}

void StepModel::add_collective(StepCost& cost, const CollectiveTime& time, double times) const {
  cost[Cause::net_lat] += times * time.latency_s;
  cost[Cause::net_bw] += times * time.bytes_s;
  cost[Work::bytes_link] += times * time.bytes_sent;
}

void StepModel::add_attention_products(StepCost& cost, const Tokens& tokens) const {
  const double layers = stage_dense_ + stage_moe_;
  // Routers are small and replicated; they ride with the attention products.
  const double router = stage_moe_ > 0.0 ? count_.router_per_layer * stage_moe_ / layers : 0.0;
  const double weights = count_.attention_per_layer / tensor_ + router;
  const double bytes = weights * weight_bytes_ * weight_read_;
  const double flops = 2.0 * weights * tokens.rank;
  const double kv_written = tokens.rank * kv_bytes_layer_;
  add_op(cost, {flops * linear_.seconds, bytes * weight_s_, kv_written * kv_s_, 0.0}, layers);
  cost[Work::flops_linear] += flops * layers;
  cost[Work::bytes_weights] += bytes * layers;
  cost[Work::bytes_kv] += kv_written * layers;
  // Norms, rotary embedding, residuals and gates: half of this traffic shrinks with tensor
  // parallelism.
  const double traffic = engine_->activation_traffic.value * tokens.rank *
                         as_double(deployment_->model.hidden) * act_bytes_ * (0.5 + 0.5 / tensor_);
  add_op(cost, {0.0, 0.0, 0.0, traffic * act_s_}, layers);
  cost[Work::bytes_activations] += traffic * layers;
  const bool mla = deployment_->model.attention.kind == catalog::AttentionKind::mla;
  cost[Cause::launch] +=
      layers * (mla ? kMlaKernels : kGqaKernels) * engine_->launch_overhead.value.base();
}

void StepModel::add_ffn(StepCost& cost, const Tokens& tokens) const {
  const double launch = engine_->launch_overhead.value.base();
  const auto add = [&](double parameters, double layers, double kernels) {
    if (parameters <= 0.0 || layers <= 0.0) return;
    const double bytes = parameters / tensor_ * weight_bytes_ * weight_read_;
    const double flops = 2.0 * parameters / tensor_ * tokens.rank;
    add_op(cost, {flops * linear_.seconds, bytes * weight_s_, 0.0, 0.0}, layers);
    cost[Work::flops_linear] += flops * layers;
    cost[Work::bytes_weights] += bytes * layers;
    cost[Cause::launch] += layers * kernels * launch;
  };
  add(count_.dense_ffn_per_layer, stage_dense_, kFfnKernels);
  add(count_.shared_experts_per_layer, stage_moe_, kFfnKernels);
  if (stage_moe_ > 0.0) add_experts(cost, tokens);
}

void StepModel::add_experts(StepCost& cost, const Tokens& tokens) const {
  const catalog::Ffn& ffn = deployment_->model.ffn;
  const double experts = as_double(ffn.experts);
  const double chosen = as_double(ffn.experts_per_token) / experts;
  const double devices = tensor_ * attention_data_;
  const double distinct = experts * (1.0 - std::pow(1.0 - chosen, tokens.total));
  const double flops =
      2.0 * tokens.total * as_double(ffn.experts_per_token) * count_.expert / devices;
  const double bytes_each = count_.expert * weight_bytes_ * weight_read_ / devices;
  const Op mean{flops * linear_.seconds, distinct * bytes_each * weight_s_, 0.0, 0.0};
  add_op(cost, mean, stage_moe_);
  cost[Work::flops_linear] += flops * stage_moe_;
  cost[Work::bytes_weights] += distinct * bytes_each * stage_moe_;
  cost[Cause::launch] += stage_moe_ * kMoeKernels * engine_->launch_overhead.value.base();
  if (expert_ <= 1.0) return;
  const double assigned = tokens.total * as_double(ffn.experts_per_token);
  const double factor = std::min(
      expert_, 1.0 + std::sqrt(2.0 * std::log(expert_) * (1.0 - chosen) * expert_ / assigned));
  const double slowest_distinct = std::min(experts, distinct * factor);
  StepCost mean_cost;
  StepCost slow_cost;
  add_op(mean_cost, mean, stage_moe_);
  add_op(slow_cost, {factor * mean.compute_s, slowest_distinct * bytes_each * weight_s_, 0.0, 0.0},
         stage_moe_);
  cost[Cause::imbalance] += slow_cost.total_s() - mean_cost.total_s();
}

void StepModel::add_communication(StepCost& cost, const Tokens& tokens) const {
  const double layers = stage_dense_ + stage_moe_;
  const double row = as_double(deployment_->model.hidden) * act_bytes_;
  const auto t = deployment_->spec.tensor_parallel;
  const auto devices = t * deployment_->attention_data_parallel;
  const CollectiveTime reduce = collectives_.all_reduce(tokens.rank * row, t);
  const bool dispatches = deployment_->attention_data_parallel > 1 && stage_moe_ > 0.0;
  add_collective(cost, reduce, layers + (dispatches ? stage_dense_ : layers));
  if (dispatches) {
    // A token goes once to each of the distinct ranks that hold its experts.
    const double r = as_double(devices);
    const double k = as_double(deployment_->model.ffn.experts_per_token);
    const double ranks = r * (1.0 - std::pow(1.0 - 1.0 / r, k)) * (r - 1.0) / r;
    const double sent = tokens.rank / tensor_ * ranks * as_double(deployment_->model.hidden);
    const double dispatched_bytes =
        std::min(act_bytes_, std::max(1.0, weight_bytes_));  // fp8 where weights are
    add_collective(cost, collectives_.all_to_all(sent * dispatched_bytes, devices), stage_moe_);
    add_collective(cost, collectives_.all_to_all(sent * act_bytes_, devices), stage_moe_);
  }
  if (pipeline_ > 1.0) {
    const bool between =
        devices * deployment_->spec.pipeline_parallel > collectives_.devices_per_node();
    add_collective(cost, collectives_.point_to_point(tokens.rank * row / tensor_, between), 1.0);
  }
}

void StepModel::add_head(StepCost& cost, const Tokens& tokens) const {
  if (tokens.sampled <= 0.0) return;
  const double weights = count_.lm_head / tensor_;
  const double sampled = tokens.sampled / attention_data_;
  const double flops = 2.0 * weights * sampled;
  const double bytes = weights * weight_bytes_;
  add_op(cost, {flops * linear_.seconds, bytes * weight_s_, 0.0, 0.0}, 1.0);
  cost[Work::flops_linear] += flops;
  cost[Work::bytes_weights] += bytes;
  cost[Cause::launch] += kHeadKernels * engine_->launch_overhead.value.base();
  const double logits = sampled * as_double(deployment_->model.vocabulary) * act_bytes_;
  add_collective(cost, collectives_.all_gather(logits, deployment_->spec.tensor_parallel), 1.0);
}

StepCost StepModel::stage(const Tokens& tokens) const {
  StepCost cost;
  add_attention_products(cost, tokens);
  add_ffn(cost, tokens);
  add_communication(cost, tokens);
  add_head(cost, tokens);
  return cost;
}

// `busy` is what a device does for all micro-batches; with fewer of them than stages it waits for
// the rest.
void StepModel::add_pipelined(StepCost& into, const StepCost& busy, double microbatches) const {
  into.add(busy);
  if (microbatches < pipeline_) {
    into[Cause::pp_bubble] += busy.total_s() * (pipeline_ - microbatches) / microbatches;
  }
}

StepCost StepModel::fixed_cost(double decoding, double chunk_tokens, double sampled,
                               double largest_chunk) const {
  const double total = decoding + chunk_tokens;
  const double microbatches = std::min(pipeline_, total);
  const double even = total / attention_data_;
  const Tokens mean{total / microbatches, even / microbatches, sampled / microbatches};
  StepCost busy;
  busy.add(stage(mean), microbatches);
  // Sequences and chunks are on one data-parallel rank each; the others wait for the fullest.
  const double fullest =
      std::max(even, largest_chunk + decoding / attention_data_ * fullest_over_mean(decoding));
  if (fullest > even) {
    Tokens uneven = mean;
    uneven.rank = fullest / microbatches;
    StepCost slow;
    slow.add(stage(uneven), microbatches);
    busy[Cause::imbalance] += slow.total_s() - busy.total_s();
  }
  StepCost cost;
  add_pipelined(cost, busy, microbatches);
  cost[Cause::host] +=
      host_.per_step.base() + host_.per_sequence.base() * sampled / attention_data_;
  return cost;
}

StepCost StepModel::context_cost(bool windowed) const {
  const catalog::Attention& a = deployment_->model.attention;
  const double heads = as_double(a.heads) / tensor_;
  const double flops = a.kind == catalog::AttentionKind::mla
                           ? 2.0 * heads * as_double(2 * a.kv_lora_rank + a.qk_rope_dim)
                           : 4.0 * heads * as_double(a.head_dim);
  const double layers = windowed ? stage_window_ : stage_full_;
  StepCost cost;
  add_op(cost, {flops * attention_.seconds, 0.0, kv_bytes_layer_ * kv_s_, 0.0},
         layers / attention_data_);
  cost[Work::flops_attention] += flops * layers / attention_data_;
  cost[Work::bytes_kv] += kv_bytes_layer_ * layers / attention_data_;
  return cost;
}

double StepModel::prefill_flops_per_layer(double chunk, double cached, double pairs) const {
  const catalog::Attention& a = deployment_->model.attention;
  const double heads = as_double(a.heads) / tensor_;
  if (a.kind == catalog::AttentionKind::gqa) return 4.0 * heads * as_double(a.head_dim) * pairs;
  // MLA: either expand the latents to full keys and values, or work on the latents; the cheaper
  // one.
  const auto qk = as_double(a.qk_nope_dim + a.qk_rope_dim);
  const double naive = 2.0 * heads * (qk + as_double(a.v_dim)) * pairs +
                       2.0 * (chunk + cached) * as_double(a.kv_lora_rank) * heads *
                           as_double(a.qk_nope_dim + a.v_dim);
  const double absorbed = 2.0 * heads * as_double(2 * a.kv_lora_rank + a.qk_rope_dim) * pairs;
  return std::min(naive, absorbed);
}

StepCost StepModel::prefill_attention(const PrefillSlice& slice) const {
  const double n = as_double(slice.tokens);
  const double c = as_double(slice.cached);
  StepCost cost;
  const auto add = [&](double pairs, double read, double layers) {
    if (layers <= 0.0) return;
    const double flops = prefill_flops_per_layer(n, c, pairs);
    const double bytes = read * kv_bytes_layer_;
    add_op(cost, {flops * attention_.seconds, 0.0, bytes * kv_s_, 0.0}, layers);
    cost[Work::flops_attention] += flops * layers;
    cost[Work::bytes_kv] += bytes * layers;
  };
  add(n * c + n * (n + 1.0) / 2.0, n + c, stage_full_);
  if (stage_window_ > 0.0) {
    const auto window = as_double(window_tokens_);
    add(pairs_in_window(n, c, window), n + std::min(c, window - 1.0), stage_window_);
  }
  return cost;
}

// Sequences lie on data-parallel ranks whole, in each micro-batch: the rank with the most has this
// many times the mean.
double StepModel::fullest_over_mean(double sequences) const {
  if (attention_data_ <= 1.0 || sequences <= 0.0) return 1.0;
  const double shares = attention_data_ * std::min(pipeline_, sequences);
  return std::ceil(sequences / shares) * shares / sequences;
}

AffineCost StepModel::decode_run(const DecodeBatch& batch) const {
  AffineCost run;
  run.first = decode_[static_cast<std::size_t>(batch.sequences)];
  const double sequences = as_double(batch.sequences);
  const double microbatches = std::min(pipeline_, sequences);
  StepCost attention;
  attention.add(context_, batch.context);
  if (window_tokens_ > 0) attention.add(window_context_, batch.window_context);
  StepCost growth;
  growth.add(context_, sequences);
  if (window_tokens_ > 0) growth.add(window_context_, as_double(batch.window_growing));
  const double waiting = fullest_over_mean(sequences) - 1.0;
  attention[Cause::imbalance] += waiting * attention.total_s();
  growth[Cause::imbalance] += waiting * growth.total_s();
  add_pipelined(run.first, attention, microbatches);
  add_pipelined(run.slope, growth, microbatches);
  return run;
}

StepCost StepModel::mixed_step(std::span<const PrefillSlice> prefill,
                               const DecodeBatch& batch) const {
  double chunk_tokens = 0.0;
  double largest = 0.0;
  double sampled = as_double(batch.sequences);
  double prefill_s = 0.0;  // of attention, all chunks
  double longest_s = 0.0;  // the longest chunk's
  StepCost attention;
  attention.add(context_, batch.context);
  if (window_tokens_ > 0) attention.add(window_context_, batch.window_context);
  attention[Cause::imbalance] +=
      (fullest_over_mean(as_double(batch.sequences)) - 1.0) * attention.total_s();
  for (const PrefillSlice& slice : prefill) {
    chunk_tokens += as_double(slice.tokens);
    largest = std::max(largest, as_double(slice.tokens));
    if (slice.samples) sampled += 1.0;
    const StepCost one = prefill_attention(slice);
    attention.add(one, 1.0 / attention_data_);
    prefill_s += one.total_s();
    longest_s = std::max(longest_s, one.total_s());
  }
  // A chunk is on one data-parallel rank; the others wait for the longest.
  attention[Cause::imbalance] += std::max(0.0, longest_s - prefill_s / attention_data_);
  StepCost cost = fixed_cost(as_double(batch.sequences), chunk_tokens, sampled, largest);
  const double microbatches = std::min(pipeline_, as_double(batch.sequences) + chunk_tokens);
  add_pipelined(cost, attention, microbatches);
  return cost;
}

}  // namespace tokenyard::perf
