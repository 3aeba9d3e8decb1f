#pragma once
// What one layer of a replica's stage costs each of its devices, by part and operation, on one of
// the device's engines.
//
// Each operation takes, by the smooth roofline,
//
//   t = (t_compute^P + t_memory^P)^(1/P)
//   t_compute = FLOPs / (peak eta_f),  t_memory = bytes / (bw eta_bw)
//
// (P = 3.3 fits measured H100 matrix products within 4 % up to the ridge and 7 % beyond; at the
// ridge the hard maximum is 14 % low and the plain sum 66 % high).  Its seconds go to compute and
// memory in proportion to t_i^P, the memory part to weights, KV and activations in proportion to
// their bytes' times; so the causes sum to the operation's time exactly.
//
// FLOPs and bytes are exact: linear 2 FLOP per weight and token; experts as in experts.hpp;
// attention 4 H d per pair (GQA), 2 H (2 r + rope) absorbed and 2 H (nope + rope + v) naive (MLA),
// pairs n c + n (n + 1) / 2 for a chunk of n on c cached tokens; KV is read once per chunk; windowed
// layers see at most W tokens; the LM head runs for sampled tokens only, in its own format, with
// the math of the other products.
//
// Sparse attention: the indexer compares each token with all before it, 2 i j FLOP per pair (i
// heads of j values, replicated by tensor parallelism, in the math of attention), and reads their
// keys; attention then sees at most top_k of them.  Tokens of a chunk choose each their own, so a
// chunk reads what they choose together, at most everything once.
//
// Routed experts are products of few tokens each: they reach a share of what dense ones do
// (`efficiency.experts`), compute at least a tile of tokens of each expert read, and gather and
// scatter activations (constants.hpp).  Products in a narrower format than activations have convert
// their inputs in kernels of their own.
//
// A systolic array takes longer where matrices do not fill it (tiles.hpp); the FLOPs counted are
// the true ones.
//
// Communication: tensor parallelism adds two all-reduces a layer, attention-data parallelism a
// dispatch and a combine a MoE layer.  Of all-reduces the share `overlap.tensor` of the time is
// hidden.  Of dispatch and combine it is `overlap.expert`, at a price: the tokens are worked on in
// two halves, one computing while the other is under way, so that each half reads its experts,
// D(N/2) of them, launches its kernels and pays the exchange's latency.  A step of a single token
// has no halves and hides nothing.
//
// Sources: Williams, Waterman, Patterson, "Roofline", CACM 52(4), 2009; DeepSeek-V2 report (MLA
// absorption); DeepSeek-V3 report, section 3.2 (two halves); DeepSeek-V3.2 report (indexer).
#include <cstdint>

#include "perf/adapters.hpp"
#include "perf/collective.hpp"
#include "perf/experts.hpp"
#include "perf/placement.hpp"
#include "perf/step_cost.hpp"
#include "perf/tiles.hpp"

namespace tokenyard::perf {

// A chunk of one prompt in a step.
struct PrefillSlice {
  std::int64_t tokens = 0;  // computed in this step
  std::int64_t cached = 0;  // before them, already in the KV cache
  bool samples = false;     // the chunk ends the prompt: its last token is sampled
};

enum class Phase { prefill, decode };

struct Tokens {
  double total = 0.0;    // of the replica (one micro-batch)
  double rank = 0.0;     // on one attention-data rank
  double sampled = 0.0;  // of the replica
};

// Layers of the largest stage, by kind; a tiled model's stages hold parts of layers.
struct StageLayers {
  double dense = 0.0, moe = 0.0;       // by FFN
  double context = 0.0, window = 0.0;  // by what a part of attention, or its indexer, looks at: all
                                       // tokens, or those within the window or chosen
  [[nodiscard]] double total() const { return dense + moe; }
};
StageLayers stage_layers(const scenario::DeploymentPlan& deployment);

// The core of attention, one layer of each kind.
struct CoreParts {
  StepCost context, window;
};

// Bandwidth of the fastest memory tier that is used.
double main_bandwidth(const catalog::Device& device, const Placement& placement);

class LayerCosts {
 public:
  LayerCosts(const scenario::PoolPlan& pool, const scenario::DeploymentPlan& deployment,
             const scenario::ServingSpec& serving, const Collectives& collectives,
             const Placement& placement, Phase phase);

  // All of a step but the core of attention.  Of one layer: products of attention, FFN of each kind,
  // with the all-reduce that follows each.
  [[nodiscard]] CollectiveTime all_reduce(const Tokens& tokens) const;
  [[nodiscard]] StepCost attention_products(const Tokens& tokens,
                                            const CollectiveTime& reduce) const;
  [[nodiscard]] StepCost dense_ffn(const Tokens& tokens, const CollectiveTime& reduce) const;
  [[nodiscard]] StepCost moe_ffn(const Tokens& tokens, const CollectiveTime& reduce) const;
  // Of the stage: LM head, hand-over to the next stage.
  [[nodiscard]] StepCost ends(const Tokens& tokens) const;
  // Of the stage: LoRA adapters, with so many tokens of each decoding sequence.
  [[nodiscard]] StepCost adapter_products(const AdapterLoad& load, double verified) const;
  // Of one token of context when each sequence computes `tokens` tokens at once.  FLOPs and bytes
  // are both proportional to the context, hence so is the time.
  [[nodiscard]] CoreParts core_per_context(double tokens) const;
  // Adds a chunk's; returns the seconds that it takes in all layers of the stage together.
  double add_core_of(const PrefillSlice& slice, CoreParts& core) const;

  [[nodiscard]] double peak_flops_per_s() const { return peak_; }
  // FLOP of a step in the format of the products with weights: those of experts count by the peaks.
  [[nodiscard]] double flops(const StepCost& cost) const {
    return cost[Work::flops_linear] + cost[Work::flops_attention] +
           cost[Work::flops_experts] * peak_ / expert_peak_;
  }
  [[nodiscard]] double layer_latency_s() const { return engine_->layer_latency.value.base(); }
  // The same in steps with prompts.
  [[nodiscard]] double prompt_layer_latency_s() const {
    return engine_->prompt_layer_latency.value.base();
  }
  [[nodiscard]] double dispatch_s() const { return engine_->dispatch_overhead.value.base(); }

 private:
  struct Op {
    double compute_s = 0.0, weight_s = 0.0, kv_s = 0.0, act_s = 0.0;
  };
  struct OpTime {
    double total_s = 0.0;
    double compute_share = 0.0;  // of it; the rest is memory's
    double memory_s = 0.0;       // what memory alone would take
  };
  // Products with weights on this device.
  struct Products {
    double flops = 0.0;                // per token
    double bytes = 0.0, read_s = 0.0;  // of the weights
    double tile_factor = 1.0;
    double launch_s = 0.0;
  };
  // FLOPs of the core of attention on this device.
  struct CoreFlops {
    double pair = 0.0;        // on what the cache holds
    double index_pair = 0.0;  // of the indexer
    bool expands = false;     // where it is cheaper, latents are expanded to full keys and values:
    double naive_pair = 0.0;
    double expanded_token = 0.0;
  };

  [[nodiscard]] Products products(double parameters, double bytes_each, double tile_factor,
                                  double kernels) const;
  void set_products();
  [[nodiscard]] CoreFlops core_flops() const;
  [[nodiscard]] double ranks_reached() const;

  [[nodiscard]] OpTime time_of(const Op& op, double times) const;
  double add_op(StepCost& cost, const Op& op, double times = 1.0) const;  // returns its seconds
  void add_collective(StepCost& cost, const CollectiveTime& time, double shown,
                      double times = 1.0) const;
  void add_products(StepCost& cost, const Products& products, double tokens,
                    double kv_written_s = 0.0) const;
  double add_attention_core(StepCost& cost, double flops, double bytes) const;  // its seconds
  void add_experts(StepCost& cost, double tokens, double times) const;
  void add_exchange(StepCost& cost, const Tokens& tokens, bool halves) const;
  [[nodiscard]] double mean_hop(double between, double inside) const {
    return hops_between_ * between + (1.0 - hops_between_) * inside;
  }
  [[nodiscard]] double chunk_flops(double tokens, double pairs) const;

  const scenario::DeploymentPlan* deployment_;
  const catalog::Engine* engine_;
  Collectives collectives_;
  catalog::ParameterCount count_;
  StageLayers layers_;
  ExpertLoad experts_;
  TileFactors tiles_;
  double peak_ = 0.0, expert_peak_ = 0.0;  // FLOP/s of products with weights, dense
  double linear_s_ = 0.0, expert_s_ = 0.0, attention_s_ = 0.0;  // per FLOP that kernels compute
  double weight_s_ = 0.0, kv_s_ = 0.0, act_s_ = 0.0;            // per byte, efficiencies included
  double adapter_s_ = 0.0;       // per FLOP of products in the format of activations
  double adapter_values_ = 0.0;  // of one LoRA adapter, on a device of this stage
  double tensor_ = 1.0, attention_data_ = 1.0;
  double weight_bytes_ = 1.0, expert_bytes_ = 1.0, act_bytes_ = 2.0, head_bytes_ = 1.0;  // a value
  // Kernels that convert activations before a block's products, and all of an expert layer.
  double converting_ = 0.0, expert_kernels_ = 0.0;
  double weight_read_ = 1.0;    // share of weight bytes read (activation sparsity)
  double kv_bytes_ = 0.0;       // per token and layer, this device
  double index_bytes_ = 0.0;    // likewise, of the indexer's keys
  double window_tokens_ = 0.0;  // 0: no window
  double tensor_overlap_ = 0.0, expert_overlap_ = 0.0;  // share of communication that may hide
  double head_share_ = 1.0;     // of the LM head on one stage: tiled stages have a part each
  double hops_between_ = 0.0;   // share of the hand-overs to the next stage that leave the node
  double ranks_reached_ = 0.0;  // other devices that a token is sent to: all that share its experts
  double hidden_ = 0.0, vocabulary_ = 0.0;
  double unfused_ = 1.0;                        // activations moved, relative to a fused stack
  double launch_s_ = 0.0;                       // of one kernel
  double exponent_ = 1.0;                       // of the roofline
  Products attention_, dense_, shared_, head_;  // of a layer; of the whole head
  CoreFlops core_;
};

}  // namespace tokenyard::perf
