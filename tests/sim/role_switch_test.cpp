// Replicas that change between computing prompts and decoding, on the toy fleet: a prompt of 1,000 tokens
// takes 67 ms, a decode step of a few sequences 8 ms.
#include <doctest/doctest.h>

#include "sim/role_balance.hpp"
#include "support/in_process.hpp"
#include "support/toy.hpp"

namespace {

using namespace tokenyard;
using scenario::Role;
using test::metric_of;
using test::request_at;
using test::row_of;

scenario::PoolPlan pool_of(const char* name, Role role, std::int64_t nodes) {
  test::ToyOptions options;
  options.nodes = nodes;
  scenario::PoolPlan pool = test::toy_pool(options);
  pool.name = name;
  pool.deployments.front().spec.role = role;
  pool.deployments.front().spec.role_may_change = true;
  return pool;
}

scenario::Plan split(std::int64_t prefill, std::int64_t decode,
                     const scenario::RoleSwitchSpec& spec) {
  scenario::Plan plan = test::toy_plan();
  plan.pools = {pool_of("p", Role::prefill, prefill), pool_of("d", Role::decode, decode)};
  plan.scenario.serving.role_switch = spec;
  return plan;
}

metrics::RunResult run(const scenario::Plan& plan, std::vector<workload::Request> requests) {
  test::ListStream stream(std::move(requests));
  return test::run_here(plan, stream);
}

scenario::RoleSwitchSpec every(double interval_s, double cooldown_s = 0.0) {
  return {.interval = seconds(interval_s),
          .cooldown = seconds(cooldown_s),
          .ratio = 2.0,
          .min_load = seconds(0.5)};
}

// 40 prompts at once: 2.7 s of work for one replica.
std::vector<workload::Request> flood(std::int64_t output_tokens = 2) {
  std::vector<workload::Request> requests;
  for (int i = 0; i < 40; ++i) requests.push_back(request_at(i, 0.0, 1000, output_tokens));
  return requests;
}

}  // namespace

TEST_CASE(
    "roles that change: more than min_load, more than twice the other's, and never the last one") {
  const scenario::RoleSwitchSpec spec{};  // 1 s, twice
  using sim::RoleChange;
  CHECK(sim::wanted_change(spec, {2, 4.0}, {3, 1.8}) == RoleChange::to_prefill);
  CHECK(sim::wanted_change(spec, {2, 4.0}, {3, 3.1}) == RoleChange::none);
  CHECK(sim::wanted_change(spec, {2, 1.9}, {3, 0.0}) == RoleChange::none);
  CHECK(sim::wanted_change(spec, {2, 4.0}, {1, 0.0}) == RoleChange::none);
  CHECK(sim::wanted_change(spec, {2, 0.2}, {3, 6.0}) == RoleChange::to_decode);
  CHECK(sim::wanted_change(spec, {1, 0.2}, {3, 6.0}) == RoleChange::none);
}

TEST_CASE(
    "roles that change: while prompts queue, replicas that decode compute prompts for newcomers") {
  auto requests = flood();
  requests.push_back(request_at(40, 0.7, 1000, 2));
  const auto result = run(split(1, 3, every(0.5)), requests);
  // The first change is at 0.5 s, to a replica of the second pool that decodes nothing.
  CHECK(row_of(result, 40).admitted_s == 0.7);
  CHECK(row_of(result, 40).first_token_s == doctest::Approx(0.7 + 0.06688).epsilon(1e-3));
  CHECK(metric_of(result, "role_changes") == 2.0);  // one of the three decodes on
  for (const auto& row : result.requests) CHECK(row.status == metrics::RequestStatus::finished);
  for (const auto& pool : result.pools)
    CHECK(pool.device_seconds[static_cast<std::size_t>(Cause::loading)] == 0.0);
}

TEST_CASE("roles that change: what a replica decodes is finished before it computes prompts") {
  // Two that decode have one answer of 300 tokens each, 2.4 s long.
  std::vector<workload::Request> requests{request_at(0, 0.0, 100, 300),
                                          request_at(1, 0.0, 100, 300)};
  for (auto request : flood()) {
    request.id += 2;
    request.arrival_s = 0.1;
    requests.push_back(request);
  }
  requests.push_back(request_at(42, 1.0, 1000, 2));
  const auto result = run(split(1, 2, every(0.5)), requests);
  CHECK(metric_of(result, "role_changes") == 1.0);
  CHECK(row_of(result, 0).attempts == 1);
  CHECK(row_of(result, 1).attempts == 1);
  // It stood behind the flood of the one that computes prompts.
  CHECK(row_of(result, 42).admitted_s > 2.0);
}

TEST_CASE("roles that change: one at a time, no more often than the cooldown allows") {
  // At 0.25 s 2.4 s of work for one, at 0.5 s 2.2 s for two, at 0.75 s 1.9 s for three, at 1 s 1.7 s for
  // four: less than half a second each.
  CHECK(metric_of(run(split(1, 5, every(0.25, 0.0)), flood()), "role_changes") == 3.0);
  // At 0.25 s 2.4 s, at 1.25 s 1.4 s for two.
  CHECK(metric_of(run(split(1, 5, every(0.25, 1.0)), flood()), "role_changes") == 2.0);
  CHECK(metric_of(run(split(1, 5, every(0.25, 100.0)), flood()), "role_changes") == 1.0);
  CHECK(metric_of(run(split(1, 1, every(0.25, 0.0)), flood()), "role_changes") == 0.0);
}

TEST_CASE(
    "roles that change: while answers queue, a replica that computed prompts decodes newcomers'") {
  // 80 answers for one that decodes 16 at a time: 80 * 8 ms of work are more than half a second.
  std::vector<workload::Request> requests;
  // Their prompts are all on the first of three that compute them, where they wait for room to decode.
  for (int i = 0; i < 80; ++i) {
    requests.push_back(request_at(i, 0.0, 20, 400));
    requests.back().session = 1;
  }
  requests.push_back(request_at(80, 0.6, 20, 101));
  const auto sticky = [](scenario::Plan plan) {
    plan.scenario.serving.router = scenario::RouterKind::session_sticky;
    return plan;
  };
  const auto result = run(sticky(split(3, 1, every(0.5, 100.0))), requests);
  CHECK(metric_of(result, "role_changes") == 1.0);
  CHECK(row_of(result, 80).deployment == 0);
  CHECK(row_of(result, 80).finished_s < 0.6 + 0.008 + 100 * 0.0081 + 0.01);
  const auto stuck = run(sticky(split(3, 1, every(1000.0))), requests);
  CHECK(row_of(stuck, 80).deployment == 1);
  CHECK(row_of(stuck, 80).finished_s > 16.0);
}
