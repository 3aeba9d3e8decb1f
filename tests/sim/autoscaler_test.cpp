// The autoscaler's rule by pencil, and what it makes of a fleet.
#include "sim/autoscaler.hpp"

#include <doctest/doctest.h>

#include "support/in_process.hpp"
#include "support/toy.hpp"

namespace {

using namespace tokenyard;
using test::request_at;
using test::row_of;

scenario::AutoscalingSpec by_queue(double target) {
  scenario::AutoscalingSpec spec;
  spec.target_queue = target;
  spec.cooldown = seconds(100);
  return spec;
}

double seconds_of(const metrics::RunResult& result, Cause cause) {
  return result.pools[0].device_seconds[static_cast<std::size_t>(cause)];
}

}  // namespace

TEST_CASE("autoscaler: 4 replicas with 12 requests each and a target of 8 become 6") {
  sim::Autoscaler scaler(by_queue(8), 1);
  CHECK(scaler.wanted(0, {.running = 4, .most = 10, .outstanding = 48, .busy_s = 0}, 0.0) == 6);
  CHECK(scaler.wanted(0, {.running = 4, .most = 5, .outstanding = 48, .busy_s = 0}, 0.0) == 5);
  // Within a tenth of the target nothing changes.
  CHECK(scaler.wanted(0, {.running = 4, .most = 10, .outstanding = 35, .busy_s = 0}, 0.0) == 4);
}

TEST_CASE("autoscaler: it shrinks by one, and again only after its cooldown") {
  sim::Autoscaler scaler(by_queue(8), 1);
  const sim::Seen idle{.running = 6, .most = 10, .outstanding = 0, .busy_s = 0};
  CHECK(scaler.wanted(0, idle, 0.0) == 5);
  CHECK(scaler.wanted(0, idle, 99.0) == 6);
  CHECK(scaler.wanted(0, idle, 100.0) == 5);
}

TEST_CASE("autoscaler: utilization counts the busy time since the last decision") {
  scenario::AutoscalingSpec spec;
  spec.policy = scenario::ScalePolicy::utilization;
  spec.target_utilization = 0.5;
  spec.interval = seconds(10);
  sim::Autoscaler scaler(spec, 1);
  // Two replicas, 18 of 20 seconds busy: 0.9 of 0.5 -> ceil(2 * 1.8) = 4.
  CHECK(scaler.wanted(0, {.running = 2, .most = 8, .outstanding = 3, .busy_s = 18}, 10.0) == 4);
  // 10 more seconds of 40: half of what is wanted.
  CHECK(scaler.wanted(0, {.running = 4, .most = 8, .outstanding = 3, .busy_s = 28}, 20.0) == 3);
}

TEST_CASE("autoscaler: a burst boots replicas, which load their weights before they serve") {
  test::ToyOptions options;
  options.nodes = 4;
  options.serving.scheduler.max_batch = 1;
  scenario::Plan plan = test::toy_plan(options);
  plan.scenario.autoscaling = by_queue(1.0);
  plan.scenario.autoscaling->interval = seconds(1);
  plan.scenario.autoscaling->boot = seconds(2);
  plan.scenario.autoscaling->cooldown = seconds(5);
  std::vector<workload::Request> requests;
  for (int i = 0; i < 16; ++i) requests.push_back(request_at(i, 0.5, 1000, 100));
  for (int i = 16; i < 30; ++i) requests.push_back(request_at(i, 5.0 + 4.0 * (i - 16), 1000, 100));
  test::ListStream stream(requests);
  const auto result = test::run_here(plan, stream);
  CHECK(result.requests_finished == 30);
  std::int32_t last = 0;
  for (const auto& row : result.requests) last = std::max(last, row.replica);
  CHECK(last > 0);
  // Nobody but the first could serve before the boot and the weights (8 GB over 50 GB/s NICs).
  for (const auto& row : result.requests) {
    if (row.replica > 0) CHECK(row.admitted_s > 1.0 + 2.0 + 0.16);
  }
  CHECK(seconds_of(result, Cause::loading) >= 3 * 2.16 - 1e-9);
  CHECK(seconds_of(result, Cause::powered_off) > 0.0);
  // What is off draws nothing: less energy than the same fleet always on.
  scenario::Plan always = test::toy_plan(options);
  test::ListStream same(requests);
  const auto on = test::run_here(always, same);
  CHECK(test::metric_of(result, "it_power_mean_w") < test::metric_of(on, "it_power_mean_w"));
}

TEST_CASE("autoscaler: a replica that fails while it boots loads its weights once, when repaired") {
  test::ToyOptions options;
  options.nodes = 2;
  options.serving.scheduler.max_batch = 1;
  scenario::Plan plan = test::toy_plan(options);
  plan.scenario.autoscaling = by_queue(1.0);
  plan.scenario.autoscaling->interval = seconds(1);
  plan.scenario.autoscaling->boot = seconds(2);
  plan.scenario.faults.enabled = true;
  plan.scenario.faults.events.push_back(
      {.at = seconds(1.5), .pool = "main", .node = 1, .duration = seconds(1.4)});
  std::vector<workload::Request> requests;
  for (int i = 0; i < 8; ++i) requests.push_back(request_at(i, 0.5, 1000, 100));
  test::ListStream stream(requests);
  const auto result = test::run_here(plan, stream);
  CHECK(result.requests_finished == 8);
  // It boots from 1.0 to 1.5, is down to 2.9, and loads 8 GB over 50 GB/s while its boot would have ended.
  const double latency_s = topology::FleetGraph(plan).route(0, 1).latency.base();
  CHECK(seconds_of(result, Cause::loading) ==
        doctest::Approx(0.5 + 0.16 + latency_s).epsilon(1e-9));
}
