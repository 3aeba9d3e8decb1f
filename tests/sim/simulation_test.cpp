// Whole runs of the toy fleet: what is counted, rejected, cut off, left out.
#include "sim/simulation.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <set>
#include <string>

#include "support/in_process.hpp"
#include "support/toy.hpp"

namespace {

using namespace tokenyard;
using metrics::RequestStatus;
using test::ListStream;
using test::metric_of;
using test::request_after;
using test::request_at;
using test::row_of;
using test::run_here;
using test::toy_plan;
using test::toy_workload;
using test::ToyOptions;

template <class Act>
std::string refusal(const Act& act) {
  try {
    act();
  } catch (const InputError& error) {
    return error.what();
  }
  return "accepted";
}

// A request every second, the first at 0.5 s, each served well within it.
std::vector<workload::Request> every_second(int count, std::int64_t input = 16,
                                            std::int64_t output = 11) {
  std::vector<workload::Request> requests;
  for (int i = 0; i < count; ++i) requests.push_back(request_at(i, 0.5 + i, input, output));
  return requests;
}

double device_seconds(const metrics::RunResult& result, Cause cause) {
  return result.pools[0].device_seconds[static_cast<std::size_t>(cause)];
}

}  // namespace

TEST_CASE("simulation: requests that arrive at one moment share the first batch") {
  ListStream stream(
      {request_at(0, 1.0, 16, 1), request_at(1, 1.0, 16, 1), request_at(2, 1.0, 16, 1)});
  const auto result = run_here(toy_plan(), stream);
  for (int id = 0; id < 3; ++id) CHECK(row_of(result, id).admitted_s == 1.0);
  CHECK(row_of(result, 0).finished_s == row_of(result, 2).finished_s);
}

TEST_CASE(
    "simulation: who arrives exactly when a step ends joins the next one, by runs or by steps") {
  ListStream alone({request_at(0, 0.0, 16, 50)});
  const double boundary_s = row_of(run_here(toy_plan(), alone), 0).first_token_s;
  for (const bool per_step : {false, true}) {
    ListStream stream({request_at(0, 0.0, 16, 50), request_at(1, boundary_s, 16, 50)});
    const auto result = run_here(toy_plan(), stream, per_step);
    CHECK(row_of(result, 1).admitted_s == boundary_s);
  }
}

TEST_CASE(
    "simulation: a turn without think time joins the batch that forms when the one before ends") {
  ListStream stream(
      {request_at(0, 0.0, 16, 100), request_at(1, 0.0, 16, 5), request_after(2, {1}, 0.0)});
  const auto result = run_here(toy_plan(), stream);
  CHECK(row_of(result, 2).arrival_s == row_of(result, 1).finished_s);
  CHECK(row_of(result, 2).admitted_s == row_of(result, 2).arrival_s);
}

TEST_CASE(
    "simulation: a session's second turn finds its first in the cache: 16 + 15 stored, 1 block") {
  auto first = request_at(0, 0.0, 16, 16);
  auto second = request_after(1, {0}, 3.0, 60, 2);
  first.session = second.session = 7;
  second.turn = 1;
  ListStream stream({first, second});
  const auto result = run_here(toy_plan(), stream);
  CHECK(row_of(result, 1).cached_tokens == 16);
  CHECK(metric_of(result, "prefix_hit_rate") == doctest::Approx(16.0 / 76.0).epsilon(1e-12));
}

TEST_CASE("simulation: cut off at 10 s, of 20 requests 9 have finished, 1 runs and 10 never came") {
  auto requests = every_second(20);
  requests[9].output_tokens = 100;  // arrives at 9.5 s, would need 0.8 s
  ListStream stream(requests);
  auto plan = toy_plan();
  plan.scenario.duration = seconds(10);
  const auto result = run_here(plan, stream);
  CHECK(result.simulated_s == 10.0);
  CHECK(result.requests_seen == 10);
  CHECK(result.requests_finished == 9);
  CHECK(result.requests_unfinished == 1);
  const auto& cut = row_of(result, 9);
  CHECK(cut.status == RequestStatus::unfinished);
  CHECK(cut.finished_s == -1.0);
  // The prompt's step of 8.0 ms, and as many of 8.0 ms as fit into the rest of half a second: 61.
  CHECK(cut.output_tokens == 1 + 61);
}

TEST_CASE("simulation: the work of a run that the end cuts off counts up to the end") {
  // One request of 30 s; whether it is cut at 10 s or ends, the device is busy all the time.
  ListStream stream({request_at(0, 0.0, 16, 4000)});
  auto plan = toy_plan();
  plan.scenario.duration = seconds(10);
  const auto result = run_here(plan, stream);
  CHECK(metric_of(result, "busy_share") == doctest::Approx(1.0).epsilon(1e-12));
  CHECK(metric_of(result, "batch_mean") == doctest::Approx(1.0).epsilon(1e-12));
  CHECK(device_seconds(result, Cause::arrival_idle) == doctest::Approx(0.0));
  // 8 GB of weights in each 8.0 ms, and the KV cache: all of the bandwidth.
  CHECK(metric_of(result, "mbu") == doctest::Approx(1.0).epsilon(1e-12));
}

TEST_CASE(
    "simulation: the run ends with its last event when the workload is done before the duration") {
  ListStream stream(every_second(3));
  auto plan = toy_plan();
  plan.scenario.duration = seconds(1000);
  const auto result = run_here(plan, stream);
  CHECK(result.simulated_s == row_of(result, 2).finished_s);
  CHECK(result.requests_unfinished == 0);
}

TEST_CASE("simulation: `requests` stops the stream, and what is in the system is served") {
  ListStream stream(every_second(20));
  auto plan = toy_plan();
  plan.scenario.requests = 7;
  const auto result = run_here(plan, stream);
  CHECK(result.requests_finished == 7);
  CHECK(result.requests_unfinished == 0);
}

TEST_CASE(
    "simulation: a warm-up of 10 s out of 20 leaves 10 requests, half the energy, its latencies") {
  // Early requests are slow: a prompt of 1,000 tokens; those from 10 s on have 16.
  auto requests = every_second(20);
  for (std::size_t i = 0; i < 10; ++i) requests[i].input_tokens = 1000;
  ListStream stream(requests);
  auto plan = toy_plan();
  plan.scenario.duration = seconds(20);
  plan.scenario.warmup = seconds(10);
  plan.scenario.duration = seconds(20);
  // Keeps the run going to the full 20 s.
  requests.push_back(request_at(20, 19.9, 16, 4000));
  ListStream longer(requests);
  const auto result = run_here(plan, longer);
  CHECK(result.measured_s == 10.0);
  CHECK(metric_of(result, "requests_per_s") == doctest::Approx(1.0).epsilon(1e-12));
  CHECK(metric_of(result, "output_tokens_per_s") == doctest::Approx(11.0).epsilon(1e-12));
  CHECK(metric_of(result, "ttft_mean_s") == doctest::Approx(8e-3 + 128e-9 * 16).epsilon(1e-9));
  CHECK(metric_of(result, "requests_finished") == 20);
  double sum = 0.0;
  for (const double s : result.pools[0].device_seconds) sum += s;
  CHECK(sum == doctest::Approx(10.0).epsilon(1e-12));
  // Idle power alone, 100 W and the switch's 500 W, over 10 s and no more.
  CHECK(result.pools[0].joules[static_cast<std::size_t>(metrics::EnergyComponent::device_idle)] ==
        doctest::Approx(1000.0).epsilon(1e-12));
}

TEST_CASE(
    "simulation: a run that straddles the end of the warm-up counts from the step it falls into") {
  // One request that decodes from 0 to 16 s; warm-up 8 s: 8 GB of weights a step, half the steps.
  ListStream stream({request_at(0, 0.0, 16, 2000)});
  auto plan = toy_plan();
  plan.scenario.warmup = seconds(8);
  const auto result = run_here(plan, stream);
  CHECK(result.measured_s == doctest::Approx(result.simulated_s - 8.0).epsilon(1e-12));
  CHECK(metric_of(result, "mbu") == doctest::Approx(1.0).epsilon(1e-12));
  CHECK(device_seconds(result, Cause::weight_bw) + device_seconds(result, Cause::kv_bw) ==
        doctest::Approx(result.measured_s).epsilon(1e-12));
  // Step 999 of the decoding and those after it: 64 ns (17 + i) of each is KV.
  double kv_s = 0.0;
  double at_s = 8e-3 + 128e-9 * 16;
  for (int i = 1; i <= 1999; ++i) {
    const double step_s = 8e-3 + 64e-9 * (17.0 + i);
    const double share = std::clamp((at_s + step_s - 8.0) / step_s, 0.0, 1.0);
    kv_s += share * 64e-9 * (17.0 + i);
    at_s += step_s;
  }
  CHECK(device_seconds(result, Cause::kv_bw) == doctest::Approx(kv_s).epsilon(1e-9));
}

TEST_CASE(
    "simulation: what can never fit is rejected when it arrives, with the turns that follow it") {
  ToyOptions options;
  options.kv_blocks = 10;
  ListStream stream(
      {request_at(0, 1.0, 160, 2), request_after(1, {0}, 5.0), request_at(2, 2.0, 100, 2)});
  const auto result = run_here(toy_plan(options), stream);
  CHECK(result.requests_rejected == 2);
  CHECK(result.requests_finished == 1);
  CHECK(row_of(result, 0).status == RequestStatus::rejected);
  CHECK(row_of(result, 1).status == RequestStatus::rejected);
  CHECK(row_of(result, 1).arrival_s == 1.0);
  CHECK(row_of(result, 1).admitted_s == -1.0);
  CHECK(metric_of(result, "requests_rejected") == 2);
}

TEST_CASE("simulation: rejected requests count as missed by the SLO, and not in the latencies") {
  ToyOptions options;
  options.kv_blocks = 10;
  ListStream stream({request_at(0, 1.0, 1600, 2), request_at(1, 2.0, 100, 2),
                     request_at(2, 3.0, 100, 2), request_at(3, 4.0, 100, 2)});
  auto plan = toy_plan(options);
  plan.scenario.slo = {{"ttft_p99", seconds(1)}};
  const auto result = run_here(plan, stream);
  CHECK(metric_of(result, "slo_attainment") == 0.75);
  CHECK(metric_of(result, "queue_mean_s") == 0.0);
}

TEST_CASE("simulation: an endless closed loop that nothing fits is refused and does not hang") {
  ToyOptions options;
  options.kv_blocks = 10;
  workload::GeneratorSpec& generator = *options.workload.generator;
  generator.kind = workload::GeneratorKind::fixed_concurrency;
  generator.concurrency = 4;
  generator.requests.reset();
  generator.input.value = 5000;
  auto plan = toy_plan(options);
  plan.scenario.duration = seconds(10);
  CHECK(refusal([&] { run_here(plan); }) ==
        "error: workload: not one of 100000 requests in a row is taken by a replica; the last has "
        "5000 + "
        "100 "
        "tokens");
}

TEST_CASE("simulation: a model's requests go to its replicas, those without a model to all") {
  ToyOptions options;
  options.nodes = 3;
  options.replicas = 1;
  auto plan = toy_plan(options);
  scenario::DeploymentPlan other = plan.pools[0].deployments[0];
  other.model.name = other.spec.model = "other";
  other.replicas = 2;
  plan.pools[0].deployments.push_back(other);
  std::vector<workload::Request> requests = every_second(6);
  requests[1].model = requests[3].model = 1;
  requests[2].model = 2;
  for (auto& r : requests) r.arrival_s = 0.0;
  ListStream stream(requests);
  stream.name_models({"", "other", "toy-4b"});
  const auto result = run_here(plan, stream);
  CHECK(row_of(result, 1).deployment == 1);
  CHECK(row_of(result, 3).deployment == 1);
  CHECK(row_of(result, 2).deployment == 0);
  CHECK(result.deployments[1].model == "other");
}

TEST_CASE("simulation: a request for a model that no pool deploys is the user's mistake") {
  std::vector<workload::Request> requests = every_second(2);
  requests[1].model = 1;
  ListStream stream(requests);
  stream.name_models({"", "llama-9"});
  CHECK(refusal([&] { run_here(toy_plan(), stream); }) ==
        "error: request 1 asks for the model 'llama-9', which no pool deploys");
}

TEST_CASE("simulation: a request that the router's choice could never hold goes where it fits") {
  ToyOptions small;
  small.kv_blocks = 10;
  auto plan = toy_plan(small);
  ToyOptions large;
  scenario::PoolPlan pool = test::toy_pool(large);
  pool.name = "large";
  plan.pools.push_back(pool);
  ListStream stream({request_at(0, 0.0, 500, 2), request_at(1, 0.0, 100, 2)});
  const auto result = run_here(plan, stream);
  CHECK(result.requests_rejected == 0);
  CHECK(row_of(result, 0).deployment == 1);
  CHECK(row_of(result, 1).deployment == 0);
}

TEST_CASE(
    "simulation: a warm-up as long as the run, and KV blocks that do not divide prefix blocks, "
    "are refused") {
  auto plan = toy_plan();
  plan.scenario.warmup = seconds(50);
  ListStream stream(every_second(3));
  CHECK(refusal([&] { run_here(plan, stream); }) ==
        "error: warmup: 50.0 s leaves nothing to measure of a run of 2.59 s");
  ToyOptions options;
  options.serving.kv_cache.block_tokens = 24;
  ListStream other(every_second(3));
  CHECK(refusal([&] { run_here(toy_plan(options), other); }) ==
        "error: serving.kv_cache.block_tokens: 24 does not divide the workload's prefix blocks of "
        "512 "
        "tokens");
}

TEST_CASE("simulation: the same seed gives the same digest, another seed another") {
  const auto digest = [](std::int64_t seed) {
    ToyOptions options;
    options.seed = seed;
    options.nodes = 4;
    options.serving.router = scenario::RouterKind::power_of_two;
    options.workload = toy_workload(12.0, 300, 200, 50);
    return run_here(toy_plan(options)).request_digest;
  };
  CHECK(digest(1) == digest(1));
  CHECK(digest(1) != digest(2));
}

TEST_CASE("simulation: stored rows are a choice that changes no metric and no digest") {
  ToyOptions options;
  options.workload = toy_workload(5.0, 500, 100, 20);
  auto plan = toy_plan(options);
  const auto all = run_here(plan);
  plan.scenario.store_requests = scenario::StoreRequests::sample;
  const auto sampled = run_here(plan);
  plan.scenario.store_requests = scenario::StoreRequests::none;
  const auto none = run_here(plan);
  CHECK(all.requests.size() == 500);
  CHECK(sampled.requests.size() == 5);  // ids 0, 100, ... 400
  CHECK(none.requests.empty());
  CHECK(all.request_digest == none.request_digest);
  CHECK(all.request_digest == sampled.request_digest);
  CHECK(metric_of(all, "ttft_p99_s") == metric_of(none, "ttft_p99_s"));
}

TEST_CASE("simulation: samples show the run under way: tokens made, blocks held, power drawn") {
  // One request of 0 to 16 s, in one run of 1,999 steps after its prompt; a sample every second.
  ListStream stream({request_at(0, 0.0, 16, 2000)});
  auto plan = toy_plan();
  plan.scenario.sample_interval = seconds(1);
  const auto result = run_here(plan, stream);
  REQUIRE(result.samples.size() == 16);
  double tokens = 0.0;
  for (const metrics::Sample& s : result.samples) {
    CHECK(s.running == 1.0);
    CHECK(s.queued == 0.0);
    tokens += s.output_tokens_per_s * 1.0;
    // 125 steps of 8 ms in a second, fewer as the context grows.
    CHECK(s.output_tokens_per_s <= 125.0);
    CHECK(s.output_tokens_per_s >= 122.0);
    // 100 W idle, 8 GB a step at 100 pJ/B, all the time: 100 W; 8 GFLOP in 8 ms at 1 pJ: 1 W, and
    // attention.
    CHECK(s.power_w == doctest::Approx(201.0).epsilon(0.002));
  }
  CHECK(tokens > 2000.0 - 125.0);
  const std::int64_t blocks =
      perf::place(plan.pools[0], plan.pools[0].deployments[0], plan.scenario.serving).kv_blocks;
  // After 15 s: 16 + 1,874 tokens stored, give or take the growing steps.
  CHECK(result.samples[14].kv_used * static_cast<double>(blocks) ==
        doctest::Approx(1875.0 / 16.0).epsilon(0.02));
}

TEST_CASE("simulation: a pool's unused devices wait for a decision, not for work") {
  ToyOptions options;
  options.nodes = 4;
  options.replicas = 3;
  ListStream stream(every_second(3));
  const auto result = run_here(toy_plan(options), stream);
  CHECK(device_seconds(result, Cause::policy_wait) ==
        doctest::Approx(result.measured_s).epsilon(1e-12));
  CHECK(result.pools[0].devices_used == 3);
}
