#include <algorithm>

#include "scenario/scenario_file.hpp"

namespace tokenyard::scenario {
namespace {

std::vector<std::string> slo_names() {
  std::vector<std::string> names;
  for (const char* latency : {"ttft", "tpot", "itl", "e2el", "queue"}) {
    for (const char* statistic : {"mean", "p50", "p90", "p95", "p99"}) {
      names.push_back(std::string(latency) + '_' + statistic);
    }
  }
  return names;
}

// Whether a scenario without a workload has claims to check all the same.
bool has_formulas(const input::Node& scenario) {
  const input::Node* expect = scenario.find("expect");
  if (expect == nullptr) return false;
  return std::any_of(expect->items.begin(), expect->items.end(), [](const input::Node& e) {
    return e.find("compute") != nullptr || e.find("against") != nullptr ||
           e.find("bound") != nullptr;
  });
}

// A map in the plan, a key for each statistic in the file: a misspelt one is an unknown key.
struct SloKeys {
  std::map<std::string, Seconds> limits;
};

void describe(input::Fields& f, SloKeys& x) {
  for (const std::string& name : slo_names()) {
    const auto given = x.limits.find(name);
    std::optional<Seconds> limit;
    if (given != x.limits.end()) limit = given->second;
    f.optional(name, limit, "limit; null: none").more_than(0.0);
    if (f.is_reading() && limit) x.limits[name] = *limit;
  }
}

}  // namespace

void describe(input::Fields& f, SchedulerSpec& x) {
  f.optional("policy", x.policy,
             "chunked-prefill: prompts ride along with decoding; prefill-first: they go before; "
             "static: a batch is finished before the next one starts");
  f.optional("max_batch", x.max_batch, "sequences in a batch (max_num_seqs)")
      .at_least(1)
      .at_most(65'536);
  f.optional("max_batch_tokens", x.max_batch_tokens,
             "tokens computed in a step (max_num_batched_tokens)")
      .at_least(1)
      .at_most(10'000'000);
  f.optional(
      "admission", x.admission,
      "who enters the batch first: fcfs, priority (of its class), shortest-job-first (by the "
      "predicted answer) or fair-share (the tenant that was served least)");
  f.optional("preemption", x.preemption,
             "what becomes of a sequence whose KV blocks are taken: recompute, or swap (they go to "
             "the host's DRAM and come back)");
  f.optional("priorities", x.priorities,
             "admission priority: numbers of classes, the highest first; a class that is not "
             "listed has 0");
  f.optional("length_error", x.length_error,
             "admission shortest-job-first: deviation of ln(predicted / true) of answers' lengths")
      .at_least(0.0)
      .at_most(10.0);
  f.optional("ageing", x.ageing,
             "the wait that counts as much as one step of priority, or as one token of a predicted "
             "answer; default: none does, and a request may wait for ever")
      .more_than(0.0);
  if (!f.is_reading()) return;
  if (x.ageing && x.admission != Admission::priority &&
      x.admission != Admission::shortest_job_first)
    f.problem("ageing", "has no effect without 'admission: priority' or 'shortest-job-first'");
  if (!x.priorities.empty() && x.admission != Admission::priority)
    f.problem("priorities", "has no effect without 'admission: priority'");
  if (f.has("length_error") && x.admission != Admission::shortest_job_first)
    f.problem("length_error", "has no effect without 'admission: shortest-job-first'");
}

void describe(input::Fields& f, KvCacheSpec& x) {
  f.optional(
      "capacity", x.capacity,
      "tokens of KV cache of a replica; auto: what fits beside the weights; unlimited: as many "
      "as the run asks for, nothing being evicted, though no device has them");
  f.optional("block_tokens", x.block_tokens, "tokens of a KV block").at_least(1).at_most(4096);
  f.optional("prefix_reuse", x.prefix_reuse, "share the KV cache of equal prefixes");
  f.optional(
      "eviction", x.eviction,
      "which cached prefix goes first: lru, lfu or cost-aware (what is worth least to have)");
  f.optional(
      "between_turns", x.between_turns,
      "what becomes of a session's KV cache between its turns: keep it until its room is "
      "needed, or for the 'ttl', or for as long as it is worth (cost-aware), offload it to the "
      "first tier below, or drop it");
  f.optional("ttl", x.ttl, "between_turns ttl: how long what nobody uses stays cached")
      .more_than(0.0);
  f.optional("offload", x.offload,
             "memory tiers below the device's that take what is evicted, the fastest first: dram, "
             "ssd, remote");
  f.optional("prefetch", x.prefetch,
             "bring what an SSD keeps of a request's prompt to DRAM while it waits for its turn");
  if (!f.is_reading()) return;
  const bool wants_ttl = x.between_turns == BetweenTurns::ttl;
  if (wants_ttl && !x.ttl) f.problem("between_turns", "'ttl' needs a 'ttl' of how long");
  if (!wants_ttl && x.ttl) f.problem("ttl", "has no effect without 'between_turns: ttl'");
  if (x.between_turns == BetweenTurns::offload && x.offload.empty())
    f.problem("between_turns", "'offload' needs a tier in 'offload'");
  if (!x.offload.empty() && !x.prefix_reuse)
    f.problem("offload", "has no effect without 'prefix_reuse'");
  const auto keeps = [&](KvTierKind kind) {
    return std::any_of(x.offload.begin(), x.offload.end(),
                       [&](const KvTierSpec& tier) { return tier.tier == kind; });
  };
  if (x.prefetch && !(keeps(KvTierKind::dram) && keeps(KvTierKind::ssd)))
    f.problem("prefetch", "goes from 'ssd' to 'dram': it needs both in 'offload'");
  for (std::size_t i = 1; i < x.offload.size(); ++i) {
    if (x.offload[i].tier <= x.offload[i - 1].tier) {
      f.problem("offload", "tiers come once each, the fastest first: dram, ssd, remote");
      break;
    }
  }
  if (x.capacity.tokens && *x.capacity.tokens < x.block_tokens) {
    f.problem("capacity", std::to_string(*x.capacity.tokens) +
                              " tokens are less than one block of " +
                              std::to_string(x.block_tokens));
  }
}

void describe(input::Fields& f, KvTierSpec& x) {
  f.required("tier", x.tier, "dram, ssd (of each node) or remote (a pool of all nodes together)");
  f.optional("capacity", x.capacity,
             "of a node, of the pool for remote; default: 80 % of what the node has")
      .more_than(0.0);
  f.optional("bandwidth", x.bandwidth,
             "of a node, one direction; default: dram the devices' links to the host, ssd the "
             "drives'")
      .more_than(0.0);
  f.optional("energy", x.energy, "of reading or writing; default: see perf/kv_tier_places.hpp")
      .at_least(0.0);
  if (!f.is_reading() || x.tier != KvTierKind::remote) return;
  if (x.bandwidth)
    f.problem("bandwidth", "of a remote pool is that of the nodes' NICs and of the fabric");
  if (!x.capacity) f.problem("tier", "'remote' needs a 'capacity'");
}

void describe(input::Fields& f, HostOverhead& x) {
  f.optional("per_step", x.per_step, "host time of a step that the devices wait for").at_least(0.0);
  f.optional("per_sequence", x.per_sequence, "the same, for each sequence that gets a token")
      .at_least(0.0);
  f.optional("per_request", x.per_request, "time of a request before the scheduler sees it")
      .at_least(0.0);
  f.optional("per_input_token", x.per_input_token, "the same, for each token of its prompt")
      .at_least(0.0);
}

void describe(input::Fields& f, OverlapSpec& x) {
  f.optional("tensor", x.tensor, "share of all-reduces hidden behind computation")
      .at_least(0.0)
      .at_most(1.0);
  f.optional("expert", x.expert,
             "share of expert dispatch and combine hidden behind the other half batch")
      .at_least(0.0)
      .at_most(1.0);
}

void describe(input::Fields& f, KvTransferSpec& x) {
  f.optional("bandwidth", x.bandwidth, "of one device; default: its share of the NICs")
      .more_than(0.0);
  f.optional("overlap", x.overlap, "share of the transfer hidden behind the prefill")
      .at_least(0.0)
      .at_most(1.0);
}

void describe(input::Fields& f, HandoffSpec& x) {
  f.optional(
      "layer_pipelined", x.layer_pipelined,
      "each layer's KV cache is sent as soon as it is computed, to a replica that keeps room for "
      "the prompt from its beginning");
}

void describe(input::Fields& f, ServingSpec& x) {
  f.optional("router", x.router, "how a request's replica is chosen");
  f.optional("router_load_cap", x.router_load_cap,
             "prefix-affinity and session-sticky go elsewhere above this many times the least load "
             "plus 8; default: 2, and never")
      .at_least(1.0);
  f.optional("router_latency", x.router_latency, "of each decision").at_least(0.0);
  f.optional("routes", x.routes, "kinds of requests that go to one pool; the first that matches");
  f.optional("client", x.client, "how long clients wait, and whether they ask again");
  f.optional("overload", x.overload, "what becomes of requests that would be served too late");
  f.optional("role_switch", x.role_switch,
             "replicas change between computing prompts and decoding as the load asks for");
  f.optional("scheduler", x.scheduler, "how batches are formed");
  f.optional("kv_cache", x.kv_cache, "paging and reuse of the KV cache");
  f.optional("speculation", x.speculation, "speculative decoding");
  f.optional("overlap", x.overlap, "communication behind computation");
  f.optional("handoff", x.handoff,
             "how KV caches go from pools that compute prompts to pools that decode");
  f.optional("kv_transfer", x.kv_transfer,
             "every prompt's KV cache crosses a link before decoding, as between separate pools");
  f.optional("activation_sparsity", x.activation_sparsity,
             "share of weight bytes that need not be read")
      .at_least(0.0)
      .at_most(0.99);
  f.optional("host", x.host, "host work between steps");
}

void describe(input::Fields& f, MarketSpec& x) {
  f.optional("usd_per_device_hour", x.usd_per_device_hour, "rent of such a device, in USD an hour")
      .more_than(0.0);
  f.optional("usd_per_mtok_input", x.usd_per_mtok_input,
             "an API's price, in USD per million input tokens")
      .at_least(0.0);
  f.optional("usd_per_mtok_output", x.usd_per_mtok_output, "the same for output tokens")
      .at_least(0.0);
}

void describe(input::Fields& f, EconomicsSpec& x) {
  f.optional("horizon", x.horizon, "years over which the fleet is paid and used").more_than(0.0);
  f.optional("utilization", x.utilization,
             "from-simulation, or the share of the simulated throughput over the year");
  f.optional("model_lifetime", x.model_lifetime,
             "until another model is wanted, which hard-wired silicon pays for; default: never")
      .more_than(0.0);
  f.optional("respin_share", x.respin_share,
             "share of the engineering of another model's silicon that this fleet pays; the rest "
             "falls to other buyers")
      .at_least(0.0)
      .at_most(1.0);
  f.optional("market", x.market, "what the same work costs elsewhere, for the break-even");
}

void describe(input::Fields& f, ScenarioFile& x) {
  f.required("name", x.name, "how results call this scenario");
  f.optional("description", x.description, "one line: the question it answers");
  f.optional("seed", x.seed, "of all random streams");
  f.optional("source", x.source, "of its claims: who said so and where");
  // Not required of files of claims alone, which the schema of JSON cannot tell apart by one list.
  x.simulated = !f.is_reading() || f.has("workload") || !has_formulas(f.node());
  f.optional("workload", x.workload, "a workload file's path, or the workload itself");
  f.optional("scale", x.scale, "multiplies the arrival rate").more_than(0.0);
  f.optional("duration", x.duration, "simulated time after which the run is cut off")
      .more_than(0.0);
  f.optional("requests", x.requests, "stop after this many requests").at_least(1);
  f.optional("warmup", x.warmup, "first part of the run that is left out of the statistics")
      .at_least(0.0);
  f.optional("fleet", x.fleet, "site, fabric and pools of nodes");
  for (const char* key : {"workload", "fleet"}) {
    if (f.is_reading() && x.simulated && !f.has(key))
      f.problem(key, "key '" + std::string(key) + "' is missing");
  }
  f.optional("serving", x.serving, "router, scheduler, KV cache");
  f.optional("autoscaling", x.autoscaling, "fleets that grow and shrink");
  f.optional("faults", x.faults, "failures and repairs");
  SloKeys slo{x.slo};
  f.optional("slo", slo, "limits on latency statistics, such as ttft_p99: 2 s");
  if (f.is_reading()) x.slo = slo.limits;
  f.optional("economics", x.economics, "horizon and utilisation");
  f.optional(
      "calibration", x.calibration,
      "fitted numbers of devices and host: auto (the newest that lists a device), none, or a "
      "file of hardware_catalog/calibrations, without .yaml");
  f.optional("unfit", x.unfit,
             "a variant whose machine cannot hold its model: error, or report (a row says why)");
  f.optional("store_requests", x.store_requests, "which rows of the request table are stored");
  f.optional("sample_interval", x.sample_interval, "between rows of the sample table; 0 s: none")
      .at_least(0.0);
  if (f.has("sample_interval") && x.sample_interval.base() > 0.0 &&
      x.sample_interval.base() < 0.01) {
    f.problem("sample_interval", "is out of range; expected 0 s (no samples) or at least 10 ms");
  }
  f.optional("given", x.given, "named inputs of the formulas");
  f.optional("expect", x.expect,
             "what metrics should be, checked after the run; and claims, checked by audit");
}

}  // namespace tokenyard::scenario
