#include "perf/placement.hpp"

#include <algorithm>
#include <cmath>

#include "base/as_double.hpp"
#include "perf/adapters.hpp"

namespace tokenyard::perf {
namespace {

using catalog::Device;
using catalog::MemoryTier;
using catalog::Model;
using scenario::DeploymentPlan;

// What the largest pipeline stage holds of the layers, as a share of all of them.
double stage_share(const DeploymentPlan& d) {
  const std::int64_t stages = d.spec.pipeline_parallel;
  if (d.tiled) return 1.0 / as_double(stages);
  return as_double((d.model.layers + stages - 1) / stages) / as_double(d.model.layers);
}

// Of LM head and input embedding, before they are spread over tensor ranks.
double end_bytes(const DeploymentPlan& d, const catalog::ParameterCount& n) {
  const double head = n.lm_head * d.lm_head.bytes();
  const double embedding = n.embedding * d.weights.bytes();
  if (d.tiled) return (head + embedding) / as_double(d.spec.pipeline_parallel);
  // First and last stage hold one each; the larger counts.
  return d.spec.pipeline_parallel > 1 ? std::max(head, embedding) : head + embedding;
}

double weight_bytes_per_device(const DeploymentPlan& d) {
  const catalog::ParameterCount n = catalog::count_parameters(d.model);
  const double t = as_double(d.spec.tensor_parallel);
  const double a = as_double(d.attention_data_parallel);
  const double layers = as_double(d.model.layers);
  const double replicated =
      layers * n.attention_per_layer + as_double(n.dense_layers) * n.dense_ffn_per_layer +
      as_double(n.moe_layers) * (n.shared_experts_per_layer + n.router_per_layer);
  const double experts = as_double(n.moe_layers) *
                         as_double(d.model.ffn.experts + d.spec.redundant_experts) * n.expert;
  return stage_share(d) *
             (d.weights.bytes() * replicated / t + d.expert_weights.bytes() * experts / (t * a)) +
         end_bytes(d, n) / t;
}

double kv_bytes_per_token_layer(const DeploymentPlan& d) {
  const catalog::Attention& attention = d.model.attention;
  if (attention.kind == catalog::AttentionKind::mla) {
    return catalog::kv_values_per_token_layer(attention) * d.kv.bytes();
  }
  const std::int64_t t = d.spec.tensor_parallel;
  const std::int64_t heads = (attention.kv_heads + t - 1) / t;
  return 2.0 * as_double(heads * attention.head_dim) * d.kv.bytes();
}

// The indexer's keys are shared by its heads: every tensor rank holds all of them.
double index_bytes_per_token_layer(const Model& model) {
  const auto& sparse = model.attention.sparse;
  return sparse ? as_double(sparse->index_dim) * sparse->index_bits / 8.0 : 0.0;
}

double workspace_bytes(const DeploymentPlan& d, const scenario::ServingSpec& serving) {
  const double tokens = as_double(serving.scheduler.max_batch_tokens) /
                        as_double(d.attention_data_parallel * d.spec.pipeline_parallel);
  const auto& ffn = d.model.ffn;
  const std::int64_t widest =
      std::max({ffn.hidden, ffn.dense_hidden,
                ffn.expert_hidden * std::max<std::int64_t>(1, ffn.experts_per_token)});
  const double per_token =
      2.0 * as_double(d.model.hidden) + 2.0 * as_double(widest) / as_double(d.spec.tensor_parallel);
  return tokens * per_token * d.activations.bytes();
}

// Weights are multiplied where they lie; the KV cache is read from every tier.
bool stays_in_place(const MemoryTier& tier, catalog::Holds what) {
  return tier.compute_in_place && what == catalog::Holds::weights;
}

// Seconds per byte when bytes lie in several tiers in proportion to `use`: independent channels
// work at once, so the slowest share counts; tiers in a row add up.
double seconds_per_byte(const Device& device, const std::vector<double>& use, catalog::Holds what) {
  double total = 0.0;
  for (const double u : use) total += u;
  if (total <= 0.0) return 0.0;
  double slowest = 0.0;
  double sum = 0.0;
  for (std::size_t i = 0; i < use.size(); ++i) {
    const MemoryTier& tier = device.memory[i];
    if (use[i] <= 0.0 || stays_in_place(tier, what)) continue;
    const double seconds =
        use[i] / total / (tier.bandwidth.value.base() * tier.ingress_efficiency.value);
    slowest = std::max(slowest, seconds);
    sum += seconds;
  }
  return device.tier_overlap == catalog::TierOverlap::max ? slowest : sum;
}

double joules_per_byte(const Device& device, const std::vector<double>& use, catalog::Holds what) {
  double total = 0.0;
  double joules = 0.0;
  for (std::size_t i = 0; i < use.size(); ++i) {
    const MemoryTier& tier = device.memory[i];
    total += use[i];
    if (tier.energy && !stays_in_place(tier, what)) joules += use[i] * tier.energy->value.base();
  }
  return total > 0.0 ? joules / total : 0.0;
}

std::string amount(double bytes) {
  return format_quantity(bytes, kData);
}

// Where models are parked one may be served as well, when the deployment says so.
bool may_use(const DeploymentPlan& d, const MemoryTier& tier, catalog::Holds what) {
  if (what == catalog::Holds::weights && d.spec.placement == tier.tier &&
      tier.can_hold(catalog::Holds::models))
    return true;
  if (!tier.can_hold(what)) return false;
  return what == catalog::Holds::kv || d.spec.placement == "auto" || d.spec.placement == tier.tier;
}

// Gives bytes to the tiers that may hold them, fastest first; returns what found no room.
double fill(const DeploymentPlan& d, const Device& device, catalog::Holds what, double bytes,
            std::vector<double>& left, std::vector<double>& use) {
  for (std::size_t i = 0; i < device.memory.size(); ++i) {
    if (!may_use(d, device.memory[i], what)) continue;
    const double given = std::min(bytes, left[i]);
    use[i] += given;
    left[i] -= given;
    bytes -= given;
  }
  return bytes;
}

constexpr double kEverything = 1e30;  // bytes

double sum_of(const std::vector<double>& bytes) {
  double total = 0.0;
  for (const double b : bytes) total += b;
  return total;
}

// KV cache that one attention-data rank must have room for.
struct KvDemand {
  std::int64_t blocks = 1;
  std::string text = "one KV block";
};

// What lies in a set of tiers or wants to, per device.
class Sum {
 public:
  void add(const std::string& what, double bytes) {
    text_ += (text_.empty() ? "" : " + ") + what + ' ' + amount(bytes);
    bytes_ += bytes;
  }
  void add(const Sum& other) {
    text_ += (text_.empty() ? "" : " + ") + other.text_;
    bytes_ += other.bytes_;
  }
  [[nodiscard]] const std::string& text() const { return text_; }
  [[nodiscard]] double bytes() const { return bytes_; }

 private:
  std::string text_;
  double bytes_ = 0.0;
};

// Why it does not fit.  `what`: which of the two found no room.
std::string misfit(const DeploymentPlan& d, const Device& device, const Placement& p,
                   catalog::Holds what, const Sum& kv) {
  Sum capacity;
  double weights_there = 0.0;
  bool kv_only_there = true;  // no tier beside these holds KV
  for (std::size_t i = 0; i < device.memory.size(); ++i) {
    const MemoryTier& tier = device.memory[i];
    if (may_use(d, tier, what)) {
      capacity.add(tier.tier, tier.capacity.value.base());
      weights_there += p.tiers[i].weight_bytes;
    } else if (tier.can_hold(catalog::Holds::kv)) {
      kv_only_there = false;
    }
  }
  const bool weights = what == catalog::Holds::weights;
  const double weight_bytes = weights ? p.weight_bytes : weights_there;
  Sum need;
  if (weight_bytes > 0.0) need.add("weights", weight_bytes);
  if (!weights || kv_only_there) need.add(kv);
  const double room = capacity.bytes() * d.spec.memory_utilization;
  return d.model.name + " does not fit " + device.name + " on " +
         std::to_string(d.devices_per_replica) +
         (d.devices_per_replica == 1 ? " device: " : " devices: ") + need.text() +
         " per device > " + amount(room) + ", " + three_digits(100.0 * d.spec.memory_utilization) +
         " % of " + capacity.text() + "; short by " + amount(need.bytes() - room) + " per device";
}

double sequences_of_rank(const DeploymentPlan& d, const scenario::ServingSpec& serving) {
  return std::ceil(as_double(serving.scheduler.max_batch) / as_double(d.attention_data_parallel));
}

// Blocks of one rank when max_batch sequences reach max_context.
double blocks_of_full_batch(const DeploymentPlan& d, const scenario::ServingSpec& serving) {
  return sequences_of_rank(d, serving) *
         std::ceil(as_double(d.model.max_context) / as_double(serving.kv_cache.block_tokens));
}

// Of those above the written one that divide the heads and fill whole nodes; 0: none.
std::int64_t smallest_tensor_parallel_that_fits(const scenario::PoolPlan& pool,
                                                const DeploymentPlan& deployment,
                                                const scenario::ServingSpec& serving) {
  const std::int64_t others = deployment.devices_per_replica / deployment.spec.tensor_parallel;
  const std::int64_t in_node = pool.node.device_count();
  const std::int64_t most = pool.node.nics.empty() ? in_node : pool.device_count();
  DeploymentPlan larger = deployment;
  for (std::int64_t t = deployment.spec.tensor_parallel + 1; t * others <= most; ++t) {
    const bool even_heads = deployment.model.attention.heads % t == 0;
    const bool even_experts =
        t * deployment.attention_data_parallel % deployment.spec.expert_parallel == 0;
    const bool whole_nodes = t * others <= in_node || t * others % in_node == 0;
    if (!even_heads || !even_experts || !whole_nodes) continue;
    larger.spec.tensor_parallel = t;
    if (place(pool, larger, serving).problem.empty()) return t;
  }
  return 0;
}

// Sizes per device, before any tier is looked at.
Placement sizes(const DeploymentPlan& d, const scenario::ServingSpec& serving) {
  Placement p;
  p.weight_bytes = weight_bytes_per_device(d);
  p.workspace_bytes = workspace_bytes(d, serving);
  p.adapters_bytes =
      as_double(resident_adapters(d)) * adapter_values_on_device(d) * d.activations.bytes();
  p.kv_bytes_per_token_layer = kv_bytes_per_token_layer(d);
  p.index_bytes_per_token_layer = index_bytes_per_token_layer(d.model);
  const auto& window = d.model.attention.window;
  const std::int64_t windowed = window ? window->layers : 0;
  p.kv_bytes_per_token = (p.kv_bytes_per_token_layer + p.index_bytes_per_token_layer) *
                         stage_share(d) * as_double(d.model.layers - windowed);
  if (window) {
    p.window_bytes = p.kv_bytes_per_token_layer * stage_share(d) * as_double(windowed) *
                     as_double(window->tokens) * sequences_of_rank(d, serving);
  }
  return p;
}

// Of the blocks that a device has room for, those of one of two engines.
std::int64_t quota(const DeploymentPlan& d, double blocks) {
  return static_cast<std::int64_t>(std::floor(d.kv_share * blocks));
}

std::string quota_text(const DeploymentPlan& d) {
  return d.kv_share < 1.0 ? " in " + three_digits(100.0 * d.kv_share) + " % of the KV blocks" : "";
}

// What the scenario says of the KV cache of one rank, in blocks; absent: as many as fit.
std::optional<std::int64_t> blocks_asked_for(const DeploymentPlan& d,
                                             const scenario::KvCacheSpec& kv) {
  if (!kv.capacity.unlimited && !kv.capacity.tokens) return std::nullopt;
  const std::int64_t tokens =
      kv.capacity.unlimited ? scenario::kUnlimitedKvTokens : *kv.capacity.tokens;
  return quota(d, as_double(tokens / (kv.block_tokens * d.attention_data_parallel)));
}

KvDemand demand_for(std::int64_t kv_tokens, std::int64_t block_tokens) {
  if (kv_tokens <= block_tokens) return {};
  return {.blocks = (kv_tokens + block_tokens - 1) / block_tokens,
          .text = "KV of " + std::to_string(kv_tokens) + " tokens"};
}

// A capacity that the scenario names takes the place of what would be asked for; of an unlimited
// one, a block must fit for its traffic to have a bandwidth.
KvDemand demand_of(const DeploymentPlan& d, const scenario::KvCacheSpec& kv,
                   const KvDemand& wanted) {
  if (kv.capacity.unlimited) return {};
  const auto asked = blocks_asked_for(d, kv);
  return asked ? demand_for(*asked * kv.block_tokens, kv.block_tokens) : wanted;
}

Placement place_with(const scenario::PoolPlan& pool, const DeploymentPlan& d,
                     const scenario::ServingSpec& serving, const KvDemand& wanted) {
  const KvDemand demand = demand_of(d, serving.kv_cache, wanted);
  const std::optional<std::int64_t> asked = blocks_asked_for(d, serving.kv_cache);
  const Device& device = pool.devices[d.device];
  const std::size_t tiers = device.memory.size();
  Placement p = sizes(d, serving);
  std::vector<double> left(tiers);
  std::vector<double> weight_use(tiers);
  std::vector<double> kv_use(tiers);
  for (std::size_t i = 0; i < tiers; ++i) {
    left[i] = device.memory[i].capacity.value.base() * d.spec.memory_utilization;
  }
  const double weights_left =
      fill(d, device, catalog::Holds::weights, p.weight_bytes, left, weight_use);
  std::vector<double> adapter_use(tiers);
  const double adapters_left =
      fill(d, device, catalog::Holds::weights, p.adapters_bytes, left, adapter_use);
  const double other_left = fill(d, device, catalog::Holds::kv,
                                 p.workspace_bytes + p.window_bytes + adapters_left, left, kv_use);
  const double block_bytes = p.kv_bytes_per_token * as_double(serving.kv_cache.block_tokens);
  const std::vector<double> left_for_kv = left;
  std::vector<double> kv_room(tiers);
  fill(d, device, catalog::Holds::kv, kEverything, left, kv_room);
  const std::int64_t fitting = block_bytes > 0.0
                                   ? quota(d, std::floor(sum_of(kv_room) / block_bytes))
                                   : static_cast<std::int64_t>(blocks_of_full_batch(d, serving));
  if (block_bytes > 0.0 && serving.kv_cache.capacity.tokens) {
    left = left_for_kv;
    kv_room.assign(tiers, 0.0);
    fill(d, device, catalog::Holds::kv, as_double(*asked) * block_bytes, left, kv_room);
  }
  p.kv_blocks_per_rank = asked.value_or(fitting);
  p.kv_blocks = p.kv_blocks_per_rank * d.attention_data_parallel;
  p.tiers.resize(tiers);
  for (std::size_t i = 0; i < tiers; ++i) p.tiers[i] = {weight_use[i], kv_room[i]};
  p.weight_seconds_per_byte = seconds_per_byte(device, weight_use, catalog::Holds::weights);
  p.kv_seconds_per_byte = seconds_per_byte(device, kv_room, catalog::Holds::kv);
  p.weight_joules_per_byte = joules_per_byte(device, weight_use, catalog::Holds::weights);
  p.kv_joules_per_byte = joules_per_byte(device, kv_room, catalog::Holds::kv);
  const bool weights_fit = weights_left <= 0.0;
  const bool cache_fits = other_left <= 0.0 && (block_bytes <= 0.0 || fitting >= demand.blocks);
  if (p.kv_blocks_per_rank == 0 && asked) {
    p.problem = "serving.kv_cache.capacity: " + std::to_string(*serving.kv_cache.capacity.tokens) +
                " tokens give none of " + std::to_string(d.attention_data_parallel) +
                " attention-data ranks a whole block of " +
                std::to_string(serving.kv_cache.block_tokens) + quota_text(d);
    return p;
  }
  if (weights_fit && cache_fits) return p;
  Sum kv;
  kv.add("workspace", p.workspace_bytes);
  if (p.adapters_bytes > 0.0) kv.add("adapters", p.adapters_bytes);
  if (p.window_bytes > 0.0) kv.add("windowed KV", p.window_bytes);
  if (block_bytes > 0.0)
    kv.add(demand.text + quota_text(d), as_double(demand.blocks) * block_bytes / d.kv_share);
  p.problem = misfit(d, device, p, weights_fit ? catalog::Holds::kv : catalog::Holds::weights, kv);
  return p;
}

}  // namespace

Placement place(const scenario::PoolPlan& pool, const DeploymentPlan& d,
                const scenario::ServingSpec& serving) {
  return place_with(pool, d, serving, {});
}

std::string fits(const scenario::PoolPlan& pool, const DeploymentPlan& d,
                 const scenario::ServingSpec& serving, std::int64_t kv_tokens) {
  const KvDemand wanted = demand_for(kv_tokens, serving.kv_cache.block_tokens);
  return place_with(pool, d, serving, wanted).problem;
}

double cache_bytes(const DeploymentPlan& d, std::int64_t tokens) {
  const auto& window = d.model.attention.window;
  const double windowed = window ? as_double(window->layers) : 0.0;
  const double kept = window ? as_double(std::min(tokens, window->tokens)) : 0.0;
  const double each = catalog::kv_values_per_token_layer(d.model.attention) * d.kv.bytes();
  const double whole = as_double(d.model.layers) - windowed;
  return whole * as_double(tokens) * (each + index_bytes_per_token_layer(d.model)) +
         windowed * kept * each;
}

void check_fit(const scenario::Plan& plan, Diagnostics& diagnostics) {
  for (const scenario::PoolPlan& pool : plan.pools) {
    std::string said;
    for (const DeploymentPlan& deployment : pool.deployments) {
      if (!deployment.unfit.empty()) continue;  // and said so already
      const Placement placed = place(pool, deployment, plan.scenario.serving);
      if (placed.problem.empty()) continue;
      // Of two engines on the same devices, neither of which has room for the weights: once.
      const bool again =
          deployment.side == scenario::EngineSide::decoding && placed.problem == said;
      said = placed.problem;
      if (again) continue;
      std::string message = placed.problem;
      const std::int64_t fitting =
          smallest_tensor_parallel_that_fits(pool, deployment, plan.scenario.serving);
      if (fitting > 0) {
        message += "; the smallest tensor_parallel that fits is " + std::to_string(fitting);
      }
      diagnostics.add(deployment.where, deployment.path, message);
    }
  }
}

}  // namespace tokenyard::perf
