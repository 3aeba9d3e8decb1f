// Runs of steps put together give what steps one by one give: every time, token and joule.
#include <doctest/doctest.h>

#include <algorithm>
#include <functional>
#include <string>

#include "support/step_by_step.hpp"
#include "support/toy.hpp"

namespace {

using namespace tokenyard;
using test::compare;
using test::compared;
using test::Compared;
using test::metric_of;
using test::require_near;

scenario::Plan on_h100(const std::string& workload, const std::string& rest,
                       const std::string& deploy = "model: llama-3.1-8b", int nodes = 1,
                       const std::string& node = "dgx-h100") {
  return test::plan_of("name: t\nworkload:\n  name: w\n  generator: " + workload +
                       "\nfleet:\n  pools:\n    - {name: main, node: " + node + ", count: " +
                       std::to_string(nodes) + ", deploy: {" + deploy + "}}\n" + rest);
}

std::string poisson(const std::string& rate, const std::string& input, const std::string& output,
                    int requests) {
  return "{kind: poisson, rate: " + rate + ", input: " + input + ", output: " + output +
         ", requests: " + std::to_string(requests) + "}";
}

}  // namespace

TEST_CASE("fast-forward: long prompts, short answers, in chunks") {
  const Compared c = compare(on_h100(
      poisson("20 /s", "{kind: lognormal, median: 6000, sigma: 1, min: 10, max: 60000}",
              "{kind: uniform, min: 1, max: 30}", 200),
      "serving: {scheduler: {max_batch_tokens: 1024}}\n", "model: llama-3.1-8b, replicas: 2"));
  CHECK(metric_of(c.fast, "queue_mean_s") > 0.0);
}

TEST_CASE("fast-forward: short prompts, long answers") {
  compare(on_h100(
      poisson("8 /s", "{kind: uniform, min: 10, max: 300}", "{kind: geometric, mean: 800}", 300),
      "", "model: llama-3.1-8b, replicas: 1"));
}

TEST_CASE("fast-forward: KV blocks so short that requests are preempted") {
  const Compared c = compare(
      on_h100(poisson("6 /s", "{kind: lognormal, median: 700, sigma: 1, min: 10, max: 8000}",
                      "{kind: geometric, mean: 500}", 200),
              "serving: {scheduler: {max_batch: 100, max_batch_tokens: 2048}}\n",
              "model: llama-3.1-8b, replicas: 1, memory_utilization: 0.25"));
  CHECK(metric_of(c.fast, "preemptions") > 10);
}

TEST_CASE("fast-forward: MoE and MLA on experts in parallel, cut off while requests run") {
  const Compared c = compare(
      on_h100(poisson("5 /s", "{kind: lognormal, median: 1500, sigma: 1, min: 10, max: 30000}",
                      "{kind: geometric, mean: 300}", 400),
              "duration: 30 s\nwarmup: 10 s\n",
              "model: deepseek-v3, weights: fp8, kv: fp8, tensor_parallel: 8, expert_parallel: 8",
              1, "hgx-h200"));
  CHECK(c.fast.requests_unfinished > 0);
}

TEST_CASE("fast-forward: attention data parallelism over two nodes, pipeline stages") {
  compare(on_h100(poisson("3 /s", "{kind: lognormal, median: 1500, sigma: 1, min: 10, max: 9000}",
                          "{kind: geometric, mean: 200}", 100),
                  "",
                  "model: deepseek-v3, weights: fp8, kv: bf16, tensor_parallel: 1, "
                  "expert_parallel: 16, attention_data_parallel: 16",
                  2, "hgx-h200"));
  compare(on_h100(poisson("3 /s", "{kind: lognormal, median: 1500, sigma: 1, min: 10, max: 9000}",
                          "{kind: geometric, mean: 200}", 100),
                  "", "model: llama-3.1-70b, tensor_parallel: 2, pipeline_parallel: 4"));
}

TEST_CASE("fast-forward: windowed layers") {
  compare(on_h100(
      poisson("10 /s", "{kind: uniform, min: 1, max: 400}", "{kind: geometric, mean: 250}", 300),
      "", "model: gpt-oss-120b, weights: fp4, tensor_parallel: 2, replicas: 1"));
}

TEST_CASE(
    "fast-forward: agents with sub-agents, whose turns wait for each other, in little memory") {
  const auto served_by = [](const std::string& router, const std::string& kv_cache) {
    return compare(on_h100(
        "{kind: agents, rate: 2 /s, output: {kind: lognormal, median: 120, sigma: 0.8}, requests: "
        "25, "
        "agents: {turns: {kind: uniform, min: 2, max: 8}, initial_context: {kind: lognormal, "
        "median: "
        "1500, sigma: 0.8}, tool_output: {kind: lognormal, median: 700, sigma: 1.0}, tool_time: "
        "{kind: lognormal, median: 2 s, sigma: 1.2}, shared_system_prompt: 2100, max_context: "
        "60000, "
        "fan_out_probability: 0.4, sub_agents: {kind: uniform, min: 2, max: 4}, sub_agent_turns: "
        "{kind: uniform, min: 1, max: 4}, sub_agent_context: 2000}}",
        "serving: {router: " + router + ", scheduler: {max_batch_tokens: 2048}, kv_cache: {" +
            kv_cache + "}}\n",
        "model: llama-3.1-8b, replicas: 3, memory_utilization: 0.3"));
  };
  for (const std::string router : {"least-loaded", "session-sticky", "prefix-affinity"}) {
    CAPTURE(router);
    CHECK(metric_of(served_by(router, "between_turns: keep").fast, "prefix_hit_rate") > 0.2);
  }
  const double kept =
      metric_of(served_by("session-sticky", "between_turns: keep").fast, "kv_retained_ratio");
  const Compared forgotten = served_by("session-sticky", "between_turns: ttl, ttl: 1 s");
  CHECK(metric_of(forgotten.fast, "prefix_hit_rate") > 0.2);
  CHECK(metric_of(forgotten.fast, "kv_retained_ratio") < kept);
}

TEST_CASE("fast-forward: histories that go to DRAM, SSD and a pool, and come back") {
  const auto kept = [](const std::string& kv_cache) {
    const Compared c = compare(test::plan_of(
        "name: t\nworkload: workloads/agents-40.yaml\nfleet:\n  pools:\n    - {name: main, node: "
        "dgx-h100, deploy: {model: llama-3.1-8b, replicas: 2, memory_utilization: 0.3}}\n"
        "serving: {router: session-sticky, router_load_cap: 1, kv_cache: {" +
        kv_cache + "}}\n"));
    std::int64_t brought = 0;
    REQUIRE(c.fast.kv_tiers.size() == c.slow.kv_tiers.size());
    for (std::size_t t = 0; t < c.fast.kv_tiers.size(); ++t) {
      const metrics::KvTierResult& a = c.fast.kv_tiers[t];
      const metrics::KvTierResult& b = c.slow.kv_tiers[t];
      brought += a.hit_tokens;
      CHECK(a.hit_tokens == b.hit_tokens);
      require_near(a.bytes_written, b.bytes_written, "bytes written to " + a.tier);
      require_near(a.mean_bytes, b.mean_bytes, "bytes kept in " + a.tier);
    }
    return brought;
  };
  CHECK(kept("offload: [dram]") > 0);
  CHECK(kept("offload: [{tier: dram, capacity: 4 GB}, {tier: ssd, capacity: 20 GB}, {tier: remote, "
             "capacity: 100 GB}]") > 0);
  CHECK(kept("offload: [{tier: dram, capacity: 4 GB}, ssd], between_turns: offload, prefetch: "
             "true") > 0);
  CHECK(kept("offload: [{tier: remote, capacity: 100 GB}], between_turns: cost-aware") > 0);
  CHECK(kept("offload: [dram], between_turns: ttl, ttl: 2 s, eviction: cost-aware") > 0);
  CHECK(kept("between_turns: cost-aware, eviction: lfu") == 0);
}

TEST_CASE("fast-forward: 40 recorded agent sessions that evict each other's history") {
  const Compared c = compare(
      test::plan_of("name: t\nworkload: workloads/agents-40.yaml\nfleet:\n  pools:\n    - {name: "
                    "main, node: dgx-h100, "
                    "deploy: {model: llama-3.1-8b, replicas: 1, memory_utilization: 0.4}}\n"));
  CHECK(c.fast.requests_finished > 1000);
  CHECK(metric_of(c.fast, "prefix_hit_rate") > 0.2);
}

TEST_CASE("fast-forward: agents with samples, compaction, sub-agents and clients who leave") {
  const Compared c = compare(on_h100(
      "{kind: agents, arrivals: mmpp, rates: [1 /s, 9 /s], dwell: [9 s, 3 s], requests: 60, "
      "output: "
      "{kind: geometric, mean: 120}, tenants: 3, adapters: 2, patience: {kind: logistic, median: "
      "3 s, scale: 0.5 s}, agents: {user_turns: {kind: geometric, mean: 3}, turns: {kind: "
      "geometric, mean: 4}, user_time: 2 s, initial_context: 3000, tool_output: {kind: geometric, "
      "mean: 900}, tool_calls: {kind: geometric, mean: 1.5}, tool_time: {kind: exponential, mean: "
      "1 s}, shared_system_prompt: 1100, fan_out_probability: 0.1, sub_agents: 2, "
      "sub_agent_turns: 3, sub_agent_context: 900, sample_probability: 0.3, samples: {kind: "
      "uniform, min: 2, max: 4}, compaction: {limit: 9000}, max_context: 12000}}",
      "", "model: llama-3.1-8b, replicas: 1, memory_utilization: 0.32, lora: {adapters: 2}"));
  const auto count = [&](metrics::RequestStatus status) {
    return std::count_if(c.fast.requests.begin(), c.fast.requests.end(),
                         [&](const auto& row) { return row.status == status; });
  };
  CHECK(count(metrics::RequestStatus::cancelled) > 50);
  CHECK(count(metrics::RequestStatus::abandoned) > 10);
}

TEST_CASE("fast-forward: prompts first, while decoding stalls") {
  const Compared c = compare(
      on_h100(poisson("10 /s", "{kind: lognormal, median: 1500, sigma: 1, min: 10, max: 20000}",
                      "{kind: geometric, mean: 200}", 300),
              "serving: {scheduler: {policy: prefill-first, max_batch_tokens: 2048}}\n",
              "model: llama-3.1-8b, replicas: 1, memory_utilization: 0.4"));
  CHECK(metric_of(c.fast, "itl_p99_s") > 2.0 * metric_of(c.fast, "itl_p50_s"));
}

TEST_CASE("fast-forward: prompts first, with preemptions") {
  const Compared c = compare(
      on_h100(poisson("6 /s", "{kind: lognormal, median: 700, sigma: 1, min: 10, max: 8000}",
                      "{kind: geometric, mean: 500}", 200),
              "serving: {scheduler: {policy: prefill-first, max_batch_tokens: 2048}}\n",
              "model: llama-3.1-8b, replicas: 1, memory_utilization: 0.25"));
  CHECK(metric_of(c.fast, "preemptions") > 10);
}

TEST_CASE(
    "fast-forward: prompts on one node, decoding on another, with room to spare and without") {
  const auto split = [](const std::string& decode, const std::string& rest) {
    return test::plan_of(
        "name: t\nworkload:\n  name: w\n  generator: " +
        poisson("12 /s", "{kind: uniform, min: 10, max: 6000}", "{kind: geometric, mean: 300}",
                250) +
        "\nfleet:\n  pools:\n"
        "    - {name: p, node: dgx-h100, deploy: {model: llama-3.1-8b, role: prefill, replicas: "
        "2}}\n"
        "    - {name: d, node: dgx-h100, deploy: {model: llama-3.1-8b, role: decode, " +
        decode + "}}\n" + rest);
  };
  const Compared roomy = compare(split("replicas: 2", ""));
  CHECK(metric_of(roomy.fast, "kv_transfer_mean_s") > 0.0);
  CHECK(metric_of(roomy.fast, "kv_transfer_wait_mean_s") < 0.02);
  require_near(metric_of(roomy.fast, "kv_transfer_mean_s"),
               metric_of(roomy.slow, "kv_transfer_mean_s"), "transfer");
  const Compared tight = compare(
      split("replicas: 1, memory_utilization: 0.26",
            "serving: {handoff: {layer_pipelined: true}, scheduler: {max_batch_tokens: 1024}}\n"));
  CHECK(metric_of(tight.fast, "preemptions") > 0.0);
  CHECK(metric_of(tight.fast, "kv_transfer_wait_mean_s") > 0.1);
}

TEST_CASE("fast-forward: a fixed number in flight, of random and of equal lengths") {
  compare(
      on_h100("{kind: fixed-concurrency, concurrency: 24, input: {kind: uniform, min: 100, max: "
              "2000}, output: {kind: uniform, min: 10, max: 400}, requests: 300}",
              "", "model: llama-3.1-8b, replicas: 1"));
  compare(
      on_h100("{kind: fixed-concurrency, concurrency: 16, input: 500, output: 100, requests: 100}",
              "", "model: llama-3.1-8b, replicas: 1"));
}

TEST_CASE("fast-forward: every router on several replicas sends every request to the same one") {
  for (const std::string router : {"round-robin", "random", "power-of-two", "least-loaded",
                                   "prefix-affinity", "session-sticky"}) {
    CAPTURE(router);
    const Compared c = compare(
        on_h100(poisson("40 /s", "{kind: lognormal, median: 800, sigma: 1, min: 10, max: 8000}",
                        "{kind: geometric, mean: 150}", 400),
                "serving: {router: " + router + "}\n", "model: llama-3.1-8b, replicas: 5"));
    std::int32_t last = 0;
    for (const auto& row : c.fast.requests) last = std::max(last, row.replica);
    CHECK(last == 4);
  }
}

TEST_CASE("fast-forward: the toy fleet under every KV shortage from 12 to 60 blocks") {
  std::int64_t preemptions = 0;
  for (std::int64_t blocks = 12; blocks <= 60; blocks += 4) {
    CAPTURE(blocks);
    test::ToyOptions options;
    options.kv_blocks = blocks;
    options.workload = test::toy_workload(4.0, 60);
    options.workload.generator->input = {.kind = workload::LengthKind::uniform,
                                         .mean = {},
                                         .median = {},
                                         .min = 1,
                                         .max = 90,
                                         .values = {}};
    options.workload.generator->output = {.kind = workload::LengthKind::uniform,
                                          .mean = {},
                                          .median = {},
                                          .min = 1,
                                          .max = 90,
                                          .values = {}};
    options.serving.scheduler.max_batch_tokens = 64;
    options.seed = blocks;
    const Compared c = compare(test::toy_plan(options));
    for (const auto& row : c.fast.requests) preemptions += row.preemptions;
  }
  CHECK(preemptions > 20);
}

TEST_CASE(
    "fast-forward: three models that take turns on the same devices, with clients that leave") {
  for (const bool by_residence : {true, false}) {
    CAPTURE(by_residence);
    test::ToyOptions options;
    options.nodes = 2;
    options.kv_blocks = 400;
    options.serving.client.timeout = seconds(20);
    options.serving.scheduler.max_batch = 8;
    scenario::Plan plan = test::toy_plan(options);
    scenario::PoolPlan& pool = plan.pools.front();
    for (int i = 1; i < 3; ++i) {
      pool.deployments.push_back(pool.deployments.front());
      pool.deployments.back().model.name += '-' + std::to_string(i);
    }
    pool.sharing = {
        .swap_after = by_residence ? scenario::SwapAfter::residence : scenario::SwapAfter::idle,
        .min_residence = std::nullopt,
        .load_bandwidth = gigabytes_per_second(40)};  // 0.2 s, 2 s of residence
    RandomStream random(7, "requests");
    std::vector<workload::Request> requests;
    double at_s = 0.0;
    for (int i = 0; i < 240; ++i) {
      at_s += random.exponential(0.11);
      requests.push_back(
          test::request_at(i, at_s, random.integer(20, 1500), random.integer(2, 150)));
      requests.back().model = static_cast<std::int32_t>(random.integer(1, 3));
      requests.back().session = random.integer(0, 40);
    }
    const auto run = [&](bool per_step) {
      test::ListStream stream(requests);
      std::vector<std::string> names{""};
      for (const auto& d : pool.deployments) names.push_back(d.model.name);
      stream.name_models(names);
      return test::run_here(plan, stream, per_step);
    };
    const Compared c = compared(run(false), run(true));
    CHECK(metric_of(c.fast, "model_swaps") > 5.0);
    CHECK(metric_of(c.fast, "model_swaps") == metric_of(c.slow, "model_swaps"));
  }
}

TEST_CASE(
    "fast-forward: forty adapters in eight slots, with preemptions, in every order of admission") {
  for (const scenario::Admission admission :
       {scenario::Admission::fcfs, scenario::Admission::shortest_job_first,
        scenario::Admission::fair_share}) {
    CAPTURE(enum_names(admission)[static_cast<std::size_t>(admission)]);
    test::ToyOptions options;
    options.kv_blocks = 120;
    options.serving.scheduler.max_batch_tokens = 512;
    options.serving.scheduler.admission = admission;
    catalog::Link pcie;
    pcie.name = "pcie5";
    pcie.bandwidth = gigabytes_per_second(1);  // 13 ms an adapter
    options.device.links.push_back(pcie);
    scenario::Plan plan = test::toy_plan(options);
    scenario::PoolPlan& pool = plan.pools.front();
    catalog::Dram dram;
    dram.capacity = gigabytes(1000);
    dram.bandwidth = gigabytes_per_second(400);
    pool.node.host.dram = dram;
    pool.deployments.front().spec.lora = {.adapters = 40, .resident = 8};
    auto& capacity = pool.devices.front().memory.front().capacity;
    capacity = bytes(capacity.value.base() + 0.107e9);  // what the slots take
    RandomStream random(11, "requests");
    std::vector<workload::Request> requests;
    double at_s = 0.0;
    for (int i = 0; i < 200; ++i) {
      at_s += random.exponential(0.15);
      requests.push_back(
          test::request_at(i, at_s, random.integer(20, 700), random.integer(2, 200)));
      requests.back().adapter = static_cast<std::int32_t>(random.integer(-1, 39));
    }
    const auto run = [&](bool per_step) {
      test::ListStream stream(requests);
      return test::run_here(plan, stream, per_step);
    };
    const Compared c = compared(run(false), run(true));
    CHECK(metric_of(c.fast, "adapter_loads") > 40.0);
    CHECK(metric_of(c.fast, "adapter_loads") == metric_of(c.slow, "adapter_loads"));
    CHECK(metric_of(c.fast, "preemptions") > 0.0);
  }
}

TEST_CASE("fast-forward: replicas that change roles as load swings between prompts and answers") {
  scenario::Plan plan = test::toy_plan();
  plan.pools.clear();
  for (const scenario::Role role : {scenario::Role::prefill, scenario::Role::decode}) {
    test::ToyOptions options;
    options.nodes = 3;
    options.kv_blocks = 300;
    scenario::PoolPlan pool = test::toy_pool(options);
    test::cut_memory(pool, options.serving, *options.kv_blocks);
    pool.name = role == scenario::Role::prefill ? "p" : "d";
    pool.deployments.front().spec.role = role;
    pool.deployments.front().spec.role_may_change = true;
    plan.pools.push_back(pool);
  }
  plan.scenario.serving.role_switch = {
      .interval = seconds(0.5), .cooldown = seconds(1), .ratio = 1.5, .min_load = seconds(0.05)};
  RandomStream random(5, "requests");
  std::vector<workload::Request> requests;
  double at_s = 0.0;
  for (int i = 0; i < 500; ++i) {
    const bool prompts = i / 100 % 2 == 0;
    at_s += random.exponential(prompts ? 0.03 : 0.02);
    requests.push_back(test::request_at(i, at_s, prompts ? random.integer(500, 3000) : 20,
                                        prompts ? 2 : random.integer(50, 300)));
  }
  const auto run = [&](bool per_step) {
    test::ListStream stream(requests);
    return test::run_here(plan, stream, per_step);
  };
  const Compared c = compared(run(false), run(true));
  CHECK(metric_of(c.fast, "role_changes") > 2.0);
  CHECK(metric_of(c.fast, "role_changes") == metric_of(c.slow, "role_changes"));
}
