#pragma once
// What one run leaves behind, in memory.
#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/cause.hpp"
#include "base/phase.hpp"

namespace tokenyard::metrics {

// cancelled: another sample of its group was first; abandoned: its client left, or its last attempt
// timed out.
enum class RequestStatus { finished, rejected, unfinished, cancelled, abandoned };
constexpr auto enum_names(RequestStatus) {
  return std::array<std::string_view, 5>{"finished", "rejected", "unfinished", "cancelled",
                                         "abandoned"};
}

// One row of the `request` table.  Times that were never reached are -1.
struct RequestRow {
  std::int64_t id = 0;
  std::int64_t session = -1;
  std::int32_t turn = 0;
  std::int32_t class_id = 0;
  std::int32_t deployment = -1;  // index into RunResult::deployments, -1: never routed
  std::int32_t replica = -1;     // within the deployment
  double arrival_s = 0.0;
  double admitted_s = -1.0;  // first scheduled
  double first_token_s = -1.0;
  double finished_s = -1.0;
  std::int64_t input_tokens = 0;
  std::int64_t cached_tokens = 0;   // of the input, found in the prefix cache at first admission
  std::int64_t fetched_tokens = 0;  // of the cached, those found below device memory
  std::int64_t output_tokens = 0;   // produced
  std::int32_t preemptions = 0;
  std::int32_t tenant = 0;  // index into RunResult::tenants
  // By its client, and by the fleet after failures; 0: it was turned away, or never came.
  std::int32_t attempts = 1;
  RequestStatus status = RequestStatus::unfinished;
  PhaseSeconds phase_s{};  // of finished ones sums to finished_s - arrival_s

  friend bool operator==(const RequestRow&, const RequestRow&) = default;
};

// The state of a pool at a moment, at most one every sample interval.
struct Sample {
  double t_s = 0.0;
  std::int32_t pool = 0;
  double running = 0.0;  // sequences in the batches
  double queued = 0.0;   // requests waiting, those in the front end included
  double kv_used = 0.0;  // share of KV blocks held by running sequences and the prefix cache
  double power_w = 0.0;  // IT power of the pool's nodes
  double output_tokens_per_s = 0.0;  // since the sample before
};

enum class EnergyComponent {
  device_idle,
  device_active,
  compute,
  memory,
  link,
  host,
  fabric,
  node_overhead,
  psu_loss,
  facility_overhead
};
inline constexpr std::size_t kEnergyComponents = 10;
constexpr auto enum_names(EnergyComponent) {
  return std::array<std::string_view, kEnergyComponents>{
      "device_idle", "device_active", "compute",       "memory",   "link",
      "host",        "fabric",        "node_overhead", "psu_loss", "facility_overhead"};
}

struct DeploymentNames {
  std::string pool;
  std::string model;
};

struct PoolResult {
  std::string name;
  std::int64_t nodes = 0;
  std::int64_t devices = 0;
  std::int64_t replicas = 0;
  std::int64_t devices_used = 0;  // by replicas; the rest idles
  CauseSeconds device_seconds{};  // sums to devices * measured seconds
  // Busy device time by purpose: a step with prompts counts as decode as far as its decoding
  // sequences alone would have taken, the rest as prefill.
  double prefill_device_s = 0.0;
  double decode_device_s = 0.0;
  std::array<double, kEnergyComponents> joules{};
  double it_power_peak_w = 0.0;
};

struct MetricValue {
  std::string name;
  double value = 0.0;
};

// A limit of the SLO against the statistic it limits.
struct SloCheck {
  std::string metric;  // ttft_p99_s
  double limit_s = 0.0;
  double actual_s = 0.0;  // not a number when no request has this latency
  bool met = false;
};

// A session whose last request has finished, and all before it.
struct SessionRow {
  std::int64_t id = -1;
  double start_s = 0.0;    // arrival of its first request
  double end_s = 0.0;      // end of its last
  double serving_s = 0.0;  // its requests' own times (e2el) together; the rest are tools and people
  std::int64_t requests = 0;
  bool good = true;  // each request met every request-level limit
};

// A memory tier below the devices' that keeps KV caches, over all replicas of the fleet, in the
// measured window.
struct KvTierResult {
  std::string tier;             // dram, ssd, remote
  double capacity_bytes = 0.0;  // of all of them
  double mean_bytes = 0.0;      // kept
  std::int64_t hit_tokens = 0;  // prompt tokens brought back from it
  double bytes_read = 0.0;
  double bytes_written = 0.0;
  double joules = 0.0;
};

// What the network of the fleet consists of.
struct FabricInventory {
  std::int64_t switches = 0;
  std::int64_t cables = 0;
  std::int64_t diameter_hops = 0;  // switches between the two farthest nodes
  double bisection_bytes_per_s = 0.0;
};

struct RunResult {
  double simulated_s = 0.0;  // from time 0 to the end
  double measured_s = 0.0;   // simulated_s without the warm-up
  std::int64_t requests_seen = 0;
  std::int64_t requests_finished = 0;
  std::int64_t requests_rejected = 0;
  std::int64_t requests_cancelled = 0;
  std::int64_t requests_abandoned = 0;
  std::int64_t requests_unfinished = 0;
  std::int64_t skipped_lines = 0;
  std::int64_t events = 0;
  std::vector<MetricValue> metrics;
  std::vector<SloCheck> slo_checks;
  std::vector<RequestRow> requests;  // as many as store_requests asks for
  std::vector<Sample> samples;
  std::vector<PoolResult> pools;
  std::vector<DeploymentNames> deployments;
  std::vector<std::string> classes;
  std::vector<std::string> tenants;
  std::vector<KvTierResult> kv_tiers;  // empty: nothing is kept below device memory
  std::vector<std::pair<std::int64_t, std::string>>
      session_names;  // of stored rows, where not the number itself
  FabricInventory fabric;
  std::string request_digest;  // SHA-256 over all request rows, stored or not
};

}  // namespace tokenyard::metrics
