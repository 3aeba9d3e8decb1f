// Published figures that the step model can be asked for.  What follows from arithmetic is asserted
// to its rounding; measured speeds within the distance that the test names.
#include <cmath>

#include "perf_fixture.hpp"

namespace tokenyard::perf {
namespace {

using test::ToyOptions;

// The toy model without a cache on an H100 that reaches its datasheet.
scenario::Plan ideal_h100(const std::string& weights, const std::string& math) {
  ToyOptions options;
  options.weights = weights;
  options.device.engines.front().peak["bf16"] = teraflops_per_second(989);
  options.device.engines.front().peak["fp8"] = teraflops_per_second(1979);
  options.device.memory.front().bandwidth = terabytes_per_second(3.35);
  scenario::Plan plan = test::toy_plan(options);
  plan.pools.front().deployments.front().kv.bits = 0.0;
  plan.pools.front().deployments.front().linear_math = math;
  return plan;
}

// The largest batch that spends more of its step on memory than on computing.
std::int64_t critical_batch(const std::string& weights, const std::string& math) {
  const Toy toy(ideal_h100(weights, math));
  const auto memory_binds = [&](std::int64_t batch) {
    const StepCost step = toy.decode(batch);
    return step[Cause::weight_bw] > step[Cause::compute];
  };
  std::int64_t batch = 1;
  while (memory_binds(batch + 1)) ++batch;
  return batch;
}

ToyOptions llama_on_4() {
  ToyOptions options;
  options.model = shipped_model("llama-3.1-70b");
  options.tensor_parallel = 4;
  return options;
}

// A node of the catalog with one kind of device, as typical as its values or at an end of its bands.
enum class Speed { typical, slowest, fastest };

scenario::Plan node_at(Speed speed, const std::string& node, const ToyOptions& options) {
  scenario::Plan plan = shipped_plan(node, options);
  if (speed == Speed::typical) return plan;
  catalog::Device& device = plan.pools.front().devices.front();
  catalog::Engine& engine = device.engines.front();
  const auto set = [](auto& number, bool to_low) {
    const auto& end = to_low ? number.low : number.high;
    if (end) number.value = *end;
  };
  const bool slow = speed == Speed::slowest;
  for (auto* share : {&engine.efficiency.prefill, &engine.efficiency.decode,
                      &engine.efficiency.attention_prefill, &engine.efficiency.attention_decode,
                      &engine.roofline_exponent, &device.links.front().efficiency}) {
    set(*share, slow);
  }
  for (auto& [format, share] : engine.efficiency.prefill_by_format) set(share, slow);
  set(engine.activation_traffic, !slow);
  for (auto* time : {&engine.launch_overhead, &engine.prompt_layer_latency,
                     &device.links.front().latency, &device.links.front().collective_latency}) {
    set(*time, !slow);
  }
  return plan;
}

scenario::Plan slow_h100() {
  return node_at(Speed::slowest, "dgx-h100", llama_on_4());
}

// Output tokens a second when `users` prompts of 2,035 tokens come at once and get 300 tokens each.
double burst_tokens_per_s(scenario::Plan plan, std::int64_t users) {
  const Toy toy(std::move(plan));
  const auto n = static_cast<double>(users);
  const double prefill_s = n * toy.prefill(2035, 0, true).total_s();
  const AffineCost decode = toy.model.decode_run({.sequences = users, .context = n * 2036});
  return n * 300 / (prefill_s + decode.sum(299).total_s());
}

// Output tokens a second of 8 devices of Llama 3.1 70B at full load, with 294 tokens in and out:
// each step decodes 768 sequences, 441 tokens long on average, and prefills as many tokens.
double offline_tokens_per_s(Speed speed, const std::string& node, const std::string& weights,
                            std::int64_t tensor_parallel) {
  ToyOptions options;
  options.model = shipped_model("llama-3.1-70b");
  options.weights = weights;
  options.kv = "fp8";
  options.tensor_parallel = tensor_parallel;
  const Toy toy(node_at(speed, node, options));
  CHECK(toy.model.placement().kv_blocks * 16 > 768 * 441);
  const std::vector<PrefillSlice> prompts(
      3, PrefillSlice{.tokens = 256, .cached = 19, .samples = true});
  const StepCost step = toy.model.mixed_step(prompts, {.sequences = 768, .context = 768 * 441.0});
  return static_cast<double>(8 / tensor_parallel) * 768 / step.total_s();
}

}  // namespace

TEST_CASE(
    "an ideal H100 turns from memory to compute at 989 / 3.35 = 295.2 sequences, in bf16 and in "
    "fp8") {
  CHECK(critical_batch("bf16", "bf16") == 295);
  CHECK(critical_batch("fp8", "fp8") == 295);  // 1979 / 3.35 / 2 = 295.4
}

TEST_CASE("with fp8 weights and bf16 arithmetic it turns at half, 147.6 sequences") {
  CHECK(critical_batch("fp8", "bf16") == 147);
}

TEST_CASE(
    "one step of DeepSeek-V3 on 144 GPUs, 88 sequences each at 4,989 tokens: 30.9 GB of KV, 7.5 ms "
    "attention") {
  // Published: 1,850 tok/s a GPU at 20 to 22 tok/s a user.  On an ideal H800 (989 and 1979 TFLOP/s,
  // 3.35 TB/s): KV 9.2 ms, attention on the latents 7.5 ms, linear 3.3 ms, weights 20.7 GB.
  ToyOptions options;
  options.model = shipped_model("deepseek-v3");
  options.weights = "fp8";
  options.attention_data_parallel = options.expert_parallel = 144;
  options.devices_per_node = 8;
  options.nodes = 18;
  const Toy toy(options);
  const StepCost step = toy.decode(88 * 144, 88.0 * 144 * 4989);
  CHECK(step[Work::bytes_kv] == doctest::Approx(30.9e9).epsilon(0.005));
  CHECK(step[Work::bytes_kv] / 3.35e12 == doctest::Approx(9.2e-3).epsilon(0.005));
  CHECK(step[Work::flops_attention] / 989e12 == doctest::Approx(7.5e-3).epsilon(0.01));
  CHECK((step[Work::flops_linear] + step[Work::flops_experts]) / 1979e12 ==
        doctest::Approx(3.3e-3).epsilon(0.02));
  // 16.19 GB that every GPU holds, without the embedding, and 58 x 256 / 144 experts of 44.04 MB.
  // The published 22.1 GB count 32 redundant experts and the embedding.
  CHECK(step[Work::bytes_weights] ==
        doctest::Approx(16.19e9 + 58.0 * 256 / 144 * 44.04e6).epsilon(1e-3));
}

TEST_CASE(
    "4 H100 decode Llama 3.1 70B in bf16 for one user within 20 % of the 53.9 tok/s measured") {
  const double typical = burst_tokens_per_s(shipped_plan("dgx-h100", llama_on_4()), 1);
  const double slow = burst_tokens_per_s(slow_h100(), 1);
  MESSAGE("4 x H100, Llama 3.1 70B bf16, 1 user, 2,035 in, 300 out: ", typical,
          " tok/s, bands at their slowest ", slow, " (measured 53.9)");
  CHECK(std::abs(typical / 53.9 - 1) < 0.20);
  CHECK(slow < 53.9);
  CHECK(typical > 53.9);  // engines have become faster than the one measured
}

TEST_CASE(
    "for 8 users the 319.8 tok/s measured lie between the catalog's H100 and its slowest bands") {
  const double typical = burst_tokens_per_s(shipped_plan("dgx-h100", llama_on_4()), 8);
  const double slow = burst_tokens_per_s(slow_h100(), 8);
  MESSAGE("4 x H100, Llama 3.1 70B bf16, 8 users: ", typical, " tok/s, bands at their slowest ",
          slow, " (measured 319.8)");
  CHECK(slow < 319.8);
  CHECK(typical > 319.8);
}

TEST_CASE(
    "MLPerf v5.1 offline, Llama 2 70B: 8 GPUs at the fast end of their bands do 0.85 to 1.3 times "
    "what was submitted, typical ones within 25 %") {
  // Submissions are tuned for weeks; the catalog's typical efficiencies are those of serving
  // engines.  H100 and H200 stay 11 % and 1 % below theirs even at the fast end: nothing here hides
  // collectives and attention behind products.  H100: half of the 62,352 of 16 GPUs.  Llama 3.1 has
  // the larger LM head.
  struct Point {
    std::string node, weights;
    std::int64_t tensor_parallel;
    double submitted_tokens_per_s;
  };
  for (const Point& point :
       {Point{"dgx-h100", "fp8", 2, 31'176}, Point{"hgx-h200", "fp8", 1, 34'548},
        Point{"hgx-b200", "fp4", 1, 102'000}, Point{"hgx-mi300x", "fp8", 1, 27'804}}) {
    const auto tokens_per_s = [&](Speed speed) {
      return offline_tokens_per_s(speed, point.node, point.weights, point.tensor_parallel);
    };
    const double slowest = tokens_per_s(Speed::slowest), typical = tokens_per_s(Speed::typical),
                 fastest = tokens_per_s(Speed::fastest);
    MESSAGE(point.node, " ", point.weights, ": ", slowest, " to ", typical, " to ", fastest,
            " tok/s (", point.submitted_tokens_per_s, ")");
    CHECK(slowest < point.submitted_tokens_per_s);
    CHECK(fastest > 0.85 * point.submitted_tokens_per_s);
    CHECK(fastest < 1.30 * point.submitted_tokens_per_s);
    CHECK(std::abs(typical / point.submitted_tokens_per_s - 1) < 0.25);
  }
}

TEST_CASE(
    "8 H200, Llama 70B fp8, 64 sequences of 16k: the KV cache takes most of a step, FLOPs next to "
    "nothing") {
  ToyOptions options;
  options.model = shipped_model("llama-3.1-70b");
  options.weights = "fp8";
  options.tensor_parallel = 8;
  const Toy toy(shipped_plan("hgx-h200", options));
  const StepCost step = toy.model.decode_run({.sequences = 64, .context = 64 * 16'384.0}).first;
  MESSAGE("8 x H200, Llama 70B fp8, 64 x 16k: ", 1e3 * step.total_s(), " ms, kv ",
          step[Cause::kv_bw] / step.total_s(), ", weights ",
          step[Cause::weight_bw] / step.total_s(), ", collectives' latency ",
          step[Cause::net_lat] / step.total_s(), ", compute ",
          step[Cause::compute] / step.total_s());
  // 64 x 16,384 x 327,680 B / 8 = 42.9 GB of cache, 8.7 GB of weights
  CHECK(step[Work::bytes_kv] == doctest::Approx(42.95e9).epsilon(1e-3));
  CHECK(step[Work::bytes_weights] == doctest::Approx(8.69e9).epsilon(1e-3));
  CHECK(step[Cause::kv_bw] > 0.5 * step.total_s());
  CHECK(step[Cause::compute] < 0.05 * step.total_s());
}

TEST_CASE(
    "DeepEP: 128 tokens of each H800 to 8 experts on 64 to 256 of them, dispatch and combine "
    "within "
    "12 %; on 32 within 20 %, below that too fast") {
  // deepseek-ai/DeepEP, README, low-latency kernels: fp8 there, bf16 back, 7,168 values.
  struct Point {
    std::int64_t ranks;
    double dispatch_us, combine_us;
  };
  ToyOptions options;
  options.devices_per_node = 8;
  options.nodes = 32;
  const scenario::Plan plan = shipped_plan("hgx-h800", options);
  const Collectives c(plan.pools.front(), plan.pools.front().deployments.front(), plan.fabric);
  const auto deviation = [&](const Point& p, bool combine) {
    const auto ranks = static_cast<double>(p.ranks);
    const double reached = (ranks - 1.0) * (1.0 - std::pow(1.0 - 1.0 / ranks, 8.0));
    const double sent = (combine ? 2.0 : 1.0) * 128.0 * reached * 7168.0;
    const double measured_us = combine ? p.combine_us : p.dispatch_us;
    const double d = 1e6 * c.all_to_all(sent, p.ranks).total_s() / measured_us - 1;
    MESSAGE(p.ranks, std::string(combine ? " ranks, combine: " : " ranks, dispatch: "), 100 * d,
            " %");
    return d;
  };
  for (const Point& p : {Point{64, 173, 314}, Point{128, 192, 369}, Point{256, 194, 360}}) {
    CHECK(std::abs(deviation(p, false)) < 0.12);
    CHECK(std::abs(deviation(p, true)) < 0.12);
  }
  const Point of_32{32, 155, 273};
  CHECK(std::abs(deviation(of_32, false)) < 0.20);
  CHECK(std::abs(deviation(of_32, true)) < 0.20);
  // These kernels send over the network even within a node; here it goes over NVLink.
  for (const Point& p : {Point{8, 77, 114}, Point{16, 118, 195}}) {
    CHECK(deviation(p, false) < 0.0);
    CHECK(deviation(p, true) < 0.0);
  }
}

}  // namespace tokenyard::perf
