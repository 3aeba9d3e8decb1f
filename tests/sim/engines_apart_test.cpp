// Prompts on one engine of a device, decoding on another, each with steps of its own, on one memory bus.
#include <doctest/doctest.h>

#include "scenario/engines_apart.hpp"
#include "support/step_by_step.hpp"
#include "support/toy.hpp"

namespace {

using namespace tokenyard;
using scenario::EngineSteps;
using test::ListStream;
using test::metric_of;
using test::request_at;
using test::row_of;
using test::run_here;
using test::ToyOptions;

// The toy with a second engine like the first, whose products take the sum of what they compute and read.
scenario::Plan two_engines(EngineSteps steps, ToyOptions options = {}, double prefill_share = 0.5) {
  catalog::Engine npu = options.device.engines.front();
  npu.name = "npu";
  npu.roofline_exponent = 1.0;
  options.device.engines.push_back(npu);
  scenario::Plan plan = test::toy_plan(options);
  scenario::PoolPlan& pool = plan.pools.front();
  scenario::DeploymentPlan& d = pool.deployments.front();
  d.prefill_engine = 1;
  d.spec.engine = {
      .prefill = "npu", .decode = "main", .steps = steps, .prefill_kv_share = prefill_share};
  scenario::split_engines(pool);
  return plan;
}

metrics::RunResult run_list(const scenario::Plan& plan, std::vector<workload::Request> requests) {
  ListStream stream(std::move(requests));
  return run_here(plan, stream);
}

perf::StepModel model_of(const scenario::Plan& plan, std::size_t deployment) {
  const scenario::PoolPlan& pool = plan.pools.front();
  return {pool, pool.deployments[deployment], plan.scenario.serving, plan.fabric};
}

double joules_of(const metrics::RunResult& result, metrics::EnergyComponent component) {
  return result.pools.front().joules[static_cast<std::size_t>(component)];
}

std::string bitnet(const std::string& engine, const std::string& serving, int requests = 300) {
  return "name: t\nworkload:\n  name: w\n  generator: {kind: poisson, rate: 1.2 /s, input: {kind: "
         "lognormal, median: 900, sigma: 1, min: 10, max: 3500}, output: {kind: geometric, mean: "
         "150}, requests: " +
         std::to_string(requests) +
         "}\nfleet:\n  pools:\n    - {name: main, node: strix-halo, deploy: {model: "
         "bitnet-b1.58-2b-4t, weights: ternary-1.58, lm_head: bf16, engine: " +
         engine + "}}\nserving: {" + serving + "}\n";
}

const std::string kApart = "{prefill: npu, decode: igpu, steps: apart}";

}  // namespace

TEST_CASE(
    "apart: alone in the machine a request takes as long as with engines that work together") {
  const auto together =
      run_list(two_engines(EngineSteps::together), {request_at(0, 1.0, 1000, 50)});
  const auto apart = run_list(two_engines(EngineSteps::apart), {request_at(0, 1.0, 1000, 50)});
  CHECK(row_of(apart, 0).first_token_s ==
        doctest::Approx(row_of(together, 0).first_token_s).epsilon(1e-12));
  CHECK(row_of(apart, 0).finished_s ==
        doctest::Approx(row_of(together, 0).finished_s).epsilon(1e-12));
}

TEST_CASE("apart: a prompt changes hands in no time and with no byte") {
  const auto result = run_list(two_engines(EngineSteps::apart), {request_at(0, 1.0, 1000, 50)});
  CHECK(metric_of(result, "kv_transfer_mean_s") == 0.0);
  CHECK(metric_of(result, "kv_transfer_wait_mean_s") == 0.0);
  CHECK(metric_of(result, "kv_transfer_bytes_per_s") == 0.0);
}

TEST_CASE("apart: who comes while others decode joins their next step") {
  const auto result = run_list(two_engines(EngineSteps::apart),
                               {request_at(0, 1.0, 10, 100), request_at(1, 1.1, 500, 2)});
  const metrics::RequestRow& row = row_of(result, 1);
  // At most the rest of a step that shares the bus, and one of its own.
  CHECK(row.finished_s - row.first_token_s < 2 * 16e-3 + 1e-4);
  CHECK(metric_of(result, "kv_transfer_wait_mean_s") < 16e-3);
}

TEST_CASE("apart: beside a chunk that reads for the share u decode steps take 8 ms / (1 - u)") {
  const scenario::Plan plan = two_engines(EngineSteps::apart);
  const auto result = run_list(plan, {request_at(0, 1.0, 10, 50), request_at(1, 1.1, 1000, 1)});
  const perf::PrefillSlice chunk{.tokens = 1000, .cached = 0, .samples = true};
  const perf::StepCost prompt = model_of(plan, 0).mixed_step({&chunk, 1}, {});
  const double asked = perf::memory_s(prompt) / prompt.total_s();
  // Computed: layers, the head for one token, attention.  Read: layers, head, 1,000 tokens' cache, written and
  // read.
  constexpr double kComputes_s = 64e-3 + 16e-6 + 1.28128e-3;
  constexpr double kReads_s = 6.4e-3 + 1.6e-3 + 2 * 64e-6;
  CHECK(asked == doctest::Approx(kReads_s / (kReads_s + kComputes_s)).epsilon(1e-9));
  const double alone_s = model_of(plan, 1).decode_run({.sequences = 1}).first.total_s();
  CHECK(metric_of(result, "itl_p99_s") == doctest::Approx(alone_s / (1.0 - asked)).epsilon(4e-3));
  CHECK(metric_of(result, "itl_p50_s") == doctest::Approx(alone_s).epsilon(4e-3));
  // The chunk takes its time alone.
  CHECK(row_of(result, 1).first_token_s - 1.1 == doctest::Approx(prompt.total_s()).epsilon(1e-9));
}

TEST_CASE("apart: where both only read each takes twice as long") {
  ToyOptions options;
  options.serving.scheduler.max_batch = 4;
  options.serving.scheduler.max_batch_tokens = 10;
  scenario::Plan plan = two_engines(EngineSteps::apart, options);
  plan.pools.front().devices.front().engines[1].roofline_exponent = 1000.0;
  const auto result = run_list(plan, {request_at(0, 1.0, 10, 50), request_at(1, 1.1, 200, 1)});
  // 20 chunks of 6.4 ms and a head of 1.6 ms.
  CHECK(row_of(result, 1).first_token_s - 1.1 ==
        doctest::Approx(2 * (20 * 6.4e-3 + 1.6e-3)).epsilon(2e-3));
  CHECK(metric_of(result, "itl_p99_s") == doctest::Approx(16e-3).epsilon(4e-3));
}

TEST_CASE(
    "apart: decoding goes on undisturbed by a long prompt, together it waits for each chunk") {
  const auto p99_s = [](EngineSteps steps) {
    return metric_of(
        run_list(two_engines(steps), {request_at(0, 1.0, 10, 200), request_at(1, 1.1, 10'000, 2)}),
        "itl_p99_s");
  };
  CHECK(p99_s(EngineSteps::together) > 70e-3);
  CHECK(p99_s(EngineSteps::apart) < 10e-3);
}

TEST_CASE(
    "apart: a machine is one replica, whose devices and bus count once and whose engines twice") {
  ToyOptions options;
  options.devices_per_node = 2;
  const auto result = run_list(two_engines(EngineSteps::apart, options),
                               {request_at(0, 1.0, 1000, 50), request_at(1, 1.0, 1000, 50)});
  const metrics::PoolResult& pool = result.pools.front();
  CHECK(pool.replicas == 2);
  CHECK(pool.devices_used == 2);
  REQUIRE(result.deployments.size() == 2);
  CHECK(row_of(result, 0).replica != row_of(result, 1).replica);
  const auto together = run_list(two_engines(EngineSteps::together, options),
                                 {request_at(0, 1.0, 1000, 50), request_at(1, 1.0, 1000, 50)});
  // As long, with as much work: the same shares of the same peaks.
  CHECK(metric_of(result, "mfu") == doctest::Approx(metric_of(together, "mfu")).epsilon(1e-9));
  CHECK(metric_of(result, "mbu") == doctest::Approx(metric_of(together, "mbu")).epsilon(1e-9));
  CHECK(metric_of(result, "busy_share") ==
        doctest::Approx(0.5 * metric_of(together, "busy_share")).epsilon(1e-9));
  // All that they have together, while one block less may be in whole halves.
  CHECK(metric_of(result, "kv_utilization") ==
        doctest::Approx(metric_of(together, "kv_utilization")).epsilon(1e-3));
}

TEST_CASE("apart: prompts go to the engine beside them: between machines there is no network") {
  ToyOptions options;
  options.nodes = 3;
  options.workload = test::toy_workload(20.0, 60, 2000, 20);
  const scenario::Plan plan = two_engines(EngineSteps::apart, options);
  const auto stream = workload::open_stream(plan.scenario.workload.spec, plan.workload_options);
  test::HeapCalendar calendar;
  sim::Simulation simulation(plan, *stream, calendar, test::one_switch(), {});
  const auto result = simulation.run();
  CHECK(result.requests_finished == 60);
  CHECK(metric_of(result, "kv_transfer_bytes_per_s") == 0.0);
}

TEST_CASE("apart: who is longer than the share of prompts is turned away, however much there is") {
  ToyOptions options;
  options.kv_blocks = 100;
  const scenario::Plan plan = two_engines(EngineSteps::apart, options, 0.3);
  CHECK(run_list(plan, {request_at(0, 1.0, 480, 2)}).requests_finished == 1);
  CHECK(run_list(plan, {request_at(0, 1.0, 481, 2)}).requests_rejected == 1);
}

TEST_CASE("apart: where there is no room to decode, prompts keep theirs and none is lost") {
  ToyOptions options;
  options.kv_blocks = 260;
  const scenario::Plan plan = two_engines(EngineSteps::apart, options, 0.73);  // 189 and 70
  std::vector<workload::Request> requests;
  for (std::int64_t i = 0; i < 8; ++i) requests.push_back(request_at(i, 1.0, 1000, 50));
  const auto result = run_list(plan, std::move(requests));
  CHECK(result.requests_finished == 8);
  CHECK(row_of(result, 7).admitted_s > row_of(result, 0).finished_s);
  CHECK(metric_of(result, "kv_transfer_wait_mean_s") > 0.5);
}

TEST_CASE("apart: half of a device is idle while the other half works, and joules count whole") {
  const auto together =
      run_list(two_engines(EngineSteps::together), {request_at(0, 0.0, 1000, 50)});
  const auto apart = run_list(two_engines(EngineSteps::apart), {request_at(0, 0.0, 1000, 50)});
  const auto idle = static_cast<std::size_t>(Cause::arrival_idle);
  CHECK(apart.pools.front().device_seconds[idle] ==
        doctest::Approx(0.5 * apart.measured_s).epsilon(1e-9));
  for (const auto component : {metrics::EnergyComponent::compute, metrics::EnergyComponent::memory,
                               metrics::EnergyComponent::device_idle}) {
    CHECK(joules_of(apart, component) > 0.0);
    CHECK(joules_of(apart, component) ==
          doctest::Approx(joules_of(together, component)).epsilon(1e-9));
  }
}

TEST_CASE("apart: a device is active while one of its engines is, or both") {
  ToyOptions options;
  options.device.power.active = watts(40);
  const auto active_j = [&](EngineSteps steps, const std::vector<workload::Request>& requests) {
    return joules_of(run_list(two_engines(steps, options), requests),
                     metrics::EnergyComponent::device_active);
  };
  // One after the other, as where both work together.
  CHECK(active_j(EngineSteps::apart, {request_at(0, 0.0, 1000, 50)}) ==
        doctest::Approx(active_j(EngineSteps::together, {request_at(0, 0.0, 1000, 50)}))
            .epsilon(1e-9));
  // Long prompts beside an answer: it lasts longer than they do, and they add nothing.
  const std::vector<workload::Request> busy{request_at(0, 0.0, 1000, 200),
                                            request_at(1, 0.2, 2000, 1)};
  const auto result = run_list(two_engines(EngineSteps::apart, options), busy);
  CHECK(row_of(result, 1).finished_s < row_of(result, 0).finished_s);
  CHECK(joules_of(result, metrics::EnergyComponent::device_active) ==
        doctest::Approx(40.0 * row_of(result, 0).finished_s).epsilon(1e-9));
}

TEST_CASE("apart: with a device both engines are down, and the other device has their requests") {
  ToyOptions options;
  options.nodes = 2;
  scenario::Plan plan = two_engines(EngineSteps::apart, options);
  plan.scenario.faults.enabled = true;
  plan.scenario.faults.device.per_year = 0.0;
  plan.scenario.faults.detection = seconds(0.1);
  plan.scenario.faults.events.push_back(
      {.at = seconds(1.0), .pool = "main", .node = 0, .duration = seconds(5)});
  std::vector<workload::Request> requests;
  for (std::int64_t i = 0; i < 6; ++i) requests.push_back(request_at(i, 0.5, 1000, 200));
  const auto result = run_list(plan, requests);
  CHECK(result.requests_finished == 6);
  CHECK(metric_of(result, "failures") == 1);
  std::int64_t again = 0;
  for (const auto& row : result.requests) again += row.attempts - 1;
  CHECK(again == 3);
  // Both halves of one device; then the weights come, once.
  const auto seconds_of = [&](Cause cause) {
    return result.pools.front().device_seconds[static_cast<std::size_t>(cause)];
  };
  CHECK(seconds_of(Cause::down) == doctest::Approx(5.0).epsilon(1e-9));
  const double latency_s = topology::FleetGraph(plan).route(0, 1).latency.base();
  CHECK(seconds_of(Cause::loading) == doctest::Approx(0.16 + latency_s).epsilon(1e-9));
}

TEST_CASE("apart, in runs of steps and step by step: 300 requests on a mini-PC") {
  const test::Compared c = test::compare(
      test::plan_of(bitnet(kApart, "scheduler: {max_batch: 16, max_batch_tokens: 1024}")));
  CHECK(c.fast.requests_finished == 300);
}

TEST_CASE("apart, in runs of steps and step by step: under every shortage of KV blocks") {
  double preemptions = 0.0;
  for (std::int64_t tokens = 7100; tokens <= 16'000; tokens += 890) {
    CAPTURE(tokens);
    const std::string preemption = tokens % 20 == 0 ? "recompute" : "swap";
    const test::Compared c = test::compare(test::plan_of(
        bitnet(kApart, "kv_cache: {capacity: " + std::to_string(tokens) +
                           "}, scheduler: {max_batch: 16, max_batch_tokens: 512, preemption: " +
                           preemption + "}")));
    preemptions += metric_of(c.fast, "preemptions");
    CHECK(metric_of(c.fast, "kv_transfer_wait_mean_s") > 0.0);
  }
  CHECK(preemptions > 50.0);
}

TEST_CASE("apart, in runs of steps and step by step: the toy under every shortage of KV blocks") {
  double preemptions = 0.0;
  for (std::int64_t blocks = 12; blocks <= 60; blocks += 3) {
    CAPTURE(blocks);
    ToyOptions options;
    options.devices_per_node = blocks % 2 == 0 ? 2 : 1;
    options.kv_blocks = blocks;
    options.workload = test::toy_workload(8.0, 80);
    for (auto* lengths :
         {&options.workload.generator->input, &options.workload.generator->output}) {
      lengths->kind = workload::LengthKind::uniform;
      lengths->min = 1;
      lengths->max = 90;
    }
    scenario::SchedulerSpec& scheduler = options.serving.scheduler;
    scheduler.max_batch_tokens = 64;
    if (blocks % 4 == 0) scheduler.policy = scenario::BatchPolicy::prefill_first;
    if (blocks % 9 == 0) scheduler.preemption = scenario::Preemption::swap;
    options.serving.handoff.layer_pipelined = blocks % 2 == 0;
    options.seed = blocks;
    const test::Compared c = test::compare(two_engines(EngineSteps::apart, options, 0.4));
    preemptions += metric_of(c.fast, "preemptions");
  }
  CHECK(preemptions > 50.0);
}

TEST_CASE("apart, in runs of steps and step by step: cut off while requests run, after a warm-up") {
  const test::Compared c = test::compare(test::plan_of(
      bitnet(kApart, "scheduler: {max_batch_tokens: 1024}") + "duration: 60 s\nwarmup: 10 s\n"));
  CHECK(c.fast.requests_unfinished > 0);
}

TEST_CASE("apart, in runs of steps and step by step: guesses that are drawn") {
  test::compare(test::plan_of(bitnet(
      kApart,
      "scheduler: {max_batch: 16, max_batch_tokens: 1024}, speculation: {kind: mtp, tokens: 3, "
      "tokens_per_step: [1.92, 2.61, 2.97], sampling: per-request}",
      150)));
}

TEST_CASE("apart, in runs of steps and step by step: agents whose clients leave, on few blocks") {
  const test::Compared c = test::compare(test::plan_of(
      "name: t\nworkload:\n  name: w\n  generator: {kind: agents, rate: 0.5 /s, requests: 40, "
      "output: "
      "{kind: geometric, mean: 80}, patience: {kind: logistic, median: 3 s, scale: 0.5 s}, agents: "
      "{turns: {kind: uniform, min: 2, max: 8}, initial_context: {kind: lognormal, median: 600, "
      "sigma: 0.8}, tool_output: {kind: lognormal, median: 200, sigma: 1.0}, tool_time: {kind: "
      "lognormal, median: 2 s, sigma: 1.2}, shared_system_prompt: 300, max_context: 3500}}\n"
      "fleet:\n  pools:\n    - {name: main, node: strix-halo, deploy: {model: bitnet-b1.58-2b-4t, "
      "weights: ternary-1.58, lm_head: bf16, engine: " +
      kApart +
      "}}\nserving: {kv_cache: {capacity: 16000}, client: {timeout: 20 s}, scheduler: {max_batch: "
      "16, "
      "max_batch_tokens: 512}}\n"));
  CHECK(metric_of(c.fast, "prefix_hit_rate") > 0.1);
  CHECK(c.fast.requests_abandoned > 0);
}
