#include "scenario/scenario_file.hpp"

namespace tokenyard::scenario {
namespace {

constexpr double kMostWays = 65'536;  // products of three stay far inside 64 bits

std::vector<std::string> slo_names() {
  std::vector<std::string> names;
  for (const char* latency : {"ttft", "tpot", "itl", "e2el", "queue"}) {
    for (const char* statistic : {"mean", "p50", "p90", "p95", "p99"}) {
      names.push_back(std::string(latency) + '_' + statistic);
    }
  }
  return names;
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

void describe(input::Fields& f, DeploySpec& x) {
  f.required("model", x.model, "a file of workloads/models, without .yaml");
  f.optional("role", x.role, "what the replicas do: both (prefill and decode)");
  f.optional("engine", x.engine, "which engine of the device; default: its first");
  f.optional("weights", x.weights, "number format of the weights, from workloads/formats.yaml");
  f.optional("kv", x.kv, "number format of the KV cache");
  f.optional("activations", x.activations, "number format of the activations");
  f.optional("placement", x.placement, "auto, or the memory tier that must hold the weights");
  f.optional("tensor_parallel", x.tensor_parallel, "devices that share each layer")
      .at_least(1)
      .at_most(kMostWays);
  f.optional("pipeline_parallel", x.pipeline_parallel, "groups of layers on devices of their own")
      .at_least(1)
      .at_most(kMostWays);
  f.optional("expert_parallel", x.expert_parallel, "groups of devices that share the experts")
      .at_least(1)
      .at_most(kMostWays);
  f.optional("data_parallel_attention", x.data_parallel_attention,
             "attention on whole sequences, expert_parallel / tensor_parallel ways");
  f.optional("attention_data_parallel", x.attention_data_parallel,
             "the same, with the number of ways")
      .at_least(1)
      .at_most(kMostWays);
  f.optional("replicas", x.replicas, "model instances; auto: as many as the pool's devices carry");
  f.optional("memory_utilization", x.memory_utilization,
             "share of device memory for weights, KV cache and activations")
      .more_than(0.0)
      .at_most(1.0);
}

void describe(input::Fields& f, PoolSpec& x) {
  if (f.is_reading()) x.where = f.node().place;
  f.required("name", x.name, "how results and overrides call this pool");
  f.required("node", x.node, "a file of hardware_catalog/nodes, without .yaml");
  f.optional("count", x.count, "nodes").at_least(1).at_most(100'000);
  f.required("deploy", x.deploy, "the model served here, or a list of them");
}

void describe(input::Fields& f, FleetSpec& x) {
  f.optional("site", x.site, "a file of hardware_catalog/sites, without .yaml");
  f.optional("fabric", x.fabric, "a file of hardware_catalog/fabrics, without .yaml");
  f.required("pools", x.pools, "groups of equal nodes");
  if (f.has("pools") && f.node().find("pools")->kind == input::Node::Kind::sequence &&
      x.pools.empty()) {
    f.problem("pools", "the list is empty; expected at least one pool");
  }
}

void describe(input::Fields& f, SchedulerSpec& x) {
  f.optional("policy", x.policy,
             "chunked-prefill: prompts ride along with decoding; prefill-first: they go before");
  f.optional("max_batch", x.max_batch, "sequences in a batch (max_num_seqs)")
      .at_least(1)
      .at_most(65'536);
  f.optional("max_batch_tokens", x.max_batch_tokens,
             "tokens computed in a step (max_num_batched_tokens)")
      .at_least(1)
      .at_most(10'000'000);
  f.optional("admission", x.admission, "order of admission");
  f.optional("preemption", x.preemption, "what becomes of a sequence whose KV blocks are taken");
}

void describe(input::Fields& f, KvCacheSpec& x) {
  f.optional("block_tokens", x.block_tokens, "tokens of a KV block").at_least(1).at_most(4096);
  f.optional("prefix_reuse", x.prefix_reuse, "share the KV cache of equal prefixes");
  f.optional("eviction", x.eviction, "which cached prefix goes first");
  f.optional("between_turns", x.between_turns,
             "what becomes of a session's KV cache between its turns");
  f.optional("offload", x.offload, "memory tiers below the device's that take evicted blocks");
  if (!x.offload.empty() && f.is_reading()) {
    f.problem("offload",
              "tiers below device memory are not simulated by this version; expected []");
  }
}

void describe(input::Fields& f, HostOverhead& x) {
  f.optional("per_step", x.per_step, "host time of a step that the devices wait for").at_least(0.0);
  f.optional("per_sequence", x.per_sequence, "the same, for each sequence that gets a token")
      .at_least(0.0);
}

void describe(input::Fields& f, ServingSpec& x) {
  f.optional("router", x.router, "how a request's replica is chosen");
  f.optional("scheduler", x.scheduler, "how batches are formed");
  f.optional("kv_cache", x.kv_cache, "paging and reuse of the KV cache");
  f.optional("speculation", x.speculation, "speculative decoding");
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
  f.optional("market", x.market, "what the same work costs elsewhere, for the break-even");
}

void describe(input::Fields& f, ExpectSpec& x) {
  f.required("metric", x.metric, "name of a metric, as listed by `tokenyard metrics`");
  f.required("value", x.value, "what it should be, in the metric's unit");
  f.optional("tolerance", x.tolerance, "accepted relative deviation").at_least(0.0);
  f.optional("claim", x.claim, "whose claim, in words");
  f.optional("source", x.source, "where it was made");
  if (f.has("metric")) x.where = f.node().find("metric")->place;
}

void describe(input::Fields& f, ScenarioFile& x) {
  f.required("name", x.name, "how results call this scenario");
  f.optional("description", x.description, "one line: the question it answers");
  f.optional("seed", x.seed, "of all random streams");
  f.required("workload", x.workload, "a workload file's path, or the workload itself");
  f.optional("scale", x.scale, "multiplies the arrival rate").more_than(0.0);
  f.optional("duration", x.duration, "simulated time after which the run is cut off")
      .more_than(0.0);
  f.optional("requests", x.requests, "stop after this many requests").at_least(1);
  f.optional("warmup", x.warmup, "first part of the run that is left out of the statistics")
      .at_least(0.0);
  f.required("fleet", x.fleet, "site, fabric and pools of nodes");
  f.optional("serving", x.serving, "router, scheduler, KV cache");
  f.optional("autoscaling", x.autoscaling, "fleets that grow and shrink");
  f.optional("faults", x.faults, "failures and repairs");
  SloKeys slo{x.slo};
  f.optional("slo", slo, "limits on latency statistics, such as ttft_p99: 2 s");
  if (f.is_reading()) x.slo = slo.limits;
  f.optional("economics", x.economics, "horizon and utilisation");
  f.optional("store_requests", x.store_requests, "which rows of the request table are stored");
  f.optional("sample_interval", x.sample_interval, "between rows of the sample table; 0 s: none")
      .at_least(0.0);
  if (f.has("sample_interval") && x.sample_interval.base() > 0.0 &&
      x.sample_interval.base() < 0.01) {
    f.problem("sample_interval", "is out of range; expected 0 s (no samples) or at least 10 ms");
  }
  f.optional("expect", x.expect, "what metrics should be; checked after the run");
}

}  // namespace tokenyard::scenario
