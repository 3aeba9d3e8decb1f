// Failures, maintenance and impatient clients at any time: no request and no token is lost from the
// accounts.  The simulation itself checks at its end that tokens produced are those of requests, that all
// KV blocks came back, Little's law, and that device seconds by cause are devices times time; here it is
// driven through schedules that nobody has thought of.
#include <doctest/doctest.h>

#include <algorithm>
#include <map>
#include <optional>
#include <set>

#include "scenario/engines_apart.hpp"
#include "support/in_process.hpp"
#include "support/toy.hpp"

namespace {

using namespace tokenyard;
using metrics::RequestStatus;

constexpr std::int64_t kRequests = 40;

bool coin(RandomStream& dice, double probability) {
  return dice.uniform() < probability;
}

template <class T>
T any_of(RandomStream& dice, std::initializer_list<T> values) {
  return *(values.begin() + dice.integer(0, static_cast<std::int64_t>(values.size()) - 1));
}

scenario::ServingSpec random_serving(RandomStream& dice) {
  using namespace scenario;
  ServingSpec serving = test::toy_serving();
  serving.router =
      any_of(dice, {RouterKind::round_robin, RouterKind::power_of_two, RouterKind::least_loaded,
                    RouterKind::prefix_affinity, RouterKind::session_sticky, RouterKind::least_kv});
  serving.router_latency = seconds(any_of(dice, {0.0, 0.003}));
  serving.scheduler.max_batch = dice.integer(1, 12);
  serving.scheduler.max_batch_tokens = dice.integer(40, 1000);
  serving.scheduler.policy = any_of(
      dice,
      {BatchPolicy::chunked_prefill, BatchPolicy::chunked_prefill, BatchPolicy::prefill_first});
  serving.scheduler.admission = any_of(
      dice,
      {Admission::fcfs, Admission::priority, Admission::shortest_job_first, Admission::fair_share});
  if (serving.scheduler.admission == Admission::priority)
    serving.scheduler.priorities = {{"gold", 1}};
  const bool ranked = serving.scheduler.admission == Admission::priority ||
                      serving.scheduler.admission == Admission::shortest_job_first;
  if (ranked && coin(dice, 0.5)) serving.scheduler.ageing = seconds(dice.uniform(0.001, 0.5));
  serving.scheduler.preemption = any_of(dice, {Preemption::recompute, Preemption::swap});
  if (coin(dice, 0.4)) {
    serving.client.timeout = seconds(dice.uniform(0.2, 3.0));
    serving.client.waits_for = any_of(dice, {WaitsFor::first_token, WaitsFor::answer});
    serving.client.retries = dice.integer(0, 3);
    serving.client.backoff = seconds(dice.uniform(0.0, 1.0));
  }
  if (coin(dice, 0.3)) {
    serving.overload.policy = any_of(dice, {Overload::reject, Overload::defer});
    serving.overload.ttft = seconds(dice.uniform(0.005, 0.3));
  }
  KvCacheSpec& kv = serving.kv_cache;
  kv.eviction = any_of(dice, {Eviction::lru, Eviction::lfu, Eviction::cost_aware});
  kv.between_turns = any_of(
      dice, {BetweenTurns::keep, BetweenTurns::ttl, BetweenTurns::drop, BetweenTurns::cost_aware});
  if (kv.between_turns == BetweenTurns::ttl) kv.ttl = seconds(dice.uniform(0.1, 3.0));
  const auto add_tier = [&](KvTierKind kind) {
    KvTierSpec& tier = kv.offload.emplace_back();
    tier.tier = kind;
    tier.capacity = gigabytes(dice.uniform(0.01, 0.1));
    if (kind != KvTierKind::remote) tier.bandwidth = gigabytes_per_second(dice.uniform(1.0, 20.0));
  };
  if (coin(dice, 0.5)) add_tier(KvTierKind::dram);
  if (coin(dice, 0.3)) add_tier(KvTierKind::ssd);
  if (coin(dice, 0.3)) add_tier(KvTierKind::remote);
  kv.prefetch = kv.offload.size() > 1 && kv.offload[0].tier == KvTierKind::dram &&
                kv.offload[1].tier == KvTierKind::ssd;
  serving.handoff.layer_pipelined = coin(dice, 0.5);
  if (!kv.offload.empty() && coin(dice, 0.3)) kv.between_turns = BetweenTurns::offload;
  return serving;
}

scenario::FaultsSpec random_faults(RandomStream& dice, const scenario::Plan& plan) {
  scenario::FaultsSpec faults;
  faults.enabled = true;
  faults.detection = seconds(any_of(dice, {0.0, 0.05, 0.5}));
  const auto pool = [&] {
    const auto last = static_cast<std::int64_t>(plan.pools.size()) - 1;
    return static_cast<std::size_t>(dice.integer(0, last));
  };
  for (std::int64_t i = dice.integer(1, 8); i > 0; --i) {
    const std::size_t p = pool();
    faults.events.push_back({.at = seconds(dice.uniform(0.0, 6.0)),
                             .pool = plan.pools[p].name,
                             .node = dice.integer(0, plan.pools[p].count - 1),
                             .duration = seconds(dice.uniform(0.01, 2.0))});
  }
  if (coin(dice, 0.3)) {
    faults.maintenance.push_back({.pool = plan.pools[pool()].name,
                                  .start = seconds(dice.uniform(0.0, 3.0)),
                                  .duration = seconds(dice.uniform(0.1, 1.0)),
                                  .nodes = dice.integer(1, 2)});
  }
  if (coin(dice, 0.4)) {
    // One in some seconds: a year of failures in an instant.
    faults.device = {.per_year = kSecondsPerYear / dice.uniform(5.0, 30.0),
                     .repair = seconds(dice.uniform(0.05, 1.0))};
    faults.network_switch = {.per_year = kSecondsPerYear / 30.0, .repair = seconds(0.2)};
    faults.link = {.per_year = kSecondsPerYear / 30.0, .repair = seconds(0.2)};
  }
  return faults;
}

scenario::AutoscalingSpec random_autoscaling(RandomStream& dice) {
  scenario::AutoscalingSpec scaling;
  scaling.policy = any_of(dice, {scenario::ScalePolicy::queue, scenario::ScalePolicy::utilization});
  scaling.target_queue = dice.uniform(0.5, 4.0);
  scaling.interval = seconds(dice.uniform(0.1, 1.0));
  scaling.cooldown = seconds(dice.uniform(0.0, 1.0));
  scaling.boot = seconds(dice.uniform(0.0, 0.5));
  scaling.load_bandwidth = terabytes_per_second(1);
  return scaling;
}

// Prompts on an engine of half the speed.
void set_engines_apart(scenario::PoolPlan& pool, RandomStream& dice) {
  catalog::Engine npu = pool.devices.front().engines.front();
  npu.name = "npu";
  for (auto& [format, peak] : npu.peak) peak = peak * 0.5;
  pool.devices.front().engines.push_back(npu);
  scenario::DeploymentPlan& d = pool.deployments.front();
  d.prefill_engine = 1;
  d.spec.engine = {.prefill = "npu",
                   .decode = "main",
                   .steps = scenario::EngineSteps::apart,
                   .prefill_kv_share = dice.uniform(0.3, 0.7)};
  scenario::split_engines(pool);
}

scenario::Plan random_plan(std::int64_t seed, RandomStream& dice) {
  test::ToyOptions options;
  options.seed = seed;
  options.serving = random_serving(dice);
  options.nodes = dice.integer(1, 4);
  catalog::Link pcie;
  pcie.name = "pcie5";
  pcie.bandwidth = gigabytes_per_second(1);
  pcie.efficiency = 1.0;
  options.device.links.push_back(pcie);
  options.device.memory.front().capacity = gigabytes(16);
  if (coin(dice, 0.7)) options.kv_blocks = dice.integer(40, 300);
  scenario::Plan plan = test::toy_plan(options);
  plan.fabric.switches.bandwidth = gigabytes_per_second(5000);  // weights load in milliseconds
  for (auto& pool : plan.pools) pool.node.nics.front().bandwidth = gigabytes_per_second(5000);
  if (coin(dice, 0.4)) {
    plan.pools.push_back(plan.pools.front());
    plan.pools[0].deployments.front().spec.role = scenario::Role::prefill;
    plan.pools[1].deployments.front().spec.role = scenario::Role::decode;
    plan.pools[1].name = "second";
    const bool slow = coin(dice, 0.5);  // caches are on their way as long as prompts are computed
    for (auto& pool : plan.pools) {
      if (slow) pool.node.nics.front().bandwidth = gigabytes_per_second(4);
      pool.node.nics.front().count = 2;
    }
    if (coin(dice, 0.3)) plan.fabric.kind = catalog::FabricKind::rail_optimized;
    if (coin(dice, 0.4)) {
      for (auto& pool : plan.pools) pool.deployments.front().spec.role_may_change = true;
      plan.scenario.serving.role_switch = {.interval = seconds(dice.uniform(0.1, 0.5)),
                                           .cooldown = seconds(dice.uniform(0.0, 1.0)),
                                           .ratio = 1.2,
                                           .min_load = seconds(0.01)};
    }
  }
  if (coin(dice, 0.3)) {
    catalog::Dram dram;
    dram.capacity = gigabytes(1000);
    dram.bandwidth = gigabytes_per_second(400);
    for (auto& pool : plan.pools) {
      pool.node.host.dram = dram;
      pool.deployments.front().spec.lora = {.adapters = 4, .resident = dice.integer(1, 4)};
    }
  }
  const bool apart =
      plan.pools.size() == 1 && !plan.pools[0].deployments.front().spec.lora && coin(dice, 0.3);
  if (apart) set_engines_apart(plan.pools.front(), dice);
  scenario::ServingSpec& serving = plan.scenario.serving;
  const bool may_be_static = serving.kv_cache.offload.empty() &&
                             serving.scheduler.preemption == scenario::Preemption::recompute;
  if (may_be_static && !apart && coin(dice, 0.2))
    serving.scheduler.policy = scenario::BatchPolicy::static_batch;
  plan.scenario.faults = random_faults(dice, plan);
  // Replicas that come and go do not change roles.
  if (!plan.scenario.serving.role_switch && !apart && coin(dice, 0.2))
    plan.scenario.autoscaling = random_autoscaling(dice);
  return plan;
}

// Single requests, sessions, samples of which one is wanted, clients without patience.
std::vector<workload::Request> random_requests(RandomStream& dice, bool adapters) {
  std::vector<workload::Request> requests;
  double arrival_s = 0.0;
  std::int64_t session = 0;
  while (static_cast<std::int64_t>(requests.size()) < kRequests) {
    arrival_s += dice.exponential(0.1);
    const std::int64_t shape = dice.integer(0, 3);
    const std::int64_t members = shape == 0 ? 1 : dice.integer(2, 4);
    const auto first = static_cast<std::int64_t>(requests.size());
    for (std::int64_t i = 0; i < members; ++i) {
      const std::int64_t id = first + i;
      // Samples that start at one moment on idle replicas keep step to the last bit but for rounding.
      if (shape == 2) arrival_s += dice.uniform(0.0, 1e-3);
      workload::Request r =
          test::request_at(id, arrival_s, dice.integer(1, 400), dice.integer(1, 60));
      r.class_id = static_cast<std::int32_t>(dice.integer(0, 1));
      r.tenant = static_cast<std::int32_t>(dice.integer(0, 2));
      if (adapters && coin(dice, 0.7)) r.adapter = static_cast<std::int32_t>(dice.integer(0, 3));
      if (coin(dice, 0.1)) r.patience_s = dice.uniform(0.0, 1.0);
      if (shape == 1) r.session = session;
      if (shape == 1 && i > 0) {
        r.turn = static_cast<std::int32_t>(i);
        r.after = {id - 1};
        r.think_s = dice.uniform(0.0, 0.5);
        r.arrival_s = 0.0;
      }
      // Some begin alike.
      if (coin(dice, 0.3)) {
        for (std::int64_t block = 0; block < r.input_tokens / 32; ++block)
          r.prefix.push_back(static_cast<std::uint64_t>(block + 1));
      }
      if (shape == 2) r.group = first;
      if (shape == 3 && i == members - 1) {  // a join
        r.after.clear();
        for (std::int64_t a = first; a < id; ++a) r.after.push_back(a);
        r.arrival_s = 0.0;
      }
      requests.push_back(std::move(r));
    }
    if (shape == 1) ++session;
  }
  return requests;
}

struct Drawn {
  scenario::Plan plan;
  std::vector<workload::Request> requests;
};

std::optional<scenario::SpeculationSpec> random_speculation(RandomStream& dice) {
  scenario::SpeculationSpec spec;
  spec.sampling = scenario::AcceptanceSampling::per_request;
  spec.tokens = dice.integer(1, 4);
  if (coin(dice, 0.5)) {
    spec.tokens_per_step = {1.8, 2.4, 2.8, 2.9};
  } else {
    spec.acceptance = any_of(dice, {0.0, 0.7, 1.0});
    if (*spec.acceptance == 0.7 && coin(dice, 0.5)) spec.acceptance_spread = 0.2;
  }
  if (coin(dice, 0.5)) spec.max_batch = dice.integer(1, 6);
  if (spec.max_batch && coin(dice, 0.5)) spec.resume_batch = dice.integer(1, *spec.max_batch);
  return spec;
}

// In one of three, decoding guesses.
Drawn draw(std::int64_t seed) {
  RandomStream dice(static_cast<std::uint64_t>(seed), "fault schedules");
  scenario::Plan plan = random_plan(seed, dice);
  const bool adapters = plan.pools.front().deployments.front().spec.lora.has_value();
  Drawn drawn{std::move(plan), random_requests(dice, adapters)};
  if (seed % 3 == 0) drawn.plan.scenario.serving.speculation = random_speculation(dice);
  return drawn;
}

metrics::RunResult run(const Drawn& drawn, bool per_step = false) {
  test::ListStream stream(drawn.requests, 32);
  stream.name_classes({"default", "gold"});
  return test::run_here(drawn.plan, stream, per_step);
}

}  // namespace

TEST_CASE("over 500 random schedules of failures every request ends once, with what it was given") {
  std::map<RequestStatus, int> ends;
  std::int64_t again = 0;
  for (std::int64_t seed = 0; seed < 500; ++seed) {
    CAPTURE(seed);
    const Drawn drawn = draw(seed);
    const metrics::RunResult result = run(drawn);
    std::set<std::int64_t> ids;
    for (const metrics::RequestRow& row : result.requests) {
      REQUIRE(ids.insert(row.id).second);
      ++ends[row.status];
      again += std::max(0, row.attempts - 1);
      const workload::Request& asked = drawn.requests[static_cast<std::size_t>(row.id)];
      if (row.status == RequestStatus::finished) {
        REQUIRE(row.output_tokens == asked.output_tokens);
        double in_all_s = 0.0;
        for (const double s : row.phase_s) in_all_s += s;
        REQUIRE(in_all_s == doctest::Approx(row.finished_s - row.arrival_s).epsilon(1e-9));
      } else {
        REQUIRE(row.output_tokens <= asked.output_tokens);
      }
    }
    REQUIRE(ids.size() == drawn.requests.size());
    for (const metrics::PoolResult& pool : result.pools) {
      double seconds = 0.0;
      for (const double s : pool.device_seconds) seconds += s;
      REQUIRE(seconds ==
              doctest::Approx(static_cast<double>(pool.devices) * result.measured_s).epsilon(1e-9));
    }
  }
  // The schedules reach every way to end, and failures do hit requests.
  for (const RequestStatus status : {RequestStatus::finished, RequestStatus::rejected,
                                     RequestStatus::cancelled, RequestStatus::abandoned})
    CHECK(ends[status] > 100);
  CHECK(again > 1000);
}

TEST_CASE("random schedules of failures give step by step what they give in runs of steps") {
  for (std::int64_t seed = 0; seed < 500; ++seed) {
    CAPTURE(seed);
    const Drawn drawn = draw(seed);
    const metrics::RunResult fast = run(drawn);
    const metrics::RunResult slow = run(drawn, true);
    REQUIRE(fast.requests.size() == slow.requests.size());
    for (const metrics::RequestRow& a : fast.requests) {
      CAPTURE(a.id);
      const metrics::RequestRow& b = test::row_of(slow, a.id);
      REQUIRE(a.status == b.status);
      REQUIRE(a.output_tokens == b.output_tokens);
      REQUIRE(a.attempts == b.attempts);
      REQUIRE(a.preemptions == b.preemptions);
      REQUIRE(a.replica == b.replica);
      REQUIRE(a.first_token_s == doctest::Approx(b.first_token_s).epsilon(1e-9));
      REQUIRE(a.finished_s == doctest::Approx(b.finished_s).epsilon(1e-9));
    }
    for (std::size_t p = 0; p < fast.pools.size(); ++p) {
      for (std::size_t c = 0; c < kCauses; ++c)
        REQUIRE(std::abs(fast.pools[p].device_seconds[c] - slow.pools[p].device_seconds[c]) <
                1e-9 * fast.measured_s * static_cast<double>(fast.pools[p].devices));
    }
  }
}
