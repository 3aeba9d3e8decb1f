#pragma once
// Time of one engine step of a replica, and of runs of decode steps in closed form.
//
// A step computes N tokens: one for each of B decoding sequences, and chunks of prompts.  Per
// device:
//
//   step = host + dispatch + LM head + sum over layers [ attention products + attention core + FFN
//          + activations + launches + collectives ]
//
// Operations are in layer_costs.hpp.  A layer takes at least the engine's layer latency: what its
// operations do not account for is launch.
//
// In a step with prompts the host launches kernel by kernel, while decoding replays a recorded graph.
// Launching goes on beside the work: a step takes at least the prompt layer latency times the layers,
// and what the work does not account for is launch.
//
// Pipeline parallelism splits a step into min(p, N) micro-batches: the stage time counts p times,
// and (p - micro-batches) of these are pp_bubble.  The stage is the largest, of ceil(L / p) layers
// and the head; where weights are tiled over the stages each has exactly 1/p of both.  Handing on to
// the next stage takes the mean over the p - 1 hops, inside nodes and between them.  Expert ranks wait for the slowest one
// (experts.hpp).  Attention-data ranks wait for the one that has the longest chunk.
//
// Where weights and KV cache lie in different tiers that work at the same time, the reads of one
// are under way during those of the other, across operations: of a step's seconds of weight_bw and
// kv_bw the fewer are hidden.
//
// A machine with a static schedule decodes with the time of max_batch sequences whatever the batch;
// FLOPs counted are those of the batch.  With speculative decoding a decode step stands for the
// 1/A of a verifying step that one token takes (speculation.hpp); beside chunks of prompts, one in
// A steps carries the verification.  Where what sequences gain is drawn, a step is a whole verifying
// step, and its context grows by what they gain in it.  A chunk that ends a prompt waits for the part of the prompt's
// KV transfer that is not hidden, where one is asked for.
//
// Where prompts are computed by another engine than the one that decodes, a step with both takes
// the longer of the two alone, or, both reading over the same memory bus, the sum of their memory
// seconds if that is more.  Its causes are those of the longer one; what the bus adds goes to
// memory, in the proportions of the other.  (Engines whose steps are apart: bus_share.hpp.)
//
// In a run of decode steps with a fixed batch only the context grows, one token a sequence and
// step.  Attention's FLOPs and bytes are both proportional to it, so the P-norm of attention is
// too: step i costs exactly first + i * slope, and n steps cost n first + n (n - 1) / 2 slope.  No
// approximation.  It holds until a layer outgrows its latency or reading the cache outgrows reading
// the weights: valid_steps says for how many steps.
//
// Worked example, toy device (100 TFLOP/s, 1 TB/s, all efficiencies 1, no overheads, P infinite):
// 8 GB of weights, one sequence: 8 ms, all weight_bw.
//
// Sources: Pope et al., "Efficiently Scaling Transformer Inference", MLSys 2023; Abts et al.,
// "Think Fast: A Tensor Streaming Processor", ISCA 2020 (static schedules).
// Assumes that sequences are dealt to data-parallel ranks evenly: the fullest has ceil(B / a), each
// of mean length.  Leaves out padding of batches to captured graph sizes and clock throttling.
#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "base/as_double.hpp"
#include "perf/collective.hpp"
#include "perf/layer_costs.hpp"
#include "perf/placement.hpp"
#include "perf/speculation.hpp"
#include "perf/step_cost.hpp"

namespace tokenyard::perf {

// The decoding sequences of a step.
struct DecodeBatch {
  std::int64_t sequences = 0;
  double context = 0.0;         // sum of tokens attended to, the new ones included
  double window_context = 0.0;  // the same with each sequence cut at the window; 0 without windows
  std::int64_t window_growing = 0;  // sequences shorter than the window
  AdapterLoad adapters = {};        // of the whole step, its chunks included
  // Where what a sequence gains in a step is drawn (serving/paced_sequences.hpp).
  struct Drawn {
    bool verifying = false;      // a whole verifying step, or a plain one
    double growth = 0.0;         // of context in a step
    double window_growth = 0.0;  // of window_context
  };
  std::optional<Drawn> drawn = {};

  [[nodiscard]] double growth() const { return drawn ? drawn->growth : as_double(sequences); }
  [[nodiscard]] double window_growth() const {
    return drawn ? drawn->window_growth : as_double(window_growing);
  }
  // So many steps later, of which none fills a window.
  void advance(std::int64_t steps) {
    context += as_double(steps) * growth();
    window_context += as_double(steps) * window_growth();
  }
};

class StepModel {
 public:
  StepModel(const scenario::PoolPlan& pool, const scenario::DeploymentPlan& deployment,
            const scenario::ServingSpec& serving, const catalog::FabricSpec& fabric);

  // Steps that only decode.  At least one sequence.
  [[nodiscard]] AffineCost decode_run(const DecodeBatch& batch) const;
  // One step with prompt chunks and any number of decoding sequences; not both none.
  [[nodiscard]] StepCost mixed_step(std::span<const PrefillSlice> prefill,
                                    const DecodeBatch& batch) const;

  [[nodiscard]] const Placement& placement() const { return placement_; }
  // LoRA adapters that requests may run with, and how many of them device memory has room for.
  [[nodiscard]] std::int64_t adapters() const { return adapters_; }
  [[nodiscard]] std::int64_t resident_adapters() const { return resident_adapters_; }
  // Tokens that windowed or sparse attention looks at; 0: no such layers.
  [[nodiscard]] std::int64_t window_tokens() const { return window_tokens_; }
  // For MFU and MBU: dense peak of the linear math format, of all engines that serve, and peak
  // bandwidth of the main tier.
  [[nodiscard]] double peak_flops_per_s() const;
  // FLOP of a step, of one device; work in another format than that of the peak counts by the peaks.
  [[nodiscard]] double flops(const StepCost& cost) const { return decode_.flops(cost); }
  [[nodiscard]] double peak_bytes_per_s() const { return main_bandwidth_; }

 private:
  struct LayerTime {
    double total_s = 0.0, weight_s = 0.0, kv_s = 0.0;
  };
  enum LayerPart : std::size_t { kDense, kMoe, kContext, kWindow };
  // What a part of a step takes in one layer: attention products and FFN of each kind, core of
  // attention of each kind.  Runs keep it only where it is needed (layer_times_).
  using LayerTimes = std::array<LayerTime, 4>;
  // A part of a step on one stage, all micro-batches together.
  struct Part {
    StepCost cost;
    LayerTimes layer;
  };
  // Layers of a run's first step, and by how much they grow each step.
  struct LayerRun {
    LayerTimes first, slope;
  };
  // Tokens in a step.
  struct Load {
    double sequences = 0.0;  // decoding
    double verified = 1.0;   // tokens of each
    double chunk_tokens = 0.0;
    double prompts = 0.0;  // that end
    double largest_chunk = 0.0;
  };
  // Decode steps that compute `tokens` tokens of each sequence.
  struct DecodeTable {
    double tokens = 1.0;
    Part context, window;                    // core of attention, of one token of context
    double context_s = 0.0, window_s = 0.0;  // what these take
    std::vector<Part> linear;                // the rest, by number of sequences
  };

  [[nodiscard]] StepCost bare_mixed_step(std::span<const PrefillSlice> prefill,
                                         const DecodeBatch& batch) const;
  [[nodiscard]] DecodeTable decode_table(double tokens, std::int64_t max_batch) const;
  [[nodiscard]] Verification verification_of(const DecodeBatch& batch) const {
    if (!speculation_ || (batch.drawn && !batch.drawn->verifying)) return {};
    Verification v = verification(speculation_, batch.sequences);
    if (batch.drawn) v.yield = 1.0;
    return v;
  }
  [[nodiscard]] const DecodeTable& table_for(const Verification& v) const {
    return v.tokens > 1.0 ? *verifying_ : plain_;
  }
  [[nodiscard]] const LayerCosts& chunk_costs() const { return prefill_ ? *prefill_ : decode_; }
  // These add to a step's cost and, unless null, to its layers.
  void add_stage(const LayerCosts& costs, const Tokens& tokens, double times, StepCost& cost,
                 LayerTimes* layer) const;
  void add_linear(const LayerCosts& costs, const Load& load, StepCost& cost,
                  LayerTimes* layer) const;
  void add_core(const CoreParts& core, double share, double waiting, StepCost& cost,
                LayerTimes* layer) const;
  void add_decode_core(const DecodeTable& table, double context, double window, double waiting,
                       StepCost& cost, LayerTimes* layer) const;
  void add_chunks_core(const LayerCosts& costs, std::span<const PrefillSlice> prefill,
                       StepCost& cost, LayerTimes* layer) const;
  [[nodiscard]] double fullest_over_mean(double sequences) const;

  void hide_smaller_read(AffineCost& run, LayerRun* layers) const;
  void raise_to_latency(double latency_s, AffineCost& run, LayerRun& layers) const;
  void finish_run(const LayerCosts& costs, double microbatches, AffineCost& run,
                  LayerRun* layers) const;
  [[nodiscard]] AffineCost engine_run(const DecodeTable& table, const DecodeBatch& batch) const;
  [[nodiscard]] StepCost engine_step(const LayerCosts& costs, std::span<const PrefillSlice> prefill,
                                     const DecodeBatch& batch, const DecodeTable& table) const;
  void add_overheads(StepCost& cost, const LayerCosts& costs, double sampled) const;
  void add_transfer(StepCost& cost, std::span<const PrefillSlice> prefill) const;

  scenario::HostOverhead host_;
  std::optional<scenario::SpeculationSpec> speculation_;
  std::optional<scenario::KvTransferSpec> transfer_;
  LinkModel transfer_link_;
  Placement placement_;
  StageLayers layers_;
  LayerCosts decode_;
  std::optional<LayerCosts> prefill_;  // of another engine
  double pipeline_ = 1.0, attention_data_ = 1.0;
  double main_bandwidth_ = 0.0;
  std::int64_t window_tokens_ = 0;
  std::int64_t adapters_ = 0, resident_adapters_ = 0;
  bool sparse_ = false;
  bool reads_overlap_ = false;  // weights and KV cache lie in tiers that work at the same time
  bool layer_times_ = false;    // a step depends on what each layer takes
  double static_batch_ = 0.0;   // sequences that every decode step takes the time of; 0: its own
  DecodeTable plain_;
  std::optional<DecodeTable> verifying_;
};

}  // namespace tokenyard::perf
