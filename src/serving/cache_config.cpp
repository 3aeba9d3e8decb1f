#include "serving/cache_config.hpp"

#include <algorithm>
#include <limits>

namespace tokenyard::serving {
namespace {

// From whole steps of a prompt at its beginning and behind half of the longest context.
RecomputeCost recompute_cost(const perf::StepModel& model, std::int64_t step_tokens,
                             std::int64_t max_context) {
  const auto step_s = [&](std::int64_t cached) {
    const perf::PrefillSlice slice{.tokens = step_tokens, .cached = cached, .samples = false};
    return model.mixed_step({&slice, 1}, {}).total_s();
  };
  const auto n = static_cast<double>(step_tokens);
  const std::int64_t behind = max_context / 2;
  const double front_s = step_s(0);
  RecomputeCost cost;
  cost.token_context_s =
      std::max(0.0, (step_s(behind) - front_s) / (n * static_cast<double>(behind)));
  cost.token_s = std::max(0.0, front_s / n - 0.5 * n * cost.token_context_s);
  return cost;
}

}  // namespace

KvCacheConfig cache_config(const perf::StepModel& model, const scenario::ServingSpec& serving,
                           std::int64_t prefix_block_tokens, bool has_tiers, double measured_from_s,
                           std::int64_t max_context) {
  const scenario::KvCacheSpec& kv = serving.kv_cache;
  const bool by_cost = kv.between_turns == scenario::BetweenTurns::cost_aware;
  const bool offloads = kv.between_turns == scenario::BetweenTurns::offload;
  const bool forgets = kv.between_turns == scenario::BetweenTurns::drop || (offloads && !has_tiers);
  KvCacheConfig config{.blocks = model.placement().kv_blocks,
                       .block_tokens = kv.block_tokens,
                       .prefix_block_tokens = prefix_block_tokens,
                       .reuse = kv.prefix_reuse,
                       .keep_sessions = !forgets,
                       .ttl_s = kv.ttl ? kv.ttl->base() : std::numeric_limits<double>::infinity(),
                       .measured_from_s = measured_from_s,
                       .eviction = kv.eviction,
                       .offload_sessions = offloads && has_tiers,
                       .hold_by_cost = by_cost,
                       .recompute = {}};
  if (by_cost || kv.eviction == scenario::Eviction::cost_aware || !kv.offload.empty())
    config.recompute = recompute_cost(model, serving.scheduler.max_batch_tokens, max_context);
  return config;
}

}  // namespace tokenyard::serving
