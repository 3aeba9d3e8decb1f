// Laws that hold whatever the workload: nothing appears, nothing gets lost.
#include <doctest/doctest.h>

#include <cmath>

#include "support/in_process.hpp"
#include "support/toy.hpp"

namespace {

using namespace tokenyard;
using test::metric_of;

// Loads from quiet to overloaded, plenty of memory to very little, with and without an end.
std::vector<scenario::Plan> assorted_plans() {
  std::vector<scenario::Plan> plans;
  for (std::int64_t seed = 1; seed <= 12; ++seed) {
    test::ToyOptions options;
    options.seed = seed;
    options.nodes = 1 + seed % 3;
    options.serving.router = static_cast<scenario::RouterKind>(seed % 6);
    if (seed % 2 == 0) options.serving.scheduler.policy = scenario::BatchPolicy::prefill_first;
    if (seed % 3 == 0) options.kv_blocks = 60 + seed;
    options.workload = test::toy_workload(0.5 * static_cast<double>(seed * seed), 300, 1, 1);
    options.workload.generator->input.kind = workload::LengthKind::lognormal;
    options.workload.generator->input.median = 300.0;
    options.workload.generator->input.max = 2000;
    options.workload.generator->output.kind = workload::LengthKind::geometric;
    options.workload.generator->output.mean = 80.0;
    auto plan = test::toy_plan(options);
    if (seed % 4 == 1) plan.scenario.duration = seconds(8);
    if (seed % 4 == 1) plan.scenario.warmup = seconds(2);
    plans.push_back(plan);
  }
  return plans;
}

}  // namespace

TEST_CASE(
    "every request is finished, rejected or unfinished; every finished one has all its tokens") {
  std::int64_t rejected = 0;
  std::int64_t unfinished = 0;
  std::int64_t preemptions = 0;
  for (const scenario::Plan& plan : assorted_plans()) {
    CAPTURE(plan.scenario.seed);
    const auto asked = workload::open_stream(plan.scenario.workload.spec, plan.workload_options);
    std::vector<workload::Request> requests;
    for (workload::Request r; asked->next(r);) requests.push_back(r);
    const auto result = test::run_here(plan);
    CHECK(result.requests_seen ==
          result.requests_finished + result.requests_rejected + result.requests_unfinished);
    CHECK(static_cast<std::int64_t>(result.requests.size()) == result.requests_seen);
    if (!plan.scenario.duration) CHECK(result.requests_seen == 300);
    for (const auto& row : result.requests) {
      const workload::Request& r = requests[static_cast<std::size_t>(row.id)];
      REQUIRE(row.input_tokens == r.input_tokens);
      preemptions += row.preemptions;
      if (row.status == metrics::RequestStatus::finished) {
        REQUIRE(row.output_tokens == r.output_tokens);
        REQUIRE(row.arrival_s == r.arrival_s);
        REQUIRE(row.admitted_s >= row.arrival_s);
        REQUIRE(row.first_token_s > row.admitted_s);
        REQUIRE((row.finished_s > row.first_token_s) == (r.output_tokens > 1));
      } else {
        REQUIRE(row.finished_s == -1.0);
        REQUIRE(row.output_tokens < r.output_tokens);
      }
    }
    rejected += result.requests_rejected;
    unfinished += result.requests_unfinished;
  }
  CHECK(rejected > 0);
  CHECK(unfinished > 0);
  CHECK(preemptions > 0);
}

TEST_CASE(
    "Little's law for the batch: sequences in it times busy time are the requests' times in it") {
  for (const scenario::Plan& plan : assorted_plans()) {
    CAPTURE(plan.scenario.seed);
    const auto result = test::run_here(plan);
    std::int64_t preemptions = 0;
    double in_batch_s = 0.0;
    for (const auto& row : result.requests) {
      preemptions += row.preemptions;
      if (row.admitted_s < 0.0) continue;
      const double end_s =
          row.status == metrics::RequestStatus::finished ? row.finished_s : result.simulated_s;
      const double begin_s = std::max(row.admitted_s, plan.scenario.warmup.base());
      in_batch_s += std::max(0.0, end_s - begin_s);
    }
    if (preemptions > 0) continue;  // a preempted request has been out of it for a while
    const double replicas = static_cast<double>(plan.pools[0].deployments[0].replicas);
    CHECK(metric_of(result, "batch_mean") * metric_of(result, "busy_share") * replicas *
              result.measured_s ==
          doctest::Approx(in_batch_s).epsilon(1e-9));
  }
}

TEST_CASE(
    "device seconds by cause sum to the wall time, and busy ones split into prefill and decode") {
  for (const scenario::Plan& plan : assorted_plans()) {
    CAPTURE(plan.scenario.seed);
    const auto result = test::run_here(plan);
    const metrics::PoolResult& pool = result.pools[0];
    double all_s = 0.0;
    double busy_s = 0.0;
    for (std::size_t c = 0; c < kCauses; ++c) {
      CHECK(pool.device_seconds[c] >= 0.0);
      all_s += pool.device_seconds[c];
      if (c < kStepCauses) busy_s += pool.device_seconds[c];
    }
    const double wall_s = static_cast<double>(pool.devices) * result.measured_s;
    CHECK(all_s == doctest::Approx(wall_s).epsilon(1e-12));
    CHECK(pool.prefill_device_s + pool.decode_device_s == doctest::Approx(busy_s).epsilon(1e-12));
    CHECK(busy_s == doctest::Approx(metric_of(result, "busy_share") * wall_s).epsilon(1e-12));
  }
}

TEST_CASE(
    "FLOPs are those of the tokens: without preemption or reuse, 8 GFLOP a token and attention") {
  // 2 FLOP a weight: 6.4 G for each token of prompt or output that is computed, 1.6 G for each that
  // is sampled, 256,000 for each pair attended to.
  test::ToyOptions options;
  options.workload = test::toy_workload(3.0, 200, 150, 40);
  const auto result = test::run_here(test::toy_plan(options));
  const double computed = 150.0 + 39.0;
  const double pairs = computed * (computed + 1.0) / 2.0;
  const double each = 6.4e9 * computed + 1.6e9 * 40.0 + 256e3 * pairs;
  CHECK(metric_of(result, "mfu") * 100e12 * result.measured_s ==
        doctest::Approx(200.0 * each).epsilon(1e-9));
}

TEST_CASE("twice the replicas under twice the load serve twice the tokens at the same mean batch") {
  const auto run = [](std::int64_t nodes) {
    test::ToyOptions options;
    options.nodes = nodes;
    options.serving.router = scenario::RouterKind::random;
    options.workload =
        test::toy_workload(4.0 * static_cast<double>(nodes), 20'000 * nodes, 100, 100);
    return test::run_here(test::toy_plan(options));
  };
  const auto one = run(1);
  const auto two = run(2);
  // 20,000 Poisson arrivals: the rate is known to 0.7 %.
  CHECK(metric_of(two, "output_tokens_per_s") ==
        doctest::Approx(2.0 * metric_of(one, "output_tokens_per_s")).epsilon(0.03));
  CHECK(metric_of(two, "batch_mean") ==
        doctest::Approx(metric_of(one, "batch_mean")).epsilon(0.03));
}

TEST_CASE("more KV memory never delays the last token, and a faster device serves sooner") {
  const auto end_s = [](std::int64_t blocks, double bandwidth) {
    test::ToyOptions options;
    options.kv_blocks = blocks;
    options.device.memory[0].bandwidth = terabytes_per_second(bandwidth);
    options.workload = test::toy_workload(50.0, 100, 100, 100);
    return test::run_here(test::toy_plan(options)).simulated_s;
  };
  CHECK(end_s(20, 1.0) > end_s(60, 1.0));
  CHECK(end_s(60, 1.0) > end_s(200, 1.0));
  CHECK(end_s(60, 1.0) > end_s(60, 2.0));
}
