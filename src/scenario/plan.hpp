#pragma once
// A plan: what a scenario means.  Every name resolved, every quantity in SI, every device placed,
// every default filled in.  Immutable once made; the simulation reads nothing else.
#include <string>
#include <utility>
#include <vector>

#include "catalog/catalog.hpp"
#include "scenario/scenario_file.hpp"

namespace tokenyard::scenario {

// Which of two engines that work apart a deployment is (engines_apart.hpp): the one that computes prompts,
// or the next in PoolPlan::deployments, on the same devices, that decodes them.
enum class EngineSide { both, prompts, decoding };

struct DeploymentPlan {
  DeploySpec spec;
  catalog::Model model;
  catalog::NumberFormat weights, kv, activations, lm_head, expert_weights;
  std::size_t device = 0;          // index into PoolPlan::devices
  std::size_t engine = 0;          // index into that device's engines: the one that decodes
  std::size_t prefill_engine = 0;  // ... that computes prompts
  // Number formats of the matrix products, those of routed experts, and attention, e.g. fp8, on the
  // engine that decodes and on the one that computes prompts.
  std::string linear_math, expert_math, attention_math;
  std::string prefill_linear_math, prefill_expert_math, prefill_attention_math;
  EngineSide side = EngineSide::both;
  double kv_share = 1.0;  // of the devices' KV blocks
  bool tiled = false;  // stages hold equal shares of the weights, which may be parts of layers
  std::int64_t attention_data_parallel = 1;
  std::int64_t devices_per_replica = 1;  // tensor * attention data * pipeline parallel
  std::int64_t replicas = 1;
  std::string unfit;  // why the machine cannot serve it, where the scenario asks for a report
  Place where;        // for messages of later checks
  std::string path;
};

struct PoolPlan {
  std::string name;
  catalog::NodeSpec node;
  std::vector<catalog::Device> devices;   // parallel to node.devices; calibrated
  std::vector<std::string> calibrations;  // parallel to devices; empty: the catalog's own numbers
  std::int64_t count = 1;                 // nodes
  std::vector<DeploymentPlan> deployments;
  std::optional<SharingSpec> sharing;  // of their devices: each deployment has all of them
  Place where;
  std::string path;

  [[nodiscard]] std::int64_t device_count() const { return count * node.device_count(); }
};

// Something the result rests on that nobody measured: shown with the results and stored.
struct Assumption {
  std::string key;  // "device nvidia-h100-sxm5-80gb: price"
  std::string value;
  // "unknown": nobody has said; "marked": it passes a physical bound; "uncalibrated": a device of
  // which nothing is fitted to measurements.
  std::string confidence;
  std::string source;
  std::string band = {};
};

struct Plan {
  ScenarioFile scenario;
  catalog::Site site;
  catalog::FabricSpec fabric;
  std::vector<PoolPlan> pools;
  workload::OpenOptions workload_options;
  std::string variant;  // "fleet.pools[main].count=2, ..."; empty without sweep and overrides
  std::vector<std::pair<std::string, std::string>> parameters;  // of this variant
  std::vector<Assumption> calibration;       // of each device: which, and how far off that is
  std::string host_calibration;              // that the host's costs come from; "" if none
  std::vector<std::string> calibrated_host;  // keys of serving.host that do
  std::vector<std::string> stated_host;      // ... and those that the scenario has
  std::vector<Assumption> assumptions;
  std::string unfit;       // why it cannot be run: of the first deployment that cannot
  Place where;             // of the scenario
  std::string json;        // everything above that decides the result, canonical
  std::string hash;        // SHA-256 of json
  std::string trace_hash;  // SHA-256 of the trace file, "" for a generator

  [[nodiscard]] std::int64_t node_count() const;
  [[nodiscard]] std::int64_t device_count() const;
};

}  // namespace tokenyard::scenario
