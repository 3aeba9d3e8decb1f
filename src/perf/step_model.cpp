#include "perf/step_model.hpp"

#include <algorithm>
#include <cmath>

#include "base/as_double.hpp"
#include "perf/bus_share.hpp"

namespace tokenyard::perf {
namespace {

// What the devices wait for between steps: nothing where the engine goes on by itself.
scenario::HostOverhead host_work(const catalog::Engine& engine,
                                 const scenario::ServingSpec& serving) {
  if (!engine.autonomous) return serving.host;
  return {.per_step = seconds(0), .per_sequence = seconds(0)};
}

// Weights and KV cache in no common tier, read over channels that work at the same time.
bool disjoint_tiers(const catalog::Device& device, const Placement& placement) {
  if (device.tier_overlap != catalog::TierOverlap::max) return false;
  if (placement.weight_seconds_per_byte <= 0.0 || placement.kv_seconds_per_byte <= 0.0)
    return false;
  return std::none_of(placement.tiers.begin(), placement.tiers.end(), [](const TierUse& use) {
    return use.weight_bytes > 0.0 && use.kv_bytes > 0.0;
  });
}

// A device's share of the NICs, or its inner link in a node without any; or what the scenario says.
LinkModel transfer_link(const Collectives& collectives,
                        const std::optional<scenario::KvTransferSpec>& transfer) {
  LinkModel link =
      collectives.between().bytes_per_s > 0.0 ? collectives.between() : collectives.inside();
  if (transfer && transfer->bandwidth) link.bytes_per_s = transfer->bandwidth->base();
  return link;
}

// Two engines at work at the same time on one memory bus.
StepCost side_by_side(const StepCost& a, const StepCost& b) {
  const bool a_longer = a.total_s() >= b.total_s();
  StepCost cost = a_longer ? a : b;
  const StepCost& other = a_longer ? b : a;
  for (std::size_t w = 0; w < kWorks; ++w) cost.work[w] += other.work[w];
  const double added = memory_s(a) + memory_s(b) - cost.total_s();
  if (added <= 0.0) return cost;
  const double share = added / memory_s(other);
  for (const Cause c : {Cause::weight_bw, Cause::kv_bw, Cause::act_bw}) cost[c] += share * other[c];
  return cost;
}

}  // namespace

StepModel::StepModel(const scenario::PoolPlan& pool, const scenario::DeploymentPlan& d,
                     const scenario::ServingSpec& serving, const catalog::FabricSpec& fabric)
    : host_(host_work(pool.devices[d.device].engines[d.engine], serving)),
      speculation_(serving.speculation),
      transfer_(serving.kv_transfer),
      placement_(place(pool, d, serving)),
      layers_(stage_layers(d)),
      decode_(pool, d, serving, Collectives(pool, d, fabric), placement_, Phase::decode),
      pipeline_(as_double(d.spec.pipeline_parallel)),
      attention_data_(as_double(d.attention_data_parallel)) {
  const catalog::Device& device = pool.devices[d.device];
  const catalog::Attention& attention = d.model.attention;
  const Collectives collectives(pool, d, fabric);
  if (d.prefill_engine != d.engine)
    prefill_.emplace(pool, d, serving, collectives, placement_, Phase::prefill);
  transfer_link_ = transfer_link(collectives, transfer_);
  main_bandwidth_ = main_bandwidth(device, placement_);
  sparse_ = attention.sparse.has_value();
  if (sparse_) window_tokens_ = attention.sparse->top_k;
  if (attention.window) window_tokens_ = attention.window->tokens;
  if (d.spec.lora) adapters_ = d.spec.lora->adapters;
  resident_adapters_ = perf::resident_adapters(d);
  reads_overlap_ = disjoint_tiers(device, placement_);
  layer_times_ = decode_.layer_latency_s() > 0.0 || chunk_costs().layer_latency_s() > 0.0;
  const std::int64_t max_batch = serving.scheduler.max_batch;
  if (device.static_schedule)
    static_batch_ = as_double(std::min(max_batch, std::max<std::int64_t>(1, placement_.kv_blocks)));
  plain_ = decode_table(1.0, max_batch);
  const Verification v = verification(speculation_, 1);
  if (v.tokens > 1.0) verifying_ = decode_table(v.tokens, max_batch);
}

double StepModel::peak_flops_per_s() const {
  return decode_.peak_flops_per_s() + (prefill_ ? prefill_->peak_flops_per_s() : 0.0);
}

StepModel::DecodeTable StepModel::decode_table(double tokens, std::int64_t max_batch) const {
  DecodeTable table;
  table.tokens = tokens;
  const CoreParts core = decode_.core_per_context(tokens);
  const double share = 1.0 / attention_data_;
  add_core({core.context, {}}, share, 0.0, table.context.cost, &table.context.layer);
  add_core({{}, core.window}, share, 0.0, table.window.cost, &table.window.layer);
  table.context_s = table.context.cost.total_s();
  table.window_s = table.window.cost.total_s();
  table.linear.resize(static_cast<std::size_t>(max_batch) + 1);
  for (std::size_t b = 1; b < table.linear.size(); ++b) {
    const auto sequences = static_cast<double>(b);
    add_linear(decode_, {.sequences = sequences, .verified = tokens}, table.linear[b].cost,
               &table.linear[b].layer);
  }
  if (static_batch_ > 0.0) {
    const Part full = table.linear[static_cast<std::size_t>(static_batch_)];
    for (std::size_t b = 1; b < table.linear.size(); ++b) {
      table.linear[b] = full;
      for (const Work work : {Work::flops_linear, Work::flops_experts})
        table.linear[b].cost[work] *= static_cast<double>(b) / static_batch_;
    }
  }
  return table;
}

void StepModel::add_decode_core(const DecodeTable& table, double context, double window,
                                double waiting, StepCost& cost, LayerTimes* layer) const {
  cost.add(table.context.cost, context);
  if (window_tokens_ > 0) cost.add(table.window.cost, window);
  if (waiting > 0.0)
    cost[Cause::imbalance] += waiting * (context * table.context_s + window * table.window_s);
  if (layer == nullptr) return;
  const auto add = [&](LayerPart i, const Part& part, double tokens) {
    (*layer)[i].total_s += (1.0 + waiting) * tokens * part.layer[i].total_s;
    (*layer)[i].kv_s += tokens * part.layer[i].kv_s;
  };
  add(kContext, table.context, context);
  add(kWindow, table.window, window);
}

AffineCost StepModel::engine_run(const DecodeTable& table, const DecodeBatch& batch) const {
  const double sequences = as_double(batch.sequences);
  const auto row = static_cast<std::size_t>(batch.sequences);
  AffineCost run;
  std::optional<LayerRun> layers;
  if (layer_times_) layers.emplace();
  LayerTimes* const first = layers ? &layers->first : nullptr;
  LayerTimes* const slope = layers ? &layers->slope : nullptr;
  if (row < table.linear.size()) {
    run.first = table.linear[row].cost;
    if (layers) *first = table.linear[row].layer;
  } else {
    add_linear(decode_, {.sequences = sequences, .verified = table.tokens}, run.first, first);
  }
  const double waiting = fullest_over_mean(sequences) - 1.0;
  add_decode_core(table, batch.context, batch.window_context, waiting, run.first, first);
  add_decode_core(table, batch.growth(), batch.window_growth(), waiting, run.slope, slope);
  finish_run(decode_, std::min(pipeline_, std::max(sequences, static_batch_)), run,
             layers ? &*layers : nullptr);
  return run;
}

AffineCost StepModel::decode_run(const DecodeBatch& batch) const {
  const Verification v = verification_of(batch);
  AffineCost run = engine_run(table_for(v), batch);
  if (v.guesses > 0.0) {
    const AffineCost plain = engine_run(plain_, batch);
    run.first.add(plain.first, v.guesses);
    run.slope.add(plain.slope, v.guesses);
    run.valid_steps = std::min(run.valid_steps, plain.valid_steps);
  }
  add_overheads(run.first, decode_, as_double(batch.sequences));
  if (batch.adapters.distinct > 0)
    run.first.add(decode_.adapter_products(batch.adapters, v.tokens));
  if (v.yield != 1.0) {
    run.first.add(run.first, 1.0 / v.yield - 1.0);
    run.slope.add(run.slope, 1.0 / v.yield - 1.0);
  }
  return run;
}

// Of one engine, whose step has these chunks and sequences.
StepCost StepModel::engine_step(const LayerCosts& costs, std::span<const PrefillSlice> prefill,
                                const DecodeBatch& batch, const DecodeTable& table) const {
  Load load{.sequences = as_double(batch.sequences), .verified = table.tokens};
  for (const PrefillSlice& slice : prefill) {
    load.chunk_tokens += as_double(slice.tokens);
    load.largest_chunk = std::max(load.largest_chunk, as_double(slice.tokens));
    if (slice.samples) load.prompts += 1.0;
  }
  AffineCost run;
  std::optional<LayerRun> layers;
  if (layer_times_) layers.emplace();
  LayerTimes* const layer = layers ? &layers->first : nullptr;
  add_linear(costs, load, run.first, layer);
  if (batch.sequences > 0) {
    const double waiting = fullest_over_mean(load.sequences) - 1.0;
    add_decode_core(table, batch.context, batch.window_context, waiting, run.first, layer);
  }
  add_chunks_core(costs, prefill, run.first, layer);
  finish_run(costs, std::min(pipeline_, load.sequences + load.chunk_tokens), run,
             layers ? &*layers : nullptr);
  const double launching_s = costs.prompt_layer_latency_s() * layers_.total() *
                             std::min(pipeline_, load.sequences + load.chunk_tokens);
  if (load.chunk_tokens > 0.0)
    run.first[Cause::launch] += std::max(0.0, launching_s - run.first.total_s());
  add_overheads(run.first, costs, load.sequences + load.prompts);
  add_transfer(run.first, prefill);
  return run.first;
}

StepCost StepModel::mixed_step(std::span<const PrefillSlice> prefill,
                               const DecodeBatch& batch) const {
  if (batch.adapters.distinct == 0) return bare_mixed_step(prefill, batch);
  DecodeBatch bare = batch;
  bare.adapters = {};
  StepCost cost = bare_mixed_step(prefill, bare);
  const Verification v = verification_of(batch);
  cost.add(decode_.adapter_products(batch.adapters, v.tokens / v.yield));
  return cost;
}

// Without adapters.
StepCost StepModel::bare_mixed_step(std::span<const PrefillSlice> prefill,
                                    const DecodeBatch& batch) const {
  if (prefill.empty()) return decode_run(batch).first;
  if (batch.sequences == 0) return engine_step(chunk_costs(), prefill, {}, plain_);
  if (prefill_)
    return side_by_side(engine_step(*prefill_, prefill, {}, plain_), decode_run(batch).first);
  const Verification v = verification_of(batch);
  StepCost together = engine_step(decode_, prefill, batch, table_for(v));
  if (v.guesses > 0.0) together.add(engine_run(plain_, batch).first, v.guesses);
  if (v.yield == 1.0) return together;
  // One in `yield` steps verifies; the others have the chunks alone.
  StepCost cost = engine_step(decode_, prefill, {}, plain_);
  cost.add(cost, -1.0 / v.yield);
  cost.add(together, 1.0 / v.yield);
  return cost;
}

void StepModel::add_overheads(StepCost& cost, const LayerCosts& costs, double sampled) const {
  cost[Cause::host] +=
      host_.per_step.base() + host_.per_sequence.base() * sampled / attention_data_;
  cost[Cause::launch] += costs.dispatch_s();
}

// The cache of a prompt that ends is sent on: each attention-data rank sends its own prompts', and
// the others wait for the one that has most to send.
// Each chunk sends what it computed, layer by layer while it computes; what is hidden lasts no longer
// than the step.  A reused prefix is there already.
void StepModel::add_transfer(StepCost& cost, std::span<const PrefillSlice> prefill) const {
  if (!transfer_ || transfer_link_.bytes_per_s <= 0.0) return;
  double sum_bytes = 0.0;
  double longest_bytes = 0.0;
  bool ends = false;
  for (const PrefillSlice& slice : prefill) {
    double bytes = as_double(slice.tokens) * placement_.kv_bytes_per_token;
    ends = ends || slice.samples;
    if (slice.samples && !sparse_) {
      const std::int64_t kept = std::min(slice.tokens + slice.cached, window_tokens_);
      bytes += layers_.window * as_double(kept) * placement_.kv_bytes_per_token_layer;
    }
    sum_bytes += bytes;
    longest_bytes = std::max(longest_bytes, bytes);
  }
  if (sum_bytes <= 0.0) return;
  const double mean_bytes = sum_bytes / attention_data_;
  const double transfer_s = std::max(mean_bytes, longest_bytes) / transfer_link_.bytes_per_s;
  const double shown = 1.0 - std::min(transfer_->overlap, cost.total_s() / transfer_s);
  if (ends) cost[Cause::net_lat] += transfer_link_.base_s + transfer_link_.hop_s;
  cost[Cause::net_bw] += shown * mean_bytes / transfer_link_.bytes_per_s;
  cost[Cause::imbalance] +=
      shown * std::max(0.0, longest_bytes - mean_bytes) / transfer_link_.bytes_per_s;
  cost[Work::bytes_link] += mean_bytes;
}

}  // namespace tokenyard::perf
