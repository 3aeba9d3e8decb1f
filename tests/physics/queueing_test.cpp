// Waiting times against the formulas of queueing theory.
//
// With max_batch 1 a replica is a server of one queue, first come first served: its service time is
// that of a prompt of 16 tokens, 8.002048 ms, and of each further token, 8 ms + 64 ns (17 + i) for
// i = 1, 2, ...  For Poisson arrivals Pollaczek and Khinchine give the exact mean wait of any
// service time:
//
//   W = lambda E[S^2] / (2 (1 - rho)),  rho = lambda E[S]
//
// constant service (M/D/1): rho S / (2 (1 - rho)); exponential (M/M/1): rho E[S] / (1 - rho).
//
// Precision: at rho = 0.7 the mean wait of n customers of an M/M/1 queue deviates by sqrt(335.6 /
// n) service times (Whitt 1989); of 2.333, for n = 1 M, that is 0.8 %. Source: Kleinrock, "Queueing
// Systems" I, 1975, section 5.6.
#include <doctest/doctest.h>

#include <cmath>

#include "support/in_process.hpp"
#include "support/toy.hpp"

namespace {

using namespace tokenyard;
using test::metric_of;

constexpr double kLoad = 0.7;
constexpr std::int64_t kRequests = 1'000'000;
constexpr double kTwoPercent = 0.02;

constexpr double kPrompt_s = 8e-3 + 128e-9 * 16.0;
// Of a request of `output` tokens.
double service_s(double output) {
  const double steps = output - 1.0;
  return kPrompt_s + steps * (8e-3 + 64e-9 * 17.0) + 64e-9 * steps * (steps + 1.0) / 2.0;
}

test::ToyOptions single_server() {
  test::ToyOptions options;
  options.serving.scheduler.max_batch = 1;
  return options;
}

metrics::RunResult run_poisson(test::ToyOptions options, double rate_per_s,
                               workload::LengthSpec output, std::int64_t requests = kRequests) {
  options.workload = test::toy_workload(rate_per_s, requests, 16, 1);
  options.workload.generator->output = std::move(output);
  auto plan = test::toy_plan(options);
  plan.scenario.store_requests = scenario::StoreRequests::none;
  plan.scenario.sample_interval = seconds(0);
  return test::run_here(plan);
}

workload::LengthSpec fixed_length(std::int64_t tokens) {
  workload::LengthSpec length;
  length.value = tokens;
  return length;
}

workload::LengthSpec geometric_length(double mean) {
  workload::LengthSpec length;
  length.kind = workload::LengthKind::geometric;
  length.mean = mean;
  return length;
}

}  // namespace

TEST_CASE("D/D/1: below full load nobody waits, at 125 % the n-th waits n times what is missing") {
  const double service = service_s(101);
  for (const double load : {0.9, 1.25}) {
    const double gap_s = service / load;
    std::vector<workload::Request> requests;
    for (int i = 0; i < 200; ++i) requests.push_back(test::request_at(i, gap_s * i, 16, 101));
    test::ListStream stream(requests);
    const auto result = test::run_here(test::toy_plan(single_server()), stream);
    for (int i = 0; i < 200; ++i) {
      const auto& row = test::row_of(result, i);
      REQUIRE(row.admitted_s - row.arrival_s ==
              doctest::Approx(load > 1.0 ? i * (service - gap_s) : 0.0).epsilon(1e-9));
      REQUIRE(row.finished_s - row.admitted_s == doctest::Approx(service).epsilon(1e-9));
    }
  }
}

TEST_CASE("M/D/1: 1 M requests of constant service wait rho S / (2 (1 - rho)) = 1.167 S at 70 %") {
  const double service = service_s(101);
  const auto result = run_poisson(single_server(), kLoad / service, fixed_length(101));
  const double expected_s = kLoad * service / (2.0 * (1.0 - kLoad));
  CHECK(metric_of(result, "queue_mean_s") == doctest::Approx(expected_s).epsilon(kTwoPercent));
  CHECK(metric_of(result, "busy_share") == doctest::Approx(kLoad).epsilon(0.005));
}

TEST_CASE(
    "M/M/1: 1 M requests of geometric service of mean 1,000 steps wait as Pollaczek and "
    "Khinchine say, and nearly rho E[S] / (1 - rho) = 2.333 E[S]") {
  constexpr double kMean = 1000.0;
  // Moments of the service time over the geometric distribution, to a remainder of 1e-17.
  double mean_s = 0.0;
  double square_s2 = 0.0;
  double probability = 1.0 / kMean;
  for (int output = 1; output < 40'000; ++output) {
    const double s = service_s(output);
    mean_s += probability * s;
    square_s2 += probability * s * s;
    probability *= 1.0 - 1.0 / kMean;
  }
  const double rate_per_s = kLoad / mean_s;
  const auto result = run_poisson(single_server(), rate_per_s, geometric_length(kMean));
  const double expected_s = rate_per_s * square_s2 / (2.0 * (1.0 - kLoad));
  CHECK(metric_of(result, "queue_mean_s") == doctest::Approx(expected_s).epsilon(kTwoPercent));
  // How far that is from exponential service: a geometric's variance is 1 - 1/mean of it, and the
  // steps grow with the context by up to some percent.
  CHECK(expected_s == doctest::Approx(kLoad * mean_s / (1.0 - kLoad)).epsilon(0.02));
}

TEST_CASE("a Poisson stream split at random over 4 replicas is 4 M/D/1 queues") {
  const double service = service_s(101);
  test::ToyOptions options = single_server();
  options.nodes = 4;
  options.serving.router = scenario::RouterKind::random;
  const auto result = run_poisson(options, 4.0 * kLoad / service, fixed_length(101), kRequests);
  const double expected_s = kLoad * service / (2.0 * (1.0 - kLoad));
  CHECK(metric_of(result, "queue_mean_s") == doctest::Approx(expected_s).epsilon(kTwoPercent));
}

TEST_CASE(
    "random > round-robin > power-of-two > least-loaded: the better a router knows, the shorter "
    "the wait") {
  const double service = service_s(101);
  const auto wait_s = [&](scenario::RouterKind router) {
    test::ToyOptions options = single_server();
    options.nodes = 8;
    options.serving.router = router;
    return metric_of(run_poisson(options, 8.0 * 0.85 / service, geometric_length(101.0), 100'000),
                     "queue_mean_s");
  };
  const double random_s = wait_s(scenario::RouterKind::random);
  const double round_robin_s = wait_s(scenario::RouterKind::round_robin);
  const double two_s = wait_s(scenario::RouterKind::power_of_two);
  const double least_s = wait_s(scenario::RouterKind::least_loaded);
  CHECK(random_s > round_robin_s);
  CHECK(round_robin_s > two_s);
  CHECK(two_s > least_s);
}
