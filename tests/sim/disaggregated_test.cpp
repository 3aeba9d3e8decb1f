// Prompts on some nodes, decoding on others, KV caches on the wires between them.
#include <doctest/doctest.h>

#include <algorithm>

#include "sim/simulate.hpp"
#include "support/in_child.hpp"
#include "support/in_process.hpp"
#include "support/toy.hpp"

namespace {

using namespace tokenyard;
using test::ListStream;
using test::metric_of;
using test::request_at;
using test::row_of;
using test::run_here;
using test::ToyOptions;

// The toy's KV cache is 64 kB a token, its NICs carry 50 GB/s.
constexpr double kBytesPerToken = 64e3, kNic = 50e9;

scenario::PoolPlan pool_of(ToyOptions options, const char* name, scenario::Role role,
                           std::int64_t nodes) {
  options.nodes = nodes;
  scenario::PoolPlan pool = test::toy_pool(options);
  pool.name = name;
  pool.deployments.front().spec.role = role;
  if (options.kv_blocks) test::cut_memory(pool, options.serving, *options.kv_blocks);
  return pool;
}

scenario::Plan split(const ToyOptions& prefill, std::int64_t prefill_nodes,
                     const ToyOptions& decode, std::int64_t decode_nodes) {
  scenario::Plan plan = test::toy_plan(prefill);
  plan.pools = {pool_of(prefill, "p", scenario::Role::prefill, prefill_nodes),
                pool_of(decode, "d", scenario::Role::decode, decode_nodes)};
  return plan;
}

double latency_s(const scenario::Plan& plan) {
  return topology::FleetGraph(plan).route(0, 1).latency.base();
}

}  // namespace

TEST_CASE("split: a request decodes after its prompt's 64 MB have crossed 50 GB/s, not before") {
  const scenario::Plan plan = split({}, 1, {}, 1);
  ListStream whole({request_at(0, 1.0, 1000, 11)});
  const auto together = run_here(test::toy_plan(), whole);
  ListStream stream({request_at(0, 1.0, 1000, 11)});
  const auto apart = run_here(plan, stream);
  const double transfer_s = 1000 * kBytesPerToken / kNic + latency_s(plan);
  CHECK(row_of(apart, 0).first_token_s == row_of(together, 0).first_token_s);
  CHECK(row_of(apart, 0).finished_s ==
        doctest::Approx(row_of(together, 0).finished_s + transfer_s).epsilon(1e-12));
  CHECK(metric_of(apart, "kv_transfer_mean_s") == doctest::Approx(transfer_s).epsilon(1e-9));
  CHECK(metric_of(apart, "kv_transfer_wait_mean_s") == 0.0);
  // The decoding device waits for the wire, and for nothing else while the request is in the system.
  const auto seconds = [&](std::size_t pool, Cause cause) {
    return apart.pools[pool].device_seconds[static_cast<std::size_t>(cause)];
  };
  CHECK(seconds(1, Cause::net_bw) == doctest::Approx(transfer_s).epsilon(1e-9));
  CHECK(seconds(0, Cause::net_bw) == 0.0);
}

TEST_CASE("split: layer by layer only the last of 8 layers is left when the prompt is complete") {
  scenario::Plan plan = split({}, 1, {}, 1);
  plan.scenario.serving.handoff.layer_pipelined = true;
  ListStream stream({request_at(0, 1.0, 1000, 11)});
  const auto result = run_here(plan, stream);
  // 64 MB over 50 GB/s are 1.28 ms, the prompt takes 66 ms.
  CHECK(metric_of(result, "kv_transfer_mean_s") ==
        doctest::Approx(1000 * kBytesPerToken / 8 / kNic + latency_s(plan)).epsilon(1e-9));
}

TEST_CASE("split: over a slow wire what the prompt's time does not cover is left") {
  scenario::Plan plan = split({}, 1, {}, 1);
  plan.scenario.serving.handoff.layer_pipelined = true;
  for (auto& pool : plan.pools) pool.node.nics.front().bandwidth = gigabytes_per_second(0.5);
  ListStream stream({request_at(0, 1.0, 1000, 11)});
  const auto result = run_here(plan, stream);
  const double prompt_s = row_of(result, 0).first_token_s - 1.0;
  CHECK(metric_of(result, "kv_transfer_mean_s") ==
        doctest::Approx(1000 * kBytesPerToken / 0.5e9 - prompt_s + latency_s(plan)).epsilon(1e-9));
}

TEST_CASE("split: layer by layer, of a prompt of three steps the last step's last layer is left") {
  scenario::Plan plan = split({}, 1, {}, 1);
  plan.scenario.serving.handoff.layer_pipelined = true;
  ListStream stream({request_at(0, 1.0, 2500, 11)});  // steps of 1,000, 1,000 and 500 tokens
  CHECK(metric_of(run_here(plan, stream), "kv_transfer_mean_s") ==
        doctest::Approx(500 * kBytesPerToken / 8 / kNic + latency_s(plan)).epsilon(1e-9));
}

TEST_CASE("split: prompts that are computed at the same time contend while they are") {
  // Each of n prompts of 64 MB is computed in 66.88 ms, at 0.957 GB/s, into one node of 2 GB/s: up to two
  // leave their last layer, more keep the wire full from beginning to end.
  const auto mean_s = [](std::int64_t senders) {
    scenario::Plan plan = split({}, senders, {}, 1);
    plan.scenario.serving.handoff.layer_pipelined = true;
    for (auto& pool : plan.pools) pool.node.nics.front().bandwidth = gigabytes_per_second(2);
    std::vector<workload::Request> requests;
    for (std::int64_t i = 0; i < senders; ++i) requests.push_back(request_at(i, 1.0, 1000, 2));
    ListStream stream(std::move(requests));
    const auto result = run_here(plan, stream);
    for (std::int64_t i = 0; i < senders; ++i)
      CHECK(row_of(result, i).first_token_s == doctest::Approx(1.06688128).epsilon(1e-12));
    return metric_of(result, "kv_transfer_mean_s") - latency_s(plan);
  };
  constexpr double kPrompt = 1000 * kBytesPerToken, kPrompt_s = 0.06688128;
  CHECK(mean_s(1) == doctest::Approx(kPrompt / 8 / 2e9).epsilon(1e-9));
  CHECK(mean_s(2) == doctest::Approx(2 * kPrompt / 8 / 2e9).epsilon(1e-9));
  for (const std::int64_t n : {3, 4, 6})
    CHECK(mean_s(n) ==
          doctest::Approx(static_cast<double>(n) * kPrompt / 2e9 - kPrompt_s).epsilon(1e-9));
}

TEST_CASE("split: who is given no room while its prompt is computed sends all of it afterwards") {
  ToyOptions decode;
  decode.kv_blocks = 70;  // one prompt of 63 blocks
  scenario::Plan plan = split({}, 2, decode, 1);
  plan.scenario.serving.handoff.layer_pipelined = true;
  ListStream stream({request_at(0, 1.0, 1000, 11), request_at(1, 1.001, 1000, 11)});
  const auto result = run_here(plan, stream);
  CHECK(result.requests_finished == 2);
  const double last_layer_s = 1000 * kBytesPerToken / 8 / kNic + latency_s(plan);
  CHECK(row_of(result, 0).phase_s[static_cast<std::size_t>(Phase::transfer)] ==
        doctest::Approx(last_layer_s).epsilon(1e-9));
  CHECK(row_of(result, 1).phase_s[static_cast<std::size_t>(Phase::transfer)] ==
        doctest::Approx(1000 * kBytesPerToken / kNic + latency_s(plan)).epsilon(1e-9));
  CHECK(row_of(result, 1).finished_s > row_of(result, 0).finished_s + 0.08);
}

TEST_CASE("split: room that is kept for a prompt is in use from its beginning") {
  ToyOptions options;
  options.kv_blocks = 200;
  scenario::Plan plan = split(options, 1, options, 1);
  const auto block_s = [&](bool early) {
    plan.scenario.serving.handoff.layer_pipelined = early;
    ListStream stream({request_at(0, 1.0, 1000, 11)});
    const auto result = run_here(plan, stream);
    return metric_of(result, "kv_utilization") * 400 * result.measured_s;
  };
  const double whole_s = 1000 * kBytesPerToken / kNic + latency_s(plan);
  const double layer_s = 1000 * kBytesPerToken / 8 / kNic + latency_s(plan);
  CHECK(block_s(true) - block_s(false) ==
        doctest::Approx(63 * (0.06688128 + 2 * layer_s - 2 * whole_s)).epsilon(1e-9));
}

TEST_CASE("split: on rails a replica sends by the NICs of its own devices") {
  const auto transfer_s = [](catalog::FabricKind kind, std::int64_t tensor_parallel) {
    ToyOptions options;
    options.devices_per_node = 4;
    options.tensor_parallel = tensor_parallel;
    scenario::Plan plan = split(options, 1, options, 1);
    plan.fabric.kind = kind;
    for (auto& pool : plan.pools) pool.node.nics.front().count = 4;
    ListStream stream({request_at(0, 1.0, 1000, 2)});
    return metric_of(run_here(plan, stream), "kv_transfer_mean_s") - latency_s(plan);
  };
  using catalog::FabricKind;
  constexpr double kOneNic_s = 1000 * kBytesPerToken / kNic;
  CHECK(transfer_s(FabricKind::rail_optimized, 4) == doctest::Approx(kOneNic_s / 4).epsilon(1e-9));
  CHECK(transfer_s(FabricKind::rail_optimized, 2) == doctest::Approx(kOneNic_s / 2).epsilon(1e-9));
  CHECK(transfer_s(FabricKind::rail_optimized, 1) == doctest::Approx(kOneNic_s).epsilon(1e-9));
  CHECK(transfer_s(FabricKind::single_switch, 1) == doctest::Approx(kOneNic_s / 4).epsilon(1e-9));
}

TEST_CASE(
    "split: a static batch that decodes starts whole, and the next when all of it have finished") {
  ToyOptions decode;
  decode.device.static_schedule = true;
  const scenario::Plan plan = split({}, 3, decode, 1);
  // The first is a batch of its own; two come while it decodes, of 10 and of 30 tokens, and one more.
  ListStream stream({request_at(0, 1.0, 1000, 21), request_at(1, 1.01, 1000, 11),
                     request_at(2, 1.02, 1000, 31), request_at(3, 1.4, 1000, 2)});
  const auto result = run_here(plan, stream);
  CHECK(result.requests_finished == 4);
  const auto way_s = [](double caches) { return caches * 1000 * kBytesPerToken / kNic; };
  const double first_s = row_of(result, 0).finished_s;
  // Each step takes that of 16 sequences; both decode with the same steps from the same moment.
  CHECK(row_of(result, 1).phase_s[static_cast<std::size_t>(Phase::transfer)] ==
        doctest::Approx(way_s(2) + latency_s(plan)).epsilon(1e-9));
  CHECK(row_of(result, 2).phase_s[static_cast<std::size_t>(Phase::transfer)] ==
        doctest::Approx(way_s(2) + latency_s(plan)).epsilon(1e-9));
  CHECK(row_of(result, 1).phase_s[static_cast<std::size_t>(Phase::queue_capacity)] ==
        doctest::Approx(first_s - row_of(result, 1).first_token_s).epsilon(1e-9));
  CHECK(row_of(result, 1).finished_s < row_of(result, 2).finished_s);
  CHECK(row_of(result, 3).phase_s[static_cast<std::size_t>(Phase::queue_capacity)] ==
        doctest::Approx(row_of(result, 2).finished_s - row_of(result, 3).first_token_s)
            .epsilon(1e-9));
}

TEST_CASE("split: who leaves on its way to a static batch does not hold it up") {
  ToyOptions decode;
  decode.device.static_schedule = true;
  scenario::Plan plan = split({}, 3, decode, 1);
  plan.pools[1].node.nics.front().bandwidth = gigabytes_per_second(1);
  plan.scenario.serving.client = {.timeout = seconds(1.7),
                                  .waits_for = scenario::WaitsFor::answer,
                                  .retries = 0,
                                  .backoff = seconds(0)};
  // The two that wait for the first, which ends at 2.5, come together; the 640 MB of the one would take
  // beyond 3.1, but its client leaves at 2.7.
  ListStream stream(
      {request_at(0, 1.0, 1000, 151), request_at(1, 1.0, 10000, 11), request_at(2, 1.5, 1000, 11)});
  const auto result = run_here(plan, stream);
  CHECK(result.requests_abandoned == 1);
  CHECK(row_of(result, 0).finished_s < 2.6);
  CHECK(row_of(result, 2).finished_s > 2.7 + 10 * 0.008);
  CHECK(row_of(result, 2).finished_s < 2.7 + 10 * 0.010);
}

TEST_CASE("split: the first gap of a request is as long as its way") {
  const scenario::Plan plan = split({}, 1, {}, 1);
  ListStream stream({request_at(0, 1.0, 1000, 2)});
  const auto result = run_here(plan, stream);
  CHECK(metric_of(result, "itl_mean_s") ==
        doctest::Approx(row_of(result, 0).finished_s - row_of(result, 0).first_token_s)
            .epsilon(1e-9));
}

TEST_CASE("split: four caches at once to one node take four times as long as one") {
  const auto transfer_s = [](std::int64_t senders) {
    std::vector<workload::Request> requests;
    for (std::int64_t i = 0; i < senders; ++i) requests.push_back(request_at(i, 1.0, 1000, 2));
    ListStream stream(std::move(requests));
    const scenario::Plan plan = split({}, senders, {}, 1);
    return metric_of(run_here(plan, stream), "kv_transfer_mean_s") - latency_s(plan);
  };
  CHECK(transfer_s(4) == doctest::Approx(4 * transfer_s(1)).epsilon(1e-9));
}

TEST_CASE(
    "split: where there is no room, prompts keep theirs, the next ones wait, and none is lost") {
  ToyOptions prefill, decode;
  prefill.kv_blocks = 200;  // three prompts of 1,000 tokens
  decode.kv_blocks = 70;    // one, and its answer
  std::vector<workload::Request> requests;
  for (std::int64_t i = 0; i < 8; ++i) requests.push_back(request_at(i, 1.0, 1000, 50));
  ListStream stream(std::move(requests));
  const auto result = run_here(split(prefill, 1, decode, 1), stream);
  CHECK(result.requests_finished == 8);
  // One answer after the other: the prompt of the fifth waits for the first to be gone.
  CHECK(row_of(result, 4).admitted_s > row_of(result, 0).finished_s);
  CHECK(row_of(result, 7).finished_s > row_of(result, 6).finished_s);
  CHECK(metric_of(result, "kv_transfer_wait_mean_s") > 0.5);
  const auto& seconds = result.pools[0].device_seconds;
  CHECK(seconds[static_cast<std::size_t>(Cause::capacity_wait)] > 1.0);
}

TEST_CASE("split: who is preempted computes its prompt again where it decodes") {
  ToyOptions decode;
  decode.kv_blocks = 30;
  ListStream stream({request_at(0, 1.0, 160, 200), request_at(1, 1.0, 160, 200)});
  const auto result = run_here(split({}, 1, decode, 1), stream);
  CHECK(result.requests_finished == 2);
  CHECK(row_of(result, 1).preemptions > 0);
  CHECK(result.pools[1].prefill_device_s > 0.0);
}

TEST_CASE("split: a session's next prompt finds its history where prompts are computed") {
  workload::Request first = request_at(0, 1.0, 1000, 10);
  first.session = 1;
  workload::Request second = test::request_after(1, {0}, 1.0, 1200, 10);
  second.session = 1;
  ListStream stream({first, second});
  const auto result = run_here(split({}, 1, {}, 1), stream);
  CHECK(row_of(result, 1).cached_tokens == 992);  // 62 whole blocks of the first prompt
}

TEST_CASE("split: who decodes keeps a session's history, and is sent what is new") {
  workload::Request first = request_at(0, 1.0, 1000, 10);
  first.session = 1;
  workload::Request second = test::request_after(1, {0}, 1.0, 1200, 10);
  second.session = 1;
  const auto sent_tokens = [&](bool reuse, bool early, std::int64_t decoders) {
    scenario::Plan plan = split({}, 1, {}, decoders);
    plan.scenario.serving.kv_cache.prefix_reuse = reuse;
    plan.scenario.serving.handoff.layer_pipelined = early;
    plan.scenario.serving.router = scenario::RouterKind::session_sticky;
    ListStream stream({first, second});
    const auto result = run_here(plan, stream);
    const double way_s = row_of(result, 1).phase_s[static_cast<std::size_t>(Phase::transfer)];
    return (way_s - latency_s(plan)) * kNic / kBytesPerToken;
  };
  CHECK(sent_tokens(false, false, 1) == doctest::Approx(1200).epsilon(1e-9));
  // 1,009 tokens in 63 whole blocks are there, whoever else could decode.
  CHECK(sent_tokens(true, false, 1) == doctest::Approx(1200 - 1008).epsilon(1e-9));
  CHECK(sent_tokens(true, false, 3) == doctest::Approx(1200 - 1008).epsilon(1e-9));
  // Of these the last layer.
  CHECK(sent_tokens(true, true, 1) == doctest::Approx(192.0 / 8).epsilon(1e-9));
}

TEST_CASE("split: longer than any decoder can hold is turned away at once") {
  ToyOptions decode;
  decode.kv_blocks = 10;
  ListStream stream({request_at(0, 1.0, 200, 2)});
  CHECK(run_here(split({}, 1, decode, 1), stream).requests_rejected == 1);
}

TEST_CASE("split: of two models each decodes its own, whoever asks for neither") {
  ToyOptions other;
  other.model.name = "toy-4b-b";
  scenario::Plan plan = split({}, 1, {}, 1);
  plan.pools.push_back(pool_of(other, "pb", scenario::Role::prefill, 1));
  plan.pools.push_back(pool_of(other, "db", scenario::Role::decode, 1));
  plan.scenario.serving.router = scenario::RouterKind::round_robin;
  ListStream stream({request_at(0, 1.0, 100, 2), request_at(1, 5.0, 100, 2)});
  const auto result = run_here(plan, stream);
  CHECK(row_of(result, 0).deployment == 1);
  CHECK(row_of(result, 1).deployment == 3);
}

TEST_CASE("split: what no decoder can hold goes to who does both") {
  ToyOptions decode;
  decode.kv_blocks = 10;
  scenario::Plan plan = split({}, 1, decode, 1);
  plan.pools.push_back(pool_of({}, "b", scenario::Role::both, 1));
  ListStream stream({request_at(0, 1.0, 200, 2)});
  const auto result = run_here(plan, stream);
  CHECK(result.requests_finished == 1);
  CHECK(row_of(result, 0).deployment == 2);
}

TEST_CASE("split: blocks that a cache on its way holds at both ends are in use") {
  ToyOptions options;
  options.kv_blocks = 200;
  const auto block_s = [](const metrics::RunResult& r, double blocks) {
    return metric_of(r, "kv_utilization") * blocks * r.measured_s;
  };
  ListStream whole({request_at(0, 1.0, 1000, 11)}), parts({request_at(0, 1.0, 1000, 11)});
  const scenario::Plan plan = split(options, 1, options, 1);
  const double transfer_s = 1000 * kBytesPerToken / kNic + latency_s(plan);
  // 63 blocks here and 63 there while it is under way; else as on one device.
  CHECK(
      block_s(run_here(plan, parts), 400) ==
      doctest::Approx(block_s(run_here(test::toy_plan(options), whole), 200) + 2 * 63 * transfer_s)
          .epsilon(1e-9));
}

namespace {

void check_on_simgrid(const scenario::Plan& plan) {
  const auto here = run_here(plan);
  const std::string there = test::in_child([&] {
    const auto result = sim::simulate(plan, {});
    std::string text;
    for (const metrics::RequestRow& row : result.requests) {
      char number[64];
      std::snprintf(number, sizeof(number), "%lld %.17g\n", static_cast<long long>(row.id),
                    row.finished_s);
      text += number;
    }
    return text;
  });
  std::istringstream lines(there);
  long long id = 0;
  double finished_s = 0.0;
  int count = 0;
  while (lines >> id >> finished_s) {
    ++count;
    CHECK(finished_s == doctest::Approx(row_of(here, id).finished_s).epsilon(1e-9));
  }
  CHECK(count == 60);
}

}  // namespace

TEST_CASE("split: SimGrid's flows and the fair shares written down agree to 1 in 10^9") {
  ToyOptions options;
  options.workload = test::toy_workload(20.0, 60, 2000, 20);
  scenario::Plan plan = split(options, 3, options, 2);
  for (auto& pool : plan.pools) pool.node.nics.front().bandwidth = gigabytes_per_second(2);
  check_on_simgrid(plan);
  plan.scenario.serving.handoff.layer_pipelined = true;
  check_on_simgrid(plan);
}

TEST_CASE("split: SimGrid agrees on rails, of replicas with two of four NICs") {
  ToyOptions options;
  options.workload = test::toy_workload(20.0, 60, 2000, 20);
  options.devices_per_node = 4;
  options.tensor_parallel = 2;
  scenario::Plan plan = split(options, 2, options, 1);
  plan.fabric.kind = catalog::FabricKind::rail_optimized;
  for (auto& pool : plan.pools) {
    pool.node.nics.front().count = 4;
    pool.node.nics.front().bandwidth = gigabytes_per_second(1);
  }
  for (const bool early : {false, true}) {
    plan.scenario.serving.handoff.layer_pipelined = early;
    check_on_simgrid(plan);
  }
}
