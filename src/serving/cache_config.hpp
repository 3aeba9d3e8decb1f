#pragma once
// How a replica's KV cache behaves, by the scenario and by what its prompts cost.
#include "perf/step_model.hpp"
#include "serving/kv_cache.hpp"

namespace tokenyard::serving {

// Replicas that only decode have no tiers below: what is to go there after a turn is forgotten.
KvCacheConfig cache_config(const perf::StepModel& model, const scenario::ServingSpec& serving,
                           std::int64_t prefix_block_tokens, bool has_tiers, double measured_from_s,
                           std::int64_t max_context);

}  // namespace tokenyard::serving
