#pragma once
// LoRA adapters: many variants of a model that differ from it by low-rank products.
//
// Beside each adapted projection of n inputs and m outputs an adapter of rank r has two matrices, n x r
// and r x m.  What one adapter has over all adapted projections:
//
//   values = sum of r (n + m)           in the format of the activations
//   FLOPs  = 2 values for each token of a sequence that has an adapter
//   bytes  = those of each distinct adapter in the batch, read once a step
//
// Adapted are the projections of attention (queries, keys, values, output; with MLA those that compress
// and expand), or these and the FFN of dense layers and shared experts.  Tensor ranks have 1/t of each
// adapter, pipeline stages those of their layers; attention-data ranks have all of it, and read those of
// their own sequences: at most as many as they have sequences.
//
// `resident` adapters have room set aside in the memory that holds the weights, which the KV cache does
// without.  Others come from the host's DRAM (serving/adapter_cache.hpp).
//
// The products are gathered for all sequences in two kernels each; compute and reads follow the smooth
// roofline as one operation of a step, with kernels launched in each layer: two for queries, keys and
// values together, two for the output, likewise for the FFN.
//
// Worked example, toy model (8 layers, hidden 8,000, 64 heads of 125, 16 KV heads), rank 16 on
// attention: queries 16,000, keys and values 10,000 each, output 16,000 inputs and outputs: 52,000 a
// layer, times 8 layers and rank 16 are 6.656 M values, 13.3 MB in bf16.  Ten distinct ones in a batch
// of ten sequences are 133 MB: 0.133 ms more a step at 1 TB/s.
//
// Leaves out adapters of routed experts, of embedding and LM head, ranks that differ (all take the room of
// `rank`), and how a layer's latency hides them.
// Sources: Hu et al., "LoRA", ICLR 2022; Chen et al., "Punica", MLSys 2024 (gathered products); Sheng et
// al., "S-LoRA", MLSys 2024 (adapters in the host's memory, read once a batch).
#include <cstdint>

#include "scenario/plan.hpp"

namespace tokenyard::perf {

// Values of one adapter in the whole model.
double adapter_values(const catalog::Model& model, const scenario::LoraSpec& lora);

// Bytes of one adapter, of all its ranks and stages together; 0 without adapters.
double adapter_bytes(const scenario::DeploymentPlan& deployment);

// Values of one on a device of the largest stage.
double adapter_values_on_device(const scenario::DeploymentPlan& deployment);

// Adapters that have room on a replica at the same time.
std::int64_t resident_adapters(const scenario::DeploymentPlan& deployment);

// The sequences of a step that have an adapter.
struct AdapterLoad {
  std::int64_t distinct = 0;  // adapters
  std::int64_t decoding = 0;  // sequences
  std::int64_t chunks = 0;    // of prompts
  double chunk_tokens = 0.0;
};

// Checks that the host's DRAM holds all adapters of which not all are resident; problems go to
// `diagnostics`.
void check_adapters(const scenario::Plan& plan, Diagnostics& diagnostics);

}  // namespace tokenyard::perf
