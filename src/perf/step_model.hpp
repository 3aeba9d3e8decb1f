#pragma once
// Time of one engine step of a replica, and of runs of decode steps in closed form.
//
// A step computes N tokens: one for each of B decoding sequences, and chunks of prompts.  Per
// device:
//
//   step = host + LM head + sum over layers [ attention products + attention core + FFN
//          + activations + launches + collectives ]
//
// Each of these operations takes, by the smooth roofline,
//
//   t = (t_compute^P + t_memory^P)^(1/P)
//   t_compute = FLOPs / (peak eta_f),  t_memory = bytes / (bw eta_bw)
//
// (P = 3.3 fits measured H100 matrix products within 4 % up to the ridge and 7 % beyond; at the
// ridge the hard maximum is 14 % low and the plain sum 66 % high).  Its seconds go to compute and
// memory in proportion to t_i^P, the memory part to weights, KV and activations in proportion to
// their bytes' times; so the causes sum to the step exactly.
//
// FLOPs and bytes are exact: linear 2 FLOP per weight and token; MoE reads the expected number of
// distinct experts E (1 - (1 - k/E)^N); attention 4 H d per pair (GQA), 2 H (2 r + rope) absorbed
// and 2 H (nope + rope + v) naive (MLA), pairs n c + n (n + 1) / 2 for a chunk of n on c cached
// tokens; KV is read once per chunk; windowed layers see at most W tokens; the LM head runs for
// sampled tokens only.
//
// Tensor parallelism adds two all-reduces a layer, attention-data parallelism a dispatch and a
// combine a MoE layer, pipeline parallelism splits a step into min(p, N) micro-batches: the stage
// time counts p times, and (p - micro-batches) of these are pp_bubble.  Expert ranks wait for the
// slowest one: imbalance factor 1 + sqrt(2 ln R (1 - k/E) R / (N k)), at most R.  Attention-data
// ranks wait for the one that has the longest chunk.
//
// In a run of decode steps with a fixed batch only the context grows, one token a sequence and
// step.  Attention's FLOPs and bytes are both proportional to it, so the P-norm of attention is
// too: step i costs exactly first + i * slope, and n steps cost n first + n (n - 1) / 2 slope.  No
// approximation.
//
// Worked example, toy device (100 TFLOP/s, 1 TB/s, all efficiencies 1, no overheads, P infinite):
// 8 GB of weights, one sequence: 8 ms, all weight_bw.
//
// Sources: Williams, Waterman, Patterson, "Roofline", CACM 52(4), 2009; Pope et al., "Efficiently
// Scaling Transformer Inference", MLSys 2023; DeepSeek-V2 report (MLA absorption).
// Assumes that sequences are dealt to data-parallel ranks evenly: the fullest has ceil(B / a), each
// of mean length.  Leaves out padding of batches to captured graph sizes and clock throttling.
#include <cstdint>
#include <span>
#include <vector>

#include "perf/collective.hpp"
#include "perf/placement.hpp"
#include "perf/step_cost.hpp"

namespace tokenyard::perf {

// A chunk of one prompt in a step.
struct PrefillSlice {
  std::int64_t tokens = 0;  // computed in this step
  std::int64_t cached = 0;  // before them, already in the KV cache
  bool samples = false;     // the chunk ends the prompt: its last token is sampled
};

// The decoding sequences of a step.
struct DecodeBatch {
  std::int64_t sequences = 0;
  double context = 0.0;         // sum of tokens attended to, the new ones included
  double window_context = 0.0;  // the same with each sequence cut at the window; 0 without windows
  std::int64_t window_growing = 0;  // sequences shorter than the window
};

class StepModel {
 public:
  StepModel(const scenario::PoolPlan& pool, const scenario::DeploymentPlan& deployment,
            const scenario::ServingSpec& serving, const catalog::FabricSpec& fabric);

  // Steps that only decode.  batch.sequences in 1 .. max_batch.
  [[nodiscard]] AffineCost decode_run(const DecodeBatch& batch) const;
  // One step with prompt chunks and any number of decoding sequences.
  [[nodiscard]] StepCost mixed_step(std::span<const PrefillSlice> prefill,
                                    const DecodeBatch& batch) const;

  [[nodiscard]] const Placement& placement() const { return placement_; }
  // 0: no windowed layers.
  [[nodiscard]] std::int64_t window_tokens() const { return window_tokens_; }
  // For MFU and MBU: dense peak of the linear math format, and peak bandwidth of the main tier.
  [[nodiscard]] double peak_flops_per_s() const { return linear_.peak; }
  [[nodiscard]] double peak_bytes_per_s() const { return main_bandwidth_; }

 private:
  struct Math {
    double peak = 0.0;     // FLOP/s, dense
    double seconds = 0.0;  // per FLOP at the efficiency that kernels reach
  };
  struct Op {
    double compute_s = 0.0, weight_s = 0.0, kv_s = 0.0, act_s = 0.0;
  };
  struct Tokens {
    double total = 0.0;    // of the replica (one micro-batch)
    double rank = 0.0;     // on one attention-data rank
    double sampled = 0.0;  // of the replica
  };

  void add_op(StepCost& cost, const Op& op, double times) const;
  void add_collective(StepCost& cost, const CollectiveTime& time, double times) const;
  [[nodiscard]] StepCost stage(const Tokens& tokens) const;
  void add_attention_products(StepCost& cost, const Tokens& tokens) const;
  void add_ffn(StepCost& cost, const Tokens& tokens) const;
  void add_experts(StepCost& cost, const Tokens& tokens) const;
  void add_communication(StepCost& cost, const Tokens& tokens) const;
  void add_head(StepCost& cost, const Tokens& tokens) const;
  [[nodiscard]] StepCost fixed_cost(double decoding, double chunk_tokens, double sampled,
                                    double largest_chunk) const;
  [[nodiscard]] double fullest_over_mean(double sequences) const;
  [[nodiscard]] StepCost context_cost(bool windowed) const;
  [[nodiscard]] StepCost prefill_attention(const PrefillSlice& slice) const;
  [[nodiscard]] double prefill_flops_per_layer(double chunk, double cached, double pairs) const;
  void add_pipelined(StepCost& into, const StepCost& busy, double microbatches) const;

  const scenario::DeploymentPlan* deployment_;
  const catalog::Engine* engine_;
  scenario::HostOverhead host_;
  Collectives collectives_;
  Placement placement_;
  catalog::ParameterCount count_;
  Math linear_, attention_;
  double exponent_ = 3.3;
  double tensor_ = 1.0, pipeline_ = 1.0, attention_data_ = 1.0, expert_ = 1.0;
  double stage_dense_ = 0.0, stage_moe_ = 0.0;        // layers of a stage by kind
  double stage_full_ = 0.0, stage_window_ = 0.0;      // layers of a stage by attention
  double weight_bytes_ = 1.0, act_bytes_ = 2.0;       // per value
  double weight_s_ = 0.0, kv_s_ = 0.0, act_s_ = 0.0;  // per byte, efficiencies included
  double weight_read_ = 1.0;     // share of weight bytes read (activation sparsity)
  double kv_bytes_layer_ = 0.0;  // per token and layer, this device
  double main_bandwidth_ = 0.0;
  std::int64_t window_tokens_ = 0;
  StepCost context_, window_context_;  // of one token of context, all layers of a stage
  std::vector<StepCost> decode_;       // fixed cost of a decode step by number of sequences
};

}  // namespace tokenyard::perf
