// The published end-to-end projection for a box whose NPU computes prompts and whose iGPU decodes (a 2.4 B
// ternary model, 512 tokens in, 256 out), from the step model: every number of it follows from peak
// rates, FLOPs per token and overheads.
//   FLOPs per token  2 (4 h^2 + 3 h f) 30 layers = 4.758 GFLOP, h = 2,560, f = 6,912
//   iGPU 24 TFLOP/s effective, 0.2 ms to dispatch; NPU 42 TFLOP/s, 3 ms; iGPU decodes 220 tokens/s
#include <doctest/doctest.h>

#include "perf/perf_fixture.hpp"

namespace tokenyard::perf {
namespace {

catalog::Model ternary_model() {
  catalog::Model model = test::toy_model();
  model.layers = 30;
  model.hidden = 2560;
  model.vocabulary = 1;  // the projection leaves the LM head out
  model.attention.heads = model.attention.kv_heads = 20;
  model.attention.head_dim = 128;
  model.ffn.gated = true;
  model.ffn.hidden = 6912;
  return model;
}

// Only products with weights take time: attention runs on a bf16 unit without limit.
Toy engine(double teraflops, Seconds dispatch, double terabytes) {
  test::ToyOptions options;
  options.model = ternary_model();
  options.weights = "fp8";
  options.device.engines.front().peak["fp8"] = teraflops_per_second(teraflops);
  options.device.engines.front().peak["bf16"] = teraflops_per_second(1e12);
  options.device.memory.front().bandwidth = terabytes_per_second(terabytes);
  options.serving.host.per_step = dispatch;
  return Toy(options);
}

constexpr double kFastMemory = 1e6;
const Seconds kIgpuDispatch = milliseconds(0.2);
const Seconds kNpuDispatch = milliseconds(3);

double prompt_s(const Toy& toy, std::int64_t tokens) {
  return toy.prefill(tokens).total_s();
}

}  // namespace

TEST_CASE("a token of the prompt takes 4.758 GFLOP, so 5,044 and 8,827 tokens a second") {
  const Toy igpu = engine(24, kIgpuDispatch, kFastMemory);
  const Toy npu = engine(42, kNpuDispatch, kFastMemory);
  CHECK(igpu.prefill(1)[Work::flops_linear] ==
        near(2.0 * (4 * 2560.0 * 2560 + 3 * 2560.0 * 6912) * 30));
  CHECK(1 / (prompt_s(igpu, 2) - prompt_s(igpu, 1)) == near(5044, 1e-3));
  CHECK(1 / (prompt_s(npu, 2) - prompt_s(npu, 1)) == near(8827, 1e-3));
}

TEST_CASE("the NPU is the faster one from 32.9 tokens on: 2.8 ms / (198.3 - 113.3 us)") {
  const Toy igpu = engine(24, kIgpuDispatch, kFastMemory);
  const Toy npu = engine(42, kNpuDispatch, kFastMemory);
  const double igpu_token_s = prompt_s(igpu, 2) - prompt_s(igpu, 1);
  const double npu_token_s = prompt_s(npu, 2) - prompt_s(npu, 1);
  const double overheads_s = (kNpuDispatch - kIgpuDispatch).base();
  CHECK(overheads_s / (igpu_token_s - npu_token_s) == near(32.9, 2e-3));
  CHECK(prompt_s(igpu, 32) < prompt_s(npu, 32));
  CHECK(prompt_s(igpu, 33) > prompt_s(npu, 33));
}

TEST_CASE("512 in and 256 out take 1.230 s: 4 + 61 ms, 1 ms, 256 tokens at 220 a second") {
  const Toy npu = engine(42, kNpuDispatch, kFastMemory);
  // The measured 220 tokens/s as the bandwidth at which the weights are read 220 times a second.
  const double weight_bytes = npu.decode(1)[Work::bytes_weights];
  const Toy igpu = engine(24, seconds(0), 220 * weight_bytes * 1e-12);
  const double decode_s = igpu.decode(1).total_s();
  CHECK(1 / decode_s == near(220, 2e-4));  // beside 2.4 GB of weights 307 kB of KV are written
  const double tokenise_s = 4e-3;
  const double hand_over_s = 1e-3;
  const double prefill_s = prompt_s(npu, 512);
  CHECK(prefill_s == near(61e-3, 1e-3));
  CHECK(tokenise_s + prefill_s + hand_over_s + 256 * decode_s == near(1.230, 1e-3));
  CHECK(tokenise_s + prefill_s + hand_over_s + decode_s == near(70.7e-3, 5e-3));  // to the first
}

}  // namespace tokenyard::perf
