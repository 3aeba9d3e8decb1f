#pragma once
// Where a deployment's weights and KV cache lie in the memory tiers of its devices, and how many KV
// blocks that leaves.
//
// Per device of a replica with tensor t, pipeline p and attention-data a parallelism (t a p
// devices):
//
//   attention, dense FFN,     1/t of each layer of its stage, replicated a times
//   shared experts, LM head
//   routed experts            1/(t a) of each layer of its stage, redundant copies included
//   KV bytes per token        GQA  2 ceil(K/t) d q per full-attention layer
//                                  (heads are replicated when K < t)
//                             MLA  (r + rope) q, the same on every one of the t ranks
//   index keys per token      sparse attention: index_dim values per layer, on every rank
//   windowed layers           W tokens for each of max_batch / a sequences, set aside at the start
//   workspace                 max_batch_tokens / (a p) * (2 h + 2 f / t) activations: a stage works on
//                             one of p micro-batches at a time
//
// Weights fill the tiers that may hold weights, fastest first, then the adapters that are resident
// (adapters.hpp); the KV cache gets what is left of
// those that may hold KV, within memory_utilization of each capacity.  The LM head has a number
// format of its own; tied to the embedding, that one counts.  The stage with the most layers
// counts; a tiled deployment has stages of exactly 1/p of the weights and of the KV cache each, LM
// head and embedding included, which may be parts of layers.  A model whose layers are all windowed
// needs no blocks beyond what is set aside: it gets as many as max_batch sequences of max_context
// tokens fill.
//
// Where the scenario names a capacity of N tokens, each of the a ranks gets N / (a block_tokens)
// blocks, which must fit; an unlimited one is N = 2^40: its bytes are counted nowhere, and what is
// read of it passes the tiers that could hold some.
//
// Of two engines that work apart (scenario/engines_apart.hpp) each gets its share of the blocks, rounded
// down; the rest of the memory is set aside once for both.
//
// Worked example: Llama 3.1 70B, fp8, tensor 4, on 80 GB devices at 90 %: weights 70.55/4 = 17.6
// GB, workspace 8,192 * (2 * 8,192 + 2 * 28,672 / 4) * 2 B = 0.5 GB, left 72 - 17.6 - 0.5 = 53.9
// GB; KV at bf16 327,680/4 B per token and device: 657,440 tokens in 41,090 blocks of 16.
//
// Leaves out fragmentation (blocks are paged) and, with attention data parallelism, uneven filling
// of the ranks.  Sources: Kwon et al., "PagedAttention", SOSP 2023; DeepSeek-V3 report, section 3.
#include <cstdint>
#include <string>
#include <vector>

#include "scenario/plan.hpp"

namespace tokenyard::perf {

struct TierUse {
  double weight_bytes = 0.0;  // per device
  double kv_bytes = 0.0;      // capacity given to the KV cache, per device
};

struct Placement {
  std::vector<TierUse> tiers;                // parallel to the device's memory
  double weight_bytes = 0.0;                 // per device, all tiers
  double kv_bytes_per_token_layer = 0.0;     // per device, what attention reads of a token
  double index_bytes_per_token_layer = 0.0;  // per device, what its indexer reads of a token
  double kv_bytes_per_token = 0.0;  // per device, both, full-attention layers of the largest stage
  double window_bytes = 0.0;        // per device, set aside for windowed layers
  double workspace_bytes = 0.0;     // per device
  double adapters_bytes = 0.0;      // per device, set aside for resident LoRA adapters
  std::int64_t kv_blocks = 0;       // of the whole replica
  std::int64_t kv_blocks_per_rank =
      0;  // of one attention-data rank: the most one sequence can have
  double weight_seconds_per_byte = 0.0;  // at peak bandwidth, spread over the tiers used
  double kv_seconds_per_byte = 0.0;
  double weight_joules_per_byte = 0.0;
  double kv_joules_per_byte = 0.0;
  std::string problem;  // non-empty: it does not fit, with the arithmetic
};

// Never throws for a model that does not fit: `problem` says why.
Placement place(const scenario::PoolPlan& pool, const scenario::DeploymentPlan& deployment,
                const scenario::ServingSpec& serving);

// Why the deployment does not fit its devices with `kv_tokens` tokens of KV cache (at least one
// block) on one attention-data rank; "" when it does.
std::string fits(const scenario::PoolPlan& pool, const scenario::DeploymentPlan& deployment,
                 const scenario::ServingSpec& serving, std::int64_t kv_tokens);

// One copy of the KV cache of `tokens` tokens, as it is sent to another replica: of windowed layers no
// more than their window.
double cache_bytes(const scenario::DeploymentPlan& deployment, std::int64_t tokens);

// Checks that every deployment of the plan fits its devices; problems go to `diagnostics` at the
// place where the deployment was written, with the smallest tensor_parallel that the pool could
// give a replica and that would fit.
void check_fit(const scenario::Plan& plan, Diagnostics& diagnostics);

}  // namespace tokenyard::perf
