// Failures, maintenance and spares: by pencil on the toy fleet, whose replica decodes a token in 8 ms.
#include <doctest/doctest.h>

#include "support/in_process.hpp"
#include "support/toy.hpp"

namespace {

using namespace tokenyard;
using metrics::RequestStatus;
using test::request_at;
using test::row_of;

// Weights of 8 GB over NICs of 50 GB/s, from the other node or the store: 0.16 s.
constexpr double kLoadS = 0.16;

test::ToyOptions two_nodes() {
  test::ToyOptions options;
  options.nodes = 2;
  options.serving.router = scenario::RouterKind::round_robin;
  return options;
}

scenario::Plan failing(const test::ToyOptions& options, std::vector<scenario::FaultEvent> events) {
  scenario::Plan plan = test::toy_plan(options);
  plan.scenario.faults.enabled = true;
  plan.scenario.faults.device.per_year = 0.0;
  plan.scenario.faults.detection = seconds(0.1);
  plan.scenario.faults.events = std::move(events);
  return plan;
}

metrics::RunResult run(const scenario::Plan& plan, std::vector<workload::Request> requests) {
  test::ListStream stream(std::move(requests));
  return test::run_here(plan, stream);
}

double seconds_of(const metrics::RunResult& result, Cause cause) {
  return result.pools[0].device_seconds[static_cast<std::size_t>(cause)];
}

// DeepSeek-V3 on 16 ranks with so many redundant experts, 2,000 s of requests; one of its devices fails every
// 315 s.
scenario::Plan with_copies(std::int64_t copies, const std::string& repair) {
  return test::plan_of(
      "name: t\nworkload:\n  name: w\n  generator: {kind: poisson, rate: 2 /s, requests: 4000, "
      "input: "
      "500, output: 100}\nfleet:\n  pools:\n    - {name: main, node: hgx-h200, count: 2, deploy: "
      "{model: deepseek-v3, weights: fp8, kv: bf16, tensor_parallel: 1, expert_parallel: 16, "
      "attention_data_parallel: 16, redundant_experts: " +
      std::to_string(copies) +
      "}}\nfaults: {enabled: true, detection: 0.1 s, rate_scale: 25000, device: {per_year: 0.25, "
      "repair: " +
      repair + "}, node: {per_year: 0}, link: {per_year: 0}, switch: {per_year: 0}}\n");
}

}  // namespace

TEST_CASE("a failure in the middle of an answer: prompt and answer so far are computed elsewhere") {
  // Request 0 on node 0: prompt 66 ms, then 8 ms a token; at 1 s it has about 115 of 200 tokens.
  const auto whole = run(failing(two_nodes(), {}), {request_at(0, 0.0, 1000, 200)});
  const auto broken =
      run(failing(two_nodes(),
                  {{.at = seconds(1), .pool = "main", .node = 0, .duration = seconds(100)}}),
          {request_at(0, 0.0, 1000, 200)});
  const auto& row = row_of(broken, 0);
  CHECK(row.status == RequestStatus::finished);
  CHECK(row.output_tokens == 200);
  CHECK(row.attempts == 2);
  CHECK(row.replica == 1);
  CHECK(row.first_token_s == row_of(whole, 0).first_token_s);
  // 0.1 s to notice, what of a step was lost, and about 1,115 tokens computed again: 3.2e9 parameters
  // but for the LM head are 64 us a token, attention adds 1.6 ms, and it ends with a token (8 ms).
  const double again_s = 1115 * 64e-6 + 1.6e-3;
  const double lost_s = row.finished_s - row_of(whole, 0).finished_s;
  CHECK(lost_s > 0.1 + again_s - 0.0085);
  CHECK(lost_s < 0.1 + again_s + 0.0085);
  CHECK(row.phase_s[static_cast<std::size_t>(Phase::redo)] == doctest::Approx(lost_s).epsilon(0.1));
}

TEST_CASE("while every replica is down requests wait, until the weights have come back") {
  test::ToyOptions options;
  const auto result =
      run(failing(options, {{.at = seconds(1), .pool = "main", .node = 0, .duration = seconds(5)}}),
          {request_at(0, 0.0, 1000, 2), request_at(1, 2.0, 1000, 2)});
  const auto& row = row_of(result, 1);
  CHECK(row.status == RequestStatus::finished);
  const double load_s = row.admitted_s - 6.0;  // from the store, at 5 GB/s
  CHECK(load_s == doctest::Approx(8e9 / 5e9).epsilon(1e-9));
  CHECK(seconds_of(result, Cause::down) == doctest::Approx(5.0));
  CHECK(seconds_of(result, Cause::loading) == doctest::Approx(load_s));
}

TEST_CASE("weights come from the other node over the fabric") {
  const auto result = run(
      failing(two_nodes(), {{.at = seconds(1), .pool = "main", .node = 0, .duration = seconds(5)}}),
      {request_at(0, 10.0, 1000, 2)});
  const double latency_s =
      topology::FleetGraph(test::toy_plan(two_nodes())).route(0, 1).latency.base();
  CHECK(seconds_of(result, Cause::loading) == doctest::Approx(kLoadS + latency_s).epsilon(1e-9));
}

TEST_CASE("a spare takes over at once; without one the repair is waited for") {
  test::ToyOptions options = two_nodes();
  options.replicas = 1;  // the second node is a spare
  const std::vector<scenario::FaultEvent> once{
      {.at = seconds(1), .pool = "main", .node = 0, .duration = seconds(100)}};
  const auto spared = run(failing(options, once), {request_at(0, 2.9, 1000, 2)});
  CHECK(row_of(spared, 0).admitted_s < 3.0);
  // The second failure finds no spare left.
  auto twice = once;
  twice.push_back({.at = seconds(3), .pool = "main", .node = 0, .duration = seconds(10)});
  const auto out = run(failing(options, twice), {request_at(0, 4.0, 1000, 2)});
  CHECK(row_of(out, 0).admitted_s > 13.0);
}

TEST_CASE("maintenance: a node finishes what it has, takes nothing new, and the next one follows") {
  scenario::Plan plan = failing(two_nodes(), {});
  plan.scenario.faults.maintenance = {
      {.pool = "main", .start = seconds(1), .duration = seconds(10), .nodes = 1}};
  std::vector<workload::Request> requests{request_at(0, 0.0, 1000, 300)};  // 2.5 s on node 0
  for (int i = 1; i <= 4; ++i) requests.push_back(request_at(i, 1.0 + 0.1 * i, 100, 2));
  requests.push_back(request_at(5, 15.0, 100, 2));
  const auto result = run(plan, requests);
  CHECK(row_of(result, 0).attempts == 1);
  CHECK(row_of(result, 0).replica == 0);
  for (int i = 1; i <= 4; ++i) CHECK(row_of(result, i).replica == 1);
  CHECK(row_of(result, 5).replica == 0);  // the second node is away from 11 s to 21 s
  CHECK(seconds_of(result, Cause::down) > 10.0);
}

TEST_CASE("failures by rate: 1,000 device-years hold 90 failures at 9 % a year") {
  scenario::Plan plan = failing(two_nodes(), {});
  plan.scenario.faults.device = {.per_year = 0.09, .repair = seconds(0.001)};
  // 10,000 s of two devices at this scale are 1,000 years of one.
  plan.scenario.faults.rate_scale = 1000.0 * kSecondsPerYear / 20'000.0;
  plan.scenario.duration = seconds(10'000);
  const auto result = run(plan, {request_at(0, 0.0, 10, 2), request_at(1, 9'999.0, 10, 2)});
  // Poisson of mean 90: within three deviations of 9.5.
  const double failures = seconds_of(result, Cause::down) / 0.001;
  CHECK(failures > 90 - 28.5);
  CHECK(failures < 90 + 28.5);
}

TEST_CASE("a switch that fails takes those that reach the others through it alone") {
  // Leaves of two nodes each: a leaf's failure cuts two off; the replicas there lose their work.
  scenario::Plan plan = failing(two_nodes(), {});
  plan.scenario.faults.network_switch = {.per_year = kSecondsPerYear / 2.0, .repair = seconds(0.5)};
  plan.scenario.duration = seconds(20);
  const auto result = run(plan, {request_at(0, 0.0, 1000, 2), request_at(1, 19.0, 1000, 2)});
  // The only switch: the node that counts as cut off is all but the largest part that is left.
  CHECK(seconds_of(result, Cause::down) > 0.0);
}

TEST_CASE(
    "redundant experts: a replica survives as many devices as its copies cover, and not one more") {
  // 256 experts: 32 copies cover 16 * 32 / 288 = 1.8 devices, 16 copies 0.9, 64 copies 3.2.
  const auto down_s = [](std::int64_t copies, const std::string& repair) {
    const auto result = test::run_here(with_copies(copies, repair));
    CHECK(result.requests_finished == 4000);
    std::int64_t again = 0;
    for (const auto& row : result.requests) again += row.attempts - 1;
    CHECK(again > 0);
    return seconds_of(result, Cause::down);
  };
  // Repaired within 30 s, hardly two are away at once.
  const double without = down_s(16, "30 s");
  CHECK(without >= 16 * 30.0);
  CHECK(down_s(32, "30 s") < 0.5 * without);
  CHECK(down_s(64, "30 s") == 0.0);
  // Where nothing is repaired the second one takes it down.
  CHECK(down_s(32, "1 h") > 16 * 3000.0);
}

TEST_CASE(
    "redundant experts: two of 16 devices less, and work takes 16/14 of its time, latencies as "
    "long") {
  const scenario::Plan plan = with_copies(64, "1 s");
  const scenario::DeploymentPlan& d = plan.pools[0].deployments[0];
  const perf::StepModel model(plan.pools[0], d, plan.scenario.serving, plan.fabric);
  perf::StepCost whole = model.decode_run({.sequences = 16, .context = 16 * 600.0}).first;
  perf::StepCost fewer = whole;
  fewer.stretch(16.0 / 14.0);
  CHECK(fewer[Cause::weight_bw] == doctest::Approx(whole[Cause::weight_bw] * 16 / 14));
  CHECK(fewer[Cause::launch] == whole[Cause::launch]);
  CHECK(fewer[perf::Work::bytes_weights] == whole[perf::Work::bytes_weights]);
  // 256 copies cover 8 devices.  Those that are not repaired slow the fleet down for the rest of the run, to
  // half its speed at most.
  const auto repaired = test::run_here(with_copies(256, "1 s"));
  const auto unrepaired = test::run_here(with_copies(256, "1 h"));
  CHECK(seconds_of(unrepaired, Cause::down) == 0.0);
  const double before_s = test::metric_of(repaired, "tpot_mean_s");
  const double after_s = test::metric_of(unrepaired, "tpot_mean_s");
  CHECK(after_s > 1.02 * before_s);
  CHECK(after_s < 2.0 * before_s);
}

TEST_CASE("redundant experts: what is lost with a device is the same step by step") {
  const scenario::Plan plan = with_copies(64, "30 s");
  const auto fast = test::run_here(plan);
  const auto slow = test::run_here(plan, true);
  for (const auto& row : fast.requests) {
    const auto& other = row_of(slow, row.id);
    REQUIRE(row.attempts == other.attempts);
    REQUIRE(row.finished_s == doctest::Approx(other.finished_s).epsilon(1e-9));
  }
}

TEST_CASE("redundant experts: with a device go the histories of one session in 16") {
  // 64 sessions of two turns; about every 315 s a device fails, three of 16 at most, none is repaired.
  std::vector<workload::Request> requests;
  for (std::int64_t i = 0; i < 64; ++i) {
    requests.push_back(request_at(i, 1.0, 1000, 10));
    requests.back().session = i;
  }
  for (std::int64_t i = 0; i < 64; ++i) {
    workload::Request next = test::request_after(64 + i, {i}, 800.0, 1200, 10);
    next.session = i;
    next.turn = 1;
    requests.push_back(next);
  }
  const auto result = run(with_copies(64, "1 h"), std::move(requests));
  REQUIRE(result.requests_finished == 128);
  CHECK(seconds_of(result, Cause::down) == 0.0);
  std::vector<std::int64_t> lost;
  for (std::int64_t i = 0; i < 64; ++i) {
    if (row_of(result, 64 + i).cached_tokens == 0) lost.push_back(i % 16);
  }
  // Whole ranks: the first, the second, ... so many times.
  REQUIRE(!lost.empty());
  CHECK(lost.size() % 4 == 0);
  const auto ranks = static_cast<std::int64_t>(lost.size()) / 4;
  CHECK(ranks <= 3);
  for (const std::int64_t rank : lost) CHECK(rank < ranks);
}
