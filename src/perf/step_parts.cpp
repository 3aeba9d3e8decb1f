// The parts of a step on a stage, and how they become its time: what overlaps, what is raised to a
// layer's latency, what pipeline stages wait for.
#include <algorithm>
#include <cmath>

#include "perf/step_model.hpp"

namespace tokenyard::perf {
namespace {

// The first step i at which slope * i has used up `gap`; at least 1.
std::int64_t steps_until(double gap, double slope) {
  if (slope <= 0.0) return std::numeric_limits<std::int64_t>::max();
  const double steps = std::ceil(gap / slope);
  if (steps >= 0x1p62) return std::numeric_limits<std::int64_t>::max();
  return std::max<std::int64_t>(1, static_cast<std::int64_t>(steps));
}

// `cost` is what a device does for all micro-batches; with fewer of them than stages it waits for
// the rest.
void add_bubble(StepCost& cost, double microbatches, double stages) {
  if (microbatches < stages)
    cost[Cause::pp_bubble] += cost.total_s() * (stages - microbatches) / microbatches;
}

}  // namespace

void StepModel::Part::add(const Part& other, double factor) {
  cost.add(other.cost, factor);
  for (std::size_t i = 0; i < layer.size(); ++i) {
    layer[i].total_s += factor * other.layer[i].total_s;
    layer[i].weight_s += factor * other.layer[i].weight_s;
    layer[i].kv_s += factor * other.layer[i].kv_s;
  }
}

void StepModel::Part::wait(double share) {
  if (share <= 0.0) return;
  cost[Cause::imbalance] += share * cost.total_s();
  for (LayerTime& time : layer) time.total_s *= 1.0 + share;
}

StepModel::Part StepModel::stage_part(const LayerCosts& costs, const Tokens& tokens,
                                      double times) const {
  const LinearParts parts = costs.linear(tokens);
  Part part;
  part.cost.add(parts.attention, times * layers_.total());
  if (layers_.dense > 0.0) part.cost.add(parts.dense, times * layers_.dense);
  if (layers_.moe > 0.0) part.cost.add(parts.moe, times * layers_.moe);
  part.cost.add(parts.ends, times);
  if (!layer_times_) return part;
  const auto time_of = [&](const StepCost& ffn) {
    return LayerTime{
        times * (parts.attention.total_s() + ffn.total_s()),
        times * (parts.attention[Cause::weight_bw] + ffn[Cause::weight_bw]),
        times * (parts.attention[Cause::kv_bw] + ffn[Cause::kv_bw]),
    };
  };
  part.layer[kDense] = time_of(parts.dense);
  part.layer[kMoe] = time_of(parts.moe);
  return part;
}

StepModel::Part StepModel::linear_part(const LayerCosts& costs, const Load& load) const {
  const double decoded = load.sequences * load.verified;
  const double total = decoded + load.chunk_tokens;
  const double microbatches = std::min(pipeline_, load.sequences + load.chunk_tokens);
  const double even = total / attention_data_;
  const Tokens mean{total / microbatches, even / microbatches,
                    (decoded + load.prompts) / microbatches};
  Part busy = stage_part(costs, mean, microbatches);
  // Sequences and chunks are on one data-parallel rank each; the others wait for the fullest.
  const double fullest = std::max(
      even, load.largest_chunk + decoded / attention_data_ * fullest_over_mean(load.sequences));
  if (fullest > even) {
    Tokens uneven = mean;
    uneven.rank = fullest / microbatches;
    const Part slow = stage_part(costs, uneven, microbatches);
    busy.cost[Cause::imbalance] += slow.cost.total_s() - busy.cost.total_s();
    for (const LayerPart i : {kDense, kMoe}) busy.layer[i].total_s = slow.layer[i].total_s;
  }
  return busy;
}

// `share`: of the core that is on this device.
StepModel::Part StepModel::core_part(const CoreParts& core, double share) const {
  Part part;
  if (layers_.context > 0.0) part.cost.add(core.context, share * layers_.context);
  if (layers_.window > 0.0) part.cost.add(core.window, share * layers_.window);
  if (!layer_times_) return part;
  const auto time_of = [&](const StepCost& cost) {
    return LayerTime{share * cost.total_s(), 0.0, share * cost[Cause::kv_bw]};
  };
  part.layer[kContext] = time_of(core.context);
  part.layer[kWindow] = time_of(core.window);
  return part;
}

StepModel::Part StepModel::decode_core(const DecodeTable& table, double context, double window,
                                       double sequences) const {
  Part part;
  part.add(table.context, context);
  if (window_tokens_ > 0) part.add(table.window, window);
  part.wait(fullest_over_mean(sequences) - 1.0);
  return part;
}

// A chunk is on one data-parallel rank; the others wait for the longest.
StepModel::Part StepModel::chunks_core(const LayerCosts& costs,
                                       std::span<const PrefillSlice> prefill) const {
  Part all;
  double longest_s = 0.0;
  for (const PrefillSlice& slice : prefill) {
    const Part one = core_part(costs.core_of(slice), 1.0);
    all.add(one, 1.0 / attention_data_);
    longest_s = std::max(longest_s, one.cost.total_s());
  }
  const double mean_s = all.cost.total_s();
  if (mean_s > 0.0) all.wait(longest_s / mean_s - 1.0);
  return all;
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
void StepModel::hide_smaller_read(Part& first, Part& slope, AffineCost& run) const {
  const double weight_s = first.cost[Cause::weight_bw];
  const double kv_s = first.cost[Cause::kv_bw];
  const double kv_growth_s = slope.cost[Cause::kv_bw];
  if (weight_s <= 0.0) return;
  const bool weights_longer = weight_s > kv_s;
  if (weights_longer) {
    run.valid_steps = std::min(run.valid_steps, steps_until(weight_s - kv_s, kv_growth_s));
  }
  const Cause hidden = weights_longer ? Cause::kv_bw : Cause::weight_bw;
  first.cost[hidden] = slope.cost[hidden] = 0.0;
  for (std::size_t i = 0; i < first.layer.size(); ++i) {
    LayerTime& now = first.layer[i];
    LayerTime& growth = slope.layer[i];
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
void StepModel::raise_to_latency(double latency_s, Part& first, Part& slope,
                                 AffineCost& run) const {
  const auto raise = [&](double layers, std::initializer_list<LayerPart> parts) {
    double work_s = 0.0;
    double growth_s = 0.0;
    for (const LayerPart part : parts) {
      work_s += first.layer[part].total_s;
      growth_s += slope.layer[part].total_s;
    }
    if (layers <= 0.0 || work_s >= latency_s) return;
    first.cost[Cause::launch] += layers * (latency_s - work_s);
    slope.cost[Cause::launch] -= layers * growth_s;
    run.valid_steps = std::min(run.valid_steps, steps_until(latency_s - work_s, growth_s));
  };
  // Kinds of FFN and of attention are taken to be mixed evenly.
  const double windowed = layers_.window / layers_.total();
  for (const LayerPart ffn : {kDense, kMoe}) {
    const double layers = ffn == kDense ? layers_.dense : layers_.moe;
    if (sparse_) {
      raise(layers, {ffn, kContext, kWindow});
    } else {
      raise(layers * (1.0 - windowed), {ffn, kContext});
      raise(layers * windowed, {ffn, kWindow});
    }
  }
}

AffineCost StepModel::device_run(const LayerCosts& costs, Part& first, Part& slope,
                                 double microbatches) const {
  AffineCost run;
  if (reads_overlap_) hide_smaller_read(first, slope, run);
  if (costs.layer_latency_s() > 0.0)
    raise_to_latency(costs.layer_latency_s() * microbatches, first, slope, run);
  run.first = first.cost;
  run.slope = slope.cost;
  add_bubble(run.first, microbatches, pipeline_);
  add_bubble(run.slope, microbatches, pipeline_);
  return run;
}

}  // namespace tokenyard::perf
