#pragma once
// A scenario as written, defaults filled in, names not yet resolved.
#include <map>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "input/fields.hpp"
#include "workload/workload.hpp"

namespace tokenyard::scenario {

enum class Role { both, prefill, decode };
constexpr auto enum_names(Role) {
  return std::array<std::string_view, 3>{"both", "prefill", "decode"};
}

// `auto` or a number.
struct AutoCount {
  std::optional<std::int64_t> count;  // absent: auto
};

// `from-simulation`: the simulated hour stands for the year; or the share of the simulated
// throughput that the fleet delivers over the year.
struct Utilization {
  std::optional<double> share;  // absent: from-simulation
};

// A mechanism that the format knows and this version does not simulate: only its being off is
// accepted.
struct SwitchedOff {};

// A workload file's path, or the workload itself.
struct WorkloadRef {
  std::optional<std::string> file;
  Place where;
  workload::WorkloadSpec spec;  // read from the file when the scenario is resolved
};

struct DeploySpec {
  std::string model;
  Role role = Role::both;
  std::optional<std::string> engine;  // absent: the device's first
  std::string weights = "bf16";
  std::string kv = "bf16";
  std::string activations = "bf16";
  std::string placement = "auto";
  std::int64_t tensor_parallel = 1;
  std::int64_t pipeline_parallel = 1;
  std::int64_t expert_parallel = 1;
  bool data_parallel_attention =
      false;  // short for attention_data_parallel = expert_parallel / tensor_parallel
  std::optional<std::int64_t> attention_data_parallel;
  AutoCount replicas;
  double memory_utilization =
      0.90;  // share of device memory that weights, KV cache and activations may use
};

// Written as one map or as a list of maps.
struct DeployList {
  std::vector<DeploySpec> list;
  std::vector<std::string> paths;  // parallel to list: "fleet.pools[0].deploy[1]"
};

struct PoolSpec {
  std::string name;
  std::string node;
  std::int64_t count = 1;
  DeployList deploy;
  Place where;
};

struct FleetSpec {
  std::string site = "us-average";
  std::string fabric = "leaf-spine-400g";
  std::vector<PoolSpec> pools;
};

enum class RouterKind {
  round_robin,
  random,
  power_of_two,
  least_loaded,
  prefix_affinity,
  session_sticky
};
constexpr auto enum_names(RouterKind) {
  return std::array<std::string_view, 6>{"round-robin",  "random",          "power-of-two",
                                         "least-loaded", "prefix-affinity", "session-sticky"};
}
enum class BatchPolicy { chunked_prefill, prefill_first };
constexpr auto enum_names(BatchPolicy) {
  return std::array<std::string_view, 2>{"chunked-prefill", "prefill-first"};
}
enum class Admission { fcfs };
constexpr auto enum_names(Admission) {
  return std::array<std::string_view, 1>{"fcfs"};
}
enum class Preemption { recompute };
constexpr auto enum_names(Preemption) {
  return std::array<std::string_view, 1>{"recompute"};
}
enum class Eviction { lru };
constexpr auto enum_names(Eviction) {
  return std::array<std::string_view, 1>{"lru"};
}
enum class BetweenTurns { keep, drop };
constexpr auto enum_names(BetweenTurns) {
  return std::array<std::string_view, 2>{"keep", "drop"};
}

struct SchedulerSpec {
  BatchPolicy policy = BatchPolicy::chunked_prefill;
  std::int64_t max_batch = 256;          // max_num_seqs
  std::int64_t max_batch_tokens = 8192;  // max_num_batched_tokens
  Admission admission = Admission::fcfs;
  Preemption preemption = Preemption::recompute;
};

struct KvCacheSpec {
  std::int64_t block_tokens = 16;
  bool prefix_reuse = true;
  Eviction eviction = Eviction::lru;
  BetweenTurns between_turns = BetweenTurns::keep;
  std::vector<std::string> offload;  // tiers below device memory; none is simulated by this version
};

// Host work of one step that the devices wait for: scheduler, sampler, detokeniser.
struct HostOverhead {
  Seconds per_step = milliseconds(0.5);
  Seconds per_sequence = microseconds(5);
};

struct ServingSpec {
  RouterKind router = RouterKind::least_loaded;
  SchedulerSpec scheduler;
  KvCacheSpec kv_cache;
  SwitchedOff speculation;
  double activation_sparsity = 0.0;  // share of weight bytes not read
  HostOverhead host;
};

// What else the same work could be bought for; gives break_even_utilization.
struct MarketSpec {
  std::optional<double> usd_per_device_hour;
  std::optional<double> usd_per_mtok_input;
  std::optional<double> usd_per_mtok_output;
};

struct EconomicsSpec {
  Seconds horizon = years(4);
  Utilization utilization;
  MarketSpec market;
};

enum class StoreRequests { all, sample, none };
constexpr auto enum_names(StoreRequests) {
  return std::array<std::string_view, 3>{"all", "sample", "none"};
}

struct ExpectSpec {
  std::string metric;
  double value = 0.0;  // base units of the metric
  double tolerance = 0.0;
  std::string claim;
  std::string source;
  Place where;  // of `metric`, for messages of later checks
};

struct ScenarioFile {
  std::string name;
  std::string description;
  std::int64_t seed = 1;
  WorkloadRef workload;
  std::optional<double> scale;  // multiplies the arrival rate
  std::optional<Seconds> duration;
  std::optional<std::int64_t> requests;
  Seconds warmup;
  FleetSpec fleet;
  ServingSpec serving;
  SwitchedOff autoscaling;
  SwitchedOff faults;
  std::map<std::string, Seconds> slo;  // ttft_p99 ...
  EconomicsSpec economics;
  std::optional<StoreRequests> store_requests;  // absent: all up to a million requests, else sample
  Seconds sample_interval = seconds(10);        // of the `sample` table
  std::vector<ExpectSpec> expect;
};

void describe(input::Fields& f, DeploySpec& x);
void describe(input::Fields& f, PoolSpec& x);
void describe(input::Fields& f, FleetSpec& x);
void describe(input::Fields& f, SchedulerSpec& x);
void describe(input::Fields& f, KvCacheSpec& x);
void describe(input::Fields& f, HostOverhead& x);
void describe(input::Fields& f, ServingSpec& x);
void describe(input::Fields& f, MarketSpec& x);
void describe(input::Fields& f, EconomicsSpec& x);
void describe(input::Fields& f, ExpectSpec& x);
void describe(input::Fields& f, ScenarioFile& x);

}  // namespace tokenyard::scenario

namespace tokenyard::input {

template <>
struct Codec<scenario::AutoCount> {
  static bool read(ReadContext& context, const Node& node, scenario::AutoCount& out);
  static void write(JsonWriter& json, const scenario::AutoCount& value);
  static std::string schema();
};
template <>
struct Codec<scenario::Utilization> {
  static bool read(ReadContext& context, const Node& node, scenario::Utilization& out);
  static void write(JsonWriter& json, const scenario::Utilization& value);
  static std::string schema();
};
template <>
struct Codec<scenario::SwitchedOff> {
  static bool read(ReadContext& context, const Node& node, scenario::SwitchedOff& out);
  static void write(JsonWriter& json, const scenario::SwitchedOff& value);
  static std::string schema();
};
template <>
struct Codec<scenario::WorkloadRef> {
  static bool read(ReadContext& context, const Node& node, scenario::WorkloadRef& out);
  static void write(JsonWriter& json, const scenario::WorkloadRef& value);
  static std::string schema();
};
template <>
struct Codec<scenario::DeployList> {
  static bool read(ReadContext& context, const Node& node, scenario::DeployList& out);
  static void write(JsonWriter& json, const scenario::DeployList& value);
  static std::string schema();
};

}  // namespace tokenyard::input
