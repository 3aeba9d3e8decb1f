// What a run reports of its requests, sessions and replicas: by pencil on the toy fleet, whose replica
// decodes a token in 8 ms.
#include <doctest/doctest.h>

#include "support/in_process.hpp"
#include "support/toy.hpp"

namespace {

using namespace tokenyard;
using metrics::RequestStatus;
using test::metric_of;
using test::request_after;
using test::request_at;
using test::row_of;

metrics::RunResult run(const scenario::Plan& plan, std::vector<workload::Request> requests) {
  test::ListStream stream(std::move(requests));
  return test::run_here(plan, stream);
}

std::vector<workload::Request> of_one_session(std::vector<workload::Request> requests) {
  for (std::size_t i = 0; i < requests.size(); ++i) {
    requests[i].session = 0;
    requests[i].turn = static_cast<std::int32_t>(i);
  }
  return requests;
}

}  // namespace

TEST_CASE("a session of two turns takes 3 s more than they do when its tool takes 3 s") {
  const auto result =
      run(test::toy_plan({}),
          of_one_session({request_at(0, 1.0, 1000, 10), request_after(1, {0}, 3.0, 1100)}));
  CHECK(metric_of(result, "sessions_finished") == 1.0);
  CHECK(metric_of(result, "requests_per_session") == 2.0);
  CHECK(metric_of(result, "session_time_mean_s") ==
        doctest::Approx(metric_of(result, "session_serving_time_mean_s") + 3.0));
  const metrics::RequestRow& second = row_of(result, 1);
  CHECK(metric_of(result, "session_time_mean_s") == second.finished_s - 1.0);
  CHECK(metric_of(result, "session_return_ttft_mean_s") == second.first_token_s - second.arrival_s);
}

TEST_CASE("the phases' means sum to the mean end-to-end latency") {
  test::ToyOptions options;
  options.serving.scheduler.max_batch = 2;
  options.workload = test::toy_workload(30.0, 60, 500, 20);
  const auto result = test::run_here(test::toy_plan(options));
  double sum_s = 0.0;
  double shares = 0.0;
  for (const std::string_view phase : enum_names(Phase{})) {
    sum_s += metric_of(result, "phase_" + std::string(phase) + "_mean_s");
    shares += metric_of(result, "phase_" + std::string(phase) + "_share");
  }
  CHECK(sum_s == doctest::Approx(metric_of(result, "e2el_mean_s")).epsilon(1e-9));
  CHECK(shares == doctest::Approx(1.0).epsilon(1e-9));
  CHECK(metric_of(result, "phase_queue_capacity_share") > 0.0);
}

TEST_CASE("a client that leaves loses its session: three abandoned, of which two never came") {
  test::ToyOptions options;
  options.serving.scheduler.max_batch = 1;
  std::vector<workload::Request> requests = of_one_session(
      {request_at(1, 0.0, 100, 5), request_after(2, {1}, 1.0), request_after(3, {2}, 1.0)});
  requests[0].patience_s = 0.1;
  requests.insert(requests.begin(), request_at(0, 0.0, 1000, 100));  // takes 0.9 s
  const auto result = run(test::toy_plan(options), requests);
  CHECK(result.requests_abandoned == 3);
  CHECK(result.requests_finished == 1);
  CHECK(metric_of(result, "sessions_lost") == 1.0);
  CHECK(metric_of(result, "attempts_mean") == 1.0);
  CHECK(row_of(result, 1).attempts == 1);
  CHECK(row_of(result, 3).attempts == 0);
}

TEST_CASE("of two samples the shorter is wanted, and what the other has produced is wasted") {
  std::vector<workload::Request> requests{request_at(0, 0.0, 1000, 50),
                                          request_at(1, 0.0, 1000, 100)};
  for (workload::Request& r : requests) r.group = 7;
  const auto result = run(test::toy_plan({}), requests);
  CHECK(result.requests_cancelled == 1);
  CHECK(row_of(result, 1).output_tokens > 0);
  CHECK(metric_of(result, "output_tokens_wasted") ==
        static_cast<double>(row_of(result, 1).output_tokens));
}

TEST_CASE("what is given up when a client asks again is wasted with what it has in the end") {
  test::ToyOptions options;
  options.serving.client.timeout = seconds(1);
  options.serving.client.waits_for = scenario::WaitsFor::answer;
  options.serving.client.retries = 1;
  const auto result = run(test::toy_plan(options), {request_at(0, 0.0, 1000, 200)});
  // Two attempts of 1 s, each cut at the step boundary after it: 66 ms, then 117 or 118 tokens.
  CHECK(metric_of(result, "output_tokens_wasted") >= 2 * 110.0);
  CHECK(metric_of(result, "output_tokens_wasted") <= 2 * 120.0);
  CHECK(metric_of(result, "attempts_mean") == 2.0);
}

TEST_CASE("one of two replicas is down for 2 s and loads for 0.16 s: half of that is missing") {
  test::ToyOptions options;
  options.nodes = 2;
  scenario::Plan plan = test::toy_plan(options);
  plan.scenario.faults.enabled = true;
  plan.scenario.faults.device.per_year = 0.0;
  plan.scenario.faults.events = {
      {.at = seconds(1), .pool = "main", .node = 1, .duration = seconds(2)}};
  const auto result = run(plan, {request_at(0, 0.0, 1000, 600)});  // 4.9 s, on the other
  CHECK(metric_of(result, "failures") == 1.0);
  const double away = 2.16 / result.simulated_s;
  CHECK(metric_of(result, "availability") == doctest::Approx(1.0 - away / 2.0));
  CHECK(metric_of(result, "replicas_on_mean") == doctest::Approx(2.0 - away));
}

TEST_CASE("where nothing fails and nothing scales there is no availability to speak of") {
  const auto result = run(test::toy_plan({}), {request_at(0, 0.0, 1000, 10)});
  for (const metrics::MetricValue& m : result.metrics)
    CHECK_MESSAGE((m.name != "availability" && m.name != "failures"), m.name);
}
