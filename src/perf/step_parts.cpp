// The parts of a step on a stage, and how they become its time: what overlaps, what is raised to a
// layer's latency, what pipeline stages wait for.
#include <algorithm>
#include <cmath>

#include "perf/step_model.hpp"

namespace tokenyard::perf {
namespace {

// `cost` is what a device does for all micro-batches; with fewer of them than stages it waits for
// the rest.
void add_bubble(StepCost& cost, double microbatches, double stages) {
  cost[Cause::pp_bubble] += cost.total_s() * (stages - microbatches) / microbatches;
}

}  // namespace

void StepModel::add_stage(const LayerCosts& costs, const Tokens& tokens, double times,
                          StepCost& cost, LayerTimes* layer) const {
  const CollectiveTime reduce = costs.all_reduce(tokens);
  const StepCost attention = costs.attention_products(tokens, reduce);
  cost.add(attention, times * layers_.total());
  const auto add_ffn = [&](const StepCost& ffn, double count, LayerPart kind) {
    cost.add(ffn, times * count);
    if (layer == nullptr) return;
    LayerTime& time = (*layer)[kind];
    time.total_s += times * (attention.total_s() + ffn.total_s());
    time.weight_s += times * (attention[Cause::weight_bw] + ffn[Cause::weight_bw]);
    time.kv_s += times * (attention[Cause::kv_bw] + ffn[Cause::kv_bw]);
  };
  if (layers_.dense > 0.0) add_ffn(costs.dense_ffn(tokens, reduce), layers_.dense, kDense);
  if (layers_.moe > 0.0) add_ffn(costs.moe_ffn(tokens, reduce), layers_.moe, kMoe);
  cost.add(costs.ends(tokens), times);
}

// `cost` and `layer` have nothing in them yet.
void StepModel::add_linear(const LayerCosts& costs, const Load& load, StepCost& cost,
                           LayerTimes* layer) const {
  const double decoded = load.sequences * load.verified;
  const double total = decoded + load.chunk_tokens;
  const double microbatches = std::min(pipeline_, load.sequences + load.chunk_tokens);
  const double even = total / attention_data_;
  const Tokens mean{total / microbatches, even / microbatches,
                    (decoded + load.prompts) / microbatches};
  add_stage(costs, mean, microbatches, cost, layer);
  // Sequences and chunks are on one data-parallel rank each; the others wait for the fullest.
  const double fullest = std::max(
      even, load.largest_chunk + decoded / attention_data_ * fullest_over_mean(load.sequences));
  if (fullest <= even) return;
  Tokens uneven = mean;
  uneven.rank = fullest / microbatches;
  Part slow;
  add_stage(costs, uneven, microbatches, slow.cost, layer != nullptr ? &slow.layer : nullptr);
  cost[Cause::imbalance] += slow.cost.total_s() - cost.total_s();
  if (layer == nullptr) return;
  for (const LayerPart i : {kDense, kMoe}) (*layer)[i].total_s = slow.layer[i].total_s;
}

// `share`: of the core that is on this device; layers take longer by the share `waiting`, for other
// ranks.
void StepModel::add_core(const CoreParts& core, double share, double waiting, StepCost& cost,
                         LayerTimes* layer) const {
  if (layers_.context > 0.0) cost.add(core.context, share * layers_.context);
  if (layers_.window > 0.0) cost.add(core.window, share * layers_.window);
  if (layer == nullptr) return;
  const auto add = [&](LayerTime& time, const StepCost& one) {
    time.total_s += (1.0 + waiting) * share * one.total_s();
    time.kv_s += share * one[Cause::kv_bw];
  };
  add((*layer)[kContext], core.context);
  add((*layer)[kWindow], core.window);
}

// A chunk is on one data-parallel rank; the others wait for the longest.
void StepModel::add_chunks_core(const LayerCosts& costs, std::span<const PrefillSlice> prefill,
                                StepCost& cost, LayerTimes* layer) const {
  CoreParts core;
  double all_s = 0.0;
  double longest_s = 0.0;
  for (const PrefillSlice& slice : prefill) {
    const double slice_s = costs.add_core_of(slice, core);
    all_s += slice_s;
    longest_s = std::max(longest_s, slice_s);
  }
  const double mean_s = all_s / attention_data_;
  const double waiting_s = std::max(0.0, longest_s - mean_s);
  cost[Cause::imbalance] += waiting_s;
  add_core(core, 1.0 / attention_data_, mean_s > 0.0 ? waiting_s / mean_s : 0.0, cost, layer);
}

// Sequences lie on data-parallel ranks whole, in each micro-batch: the rank with the most has this
// many times the mean.
double StepModel::fullest_over_mean(double sequences) const {
  if (attention_data_ <= 1.0 || sequences <= 0.0) return 1.0;
  const double shares = attention_data_ * std::min(pipeline_, sequences);
  return std::ceil(sequences / shares) * shares / sequences;
}

// What is left of the reads spreads over the layers as their weights do: reads of one layer are under
// way during others.  Waiting for other ranks is not hidden, it stays as long as without overlap.
void StepModel::hide_smaller_read(AffineCost& run, LayerRun* layers) const {
  const double weight_s = run.first[Cause::weight_bw];
  const double kv_s = run.first[Cause::kv_bw];
  const double kv_growth_s = run.slope[Cause::kv_bw];
  if (weight_s <= 0.0) return;
  const bool weights_longer = weight_s > kv_s;
  if (weights_longer) {
    run.valid_steps = std::min(run.valid_steps, steps_until(weight_s - kv_s, kv_growth_s));
  }
  const Cause hidden = weights_longer ? Cause::kv_bw : Cause::weight_bw;
  run.first[hidden] = run.slope[hidden] = 0.0;
  if (layers == nullptr) return;
  for (std::size_t i = 0; i < layers->first.size(); ++i) {
    LayerTime& now = layers->first[i];
    LayerTime& growth = layers->slope[i];
    now.total_s -= now.kv_s;
    growth.total_s -= growth.kv_s;
    if (weights_longer) continue;
    const double share = now.weight_s / weight_s;
    now.total_s += share * (kv_s - weight_s);
    growth.total_s += share * kv_growth_s;
  }
}

// Layers whose work takes less than `latency_s` take that long; more work in them costs nothing
// until it does.
void StepModel::raise_to_latency(double latency_s, AffineCost& run, LayerRun& layers) const {
  const auto raise = [&](double count, std::initializer_list<LayerPart> parts) {
    double work_s = 0.0;
    double growth_s = 0.0;
    for (const LayerPart part : parts) {
      work_s += layers.first[part].total_s;
      growth_s += layers.slope[part].total_s;
    }
    if (count <= 0.0 || work_s >= latency_s) return;
    run.first[Cause::launch] += count * (latency_s - work_s);
    run.slope[Cause::launch] -= count * growth_s;
    run.valid_steps = std::min(run.valid_steps, steps_until(latency_s - work_s, growth_s));
  };
  // Kinds of FFN and of attention are taken to be mixed evenly.
  const double windowed = layers_.window / layers_.total();
  for (const LayerPart ffn : {kDense, kMoe}) {
    const double count = ffn == kDense ? layers_.dense : layers_.moe;
    if (sparse_) {
      raise(count, {ffn, kContext, kWindow});
    } else {
      raise(count * (1.0 - windowed), {ffn, kContext});
      raise(count * windowed, {ffn, kWindow});
    }
  }
}

// From the sum of its parts to what a run takes.
void StepModel::finish_run(const LayerCosts& costs, double microbatches, AffineCost& run,
                           LayerRun* layers) const {
  if (reads_overlap_) hide_smaller_read(run, layers);
  if (costs.layer_latency_s() > 0.0)
    raise_to_latency(costs.layer_latency_s() * microbatches, run, *layers);
  if (microbatches >= pipeline_) return;
  add_bubble(run.first, microbatches, pipeline_);
  add_bubble(run.slope, microbatches, pipeline_);
}

}  // namespace tokenyard::perf
