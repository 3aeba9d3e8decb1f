// Two engines of a device with steps of their own: what the plan makes of it, and what is refused.
#include "scenario/engines_apart.hpp"

#include <doctest/doctest.h>

#include <algorithm>

#include "perf/placement.hpp"
#include "support/toy_yard.hpp"

namespace tokenyard::scenario {
namespace {

using test::ToyYard;

// A yard whose devices have a second engine.
void add_engine(const ToyYard& yard) {
  yard.edit("hardware_catalog/devices/toy.yaml", "memory:\n",
            "  - name: npu\n    peak: {bf16: 50 TFLOP/s, fp8: 200 TFLOP/s}\nmemory:\n");
}

const std::string kApart = "engine: {prefill: npu, decode: main, steps: apart}";

std::string scenario(const std::string& deploy = kApart, const std::string& rest = "") {
  return "name: t\nworkload:\n  name: w\n  generator: {kind: poisson, rate: 1 /s, input: 100, "
         "output: 10, requests: 5}\nfleet:\n  site: toy-site\n  fabric: toy-switch\n  pools:\n"
         "    - name: main\n      node: toy-node\n      deploy: {model: toy-4b, " +
         deploy + "}\n" + rest;
}

std::string complaint(const std::string& text) {
  const ToyYard yard;
  add_engine(yard);
  return yard.complaint(text);
}

std::string misfit(const std::string& text) {
  const ToyYard yard;
  add_engine(yard);
  const Plan plan = yard.plan(text);
  Diagnostics diagnostics;
  perf::check_fit(plan, diagnostics);
  std::string all;
  for (const Diagnostic& d : diagnostics.list()) all += d.message + '\n';
  return all;
}

}  // namespace

TEST_CASE(
    "apart: one deployment of the file is two of the plan, an engine each, on the same devices") {
  const ToyYard yard;
  add_engine(yard);
  const Plan plan = yard.plan(scenario(kApart + ", weights: fp8"));
  REQUIRE(plan.pools[0].deployments.size() == 2);
  const DeploymentPlan& prompts = plan.pools[0].deployments[0];
  const DeploymentPlan& decoding = plan.pools[0].deployments[1];
  CHECK((prompts.side == EngineSide::prompts && decoding.side == EngineSide::decoding));
  CHECK((prompts.spec.role == Role::prefill && decoding.spec.role == Role::decode));
  CHECK((prompts.engine == 1 && prompts.prefill_engine == 1));
  CHECK((decoding.engine == 0 && decoding.prefill_engine == 0));
  CHECK((prompts.linear_math == "fp8" && prompts.prefill_linear_math == "fp8"));
  CHECK((decoding.linear_math == "bf16" && decoding.prefill_linear_math == "bf16"));
  // Both devices of the node, once.
  CHECK((prompts.replicas == 2 && decoding.replicas == 2));
}

TEST_CASE("apart: of the KV blocks each side has its share, of which no block is in two halves") {
  const ToyYard yard;
  add_engine(yard);
  const auto blocks = [&](const std::string& deploy) {
    const Plan plan = yard.plan(scenario(deploy, "serving: {kv_cache: {capacity: 1616}}\n"));
    std::vector<std::int64_t> each;
    for (const DeploymentPlan& d : plan.pools[0].deployments)
      each.push_back(perf::place(plan.pools[0], d, plan.scenario.serving).kv_blocks);
    return each;
  };
  CHECK(blocks("engine: {prefill: npu, decode: main}") == std::vector<std::int64_t>{101});
  CHECK(blocks(kApart) == std::vector<std::int64_t>{50, 50});
  CHECK(blocks("engine: {prefill: npu, decode: main, steps: apart, prefill_kv_share: 0.3}") ==
        std::vector<std::int64_t>{30, 70});
}

TEST_CASE("apart: who has no block does not fit, and weights that do not are complained of once") {
  // 14.4 GB less 8 GB of weights and 754 MB of workspace are 5,513 blocks of 1.024 MB.
  const std::string few = "engine: {prefill: npu, decode: main, steps: apart, prefill_kv_share: ";
  CHECK(misfit(scenario(few + "0.0002}")) == "");
  CHECK(misfit(scenario(few + "0.0001}")) ==
        "toy-4b does not fit toy on 1 device: weights 8.00 GB + workspace 754 MB + one KV block in "
        "0.0100 % of the KV blocks 10.2 GB per device > 14.4 GB, 90.0 % of hbm 16.0 GB; short by "
        "4.59 GB per device; the smallest tensor_parallel that fits is 2\n");
  const std::string wide = misfit(scenario(kApart + ", weights: wide"));
  CHECK(std::count(wide.begin(), wide.end(), '\n') == 1);
}

TEST_CASE("apart: another model on the other device of the node has that one to itself") {
  std::string two = scenario();
  const std::string deploy = "deploy: {model: toy-4b, " + kApart + "}";
  two.replace(
      two.find(deploy), deploy.size(),
      "deploy: [{model: toy-4b, replicas: 1, " + kApart + "}, {model: toy-moe, replicas: 1}]");
  const ToyYard yard;
  add_engine(yard);
  CHECK(yard.plan(two).pools[0].deployments.size() == 3);
  two.replace(two.rfind("replicas: 1"), 11, "replicas: 2");
  CHECK(complaint(two) ==
        "fleet.pools[0].deploy[1].replicas: 2 replicas of 1 device each; 1 of 2 devices of pool "
        "main are free");
}

TEST_CASE("apart: needs two engines, and a share needs engines that work apart") {
  CHECK(complaint(scenario()) == "");
  CHECK(complaint(scenario("engine: {prefill: npu, decode: npu, steps: apart}")) ==
        "fleet.pools[0].deploy.engine.steps: 'apart' needs two engines; prompts and decoding are "
        "both on 'npu'");
  CHECK(complaint(scenario("engine: {prefill: npu, decode: main, prefill_kv_share: 0.3}")) ==
        "fleet.pools[0].deploy.engine.prefill_kv_share: has no effect without 'steps: apart'");
  CHECK(complaint(scenario("engine: {prefill: npu, decode: main, steps: apart, prefill_kv_share: "
                           "1}")) ==
        "fleet.pools[0].deploy.engine.prefill_kv_share: '1' is out of range; expected less than 1");
  CHECK(complaint(scenario("engine: {prefill: npu, decode: main, steps: alone}")) ==
        "fleet.pools[0].deploy.engine.steps: 'alone' is not known here; accepted: together, apart");
}

TEST_CASE("apart: each engine has its role, and keeps it") {
  CHECK(complaint(scenario(kApart + ", role: prefill")) ==
        "fleet.pools[0].deploy.role: of engines that work apart one computes prompts and the other "
        "decodes; expected 'both'");
  CHECK(complaint(scenario(kApart + ", role_may_change: true",
                           "serving: {role_switch: {interval: 5 s}}\n")) ==
        "fleet.pools[0].deploy.role_may_change: has no effect without 'role: prefill' or 'role: "
        "decode'");
}

TEST_CASE(
    "apart: nothing that lets replicas come and go, fail, take turns or have static batches") {
  CHECK(complaint(scenario(kApart, "faults: {enabled: true}\n")) == "");
  CHECK(complaint(scenario(kApart, "autoscaling: {}\n")) ==
        "autoscaling: replicas whose engines work apart do not come and go; give 'autoscaling' the "
        "'pool' that it is for");
  CHECK(complaint(scenario(kApart, "serving: {scheduler: {policy: static}}\n")) ==
        "serving.scheduler: engines that work apart hand requests on one by one; machines and "
        "policies with static batches cannot take them");
  CHECK(complaint(scenario(kApart, "serving: {kv_transfer: {overlap: 0.5}}\n")) ==
        "serving.kv_transfer: stands for the transfer to another pool; engines that work apart "
        "share their memory, and nothing is sent");
  CHECK(complaint(scenario(kApart + ", lora: {adapters: 2}")) ==
        "fleet.pools[0].deploy.lora: adapters on engines that work apart are not simulated");
  std::string shared = scenario();
  const std::string deploy = "deploy: {model: toy-4b, " + kApart + "}";
  shared.replace(shared.find(deploy), deploy.size(),
                 "deploy: [{model: toy-4b, " + kApart + "}, {model: toy-moe}]\n      sharing: {}");
  CHECK(complaint(shared) ==
        "fleet.pools[0].deploy[0].engine.steps: models that take turns on the devices use both "
        "engines together; expected 'together'");
}

TEST_CASE("apart: the schema of a scenario knows the key and its words") {
  const std::string schema = input::schema_of<EngineChoice>();
  CHECK(schema.find("\"steps\"") != std::string::npos);
  CHECK(schema.find("\"together\",\"apart\"") != std::string::npos);
  CHECK(schema.find("\"prefill_kv_share\"") != std::string::npos);
}

}  // namespace tokenyard::scenario
