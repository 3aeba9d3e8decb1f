#pragma once
// How a replica's KV cache behaves, by the scenario and by what its prompts cost.
#include "perf/step_model.hpp"
#include "serving/kv_cache.hpp"

namespace tokenyard::serving {

// A replica that only decodes keeps histories so that they need not be sent again; it has no tiers below.
KvCacheConfig cache_config(const perf::StepModel& model, const scenario::ServingSpec& serving,
                           std::int64_t prefix_block_tokens, scenario::Role role,
                           double measured_from_s, std::int64_t max_context);

}  // namespace tokenyard::serving
