#pragma once
// How servers were run and asked when their latency at a fixed number of requests in flight was
// measured.
//
// Rows say which serving software ran (its three names below; anything else is taken for vLLM) and
// how long prompts and outputs were.  The rest follows from who measures in this way:
//
//   InferenceMAX   1,024 or 8,192 tokens in, 1,024 or 8,192 out: lengths are drawn evenly from
//                  0.8 to 1 of that; 8,192 tokens in a step
//   otherwise      all lengths the same, and by serving software:
//     TensorRT-LLM the server is set up for the case: at most the sequences in flight, and in a step
//                  one prompt and a token of each of the others
//     vLLM         its defaults: 2,048 tokens in a step, 256 sequences
//   SGLang         computes all waiting prompts before it decodes on, 8,192 tokens at a time;
//                  where lengths are thousands, configurations of aiconfigurator were served, which
//                  mix chunks of prompts with decoding (--enable-mixed-chunk)
//
// The KV cache is kept in bf16, as all three do unless told otherwise; the checkpoints in fp8 and
// fp4 that InferenceMAX serves with TensorRT-LLM come with scales for a cache in fp8.
//
// Random prompts do not spread evenly over experts: the popularity of experts follows a power law
// (aiconfigurator benchmarks expert layers with exponents of 1.01 and 1.2 of the token counts,
// which the Zipf exponent 0.8 comes close to).
//
// Each of these was tried against the alternatives (docs/accuracy.md says with what result).
// Sources: InferenceMAX benchmark scripts (--random-range-ratio 0.8, ten prompts for each in
// flight); documentation of the three servers.
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
  std::string weights, expert_weights, kv;
  std::string expert_skew = "0";
};

// One for each serving software that the row names, in its order.
std::vector<SteadyConditions> steady_conditions(const SteadyRow& row, bool has_experts);

// In words, for those who read the result.
std::vector<std::string> describe_conditions(const std::vector<SteadyConditions>& conditions);

}  // namespace tokenyard::study
