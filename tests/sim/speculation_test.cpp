// Speculative decoding whose acceptance is drawn: runs of steps against single steps, and against the
// mean.
#include <doctest/doctest.h>

#include <cmath>
#include <string>
#include <vector>

#include "support/step_by_step.hpp"
#include "support/toy.hpp"

namespace {

using namespace tokenyard;
using test::compare;
using test::Compared;
using test::metric_of;

const std::string kMeasured =
    "kind: mtp, tokens: 3, tokens_per_step: [1.92, 2.61, 2.97], "
    "sampling: per-request";

scenario::Plan on_h100(const std::string& workload, const std::string& serving,
                       const std::string& deploy, const std::string& rest = "",
                       const std::string& speculation = kMeasured,
                       const std::string& node = "dgx-h100") {
  return test::plan_of("name: t\nworkload:\n  name: w\n  generator: " + workload +
                       "\nfleet:\n  pools:\n    - {name: main, node: " + node + ", deploy: {" +
                       deploy + "}}\nserving: {" + (serving.empty() ? "" : serving + ", ") +
                       "speculation: {" + speculation + "}}\n" + rest);
}

std::string poisson(const std::string& rate, const std::string& input, const std::string& output,
                    int requests) {
  return "{kind: poisson, rate: " + rate + ", input: " + input + ", output: " + output +
         ", requests: " + std::to_string(requests) + "}";
}

// Samples see the whole steps of a run under way.
void compare_samples(const Compared& c) {
  REQUIRE(c.fast.samples.size() == c.slow.samples.size());
  for (std::size_t i = 0; i < c.fast.samples.size(); ++i) {
    REQUIRE(c.fast.samples[i].running == c.slow.samples[i].running);
    test::require_near(c.fast.samples[i].output_tokens_per_s, c.slow.samples[i].output_tokens_per_s,
                       "tokens/s of a sample");
  }
}

scenario::SpeculationSpec guessing(scenario::AcceptanceSampling sampling) {
  scenario::SpeculationSpec spec;
  spec.tokens = 3;
  spec.acceptance = 0.8;
  spec.sampling = sampling;
  return spec;
}

test::ToyOptions toy_with(const scenario::SpeculationSpec& spec) {
  test::ToyOptions options;
  options.serving.speculation = spec;
  return options;
}

}  // namespace

TEST_CASE("drawn acceptance, fast-forward: short prompts, long answers") {
  compare_samples(compare(on_h100(
      poisson("8 /s", "{kind: uniform, min: 10, max: 300}", "{kind: geometric, mean: 800}", 300),
      "", "model: llama-3.1-8b, replicas: 1")));
}

TEST_CASE("drawn acceptance, fast-forward: long prompts in chunks beside the guessing sequences") {
  compare_samples(compare(
      on_h100(poisson("20 /s", "{kind: lognormal, median: 6000, sigma: 1, min: 10, max: 60000}",
                      "{kind: uniform, min: 1, max: 60}", 200),
              "scheduler: {max_batch_tokens: 1024}", "model: llama-3.1-8b, replicas: 2")));
}

TEST_CASE("drawn acceptance, fast-forward: KV blocks so short that requests are preempted") {
  for (const std::string policy : {"chunked-prefill", "prefill-first"}) {
    for (const std::string preemption : {"recompute", "swap"}) {
      CAPTURE(policy);
      CAPTURE(preemption);
      const Compared c = compare(
          on_h100(poisson("14 /s", "{kind: lognormal, median: 700, sigma: 1, min: 10, max: 8000}",
                          "{kind: geometric, mean: 500}", 200),
                  "scheduler: {max_batch: 100, max_batch_tokens: 2048, policy: " + policy +
                      ", preemption: " + preemption + "}",
                  "model: llama-3.1-8b, replicas: 1, memory_utilization: 0.25"));
      CHECK(metric_of(c.fast, "preemptions") > 10);
    }
  }
}

TEST_CASE(
    "drawn acceptance, fast-forward: windowed layers, and a batch that crosses the threshold") {
  for (const std::string threshold : {"", ", max_batch: 12", ", max_batch: 20, resume_batch: 8"}) {
    CAPTURE(threshold);
    compare(on_h100(
        poisson("30 /s", "{kind: uniform, min: 1, max: 400}", "{kind: geometric, mean: 250}", 300),
        "", "model: gpt-oss-120b, weights: fp4, tensor_parallel: 2, replicas: 1", "",
        "kind: eagle, tokens: 3, acceptance: 0.75, sampling: per-request" + threshold));
  }
}

TEST_CASE(
    "drawn acceptance, fast-forward: MoE and MLA, a measured window, an end while requests run") {
  const Compared c = compare(on_h100(
      poisson("5 /s", "{kind: lognormal, median: 1500, sigma: 1, min: 10, max: 30000}",
              "{kind: geometric, mean: 300}", 400),
      "", "model: deepseek-v3, weights: fp8, kv: fp8, tensor_parallel: 8, expert_parallel: 8",
      "duration: 30 s\nwarmup: 10 s\n", kMeasured + ", max_batch: 24", "hgx-h200"));
  CHECK(c.fast.requests_unfinished > 0);
}

TEST_CASE(
    "drawn acceptance, fast-forward: sessions whose history is evicted, for good or to DRAM") {
  for (const std::string kv_cache :
       {"between_turns: ttl, ttl: 5 s", "offload: [{tier: dram, capacity: 4 GB}, ssd]"}) {
    CAPTURE(kv_cache);
    const Compared c = compare(on_h100(
        "{kind: agents, rate: 2 /s, output: {kind: lognormal, median: 120, sigma: 0.8}, requests: "
        "25, agents: {turns: {kind: uniform, min: 2, max: 8}, initial_context: {kind: lognormal, "
        "median: 1500, sigma: 0.8}, tool_output: {kind: lognormal, median: 700, sigma: 1.0}, "
        "tool_time: {kind: lognormal, median: 2 s, sigma: 1.2}, shared_system_prompt: 2100, "
        "max_context: 60000, fan_out_probability: 0.4, sub_agents: {kind: uniform, min: 2, max: "
        "4}, sub_agent_turns: {kind: uniform, min: 1, max: 4}, sub_agent_context: 2000}}",
        "kv_cache: {" + kv_cache + "}",
        "model: llama-3.1-8b, replicas: 2, memory_utilization: 0.3"));
    CHECK(metric_of(c.fast, "prefix_hit_rate") > 0.2);
  }
}

TEST_CASE("drawn acceptance, fast-forward: prompts on one node, decoding on another") {
  const Compared c = compare(test::plan_of(
      "name: t\nworkload:\n  name: w\n  generator: " +
      poisson("12 /s", "{kind: uniform, min: 10, max: 6000}", "{kind: geometric, mean: 600}", 250) +
      "\nfleet:\n  pools:\n"
      "    - {name: p, node: dgx-h100, deploy: {model: llama-3.1-8b, role: prefill, replicas: 2}}\n"
      "    - {name: d, node: dgx-h100, deploy: {model: llama-3.1-8b, role: decode, replicas: 1, "
      "memory_utilization: 0.26}}\n"
      "serving: {scheduler: {max_batch_tokens: 1024}, speculation: {" +
      kMeasured + "}}\n"));
  CHECK(metric_of(c.fast, "preemptions") > 0.0);
}

TEST_CASE(
    "drawn acceptance, fast-forward: the toy fleet under every KV shortage from 12 to 60 blocks") {
  std::int64_t preemptions = 0;
  for (std::int64_t blocks = 12; blocks <= 60; blocks += 4) {
    CAPTURE(blocks);
    test::ToyOptions options = toy_with(guessing(scenario::AcceptanceSampling::per_request));
    options.serving.speculation->acceptance_spread = 0.1;
    options.serving.speculation->max_batch = blocks % 8 == 0 ? 4 : 100;
    options.kv_blocks = blocks;
    options.workload = test::toy_workload(8.0, 60);
    for (auto* lengths :
         {&options.workload.generator->input, &options.workload.generator->output}) {
      lengths->kind = workload::LengthKind::uniform;
      lengths->min = 1;
      lengths->max = 90;
    }
    options.serving.scheduler.max_batch_tokens = 64;
    options.seed = blocks;
    const Compared c = compare(test::toy_plan(options));
    for (const auto& row : c.fast.requests) preemptions += row.preemptions;
  }
  CHECK(preemptions > 20);
}

TEST_CASE("the gaps of an answer sum up to the time from its first token to its last") {
  for (const bool per_step : {false, true}) {
    test::ListStream stream({test::request_at(0, 0.0, 100, 50)});
    const auto result = test::run_here(
        test::toy_plan(toy_with(guessing(scenario::AcceptanceSampling::per_request))), stream,
        per_step);
    const metrics::RequestRow& row = test::row_of(result, 0);
    CHECK(metric_of(result, "itl_mean_s") ==
          doctest::Approx((row.finished_s - row.first_token_s) / 49).epsilon(1e-9));
    CHECK(metric_of(result, "tpot_mean_s") == doctest::Approx(metric_of(result, "itl_mean_s")));
    // More tokens come with another than after a gap.
    CHECK(metric_of(result, "itl_p50_s") < 1e-9);
  }
}

// 16 at a time, answers of 400 tokens: the last step of an answer gives about 1.2 tokens too many, 0.3 %.
// The others: a batch waits for nobody, but an answer that takes longer takes more of the time.
TEST_CASE(
    "with a fixed number in flight drawn acceptance gives the throughput of the mean, and a tail") {
  const auto run = [](scenario::AcceptanceSampling sampling) {
    test::ToyOptions options = toy_with(guessing(sampling));
    options.workload = test::toy_workload(1.0, 800, 100, 400);
    options.workload.generator->kind = workload::GeneratorKind::fixed_concurrency;
    options.workload.generator->concurrency = 16;
    return test::run_here(test::toy_plan(options));
  };
  const metrics::RunResult mean = run(scenario::AcceptanceSampling::expected);
  const metrics::RunResult drawn = run(scenario::AcceptanceSampling::per_request);
  CHECK(metric_of(drawn, "output_tokens_per_s") ==
        doctest::Approx(metric_of(mean, "output_tokens_per_s")).epsilon(0.02));
  CHECK(metric_of(drawn, "itl_mean_s") ==
        doctest::Approx(metric_of(mean, "itl_mean_s")).epsilon(0.02));
  const auto tail = [](const metrics::RunResult& r) {
    return metric_of(r, "e2el_p99_s") / metric_of(r, "e2el_p50_s");
  };
  // Steps of an answer: var(Y) = 1.47, sqrt(400 * 1.47 / 2.952^3) = 4.8 of 136, 3.5 %; 2.33 of these.
  CHECK(tail(drawn) > tail(mean) + 0.05);
}

TEST_CASE("an answer takes the same steps on whatever replica, and in whatever company") {
  const auto time_of_first = [](std::int64_t others) {
    std::vector<workload::Request> requests{test::request_at(7, 0.0, 16, 200)};
    for (std::int64_t i = 0; i < others; ++i)
      requests.push_back(test::request_at(100 + i, 0.0, 16, 200));
    test::ToyOptions options = toy_with(guessing(scenario::AcceptanceSampling::per_request));
    options.nodes = 1;
    options.serving.speculation->draft_cost = 0.0;
    test::ListStream stream(requests);
    const auto result = test::run_here(test::toy_plan(options), stream);
    const metrics::RequestRow& row = test::row_of(result, 7);
    return row.finished_s - row.first_token_s;
  };
  // A step takes 8 ms, and with 10 contexts of at most 216 tokens at most 0.14 ms more.
  const double steps = std::floor(time_of_first(0) / 8e-3);
  CHECK(steps > 199 / 4.0);
  CHECK(time_of_first(9) / steps > 8e-3);
  CHECK(time_of_first(9) / steps < 8.15e-3);
}
