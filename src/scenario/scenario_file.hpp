#pragma once
// A scenario as written, defaults filled in, names not yet resolved.
#include <map>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "input/fields.hpp"
#include "scenario/claim.hpp"
#include "scenario/operation_spec.hpp"
#include "scenario/sharing_spec.hpp"
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

// A workload file's path, or the workload itself.
struct WorkloadRef {
  std::optional<std::string> file;
  Place where;
  workload::WorkloadSpec spec;  // read from the file when the scenario is resolved
};

// Two engines of a device: a step has prompts' chunks on one and tokens on the other, and takes the longer
// of the two; or each has steps of its own (engines_apart.hpp).
enum class EngineSteps { together, apart };
constexpr auto enum_names(EngineSteps) {
  return std::array<std::string_view, 2>{"together", "apart"};
}
// The engines of a device that serve: one for both phases of a request, or one for each.
struct EngineChoice {
  std::optional<std::string> prefill;  // absent: the device's first
  std::optional<std::string> decode;   // absent: the device's first
  EngineSteps steps = EngineSteps::together;
  std::optional<double> prefill_kv_share;  // of the KV blocks, for prompts
  // Half where the file does not say: assumed.
  [[nodiscard]] double prompts_kv_share() const { return prefill_kv_share.value_or(0.5); }
};

// A count of devices or nodes that `auto` may stand for until the deployment is placed.
inline constexpr std::int64_t kAuto = 0;

// LoRA adapters of a deployment: see perf/adapters.hpp.
enum class LoraTargets { attention, all };
constexpr auto enum_names(LoraTargets) {
  return std::array<std::string_view, 2>{"attention", "all"};
}
struct LoraSpec {
  std::int64_t adapters = 1;  // requests name them by number, from 0
  std::int64_t rank = 16;
  std::optional<std::int64_t> resident =
      std::nullopt;  // in device memory at the same time; absent: all
  LoraTargets targets = LoraTargets::attention;
};

struct DeploySpec {
  std::string model;
  Role role = Role::both;
  bool role_may_change = false;  // with serving.role_switch
  EngineChoice engine;
  std::string weights = "bf16";
  std::string kv = "bf16";
  std::string activations = "bf16";
  std::optional<std::string>
      expert_weights;                  // of routed experts; absent: the format of the weights
  std::optional<std::string> lm_head;  // absent: the format of the weights
  std::string placement = "auto";
  std::int64_t tensor_parallel = 1;    // or kAuto
  std::int64_t pipeline_parallel = 1;  // or kAuto
  std::int64_t expert_parallel = 1;
  std::int64_t redundant_experts = 0;  // copies of the busiest experts, beside the experts
  double expert_skew = 0.0;            // Zipf exponent of the experts' popularity
  bool data_parallel_attention =
      false;  // short for attention_data_parallel = expert_parallel / tensor_parallel
  std::optional<std::int64_t> attention_data_parallel;
  AutoCount replicas;
  std::optional<LoraSpec> lora;
  std::optional<std::int64_t> min_kv_tokens;  // that parallelism `auto` leaves room for
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
  std::int64_t count = 1;  // or kAuto: what one replica takes
  DeployList deploy;
  std::optional<SharingSpec> sharing;
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
  session_sticky,
  least_kv
};
constexpr auto enum_names(RouterKind) {
  return std::array<std::string_view, 7>{"round-robin",  "random",          "power-of-two",
                                         "least-loaded", "prefix-affinity", "session-sticky",
                                         "least-kv"};
}
// static_batch: prompts first, then decoding; nothing joins before all have finished.
enum class BatchPolicy { chunked_prefill, prefill_first, static_batch };
constexpr auto enum_names(BatchPolicy) {
  return std::array<std::string_view, 3>{"chunked-prefill", "prefill-first", "static"};
}
// The order in which requests that wait for a replica enter its batch.
enum class Admission { fcfs, priority, shortest_job_first, fair_share };
constexpr auto enum_names(Admission) {
  return std::array<std::string_view, 4>{"fcfs", "priority", "shortest-job-first", "fair-share"};
}
// What becomes of a sequence whose KV blocks are taken: computed again, or kept in the host's DRAM.
enum class Preemption { recompute, swap };
constexpr auto enum_names(Preemption) {
  return std::array<std::string_view, 2>{"recompute", "swap"};
}
// Which cached prefix goes first: see serving/eviction_order.hpp.
enum class Eviction { lru, lfu, cost_aware };
constexpr auto enum_names(Eviction) {
  return std::array<std::string_view, 3>{"lru", "lfu", "cost-aware"};
}
// What becomes of a session's KV cache between its turns: see serving/kv_cache.hpp.
enum class BetweenTurns { keep, ttl, offload, drop, cost_aware };
constexpr auto enum_names(BetweenTurns) {
  return std::array<std::string_view, 5>{"keep", "ttl", "offload", "drop", "cost-aware"};
}
// Memory below the devices' that keeps KV caches: of the node, or of all nodes together.
enum class KvTierKind { dram, ssd, remote };
constexpr auto enum_names(KvTierKind) {
  return std::array<std::string_view, 3>{"dram", "ssd", "remote"};
}
struct KvTierSpec {
  KvTierKind tier = KvTierKind::dram;
  std::optional<Bytes> capacity;            // of a node; remote: of all together
  std::optional<BytesPerSecond> bandwidth;  // of a node, one direction; not of remote
  std::optional<JoulesPerByte> energy;      // read or written
};

struct SchedulerSpec {
  BatchPolicy policy = BatchPolicy::chunked_prefill;
  std::int64_t max_batch = 256;          // max_num_seqs
  std::int64_t max_batch_tokens = 8192;  // max_num_batched_tokens
  Admission admission = Admission::fcfs;
  Preemption preemption = Preemption::recompute;
  std::map<std::string, std::int64_t>
      priorities;             // of classes; the highest goes first, 0: the rest
  double length_error = 0.3;  // of predicted answers: deviation of ln(predicted / true), assumed
  // The wait that counts as much as a step of priority, or a token of a predicted answer; absent: none does.
  std::optional<Seconds> ageing;
};

// How many tokens of KV cache a replica has: `auto`, `unlimited` or a number.
struct KvCapacity {
  std::optional<std::int64_t> tokens;  // absent: what fits beside the weights, or unlimited
  bool unlimited = false;
};

// What `unlimited` stands for: more than any run needs, and far inside 64 bits as bytes.
inline constexpr std::int64_t kUnlimitedKvTokens = std::int64_t{1} << 40;

struct KvCacheSpec {
  KvCapacity capacity;
  std::int64_t block_tokens = 16;
  bool prefix_reuse = true;
  Eviction eviction = Eviction::lru;
  BetweenTurns between_turns = BetweenTurns::keep;
  std::optional<Seconds> ttl;       // between_turns ttl: how long what nobody uses stays cached
  std::vector<KvTierSpec> offload;  // tiers below device memory, the fastest first
  bool prefetch = false;            // from ssd to dram while a request waits for its turn
};

// What the host costs.  Of one step, while the devices wait: scheduler, sampler, detokeniser.  Of one
// request, before the scheduler sees it: HTTP, tokeniser, hand-over between processes.
struct HostOverhead {
  Seconds per_step = milliseconds(0.5);
  Seconds per_sequence = microseconds(8);
  Seconds per_request = milliseconds(30);
  Seconds per_input_token = microseconds(4);
};

// Speculative decoding: `tokens` guessed tokens are verified in one step.  What one step yields is
// measured (tokens_per_step, by draft length 1, 2, ...), follows from a constant acceptance, or is
// a measured gain of the whole (speedup).
enum class DraftKind { draft, medusa, eagle, mtp };
constexpr auto enum_names(DraftKind) {
  return std::array<std::string_view, 4>{"draft", "medusa", "eagle", "mtp"};
}
// Whether every sequence gains the mean of tokens in each step, or what it gains is drawn.
enum class AcceptanceSampling { expected, per_request };
constexpr auto enum_names(AcceptanceSampling) {
  return std::array<std::string_view, 2>{"expected", "per-request"};
}
struct SpeculationSpec {
  DraftKind kind = DraftKind::mtp;
  std::int64_t tokens = 1;                // guessed in each step
  std::optional<double> acceptance;       // of each guessed token, given those before it
  std::vector<double> tokens_per_step;    // measured, by draft length
  double draft_cost = 0.05;               // of each guessed token, in steps of one token
  std::optional<std::int64_t> max_batch;  // larger batches are decoded without
  std::optional<double> speedup;          // instead of all the above
  AcceptanceSampling sampling = AcceptanceSampling::expected;
  // With sampling only:
  std::optional<double> acceptance_spread;   // deviation of a request's acceptance from the mean
  std::optional<std::int64_t> resume_batch;  // once off, it is on again from this batch down
};

// Share of the time of communication that is hidden behind computation.  Expert parallelism hides
// it by working on two half batches in turn: each of them reads the experts' weights.
struct OverlapSpec {
  double tensor = 0.0;  // all-reduces
  double expert = 0.0;  // dispatch and combine
};

// What separate prefill and decode pools would add to every prompt, estimated without them: its KV cache
// crosses a link before decoding starts, and prompts are computed here.  Deployments with roles simulate
// it instead.
struct KvTransferSpec {
  std::optional<BytesPerSecond> bandwidth;  // of one device; absent: its share of the NICs
  double overlap = 0.9;  // share of the transfer hidden behind the prefill, as far as that lasts
};

// How KV caches go from replicas that compute prompts to those that decode.
struct HandoffSpec {
  bool layer_pipelined = false;  // each layer as soon as it is computed
};

struct ServingSpec {
  RouterKind router = RouterKind::least_loaded;
  std::optional<double>
      router_load_cap;     // of prefix-affinity (2 by itself) and session-sticky (none)
  Seconds router_latency;  // of each decision
  std::vector<RouteSpec> routes;
  ClientSpec client;
  OverloadSpec overload;
  std::optional<RoleSwitchSpec> role_switch;
  SchedulerSpec scheduler;
  KvCacheSpec kv_cache;
  std::optional<SpeculationSpec> speculation;
  OverlapSpec overlap;
  std::optional<KvTransferSpec> kv_transfer;
  HandoffSpec handoff;
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
  std::optional<Seconds> model_lifetime;  // until another model is wanted; absent: the horizon
  double respin_share = 1.0;              // of a model's engineering that this fleet pays
  MarketSpec market;
};

// What becomes of a variant whose model its machine cannot run or hold: an error of the scenario, or
// a row of the comparison that says why.
enum class Unfit { error, report };
constexpr auto enum_names(Unfit) {
  return std::array<std::string_view, 2>{"error", "report"};
}

enum class StoreRequests { all, sample, none };
constexpr auto enum_names(StoreRequests) {
  return std::array<std::string_view, 3>{"all", "sample", "none"};
}

struct ScenarioFile {
  std::string name;
  std::string description;
  std::string source;  // of its expectations
  std::int64_t seed = 1;
  bool simulated = true;  // false: no workload, only formulas to check
  WorkloadRef workload;
  std::optional<double> scale;  // multiplies the arrival rate
  std::optional<Seconds> duration;
  std::optional<std::int64_t> requests;
  Seconds warmup;
  FleetSpec fleet;
  ServingSpec serving;
  std::optional<AutoscalingSpec> autoscaling;
  FaultsSpec faults;
  std::map<std::string, Seconds> slo;  // ttft_p99 ...
  EconomicsSpec economics;
  Unfit unfit = Unfit::error;
  std::string calibration = "auto";             // or none, or a calibration's name
  std::optional<StoreRequests> store_requests;  // absent: all up to a million requests, else sample
  Seconds sample_interval = seconds(10);        // of the `sample` table
  std::map<std::string, Given> given;           // inputs of formulas
  std::vector<ExpectSpec> expect;
};

void describe(input::Fields& f, LoraSpec& x);
void describe(input::Fields& f, EngineChoice& x);
void describe(input::Fields& f, DeploySpec& x);
void describe(input::Fields& f, PoolSpec& x);
void describe(input::Fields& f, FleetSpec& x);
void describe(input::Fields& f, SchedulerSpec& x);
void describe(input::Fields& f, KvCacheSpec& x);
void describe(input::Fields& f, HostOverhead& x);
void describe(input::Fields& f, KvTierSpec& x);
void describe(input::Fields& f, HandoffSpec& x);
void describe(input::Fields& f, SpeculationSpec& x);
void describe(input::Fields& f, OverlapSpec& x);
void describe(input::Fields& f, KvTransferSpec& x);
void describe(input::Fields& f, ServingSpec& x);
void describe(input::Fields& f, MarketSpec& x);
void describe(input::Fields& f, EconomicsSpec& x);
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
struct Codec<scenario::KvCapacity> {
  static bool read(ReadContext& context, const Node& node, scenario::KvCapacity& out);
  static void write(JsonWriter& json, const scenario::KvCapacity& value);
  static std::string schema();
};
// A tier's name, or a map that says more of it.
template <>
struct Codec<scenario::KvTierSpec> {
  static bool read(ReadContext& context, const Node& node, scenario::KvTierSpec& out);
  static void write(JsonWriter& json, const scenario::KvTierSpec& value);
  static std::string schema();
};
template <>
struct Codec<scenario::EngineChoice> {
  static bool read(ReadContext& context, const Node& node, scenario::EngineChoice& out);
  static void write(JsonWriter& json, const scenario::EngineChoice& value);
  static std::string schema();
};
template <>
struct Codec<scenario::Utilization> {
  static bool read(ReadContext& context, const Node& node, scenario::Utilization& out);
  static void write(JsonWriter& json, const scenario::Utilization& value);
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
