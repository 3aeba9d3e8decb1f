#include "study/steady_conditions.hpp"

#include <algorithm>
#include <sstream>

namespace tokenyard::study {
namespace {

constexpr std::int64_t kRequestsForEachInFlight = 10;
constexpr double kShortestOfLongest = 0.8;
constexpr std::int64_t kVllmStepTokens = 2048;
constexpr std::int64_t kVllmBatch = 256;
constexpr std::int64_t kSglangBatch = 512;
constexpr std::int64_t kUnlimitedBatch = 1024;
constexpr std::int64_t kStepTokens = 8192;
constexpr const char* kExpertSkew = "0.8";

bool starts_with(const std::string& text, const char* start) {
  return text.rfind(start, 0) == 0;
}

// Lengths and models that InferenceMAX measures.
bool is_inference_max(const SteadyRow& row) {
  const auto is = [&](std::int64_t input, std::int64_t output) {
    return row.input_tokens == input && row.output_tokens == output;
  };
  const bool length = is(1024, 1024) || is(1024, 8192) || is(8192, 1024);
  return length && (starts_with(row.model, "llama-3.1-70b") || starts_with(row.model, "gpt-oss") ||
                    starts_with(row.model, "deepseek-"));
}

bool in_thousands(const SteadyRow& row) {
  return row.input_tokens % 1000 == 0;
}

std::string length_of(std::int64_t longest, bool spread) {
  if (!spread) return std::to_string(longest);
  const auto shortest =
      static_cast<std::int64_t>(kShortestOfLongest * static_cast<double>(longest));
  return "{kind: uniform, min: " + std::to_string(shortest) + ", max: " + std::to_string(longest) +
         '}';
}

bool is_narrow(const std::string& format) {
  return format == "fp8" || format.find("fp4") != std::string::npos;
}

// gpt-oss is published with experts in mxfp4 and all else in bf16: servers that say fp4 mean that.
void set_formats(const SteadyRow& row, SteadyConditions& c) {
  c.weights = row.weights;
  c.expert_weights = row.expert_weights;
  const bool gpt_oss = starts_with(row.model, "gpt-oss");
  c.kv = is_inference_max(row) && is_narrow(row.weights) && !gpt_oss ? "fp8" : "bf16";
  if (!gpt_oss || row.expert_weights != "fp4") return;
  c.expert_weights = "mxfp4";
  if (row.weights == "fp4") c.weights = "bf16";
}

// As its scripts have it.
void set_inference_max(const SteadyRow& row, SteadyConditions& c) {
  if (c.software == "sglang") {
    c.policy = "prefill-first";
    c.max_batch = 256;
    c.max_batch_tokens = 16384;
  } else if (c.software != "trtllm") {
    c.max_batch = 512;
  } else if (starts_with(row.model, "deepseek-")) {
    constexpr std::int64_t kSpare = 64;  // what the scripts add
    c.max_batch_tokens = row.input_tokens + row.concurrency + kSpare;
  } else {
    c.max_batch_tokens = starts_with(row.model, "gpt-oss") ? 20000 : 16384;
  }
}

void set_scheduler(const SteadyRow& row, SteadyConditions& c) {
  c.policy = "chunked-prefill";
  c.max_batch = kUnlimitedBatch;
  c.max_batch_tokens = kStepTokens;
  if (is_inference_max(row)) {
    set_inference_max(row, c);
  } else if (c.software == "sglang") {
    if (!in_thousands(row)) c.policy = "prefill-first";
    c.max_batch = std::max(row.concurrency, kSglangBatch);
  } else if (c.software == "trtllm") {
    c.max_batch = row.concurrency;
    c.max_batch_tokens = row.input_tokens + row.concurrency;
  } else {
    c.max_batch = std::max(row.concurrency, kVllmBatch);
    c.max_batch_tokens = kVllmStepTokens;
  }
  c.max_batch_tokens = std::max(c.max_batch_tokens, c.max_batch + 1);
}

}  // namespace

std::vector<SteadyConditions> steady_conditions(const SteadyRow& row, bool has_experts) {
  std::vector<std::string> servers;
  std::istringstream words(row.engines);
  for (std::string word; words >> word;) servers.push_back(word);
  if (servers.empty()) servers.emplace_back();
  const bool spread = is_inference_max(row);
  std::vector<SteadyConditions> all;
  for (const std::string& server : servers) {
    SteadyConditions& c = all.emplace_back();
    c.software = server;
    c.input = length_of(row.input_tokens, spread);
    c.output = length_of(row.output_tokens, spread);
    c.requests = kRequestsForEachInFlight * row.concurrency;
    if (has_experts) c.expert_skew = kExpertSkew;
    set_formats(row, c);
    if (!has_experts) c.expert_weights.clear();
    set_scheduler(row, c);
  }
  return all;
}

std::vector<std::string> describe_conditions(const std::vector<SteadyConditions>& conditions) {
  const SteadyConditions& first = conditions.front();
  std::vector<std::string> texts{
      std::to_string(kRequestsForEachInFlight) + " requests for each one in flight, all counted",
      "prompts have nothing in common"};
  if (first.input.front() == '{')
    texts.push_back("lengths drawn evenly from 0.8 to 1 of those given");
  if (first.expert_skew != "0")
    texts.push_back("popularity of experts by Zipf's law, exponent " + first.expert_skew);
  for (const SteadyConditions& c : conditions) {
    texts.push_back((c.software.empty() ? "" : c.software + ": ") + c.policy + ", KV cache in " +
                    c.kv + ", up to " + std::to_string(c.max_batch) + " sequences and " +
                    std::to_string(c.max_batch_tokens) + " tokens in a step");
  }
  return texts;
}

}  // namespace tokenyard::study
