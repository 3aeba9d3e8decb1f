// Several models on the same devices, one of them loaded at a time.
//
// Toy models of 8 GB, parked in DDR at 200 GB/s: 40 ms to load one.
#include <doctest/doctest.h>

#include <algorithm>

#include "support/in_process.hpp"
#include "support/toy.hpp"

namespace {

using namespace tokenyard;
using test::metric_of;
using test::request_at;
using test::row_of;

constexpr double kLoadS = 0.040;

catalog::Device with_ddr() {
  catalog::Device device = test::toy_device();
  catalog::MemoryTier ddr;
  ddr.tier = "ddr";
  ddr.capacity = gigabytes(1500);
  ddr.bandwidth = gigabytes_per_second(200);
  ddr.holds = {catalog::Holds::models};
  device.memory.push_back(ddr);
  return device;
}

scenario::Plan shared(const scenario::SharingSpec& sharing, std::int64_t slots = 1,
                      int models = 2) {
  test::ToyOptions options;
  options.device = with_ddr();
  options.nodes = slots;
  scenario::Plan plan = test::toy_plan(options);
  scenario::PoolPlan& pool = plan.pools.front();
  for (int i = 1; i < models; ++i) {
    pool.deployments.push_back(pool.deployments.front());
    pool.deployments.back().model.name += '-' + std::to_string(i);
  }
  pool.sharing = sharing;
  return plan;
}

// A request for the i-th model of the list.
workload::Request for_model(int i, workload::Request request) {
  request.model = i + 1;
  return request;
}

metrics::RunResult run(const scenario::Plan& plan, std::vector<workload::Request> requests,
                       bool per_step = false) {
  test::ListStream stream(std::move(requests));
  std::vector<std::string> names{""};
  for (const auto& d : plan.pools.front().deployments) names.push_back(d.model.name);
  stream.name_models(names);
  return test::run_here(plan, stream, per_step);
}

double loading_s(const metrics::RunResult& result) {
  return result.pools[0].device_seconds[static_cast<std::size_t>(Cause::loading)];
}

const scenario::SharingSpec kIdle{.swap_after = scenario::SwapAfter::idle,
                                  .min_residence = std::nullopt};

scenario::SharingSpec residence(double s) {
  return {.swap_after = scenario::SwapAfter::residence, .min_residence = seconds(s)};
}

}  // namespace

TEST_CASE(
    "shared devices: the other model's request waits for the first to be done, and 40 ms more") {
  const auto result = run(shared(kIdle), {for_model(0, request_at(0, 0.0, 1000, 100)),
                                          for_model(1, request_at(1, 0.1, 1000, 100))});
  const auto& first = row_of(result, 0);
  const auto& second = row_of(result, 1);
  CHECK(first.admitted_s == 0.0);
  CHECK(second.admitted_s == doctest::Approx(first.finished_s + kLoadS).epsilon(1e-12));
  CHECK(second.finished_s - second.admitted_s ==
        doctest::Approx(first.finished_s - first.admitted_s).epsilon(1e-12));
  CHECK(loading_s(result) == doctest::Approx(kLoadS).epsilon(1e-12));
  CHECK(metric_of(result, "model_swaps") == 1.0);
  // Waiting for another model's weights is waiting for room.
  CHECK(second.phase_s[static_cast<std::size_t>(Phase::queue_capacity)] ==
        doctest::Approx(second.admitted_s - 0.1).epsilon(1e-12));
}

TEST_CASE("shared devices: an idle model gives way at once; one that nobody waits for stays") {
  const auto result = run(shared(residence(100)), {for_model(0, request_at(0, 0.0, 100, 2)),
                                                   for_model(0, request_at(1, 5.0, 100, 2)),
                                                   for_model(1, request_at(2, 10.0, 100, 2))});
  CHECK(row_of(result, 1).admitted_s == 5.0);
  CHECK(row_of(result, 2).admitted_s == doctest::Approx(10.0 + kLoadS).epsilon(1e-12));
  CHECK(metric_of(result, "model_swaps") == 1.0);
}

TEST_CASE("shared devices: after its residence a model finishes what runs and takes nothing new") {
  // Request 0 runs until about 0.87 s.  Request 2 joins it at 0.2 s; request 3 comes after the 0.4 s of
  // residence and waits for its model to come back.
  const std::vector<workload::Request> requests{
      for_model(0, request_at(0, 0.0, 1000, 100)), for_model(1, request_at(1, 0.1, 100, 10)),
      for_model(0, request_at(2, 0.2, 100, 10)), for_model(0, request_at(3, 0.5, 100, 10))};
  const auto by_residence = run(shared(residence(0.4)), requests);
  CHECK(row_of(by_residence, 2).admitted_s < 0.22);
  CHECK(row_of(by_residence, 1).admitted_s ==
        doctest::Approx(row_of(by_residence, 0).finished_s + kLoadS).epsilon(1e-12));
  CHECK(row_of(by_residence, 3).admitted_s ==
        doctest::Approx(row_of(by_residence, 1).finished_s + kLoadS).epsilon(1e-12));
  CHECK(metric_of(by_residence, "model_swaps") == 2.0);
  // Without it, the first model is served until it has nothing left.
  const auto by_idle = run(shared(kIdle), requests);
  CHECK(row_of(by_idle, 3).admitted_s < 0.52);
  CHECK(row_of(by_idle, 1).admitted_s ==
        doctest::Approx(row_of(by_idle, 0).finished_s + kLoadS).epsilon(1e-12));
  CHECK(metric_of(by_idle, "model_swaps") == 1.0);
}

TEST_CASE("shared devices: by itself a model stays ten times as long as it took to load") {
  const scenario::SharingSpec by_itself{};
  std::vector<workload::Request> requests{for_model(1, request_at(0, 0.01, 100, 10))};
  for (int i = 1; i <= 100; ++i)  // faster than one in the 8 ms of a step: never idle
    requests.push_back(for_model(0, request_at(i, 0.007 * (i - 1), 100, 1)));
  std::sort(requests.begin(), requests.end(),
            [](const auto& a, const auto& b) { return a.arrival_s < b.arrival_s; });
  for (std::size_t i = 0; i < requests.size(); ++i) requests[i].id = static_cast<std::int64_t>(i);
  const auto result = run(shared(by_itself), requests);
  const auto other = std::find_if(result.requests.begin(), result.requests.end(),
                                  [](const auto& row) { return row.deployment == 1; });
  REQUIRE(other != result.requests.end());
  CHECK(other->admitted_s > 10 * kLoadS + kLoadS);
  // The step under way is of a few prompts, 6.4 ms each.
  CHECK(other->admitted_s < 10 * kLoadS + kLoadS + 0.03);
}

TEST_CASE("shared devices: the KV cache of a session does not survive its model's absence") {
  const auto turns = [](bool other_between) {
    auto first = for_model(0, request_at(0, 0.0, 1000, 10));
    auto again = for_model(0, request_at(2, 4.0, 1010, 10));
    first.session = again.session = 1;
    again.turn = 1;
    std::vector<workload::Request> requests{first};
    if (other_between) requests.push_back(for_model(1, request_at(1, 2.0, 100, 10)));
    requests.push_back(again);
    return requests;
  };
  CHECK(row_of(run(shared(kIdle), turns(false)), 2).cached_tokens == 1008 - 1008 % 16);
  CHECK(row_of(run(shared(kIdle), turns(true)), 2).cached_tokens == 0);
}

TEST_CASE("shared devices: on two slots each model is loaded once, and requests go where it is") {
  std::vector<workload::Request> requests;
  for (int i = 0; i < 40; ++i)
    requests.push_back(for_model(i % 2, request_at(i, 0.1 * i, 500, 20)));
  const auto result = run(shared(residence(0.5), 2), requests);
  CHECK(metric_of(result, "model_swaps") == 0.0);
  for (const auto& row : result.requests) CHECK(row.replica == row.deployment);
  CHECK(result.pools[0].replicas == 2);
  CHECK(result.pools[0].devices_used == 2);
}

TEST_CASE("shared devices: a model with a full batch waiting takes an idle slot of another one") {
  // 16 fill the batch; the 17th goes to the slot that has nothing to do.
  std::vector<workload::Request> requests;
  for (int i = 0; i < 17; ++i) requests.push_back(for_model(0, request_at(i, 0.0, 100, 50)));
  const auto result = run(shared(kIdle, 2), requests);
  for (int i = 0; i < 16; ++i) CHECK(row_of(result, i).replica == 0);
  CHECK(row_of(result, 16).replica == 1);
  CHECK(row_of(result, 16).admitted_s == doctest::Approx(kLoadS).epsilon(1e-12));
}

TEST_CASE("shared devices: of several models the one whose requests have waited longest is next") {
  const auto result =
      run(shared(kIdle, 1, 4),
          {for_model(0, request_at(0, 0.0, 1000, 50)), for_model(3, request_at(1, 0.1, 100, 10)),
           for_model(1, request_at(2, 0.2, 100, 10)), for_model(2, request_at(3, 0.3, 100, 10)),
           for_model(3, request_at(4, 0.35, 100, 10))});
  CHECK(row_of(result, 1).admitted_s == row_of(result, 4).admitted_s);
  CHECK(row_of(result, 1).finished_s < row_of(result, 2).admitted_s);
  CHECK(row_of(result, 2).finished_s < row_of(result, 3).admitted_s);
  CHECK(metric_of(result, "model_swaps") == 3.0);
}

TEST_CASE("shared devices: a client that gives up takes its wish for another model with it") {
  auto impatient = for_model(1, request_at(1, 0.1, 100, 10));
  impatient.patience_s = 0.45;
  const auto result =
      run(shared(residence(0.4)), {for_model(0, request_at(0, 0.0, 1000, 100)), impatient,
                                   for_model(0, request_at(2, 0.5, 100, 10))});
  CHECK(row_of(result, 1).status == metrics::RequestStatus::abandoned);
  // Nothing new from 0.4 s on, until nobody waits any more at 0.55 s.
  CHECK(row_of(result, 2).admitted_s >= 0.55);
  CHECK(row_of(result, 2).admitted_s < 0.56);
  CHECK(metric_of(result, "model_swaps") == 0.0);
}
