#include <doctest/doctest.h>

#include <filesystem>

#include "support/toy_yard.hpp"

namespace tokenyard::scenario {
namespace {

using test::kToyScenario;
using test::ToyYard;

// The toy scenario with its deployment's keys replaced.
std::string deploying(const std::string& keys, const std::string& pool_keys = "") {
  return "name: toy\nworkload: workloads/ten.yaml\n"
         "fleet: {site: toy-site, fabric: toy-switch, pools: [{name: main, node: toy-node, " +
         pool_keys + "deploy: " + keys + "}]}\n";
}

const DeploymentPlan& only_deployment(const Plan& plan) {
  return plan.pools.at(0).deployments.at(0);
}

}  // namespace

TEST_CASE("what a scenario leaves out has the documented defaults") {
  const ToyYard yard;
  const Plan plan = yard.plan();
  const ScenarioFile& s = plan.scenario;
  CHECK(s.seed == 1);
  CHECK(s.description.empty());
  CHECK(s.warmup == seconds(0));
  CHECK_FALSE(s.scale);
  CHECK_FALSE(s.duration);
  CHECK_FALSE(s.requests);
  CHECK(s.slo.empty());
  CHECK(s.expect.empty());
  CHECK_FALSE(s.store_requests);
  CHECK(s.sample_interval == seconds(10));
  CHECK(s.economics.horizon == years(4));
  CHECK_FALSE(s.economics.utilization.share);
  CHECK(s.serving.router == RouterKind::least_loaded);
  CHECK(s.serving.scheduler.policy == BatchPolicy::chunked_prefill);
  CHECK(s.serving.scheduler.max_batch == 256);
  CHECK(s.serving.scheduler.max_batch_tokens == 8192);
  CHECK_FALSE(s.serving.kv_cache.capacity.tokens);
  CHECK_FALSE(s.serving.kv_cache.capacity.unlimited);
  CHECK(s.serving.kv_cache.block_tokens == 16);
  CHECK(s.serving.kv_cache.prefix_reuse);
  CHECK(s.serving.kv_cache.between_turns == BetweenTurns::keep);
  CHECK(s.serving.activation_sparsity == 0.0);
  CHECK(s.serving.host.per_step == milliseconds(0.5));
  CHECK(s.serving.host.per_sequence == microseconds(8));
  const DeploySpec& d = only_deployment(plan).spec;
  CHECK(d.role == Role::both);
  CHECK_FALSE(d.engine.decode);
  CHECK((d.weights == "bf16" && d.kv == "bf16" && d.activations == "bf16"));
  CHECK(d.placement == "auto");
  CHECK((d.tensor_parallel == 1 && d.pipeline_parallel == 1 && d.expert_parallel == 1));
  CHECK(d.memory_utilization == 0.90);
  CHECK(plan.variant.empty());
  CHECK(plan.parameters.empty());
}

TEST_CASE("site and fabric default to us-average and leaf-spine-400g") {
  const FleetSpec fleet;
  CHECK(fleet.site == "us-average");
  CHECK(fleet.fabric == "leaf-spine-400g");
}

TEST_CASE("a plan holds the catalog's entries, the counts and the seed of the workload") {
  const ToyYard yard;
  const Plan plan = yard.plan(deploying("{model: toy-4b}", "count: 3, ") + "seed: 7\nscale: 2\n");
  CHECK(plan.site.name == "toy-site");
  CHECK(plan.fabric.name == "toy-switch");
  CHECK(plan.node_count() == 3);
  CHECK(plan.device_count() == 6);
  CHECK(plan.pools.at(0).devices.at(0).name == "toy");
  CHECK(only_deployment(plan).model.name == "toy-4b");
  CHECK(plan.workload_options.seed == 7);
  CHECK(plan.workload_options.rate_scale == 2.0);
  CHECK(plan.trace_hash.size() == 64);
}

TEST_CASE("replicas auto: as many as fit, none across two nodes: 3 nodes of 2 devices") {
  const ToyYard yard;
  const auto replicas = [&](int tensor, int pipeline) {
    return only_deployment(
               yard.plan(deploying("{model: toy-4b, tensor_parallel: " + std::to_string(tensor) +
                                       ", pipeline_parallel: " + std::to_string(pipeline) + "}",
                                   "count: 3, ")))
        .replicas;
  };
  CHECK(replicas(1, 1) == 6);
  CHECK(replicas(2, 1) == 3);
  CHECK(replicas(1, 2) == 3);
  CHECK(replicas(2, 2) == 1);  // 4 devices fill two nodes, the third is too small
}

TEST_CASE("a number of replicas up to what fits is taken, the other devices idle") {
  const ToyYard yard;
  const Plan plan = yard.plan(deploying("{model: toy-4b, replicas: 1}"));
  CHECK(only_deployment(plan).replicas == 1);
  CHECK(only_deployment(plan).devices_per_replica == 1);
  CHECK(plan.device_count() == 2);
}

TEST_CASE("two models share a pool when each has its number of replicas") {
  const ToyYard yard;
  const Plan plan =
      yard.plan(deploying("[{model: toy-4b, replicas: 1}, {model: toy-moe, replicas: 1}]"));
  REQUIRE(plan.pools.at(0).deployments.size() == 2);
  CHECK(plan.pools[0].deployments[1].model.name == "toy-moe");
  CHECK(plan.pools[0].deployments[1].path == "fleet.pools[0].deploy[1]");
  CHECK(plan.pools[0].deployments[1].where.line == 3);
}

TEST_CASE("data-parallel attention: expert_parallel / tensor_parallel ways, or as many as said") {
  const ToyYard yard;
  const DeploymentPlan d = only_deployment(
      yard.plan(deploying("{model: toy-moe, expert_parallel: 2, data_parallel_attention: true}")));
  CHECK(d.attention_data_parallel == 2);
  CHECK(d.devices_per_replica == 2);
  const DeploymentPlan e = only_deployment(
      yard.plan(deploying("{model: toy-moe, expert_parallel: 2, attention_data_parallel: 2}")));
  CHECK(e.devices_per_replica == 2);
}

TEST_CASE("matrix products use the first format of a format's list that the engine has") {
  const ToyYard yard;
  const DeploymentPlan d =
      only_deployment(yard.plan(deploying("{model: toy-4b, weights: fp8, kv: fp8}")));
  CHECK(d.weights.bytes() == 1.0);
  CHECK(d.linear_math == "bf16");  // fp8 needs an engine that has it
  CHECK(d.attention_math == "bf16");
}

TEST_CASE("a workload file is found beside the scenario before the catalog's folder") {
  const ToyYard yard;
  yard.write("mine/workloads/ten.yaml", "name: mine\ntrace: {file: three.jsonl}\n");
  yard.write("mine/workloads/three.jsonl",
             "{\"tokenyard_trace\":1}\n"
             "{\"id\":1,\"arrival_s\":0,\"input_tokens\":1,\"output_tokens\":1}\n");
  yard.write("mine/s.yaml", kToyScenario);
  catalog::Catalog catalog(yard.file(""));
  CHECK(load_plans(yard.file("mine/s.yaml"), {}, catalog).at(0).scenario.workload.spec.name ==
        "mine");
  std::filesystem::remove(yard.file("mine/workloads/ten.yaml"));
  CHECK(load_plans(yard.file("mine/s.yaml"), {}, catalog).at(0).scenario.workload.spec.name ==
        "ten");
}

TEST_CASE("a workload without a name is called like its file, one inside the scenario like that") {
  const ToyYard yard;
  yard.write("workloads/ten.yaml", "trace: {file: ten.jsonl}\n");
  CHECK(yard.plan().scenario.workload.spec.name == "ten");
  const Plan inside = yard.plan(
      "name: toy\nrequests: 5\n"
      "workload: {generator: {kind: poisson, rate: 1 /s, input: 10, output: 10}}\n"
      "fleet: {site: toy-site, fabric: toy-switch,"
      " pools: [{name: main, node: toy-node, deploy: {model: toy-4b}}]}\n");
  CHECK(inside.scenario.workload.spec.name == "toy");
  CHECK(inside.trace_hash.empty());
}

TEST_CASE("mechanisms may be written as switched off") {
  const ToyYard yard;
  const std::string off =
      "autoscaling: null\nfaults: {enabled: false}\nserving: {speculation: null, kv_cache: "
      "{offload: []}}\n";
  CHECK(yard.refusal(kToyScenario + off) == "");
  CHECK(yard.plan(kToyScenario + off).hash == yard.plan().hash);
}

TEST_CASE("every key of the format is read to where it belongs") {
  const ToyYard yard;
  const Plan plan = yard.plan(R"(name: all
description: words
seed: 3
workload: workloads/ten.yaml
scale: 50 %
duration: 1 h
requests: 8
warmup: 1 min
fleet: {site: toy-site, fabric: toy-switch, pools: [{name: main, node: toy-node, count: 2, deploy: {
  model: toy-4b, role: both, engine: main, weights: fp8, kv: fp8, activations: bf16, placement: hbm,
  tensor_parallel: 2, replicas: 2, memory_utilization: 80 %}}]}
serving:
  router: prefix-affinity
  scheduler: {policy: prefill-first, max_batch: 8, max_batch_tokens: 512, admission: fcfs, preemption: recompute}
  kv_cache: {block_tokens: 32, prefix_reuse: false, eviction: lru, between_turns: drop}
  activation_sparsity: 10 %
  host: {per_step: 1 ms, per_sequence: 2 us}
slo: {ttft_p99: 2 s, tpot_mean: 50 ms}
economics: {horizon: 3 years, utilization: 40 %, market: {usd_per_device_hour: 2.5, usd_per_mtok_input: 0.1, usd_per_mtok_output: 0.4}}
store_requests: sample
sample_interval: 5 s
expect: [{metric: mfu, value: 30 %, tolerance: 0.1, claim: words, source: a paper}]
)");
  const ScenarioFile& s = plan.scenario;
  CHECK((s.name == "all" && s.description == "words" && s.seed == 3));
  CHECK((s.scale == 0.5 && s.duration == hours(1) && s.requests == 8));
  CHECK(s.warmup == seconds(60));
  const DeploySpec& d = only_deployment(plan).spec;
  CHECK((d.engine.decode == "main" && d.placement == "hbm" && d.tensor_parallel == 2));
  CHECK((d.replicas.count == 2 && d.memory_utilization == 0.8));
  CHECK(s.serving.router == RouterKind::prefix_affinity);
  CHECK(s.serving.scheduler.policy == BatchPolicy::prefill_first);
  CHECK((s.serving.scheduler.max_batch == 8 && s.serving.scheduler.max_batch_tokens == 512));
  CHECK((s.serving.kv_cache.block_tokens == 32 && !s.serving.kv_cache.prefix_reuse));
  CHECK(s.serving.kv_cache.between_turns == BetweenTurns::drop);
  CHECK(s.serving.activation_sparsity == 0.1);
  CHECK(s.serving.host.per_step == milliseconds(1));
  CHECK(s.serving.host.per_sequence == microseconds(2));
  CHECK(s.slo ==
        std::map<std::string, Seconds>{{"ttft_p99", seconds(2)}, {"tpot_mean", milliseconds(50)}});
  CHECK(s.economics.horizon == years(3));
  CHECK(s.economics.utilization.share == 0.4);
  CHECK(s.economics.market.usd_per_device_hour == 2.5);
  CHECK(s.economics.market.usd_per_mtok_input == 0.1);
  CHECK(s.economics.market.usd_per_mtok_output == 0.4);
  CHECK(s.store_requests == StoreRequests::sample);
  CHECK(s.sample_interval == seconds(5));
  REQUIRE(s.expect.size() == 1);
  CHECK((s.expect[0].metric == "mfu" && s.expect[0].value.ends.at(0).number == 0.3));
  CHECK((s.expect[0].tolerance == 0.1 && s.expect[0].claim == "words"));
  CHECK(s.expect[0].source == "a paper");
}

}  // namespace tokenyard::scenario
