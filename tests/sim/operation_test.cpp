// Clients, orders of admission, overload, samples of which one is wanted: by pencil on the toy fleet.
//
// A toy replica decodes a sequence in 8 ms a token (8 GB of weights at 1 TB/s) and computes a prompt of
// 1,000 tokens in 66 ms (2 * 3.2e9 * 1,000 FLOP at 100 TFLOP/s, without the LM head; attention adds 2 ms).
#include <doctest/doctest.h>

#include <algorithm>

#include "support/in_process.hpp"
#include "support/toy.hpp"

namespace {

using namespace tokenyard;
using metrics::RequestStatus;
using test::request_at;
using test::row_of;

metrics::RunResult run(const test::ToyOptions& options, std::vector<workload::Request> requests,
                       std::vector<std::string> classes = {"default"}) {
  test::ListStream stream(std::move(requests));
  stream.name_classes(std::move(classes));
  return test::run_here(test::toy_plan(options), stream);
}

// One request at a time.
test::ToyOptions one_by_one() {
  test::ToyOptions options;
  options.serving.scheduler.max_batch = 1;
  return options;
}

std::vector<std::int64_t> order_of_start(const metrics::RunResult& result) {
  std::vector<metrics::RequestRow> rows = result.requests;
  std::sort(rows.begin(), rows.end(),
            [](const auto& a, const auto& b) { return a.admitted_s < b.admitted_s; });
  std::vector<std::int64_t> ids;
  for (const auto& row : rows) ids.push_back(row.id);
  return ids;
}

double phase(const metrics::RequestRow& row, Phase p) {
  return row.phase_s[static_cast<std::size_t>(p)];
}

}  // namespace

TEST_CASE("priority: the higher class first, within a class first come") {
  test::ToyOptions options = one_by_one();
  options.serving.scheduler.admission = scenario::Admission::priority;
  options.serving.scheduler.priorities = {{"gold", 2}, {"batch", -1}};
  std::vector<workload::Request> requests;
  const std::vector<int> classes{0, 2, 0, 1, 2, 1};  // of requests 1 to 6; 1 starts at once
  for (int i = 0; i < 6; ++i) {
    requests.push_back(request_at(i + 1, 0.001 * i, 100, 10));
    requests.back().class_id = classes[static_cast<std::size_t>(i)];
  }
  const auto result = run(options, requests, {"default", "gold", "batch"});
  CHECK(order_of_start(result) == std::vector<std::int64_t>{1, 4, 6, 3, 2, 5});
  // 2 came first and was passed by 4, 6 and 3; what the full batch kept from entering is capacity.
  CHECK(phase(row_of(result, 2), Phase::queue_capacity) > 0.0);
}

TEST_CASE("shortest-job-first without prediction error starts the shortest answers first") {
  test::ToyOptions options = one_by_one();
  options.serving.scheduler.admission = scenario::Admission::shortest_job_first;
  options.serving.scheduler.length_error = 0.0;
  std::vector<workload::Request> requests;
  const std::vector<int> outputs{5, 50, 20, 10, 40};
  for (int i = 0; i < 5; ++i)
    requests.push_back(request_at(i, 0.001 * i, 100, outputs[static_cast<std::size_t>(i)]));
  CHECK(order_of_start(run(options, requests)) == std::vector<std::int64_t>{0, 3, 2, 4, 1});
}

TEST_CASE("ageing: who has waited a step's time longer is a step higher, and no more") {
  test::ToyOptions options = one_by_one();
  options.serving.scheduler.admission = scenario::Admission::priority;
  options.serving.scheduler.priorities = {{"gold", 1}};
  // A request of half a second at a time; gold ones keep coming, and one of the others came first.
  std::vector<workload::Request> requests;
  for (int i = 0; i < 8; ++i) {
    requests.push_back(request_at(i, 0.2 * i, 100, 60));
    requests.back().class_id = i == 1 ? 0 : 1;
  }
  const auto place_of_1 = [&](std::optional<Seconds> ageing) {
    options.serving.scheduler.ageing = ageing;
    const std::vector<std::int64_t> order =
        order_of_start(run(options, requests, {"default", "gold"}));
    return std::find(order.begin(), order.end(), 1) - order.begin();
  };
  CHECK(place_of_1(std::nullopt) == 7);
  // It came 0.2 s before the second, 0.4 s before the third, ...
  CHECK(place_of_1(seconds(0.19)) == 1);
  CHECK(place_of_1(seconds(0.39)) == 2);
  CHECK(place_of_1(seconds(0.59)) == 3);
  CHECK(place_of_1(seconds(10)) == 7);
}

TEST_CASE("ageing: long answers are not passed for ever by short ones") {
  test::ToyOptions options = one_by_one();
  options.serving.scheduler.admission = scenario::Admission::shortest_job_first;
  options.serving.scheduler.length_error = 0.0;
  std::vector<workload::Request> requests{request_at(0, 0.0, 100, 60),
                                          request_at(1, 0.1, 100, 100)};
  for (int i = 2; i < 8; ++i) requests.push_back(request_at(i, 0.2 * i, 100, 60));
  const auto place_of_1 = [&](std::optional<Seconds> ageing) {
    options.serving.scheduler.ageing = ageing;
    const std::vector<std::int64_t> order = order_of_start(run(options, requests));
    return std::find(order.begin(), order.end(), 1) - order.begin();
  };
  CHECK(place_of_1(std::nullopt) == 7);
  // 40 tokens more weigh as much as 40 ageings: of those that came within that after it, all go before it.
  CHECK(place_of_1(seconds(0.4 / 40)) == 2);  // 0.4 s came 0.3 s later
  CHECK(place_of_1(seconds(0.6 / 40)) == 3);  // 0.6 s: 0.5 s
  CHECK(place_of_1(seconds(0.001 / 40)) == 1);
}

TEST_CASE("fair-share: a tenant's one prompt passes the ten that another has sent before") {
  test::ToyOptions options = one_by_one();
  std::vector<workload::Request> requests;
  for (int i = 0; i < 10; ++i) requests.push_back(request_at(i, 0.001 * i, 1000, 10));
  requests.push_back(request_at(10, 0.02, 1000, 10));
  requests.back().tenant = 1;
  CHECK(order_of_start(run(options, requests)).back() == 10);
  options.serving.scheduler.admission = scenario::Admission::fair_share;
  const std::vector<std::int64_t> order = order_of_start(run(options, requests));
  CHECK(std::find(order.begin(), order.end(), 10) - order.begin() <= 2);
}

TEST_CASE("waiting is divided: capacity while the batch is full, priority while overtaken") {
  test::ToyOptions options;
  options.serving.scheduler.max_batch = 2;
  options.serving.scheduler.max_batch_tokens = 1001;
  options.serving.scheduler.admission = scenario::Admission::priority;
  options.serving.scheduler.priorities = {{"gold", 1}};
  // 0 computes a prompt of 4 steps; 1 lines up, then 2, which is better and takes the next steps.
  std::vector<workload::Request> requests{request_at(0, 0.0, 4000, 2), request_at(1, 0.01, 1000, 2),
                                          request_at(2, 0.02, 3000, 2)};
  requests[2].class_id = 1;
  const auto result = run(options, requests, {"default", "gold"});
  const metrics::RequestRow& overtaken = row_of(result, 1);
  CHECK(overtaken.admitted_s > row_of(result, 2).admitted_s);
  const double priority_s = phase(overtaken, Phase::queue_priority);
  const double arrival_s = phase(overtaken, Phase::queue_arrival);
  const double capacity_s = phase(overtaken, Phase::queue_capacity);
  CHECK(priority_s + capacity_s > 0.0);
  CHECK(arrival_s > 3 * 1001 * 64e-6 - 0.01);  // the steps of 0 before 2 gets the rest of one
  CHECK(priority_s + arrival_s + capacity_s ==
        doctest::Approx(overtaken.admitted_s - overtaken.arrival_s));
}

TEST_CASE("a client without patience leaves, in line and in the batch, and its blocks return") {
  test::ToyOptions options = one_by_one();
  std::vector<workload::Request> requests{request_at(0, 0.0, 1000, 100),
                                          request_at(1, 0.1, 1000, 5), request_at(2, 0.2, 1000, 5)};
  requests[1].patience_s = 0.5;  // 0 takes about 0.9 s
  const auto result = run(options, requests);
  CHECK(row_of(result, 1).status == RequestStatus::abandoned);
  CHECK(row_of(result, 1).output_tokens == 0);
  CHECK(row_of(result, 2).status == RequestStatus::finished);
  // Within its own prompt: 5,000 tokens take five steps of 66 ms or more, and it leaves after the second.
  std::vector<workload::Request> alone{request_at(0, 0.0, 5000, 10), request_at(1, 0.0, 1000, 10)};
  alone[0].patience_s = 0.1;
  const auto left = run(options, alone);
  CHECK(row_of(left, 0).status == RequestStatus::abandoned);
  CHECK(row_of(left, 1).admitted_s > 0.1);
  CHECK(row_of(left, 1).admitted_s < 0.25);
}

TEST_CASE("who has the first token in time stays") {
  test::ToyOptions options;
  std::vector<workload::Request> requests{request_at(0, 0.0, 1000, 100)};
  requests[0].patience_s = 0.2;
  CHECK(row_of(run(options, requests), 0).status == RequestStatus::finished);
}

TEST_CASE("what would follow an abandoned turn does not come") {
  test::ToyOptions options = one_by_one();
  std::vector<workload::Request> requests{request_at(0, 0.0, 1000, 100), request_at(1, 0.0, 100, 5),
                                          test::request_after(2, {1}, 1.0),
                                          test::request_after(3, {2}, 1.0)};
  requests[1].patience_s = 0.1;
  const auto result = run(options, requests);
  CHECK(result.requests.size() == 4);
  for (const int id : {1, 2, 3}) CHECK(row_of(result, id).status == RequestStatus::abandoned);
}

TEST_CASE("a client that times out asks again after its backoff, and gives up after its retries") {
  test::ToyOptions options = one_by_one();
  options.serving.client.timeout = seconds(0.1);
  options.serving.client.retries = 2;
  options.serving.client.backoff = seconds(0.5);
  // 0 is served for about 0.87 s; 1 asks at 0, 0.1 + 0.5 and 0.7 + 1 s, when the replica is free.
  std::vector<workload::Request> requests{request_at(0, 0.0, 1000, 100),
                                          request_at(1, 0.0, 100, 5)};
  const auto result = run(options, requests);
  CHECK(row_of(result, 0).attempts == 1);
  const metrics::RequestRow& again = row_of(result, 1);
  CHECK(again.status == RequestStatus::finished);
  CHECK(again.attempts == 3);
  CHECK(again.arrival_s == 0.0);
  CHECK(again.admitted_s == doctest::Approx(1.7).epsilon(0.001));
  options.serving.client.retries = 1;
  CHECK(row_of(run(options, requests), 1).status == RequestStatus::abandoned);
}

TEST_CASE("a client that waits for the answer throws away what it has when it asks again") {
  test::ToyOptions options;
  options.serving.client.timeout = seconds(1);
  options.serving.client.waits_for = scenario::WaitsFor::answer;
  options.serving.client.retries = 1;
  // 200 tokens at 8 ms take 1.6 s: each attempt breaks off in its decoding.
  const auto result = run(options, {request_at(0, 0.0, 1000, 200), request_at(1, 10.0, 1000, 50)});
  CHECK(row_of(result, 0).status == RequestStatus::abandoned);
  CHECK(row_of(result, 0).attempts == 2);
  CHECK(row_of(result, 1).status == RequestStatus::finished);
}

TEST_CASE("of four samples the shortest ends, the others are cancelled with the tokens they have") {
  test::ToyOptions options;
  std::vector<workload::Request> requests;
  for (int i = 0; i < 4; ++i) {
    requests.push_back(request_at(i, 0.0, 200, 40 - 5 * i));
    requests.back().group = 9;
  }
  requests.push_back(test::request_after(4, {0, 1, 2, 3}, 0.5));
  const auto result = run(options, requests);
  CHECK(row_of(result, 3).status == RequestStatus::finished);
  for (const int id : {0, 1, 2}) {
    CHECK(row_of(result, id).status == RequestStatus::cancelled);
    CHECK(row_of(result, id).output_tokens == 25);
  }
  CHECK(row_of(result, 4).arrival_s == doctest::Approx(row_of(result, 3).finished_s + 0.5));
}

TEST_CASE("samples that end with the same step have both finished, and the next turn comes once") {
  test::ToyOptions options;
  std::vector<workload::Request> requests;
  for (int i = 0; i < 3; ++i) {
    requests.push_back(request_at(i, 0.0, 200, i == 2 ? 60 : 40));
    requests.back().group = 9;
    requests.back().session = 1;
  }
  const auto last_turn = run(options, requests);
  for (const int id : {0, 1}) CHECK(row_of(last_turn, id).status == RequestStatus::finished);
  CHECK(row_of(last_turn, 2).status == RequestStatus::cancelled);
  requests.push_back(test::request_after(3, {0, 1, 2}, 0.5));
  CHECK(row_of(run(options, requests), 3).arrival_s ==
        doctest::Approx(row_of(last_turn, 0).finished_s + 0.5));
}

TEST_CASE("a client that asked twice stays for the sample that is there; without one it leaves") {
  test::ToyOptions options = one_by_one();
  // The first sample has its first token after 0.08 s, the second stands in line for 0.87 s.
  std::vector<workload::Request> requests{request_at(0, 0.0, 1000, 100),
                                          request_at(1, 0.0, 1000, 100),
                                          test::request_after(2, {0, 1}, 0.5)};
  for (int i = 0; i < 2; ++i) {
    requests[static_cast<std::size_t>(i)].group = 3;
    requests[static_cast<std::size_t>(i)].patience_s = 0.2;
  }
  const auto stays = run(options, requests);
  CHECK(row_of(stays, 0).status == RequestStatus::finished);
  CHECK(row_of(stays, 1).status == RequestStatus::cancelled);
  CHECK(row_of(stays, 2).status == RequestStatus::finished);
  for (int i = 0; i < 2; ++i) requests[static_cast<std::size_t>(i)].patience_s = 0.05;
  const auto leaves = run(options, requests);
  for (const int id : {0, 1, 2}) CHECK(row_of(leaves, id).status == RequestStatus::abandoned);
}

TEST_CASE("a session that loses one of two branches is lost, whatever becomes of the other") {
  test::ToyOptions options = one_by_one();
  std::vector<workload::Request> requests{request_at(0, 0.0, 100, 2),
                                          test::request_after(1, {0}, 0.1, 1000, 50),
                                          test::request_after(2, {0}, 0.1, 1000, 50)};
  for (workload::Request& r : requests) r.session = 5;
  requests[2].patience_s = 0.2;  // it stands behind the other
  const auto result = run(options, requests);
  CHECK(row_of(result, 1).status == RequestStatus::finished);
  CHECK(row_of(result, 2).status == RequestStatus::abandoned);
  CHECK(test::metric_of(result, "sessions_finished") == 0);
  CHECK(test::metric_of(result, "sessions_lost") == 1);
}

TEST_CASE("of two samples the second is turned away: the first answers, and the next turn comes") {
  test::ToyOptions options;
  options.serving.overload = {.policy = scenario::Overload::reject, .ttft = seconds(0.1)};
  std::vector<workload::Request> requests{request_at(0, 0.0, 1000, 20),
                                          request_at(1, 0.0, 1000, 20),
                                          test::request_after(2, {0, 1}, 0.5)};
  for (workload::Request& r : requests) r.session = 5;
  for (std::size_t i = 0; i < 2; ++i) requests[i].group = 3;
  const auto result = run(options, requests);
  CHECK(test::metric_of(result, "sessions_finished") == 1);
  CHECK(test::metric_of(result, "sessions_lost") == 0);
  CHECK(row_of(result, 0).status == RequestStatus::finished);
  CHECK(row_of(result, 1).status == RequestStatus::rejected);
  CHECK(row_of(result, 2).status == RequestStatus::finished);
  CHECK(row_of(result, 2).arrival_s == doctest::Approx(row_of(result, 0).finished_s + 0.5));
}

TEST_CASE("overload: what would be too late is turned away, or goes behind") {
  test::ToyOptions options = one_by_one();
  options.serving.overload = {.policy = scenario::Overload::reject, .ttft = seconds(0.25)};
  // Prompts of 80 ms: two in line and its own are 0.24 s, three are 0.32 s.
  std::vector<workload::Request> requests;
  for (int i = 0; i < 5; ++i) requests.push_back(request_at(i, 0.0, 1000, 2));
  const auto rejected = run(options, requests);
  CHECK(rejected.requests_rejected == 2);
  CHECK(row_of(rejected, 3).status == RequestStatus::rejected);
  options.serving.overload.policy = scenario::Overload::defer;
  requests.push_back(request_at(5, 0.15, 100, 2));
  const auto deferred = run(options, requests);
  CHECK(deferred.requests_rejected == 0);
  CHECK(order_of_start(deferred) == std::vector<std::int64_t>{0, 1, 2, 5, 3, 4});
}

TEST_CASE("overload: who is deferred is not counted before those that pass it") {
  test::ToyOptions options = one_by_one();
  options.serving.overload = {.policy = scenario::Overload::defer, .ttft = seconds(0.25)};
  // Of five prompts of 66 ms three are in time.  A sixth at 0.1 s has one and a half of them before it, and
  // the two that are deferred behind it: 0.17 s, not 0.3 s.
  std::vector<workload::Request> requests;
  for (int i = 0; i < 5; ++i) requests.push_back(request_at(i, 0.0, 1000, 2));
  requests.push_back(request_at(5, 0.1, 1000, 2));
  CHECK(order_of_start(run(options, requests)) == std::vector<std::int64_t>{0, 1, 2, 5, 3, 4});
}

TEST_CASE("swapped sequences come back from the host's memory instead of being computed again") {
  test::ToyOptions options;
  options.kv_blocks = 40;
  options.workload = test::toy_workload(20.0, 30, 100, 120);
  const auto computed = test::run_here(test::toy_plan(options));
  options.serving.scheduler.preemption = scenario::Preemption::swap;
  const auto swapped = test::run_here(test::toy_plan(options));
  const auto sum = [](const metrics::RunResult& r, Phase p) {
    double s = 0.0;
    for (const auto& row : r.requests) s += phase(row, p);
    return s;
  };
  CHECK(test::metric_of(computed, "preemptions") > 0.0);
  CHECK(test::metric_of(swapped, "preemptions") > 0.0);
  CHECK(swapped.requests_finished == 30);
  // Nothing is computed twice.
  CHECK(swapped.pools[0].prefill_device_s < computed.pools[0].prefill_device_s);
  CHECK(sum(swapped, Phase::redo) > 0.0);
}

TEST_CASE("routes: small prompts to the small pool, others to the rest, and over when it is full") {
  const auto plan = [](const std::string& spill) {
    return test::plan_of(
        "name: t\nworkload:\n  name: w\n  generator: {kind: poisson, rate: 4 /s, requests: 100, "
        "input: {kind: uniform, min: 10, max: 2000}, output: 20}\nfleet:\n  pools:\n"
        "    - {name: small, node: dgx-h100, deploy: {model: llama-3.1-8b, replicas: 1}}\n"
        "    - {name: large, node: dgx-h100, deploy: {model: llama-3.1-8b, replicas: 2}}\n"
        "serving: {routes: [{pool: small, max_input_tokens: 500, spill: " +
        spill + "}]}\n");
  };
  const auto result = test::run_here(plan("true"));
  int small = 0;
  for (const auto& row : result.requests) {
    CHECK(row.deployment == (row.input_tokens <= 500 ? 0 : 1));
    small += row.deployment == 0 ? 1 : 0;
  }
  CHECK(small > 10);
}

TEST_CASE("the router's latency is part of every time to first token") {
  test::ToyOptions options;
  const std::vector<workload::Request> requests{request_at(0, 1.0, 1000, 2)};
  const double without_s = row_of(run(options, requests), 0).first_token_s;
  options.serving.router_latency = milliseconds(20);
  const auto with = run(options, requests);
  CHECK(row_of(with, 0).first_token_s - without_s == doctest::Approx(0.02));
  CHECK(phase(row_of(with, 0), Phase::front_end) == doctest::Approx(0.02));
}
