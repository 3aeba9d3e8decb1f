// Requests with LoRA adapters on the toy fleet: 13.312 MB each, which 50 GB/s from the host bring in 266 us.
#include <doctest/doctest.h>

#include "support/in_process.hpp"
#include "support/toy.hpp"

namespace {

using namespace tokenyard;
using test::metric_of;
using test::request_at;
using test::row_of;

constexpr double kBytes = 16 * 8 * 52'000.0 * 2;
constexpr double kLoadS = kBytes / 50e9;

scenario::Plan with_adapters(std::int64_t adapters, std::int64_t resident,
                             test::ToyOptions options = {}) {
  catalog::Link pcie;
  pcie.name = "pcie5";
  pcie.bandwidth = gigabytes_per_second(50);
  pcie.efficiency = 1.0;
  options.device.links.push_back(pcie);
  scenario::Plan plan = test::toy_plan(options);
  catalog::Dram dram;
  dram.capacity = gigabytes(1000);
  dram.bandwidth = gigabytes_per_second(400);
  for (scenario::PoolPlan& pool : plan.pools) {
    pool.node.host.dram = dram;
    pool.deployments.front().spec.lora = {.adapters = adapters, .resident = resident};
  }
  return plan;
}

workload::Request with_adapter(std::int32_t adapter, workload::Request request) {
  request.adapter = adapter;
  return request;
}

metrics::RunResult run(const scenario::Plan& plan, std::vector<workload::Request> requests) {
  test::ListStream stream(std::move(requests));
  return test::run_here(plan, stream);
}

std::string refusal(const scenario::Plan& plan, std::vector<workload::Request> requests) {
  try {
    run(plan, std::move(requests));
  } catch (const InputError& error) {
    return error.what();
  }
  return "";
}

}  // namespace

TEST_CASE("adapters: a request waits until its adapter is there, and each step reads it") {
  const auto bare = run(with_adapters(10, 2), {request_at(0, 1.0, 50, 11)});
  const auto adapted = run(with_adapters(10, 2), {with_adapter(3, request_at(0, 1.0, 50, 11))});
  CHECK(row_of(adapted, 0).admitted_s == doctest::Approx(1.0 + kLoadS).epsilon(1e-12));
  // Eleven steps: the prompt's reads 13.3 MB (its 0.7 GFLOP take half as long), and so does each after it.
  const double read_s = kBytes / 1e12;
  CHECK(row_of(adapted, 0).finished_s - row_of(bare, 0).finished_s ==
        doctest::Approx(kLoadS + 11 * read_s).epsilon(1e-9));
  CHECK(metric_of(adapted, "adapter_loads") == 1.0);
  CHECK(metric_of(bare, "adapter_loads") == 0.0);
  CHECK(adapted.pools[0].device_seconds[static_cast<std::size_t>(Cause::loading)] ==
        doctest::Approx(kLoadS).epsilon(1e-12));
}

TEST_CASE("adapters: one that is resident is used again, the one unused for longest goes") {
  std::vector<workload::Request> requests;
  const std::vector<std::int32_t> adapters{1, 2, 1, 3, 1, 2};
  for (std::size_t i = 0; i < adapters.size(); ++i)
    requests.push_back(with_adapter(
        adapters[i], request_at(static_cast<std::int64_t>(i), static_cast<double>(i), 100, 5)));
  const auto result = run(with_adapters(10, 2), requests);
  // 1 and 2 are loaded, 1 is found, 3 takes the place of 2, 1 is found, 2 comes again.
  CHECK(metric_of(result, "adapter_loads") == 4.0);
  for (const std::int64_t found : {2, 4})
    CHECK(row_of(result, found).admitted_s == static_cast<double>(found));
}

TEST_CASE("adapters: with all slots in use the first in line waits for one, and nobody passes") {
  // Two slots; requests 0 and 1 run for about 0.9 s with adapters 0 and 1.
  const auto result = run(
      with_adapters(10, 2),
      {with_adapter(0, request_at(0, 0.0, 100, 100)), with_adapter(1, request_at(1, 0.0, 100, 110)),
       with_adapter(2, request_at(2, 0.1, 100, 5)), request_at(3, 0.2, 100, 5)});
  CHECK(row_of(result, 2).admitted_s >= row_of(result, 0).finished_s + kLoadS);
  CHECK(row_of(result, 2).admitted_s < row_of(result, 0).finished_s + kLoadS + 0.01);
  CHECK(row_of(result, 3).admitted_s == row_of(result, 2).admitted_s);
  CHECK(row_of(result, 2).phase_s[static_cast<std::size_t>(Phase::queue_capacity)] > 0.7);
}

TEST_CASE("adapters: several come one after the other over the same link") {
  test::ToyOptions options;
  const auto result = run(
      with_adapters(10, 4, options),
      {with_adapter(0, request_at(0, 0.0, 100, 2)), with_adapter(1, request_at(1, 0.0, 100, 2))});
  CHECK(row_of(result, 0).admitted_s == doctest::Approx(kLoadS).epsilon(1e-12));
  // The second is sent for when the first has entered the batch, and is there at the next boundary.
  CHECK(row_of(result, 1).admitted_s < 0.01);
}

TEST_CASE("adapters: a failed replica has lost its adapters too") {
  scenario::Plan plan = with_adapters(10, 2);
  plan.scenario.faults.enabled = true;
  plan.scenario.faults.device.per_year = 0.0;
  plan.scenario.faults.events = {
      {.at = seconds(1), .pool = "main", .node = 0, .duration = seconds(1)}};
  const auto result = run(plan, {with_adapter(1, request_at(0, 0.0, 100, 5)),
                                 with_adapter(1, request_at(1, 10.0, 100, 5))});
  CHECK(metric_of(result, "adapter_loads") == 2.0);
}

TEST_CASE("adapters: one that no replica has is refused, with what there is") {
  CHECK(refusal(with_adapters(10, 2), {with_adapter(10, request_at(7, 0.0, 100, 5))}) ==
        "error: request 7 asks for the adapter 10; 'deploy.lora' has 10");
  CHECK(refusal(test::toy_plan(), {with_adapter(0, request_at(7, 0.0, 100, 5))}) ==
        "error: request 7 asks for the adapter 0; 'deploy.lora' has none");
}
