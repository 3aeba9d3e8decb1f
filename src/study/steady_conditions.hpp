#pragma once
// How servers were run and asked when their latency at a fixed number of requests in flight was
// measured.
//
// Rows say which serving software ran (its three names below; anything else is taken for vLLM) and
// how long prompts and outputs were.  The rest follows from who measures in this way:
//
//   InferenceMAX   Llama 70B, gpt-oss and DeepSeek with 1,024 or 8,192 tokens in and 1,024 or 8,192
//                  out: lengths are drawn evenly from 0.8 to 1 of that; the cache is in fp8, of
//                  gpt-oss in bf16; and as its scripts have it, in a step
//     TensorRT-LLM 16,384 tokens, of gpt-oss 20,000, of DeepSeek one prompt and a token of each of
//                  the others
//     vLLM         8,192 tokens, 512 sequences
//     SGLang       16,384 tokens of prompts, which are computed before it decodes on; 256 sequences
//   otherwise      all lengths the same, the cache in bf16, which is what all three take unless told
//                  otherwise; in a step
//     TensorRT-LLM at most the sequences in flight, and one prompt and a token of each of the
//                  others: the server is set up for the case
//     vLLM         2,048 tokens, 256 sequences: its defaults on GPUs of less than 70 GiB.  On these
//                  it would take 8,192 by itself, with which times to first tokens come out twice as
//                  long as measured
//     SGLang       8,192 tokens of prompts, which are computed before it decodes on; where lengths
//                  are thousands, configurations of aiconfigurator were served, which mix chunks of
//                  prompts with decoding (--enable-mixed-chunk)
//
// Random prompts do not spread evenly over experts: the popularity of experts follows a power law
// (aiconfigurator benchmarks expert layers with exponents of 1.01 and 1.2 of the token counts,
// which the Zipf exponent 0.8 comes close to).
//
// What no source says (vLLM's step, mixed chunks, the exponent) is what comes closest to the
// measurements, and so these are no test of it.
// Sources: InferenceMAX benchmark scripts (benchmarks/*.sh: --random-range-ratio 0.8, ten prompts
// for each in flight, kv-cache-dtype, max-num-batched-tokens, max_num_tokens); vLLM's arg_utils.py.
#include <cstdint>
#include <string>
#include <vector>

#include "study/measured_csv.hpp"

namespace tokenyard::study {

// What a row says.
struct SteadyRow {
  std::string device, model, weights, expert_weights, engines;
  std::int64_t devices = 1, tensor = 1, attention_data = 1, expert = 1;
  std::int64_t input_tokens = 1, output_tokens = 1, concurrency = 1;
};

// How one serving software was run for it.
struct SteadyConditions {
  std::string software;
  std::string policy;         // of the scheduler
  std::string input, output;  // lengths as a scenario writes them
  std::int64_t requests = 1;
  std::int64_t max_batch = 1;
  std::int64_t max_batch_tokens = 1;
  std::string weights, kv;
  std::string expert_weights;  // empty: the model has no experts
  std::string expert_skew = "0";
};

// One for each serving software that the row names, in its order.
std::vector<SteadyConditions> steady_conditions(const SteadyRow& row, bool has_experts);

// In words, for those who read the result.
std::vector<std::string> describe_conditions(const std::vector<SteadyConditions>& conditions);

}  // namespace tokenyard::study
