// KV caches below the devices' memory, on the toy fleet: 64 kB a token, blocks of 16 tokens.
#include <doctest/doctest.h>

#include <algorithm>

#include "support/in_process.hpp"
#include "support/toy.hpp"

namespace {

using namespace tokenyard;
using scenario::KvTierKind;
using test::ListStream;
using test::request_after;
using test::request_at;
using test::row_of;
using test::run_here;

constexpr double kBytesPerToken = 64e3;

scenario::KvTierSpec tier(KvTierKind kind, double gigabytes, double gigabytes_per_s = 10.0) {
  scenario::KvTierSpec spec;
  spec.tier = kind;
  spec.capacity = tokenyard::gigabytes(gigabytes);
  if (kind != KvTierKind::remote) spec.bandwidth = gigabytes_per_second(gigabytes_per_s);
  return spec;
}

// A session's history leaves device memory as its turn ends.
test::ToyOptions offloading(std::vector<scenario::KvTierSpec> tiers) {
  test::ToyOptions options;
  options.serving.kv_cache.between_turns = scenario::BetweenTurns::offload;
  options.serving.kv_cache.offload = std::move(tiers);
  return options;
}

// `sessions` sessions of two turns each: 1,000 tokens in and 10 out, of which 63 whole blocks (1,008 tokens)
// are history, then all together at 10 s prompts of 1,100 tokens.
std::vector<workload::Request> returning(std::int64_t sessions) {
  std::vector<workload::Request> requests;
  for (std::int64_t i = 0; i < sessions; ++i) {
    requests.push_back(request_at(i, 0.0, 1000, 10));
    requests.back().session = i;
  }
  for (std::int64_t i = 0; i < sessions; ++i) {
    requests.push_back(request_at(sessions + i, 10.0, 1100, 2));
    requests.back().session = i;
    requests.back().turn = 1;
  }
  return requests;
}

double fetch_s(const metrics::RequestRow& row) {
  return row.phase_s[static_cast<std::size_t>(Phase::fetch)];
}

metrics::RunResult run(const test::ToyOptions& options, std::vector<workload::Request> requests) {
  ListStream stream(std::move(requests));
  return run_here(test::toy_plan(options), stream);
}

}  // namespace

TEST_CASE(
    "tiers: a history of 1,008 tokens comes back over 10 GB/s in 6.45 ms, and is not computed") {
  const auto result = run(offloading({tier(KvTierKind::dram, 10)}), returning(1));
  const auto& row = row_of(result, 1);
  CHECK(row.cached_tokens == 1008);
  CHECK(row.fetched_tokens == 1008);
  CHECK(fetch_s(row) == doctest::Approx(1008 * kBytesPerToken / 10e9));
  // 92 tokens are left: the weights' 8 ms, their attention to 1,008 and to each other, their cache.
  constexpr double kPairs = 92 * 1008 + 92 * 93 / 2;
  CHECK(row.first_token_s - row.arrival_s ==
        doctest::Approx(fetch_s(row) + 8e-3 + kPairs * 2.56e-9 + 92 * 64e-9).epsilon(1e-9));
  REQUIRE(result.kv_tiers.size() == 1);
  const metrics::KvTierResult& dram = result.kv_tiers[0];
  CHECK(dram.tier == "dram");
  CHECK(dram.hit_tokens == 1008);
  CHECK(dram.bytes_read == doctest::Approx(1008 * kBytesPerToken));
  // Both turns' histories are written: 63 blocks, then what the second has more (1,101 -> 68).
  CHECK(dram.bytes_written == doctest::Approx(68 * 16 * kBytesPerToken));
  CHECK(dram.joules == doctest::Approx((dram.bytes_read + dram.bytes_written) * 220e-12));
}

TEST_CASE("tiers: n histories at once over one link take n times as long as one") {
  for (const std::int64_t n : {1, 2, 4, 8}) {
    CAPTURE(n);
    const auto result = run(offloading({tier(KvTierKind::dram, 10)}), returning(n));
    double first_s = fetch_s(row_of(result, n));
    for (std::int64_t i = 1; i < n; ++i) {
      first_s = std::min(first_s, fetch_s(row_of(result, n + i)));
      // All end together; those that come a moment late wait for a step of the others.
      CHECK(fetch_s(row_of(result, n + i)) - first_s < 0.009);
    }
    CHECK(first_s ==
          doctest::Approx(static_cast<double>(n) * 1008 * kBytesPerToken / 10e9).epsilon(1e-9));
  }
}

TEST_CASE("tiers: what is faster computed than brought is computed") {
  // 64 us a token to compute, attention aside: 1 GB/s brings one in 64 us, 0.9 GB/s in 71 us.
  const auto slow = run(offloading({tier(KvTierKind::dram, 10, 0.9)}), returning(1));
  CHECK(row_of(slow, 1).fetched_tokens == 0);
  const auto fast = run(offloading({tier(KvTierKind::dram, 10, 1.1)}), returning(1));
  CHECK(row_of(fast, 1).fetched_tokens == 1008);
}

TEST_CASE(
    "tiers: what DRAM has no room for goes to the SSD, and what that has no room for is gone") {
  // 63 blocks of 1.024 MB are 64.5 MB: 0.13 GB hold two histories.
  const std::vector<scenario::KvTierSpec> tiers{tier(KvTierKind::dram, 0.13),
                                                tier(KvTierKind::ssd, 0.13, 2.0)};
  const auto result = run(offloading(tiers), returning(6));
  std::int64_t from_dram = 0, from_ssd = 0, computed = 0;
  for (std::int64_t i = 6; i < 12; ++i) {
    const auto& row = row_of(result, i);
    if (row.fetched_tokens == 0) {
      ++computed;
    } else {
      CHECK(row.fetched_tokens == 1008);
    }
  }
  from_dram = result.kv_tiers[0].hit_tokens / 1008;
  from_ssd = result.kv_tiers[1].hit_tokens / 1008;
  CHECK(from_dram == 2);
  CHECK(from_ssd == 2);
  CHECK(computed == 2);
}

TEST_CASE("tiers: a remote pool brings a session's history to whichever replica it comes to") {
  test::ToyOptions options;
  options.nodes = 2;
  options.serving.router = scenario::RouterKind::round_robin;
  options.serving.kv_cache.offload = {tier(KvTierKind::remote, 100)};
  const scenario::Plan plan = test::toy_plan(options);
  ListStream stream(returning(1));
  const auto result = run_here(plan, stream);
  const auto& row = row_of(result, 1);
  CHECK(row.replica == 1);
  CHECK(row.fetched_tokens == 1008);
  const double latency_s = topology::FleetGraph(plan).route(0, 1).latency.base();
  CHECK(fetch_s(row) == doctest::Approx(1008 * kBytesPerToken / 50e9 + latency_s).epsilon(1e-9));
}

TEST_CASE("tiers: with a node goes what it holds of the remote pool, and nothing else") {
  test::ToyOptions options;
  options.nodes = 3;
  options.serving.router = scenario::RouterKind::round_robin;
  options.serving.kv_cache.offload = {tier(KvTierKind::remote, 100)};
  const auto fetched = [&](std::int64_t failing) {
    scenario::Plan plan = test::toy_plan(options);
    plan.scenario.faults.enabled = true;
    plan.scenario.faults.device.per_year = 0.0;
    plan.scenario.faults.events.push_back(
        {.at = seconds(5.0), .pool = "main", .node = failing, .duration = seconds(0.01)});
    ListStream stream(returning(1));
    const auto result = run_here(plan, stream);
    CHECK(row_of(result, 1).replica == 1);
    return row_of(result, 1).fetched_tokens;
  };
  CHECK(fetched(2) == 1008);
  CHECK(fetched(0) == 0);
}

TEST_CASE(
    "tiers: what an SSD keeps is in DRAM when its turn comes, if it had to wait long enough") {
  test::ToyOptions options =
      offloading({tier(KvTierKind::dram, 0.13, 10.0), tier(KvTierKind::ssd, 10, 2.0)});
  options.serving.scheduler.max_batch = 1;
  // Three sessions; the history of the first is on the SSD when another request holds the replica.
  std::vector<workload::Request> requests = returning(3);
  requests.erase(requests.begin() + 4, requests.end());  // only the first comes back
  requests[3].arrival_s = 10.1;
  requests.insert(requests.begin() + 3, request_at(9, 10.0, 16, 50));
  const auto waiting = [&](bool prefetch) {
    options.serving.kv_cache.prefetch = prefetch;
    return row_of(run(options, requests), 3);
  };
  // It waits for 50 tokens of 8 ms; its 64.5 MB take 32 ms from the SSD, 6.45 ms from DRAM.
  CHECK(fetch_s(waiting(false)) == doctest::Approx(1008 * kBytesPerToken / 2e9));
  CHECK(fetch_s(waiting(true)) == doctest::Approx(1008 * kBytesPerToken / 10e9));
  // Without a wait it comes from the SSD at once.
  const auto other = requests[3];
  requests.erase(requests.begin() + 3);
  CHECK(fetch_s(waiting(true)) == doctest::Approx(1008 * kBytesPerToken / 2e9));
  // After a short one it goes on from the SSD to DRAM and then to the devices: 32 ms and 6.45 ms, from the
  // boundary after it came.
  requests.insert(requests.begin() + 3, other);
  requests[3].output_tokens = 3;
  requests[4].arrival_s = 10.001;
  const metrics::RunResult result = run(options, requests);
  const double both_s = 1008 * kBytesPerToken / 2e9 + 1008 * kBytesPerToken / 10e9;
  CHECK(row_of(result, 3).admitted_s + fetch_s(row_of(result, 3)) ==
        doctest::Approx(row_of(result, 9).first_token_s + both_s).epsilon(1e-9));
}

TEST_CASE("tiers: the hit rate grows from nothing kept over DRAM to DRAM and SSD") {
  test::ToyOptions options;
  options.kv_blocks = 400;
  options.serving.router = scenario::RouterKind::session_sticky;
  workload::GeneratorSpec& g = *options.workload.generator;
  g.kind = workload::GeneratorKind::agents;
  g.rate = PerSecond::from_base(0.5);
  g.requests = 40;
  g.output.value = 20;
  g.agents.emplace();
  g.agents->turns.value = 8;
  g.agents->initial_context.value = 1000;
  g.agents->tool_output.value = 100;
  g.agents->tool_time.value = seconds(5);
  const auto hit_rate = [&](std::vector<scenario::KvTierSpec> tiers) {
    options.serving.kv_cache.offload = std::move(tiers);
    return test::metric_of(run_here(test::toy_plan(options)), "prefix_hit_rate");
  };
  const double none = hit_rate({});
  const double dram = hit_rate({tier(KvTierKind::dram, 0.8)});
  const double both = hit_rate({tier(KvTierKind::dram, 0.8), tier(KvTierKind::ssd, 50, 5)});
  CHECK(none < dram);
  CHECK(dram < both);
  // All but the first prompts' own tokens: 1,000 + 7 * 100 of 8 turns' 11,360 are fresh.
  CHECK(both > 0.8);
}
