#include "study/compare_machines.hpp"

#include <algorithm>
#include <tuple>

#include "base/as_double.hpp"
#include "base/quantity_text.hpp"
#include "economics/prices.hpp"
#include "perf/step_model.hpp"
#include "power/power_model.hpp"
#include "scenario/resolve.hpp"
#include "study/device_alias.hpp"

namespace tokenyard::study {
namespace {

using catalog::EntryKind;
using scenario::DeploymentPlan;
using scenario::Plan;
using scenario::PoolPlan;

constexpr std::int64_t kUsualContext = 8192;    // tokens
constexpr std::int64_t kLeastStepTokens = 512;  // of activations that there is room for
constexpr std::int64_t kFinest = 512;           // steps of batches are 1 / kFinest of them

void require_entry(const catalog::Catalog& catalog, EntryKind kind, const std::string& name) {
  if (catalog.exists(kind, name)) return;
  throw InputError("no " + std::string(input::name_of(kind)) + " '" + name + "' in the catalog" +
                   suggestion(name, catalog.names(kind)));
}

void require_format(catalog::Catalog& catalog, const std::string& name) {
  Diagnostics diagnostics;
  std::vector<std::string> known = catalog.format_names(diagnostics);
  diagnostics.throw_if_any();
  known.emplace_back("auto");
  if (std::find(known.begin(), known.end(), name) == known.end())
    throw InputError("no number format '" + name + "'" + suggestion(name, known));
}

std::int64_t step_tokens(const CompareSpec& spec) {
  return spec.max_batch_tokens.value_or(std::max(kLeastStepTokens, 2 * spec.max_batch));
}

// A way to spread a replica, its stages being automatic.
struct Spread {
  std::int64_t tensor = scenario::kAuto;
  std::int64_t expert = 1;
};

// One replica on a node.  The workload is never run, and nothing in a row depends on the site.
constexpr const char* kScenario = R"(name: compare
workload:
  generator: {kind: fixed-concurrency, concurrency: 1, requests: 1, input: 1, output: 1}
fleet:
  pools:
    - name: main
      count: auto
      deploy: {activations: auto, pipeline_parallel: auto}
unfit: report
)";

Plan plan_of(catalog::Catalog& catalog, const CompareSpec& spec, const std::string& node,
             std::int64_t context, const Spread& spread) {
  const scenario::FleetSpec usual;
  const std::string main = "fleet.pools[main].";
  const std::pair<std::string, std::string> values[] = {
      {"fleet.site", entry_or_first(catalog, EntryKind::site, usual.site)},
      {"fleet.fabric", spec.fabric.empty()
                           ? entry_or_first(catalog, EntryKind::fabric, usual.fabric)
                           : spec.fabric},
      {main + "node", node},
      {main + "deploy.model", spec.model},
      {main + "deploy.weights", spec.weights},
      {main + "deploy.kv", spec.kv},
      {main + "deploy.min_kv_tokens", std::to_string(context)},
      {main + "deploy.tensor_parallel",
       spread.tensor == scenario::kAuto ? "auto" : std::to_string(spread.tensor)},
      {main + "deploy.attention_data_parallel", std::to_string(spread.expert)},
      {main + "deploy.expert_parallel", std::to_string(spread.expert)},
      {"serving.scheduler.max_batch", std::to_string(spec.max_batch)},
      {"serving.scheduler.max_batch_tokens", std::to_string(step_tokens(spec))},
      {"serving.host.per_step", exact_quantity(spec.host.per_step.base(), kTime)},
      {"serving.host.per_sequence", exact_quantity(spec.host.per_sequence.base(), kTime)}};
  const std::string place = "catalog compare";
  Diagnostics diagnostics;
  input::Node root = input::parse_yaml(kScenario, place, diagnostics);
  for (const auto& [path, text] : values) {
    const std::string problem =
        input::set_path(root, path, input::parse_yaml(text, place, diagnostics));
    check(problem.empty(), "the scenario of a comparison has a place for all its values");
  }
  diagnostics.throw_if_any();
  std::vector<Plan> plans =
      scenario::plans_of(std::move(root), place, {}, catalog, {.fits = perf::fits});
  check(plans.size() == 1, "a comparison makes one plan of each node");
  return std::move(plans.front());
}

// Whether all that economics::node_price adds up is known.
bool has_price(const PoolPlan& pool) {
  if (pool.node.price) return true;
  const auto priced = [](const auto& part) { return part.price.has_value(); };
  return pool.node.host.price && std::all_of(pool.devices.begin(), pool.devices.end(), priced) &&
         std::all_of(pool.node.nics.begin(), pool.node.nics.end(), priced);
}

// A device's share of the price of its node.
std::optional<Usd> device_price(const PoolPlan& pool) {
  if (!has_price(pool)) return std::nullopt;
  Usd price;
  for (const economics::PricePart& part : economics::node_price(pool)) price += usd(part.usd);
  return price / as_double(pool.node.device_count());
}

// The tier with most of the weights, or where they would go first; nullptr: none may hold any.
const catalog::MemoryTier* tier_of_weights(const catalog::Device& device,
                                           const perf::Placement* placement) {
  const catalog::MemoryTier* found = nullptr;
  double most_bytes = 0.0;
  for (std::size_t i = 0; i < device.memory.size(); ++i) {
    const catalog::MemoryTier& tier = device.memory[i];
    if (!tier.can_hold(catalog::Holds::weights)) continue;
    const double bytes = placement != nullptr ? placement->tiers[i].weight_bytes : 0.0;
    if (found != nullptr && bytes <= most_bytes) continue;
    found = &tier;
    most_bytes = bytes;
  }
  return found;
}

// What can be said of the device; placement: nullptr where the model does not fit.
void describe_coupling(MachineRow& row, const PoolPlan& pool, const DeploymentPlan& d,
                       const perf::Placement* placement) {
  const catalog::Device& device = pool.devices[d.device];
  const catalog::MemoryTier* tier = tier_of_weights(device, placement);
  if (tier == nullptr) return;
  row.tier = tier->tier;
  // Weights that are multiplied in place pass no bus; their tier says at what rate they would.
  BytesPerSecond bandwidth = tier->bandwidth.value;
  if (tier->energy) row.weight_energy = tier->energy->value;
  if (placement != nullptr && placement->weight_seconds_per_byte > 0.0) {
    bandwidth = BytesPerSecond::from_base(1.0 / placement->weight_seconds_per_byte);
    if (tier->energy)
      row.weight_energy = JoulesPerByte::from_base(placement->weight_joules_per_byte);
  }
  const auto& peaks = device.engines[d.engine].peak;
  const auto peak = peaks.find(d.linear_math);
  if (peak != peaks.end()) row.bytes_per_flop = bandwidth / peak->second.value;
  const std::optional<Usd> price = device_price(pool);
  if (!price) return;
  row.price_per_bandwidth = *price / bandwidth;
  Bytes capacity;
  for (const catalog::MemoryTier& other : device.memory) {
    if (other.can_hold(catalog::Holds::weights) || other.can_hold(catalog::Holds::kv))
      capacity += other.capacity.value;
  }
  row.price_per_capacity = *price / capacity;
}

Split split_of(const DeploymentPlan& d) {
  return {.devices = d.devices_per_replica,
          .tensor = d.spec.tensor_parallel,
          .expert = d.spec.expert_parallel,
          .pipeline = d.spec.pipeline_parallel};
}

std::int64_t nodes_of(const Split& split, const PoolPlan& pool) {
  const std::int64_t in_node = pool.node.device_count();
  return (split.devices + in_node - 1) / in_node;
}

// Beside the one that plan_of chooses by itself.
std::vector<Spread> spreads_of(const PoolPlan& pool) {
  const DeploymentPlan& d = pool.deployments.front();
  const bool wired = pool.node.topology != catalog::NodeTopology::none;
  const std::int64_t in_node = wired ? pool.node.device_count() : 1;
  std::vector<std::int64_t> counts;
  for (std::int64_t n = 1; n < in_node; n *= 2) counts.push_back(n);
  counts.push_back(in_node);
  std::vector<Spread> spreads;
  for (const std::int64_t n : counts) {
    if (n != d.spec.tensor_parallel && d.model.attention.heads % n == 0)
      spreads.push_back({.tensor = n, .expert = 1});
    if (n > 1 && d.model.ffn.kind == catalog::FfnKind::moe && d.model.ffn.experts % n == 0)
      spreads.push_back({.tensor = 1, .expert = n});
  }
  return spreads;
}

// One replica, asked for decode steps of sequences of `context` tokens each.
class DecodeSteps {
 public:
  DecodeSteps(const Plan& plan, std::int64_t context)
      : plan_(plan),
        d_(plan.pools.front().deployments.front()),
        device_(plan.pools.front().devices[d_.device]),
        serving_(plan.scenario.serving),
        model_(plan.pools.front(), d_, serving_, plan.fabric),
        power_(device_,
               {.linear_math = d_.linear_math,
                .expert_math = d_.expert_math,
                .attention_math = d_.attention_math,
                .link = plan.pools.front().node.link},
               model_.placement()),
        context_(context) {}

  [[nodiscard]] const perf::Placement& placement() const { return model_.placement(); }

  // Sequences whose KV cache there is room for, up to max_batch.
  [[nodiscard]] std::int64_t most_sequences() const {
    const std::int64_t block = serving_.kv_cache.block_tokens;
    const std::int64_t each = (context_ + block - 1) / block;
    const std::int64_t in_rank = model_.placement().kv_blocks_per_rank / each;
    return std::min(serving_.scheduler.max_batch, in_rank * d_.attention_data_parallel);
  }

  [[nodiscard]] perf::StepCost cost(std::int64_t sequences) const {
    const std::int64_t window = model_.window_tokens();
    const std::int64_t seen = window > 0 ? std::min(context_, window) : 0;
    const perf::DecodeBatch batch{.sequences = sequences,
                                  .context = as_double(sequences * context_),
                                  .window_context = as_double(sequences * seen),
                                  .window_growing = context_ < window ? sequences : 0};
    if (!device_.static_schedule) return model_.decode_run(batch).first;
    scenario::ServingSpec compiled = serving_;
    compiled.scheduler.max_batch = sequences;
    return perf::StepModel(plan_.pools.front(), d_, compiled, plan_.fabric).decode_run(batch).first;
  }

  [[nodiscard]] OperatingPoint point(std::int64_t sequences) const {
    const perf::StepCost step = cost(sequences);
    const double step_s = step.total_s();
    const double joules_per_device =
        power_.idle_w() * step_s + power_.activity(step, step_s).total();
    const auto largest = std::max_element(step.seconds.begin(), step.seconds.end());
    return {.split = split_of(d_),
            .batch = sequences,
            .step = seconds(step_s),
            .tokens_per_s = as_double(sequences) / step_s,
            .joules_per_token =
                joules_per_device * as_double(d_.devices_per_replica) / as_double(sequences),
            .bound_by = static_cast<Cause>(largest - step.seconds.begin())};
  }

  // The batch of the largest throughput, the smallest of equals; 0 where no step is short enough.
  [[nodiscard]] std::int64_t best_batch(std::optional<Seconds> tpot) const {
    std::int64_t best = 0;
    double best_tokens_per_s = 0.0;
    const std::int64_t most = most_sequences();
    for (std::int64_t b = 1, next = 2; b <= most; b = next) {
      next = b < most ? std::min(most, b + 1 + b / kFinest) : most + 1;
      const double step_s = cost(b).total_s();
      if (tpot && step_s > tpot->base()) continue;
      const double tokens_per_s = as_double(b) / step_s;
      if (tokens_per_s <= best_tokens_per_s) continue;
      best = b;
      best_tokens_per_s = tokens_per_s;
    }
    return best;
  }

 private:
  const Plan& plan_;
  const DeploymentPlan& d_;
  const catalog::Device& device_;
  const scenario::ServingSpec& serving_;
  perf::StepModel model_;
  power::DevicePower power_;
  std::int64_t context_;
};

// What the row rests on: a fabric counts where a replica spans nodes.
void count_doubts(MachineRow& row, const Plan& plan) {
  const PoolPlan& pool = plan.pools.front();
  const auto spans_nodes = [&](const std::optional<OperatingPoint>& point) {
    return point && nodes_of(point->split, pool) > 1;
  };
  const bool spans =
      nodes_of(row.fewest, pool) > 1 || spans_nodes(row.one) || spans_nodes(row.best);
  for (const scenario::Assumption& a : plan.assumptions) {
    if (a.key.starts_with("site ") || (a.key.starts_with("fabric ") && !spans)) continue;
    if (a.confidence == "unknown") ++row.unknown;
    if (a.confidence == "marked") ++row.marked;
  }
}

// The operating points of one split, where they are better than those of the others so far.
void offer(MachineRow& row, const Plan& plan, const DecodeSteps& steps,
           const std::optional<Seconds>& tpot) {
  const PoolPlan& pool = plan.pools.front();
  const OperatingPoint one = steps.point(1);
  const std::int64_t nodes = nodes_of(one.split, pool);
  const std::int64_t fewest = row.one ? nodes_of(row.one->split, pool) : nodes;
  if (!row.one || nodes < fewest || (nodes == fewest && one.step < row.one->step)) row.one = one;
  const std::int64_t batch = steps.best_batch(tpot);
  if (batch == 0) return;
  const OperatingPoint best = steps.point(batch);
  if (best.tokens_per_s / as_double(best.split.devices) > row.tokens_per_s_per_device())
    row.best = best;
}

MachineRow row_of(catalog::Catalog& catalog, const CompareSpec& spec, const std::string& node,
                  std::int64_t context) {
  const Plan plan = plan_of(catalog, spec, node, context, {});
  const PoolPlan& pool = plan.pools.front();
  const DeploymentPlan& d = pool.deployments.front();
  MachineRow row;
  row.node = pool.node.name;
  row.device = pool.devices[d.device].name;
  row.status = pool.devices[d.device].status;
  row.weights = d.weights.name;
  row.kv = d.kv.name;
  row.cannot = plan.unfit;
  if (plan.unfit.empty()) {
    row.fewest = split_of(d);
    const DecodeSteps steps(plan, context);
    describe_coupling(row, pool, d, &steps.placement());
    offer(row, plan, steps, spec.tpot);
    for (const Spread& spread : spreads_of(pool)) {
      const Plan other = plan_of(catalog, spec, node, context, spread);
      if (other.unfit.empty()) offer(row, other, DecodeSteps(other, context), spec.tpot);
    }
    if (!row.best) {
      row.cannot = "a token takes " + to_text(row.one->step) + " at batch 1, more than " +
                   to_text(*spec.tpot);
    }
  } else {
    describe_coupling(row, pool, d, nullptr);
  }
  count_doubts(row, plan);
  return row;
}

// The nodes to compare, each once.
std::vector<std::string> nodes_of(const catalog::Catalog& catalog, const CompareSpec& spec) {
  if (spec.nodes.empty()) return catalog.names(EntryKind::node);
  std::vector<std::string> nodes;
  for (const std::string& node : spec.nodes) {
    require_entry(catalog, EntryKind::node, node);
    if (std::find(nodes.begin(), nodes.end(), node) == nodes.end()) nodes.push_back(node);
  }
  return nodes;
}

}  // namespace

std::string text_of(const Split& split) {
  if (split.expert == 1) return std::to_string(split.tensor) + 'x' + std::to_string(split.pipeline);
  return "EP" + std::to_string(split.expert) +
         (split.pipeline > 1 ? 'x' + std::to_string(split.pipeline) : "");
}

std::int64_t context_of(catalog::Catalog& catalog, const CompareSpec& spec) {
  require_entry(catalog, EntryKind::model, spec.model);
  Diagnostics diagnostics;
  const catalog::Model* model = catalog.model(spec.model, diagnostics);
  diagnostics.throw_if_any();
  check(model != nullptr, "a model without errors is there");
  const std::int64_t context = spec.context.value_or(std::min(kUsualContext, model->max_context));
  if (context > model->max_context) {
    throw InputError("a context of " + std::to_string(context) + " tokens is more than the " +
                     std::to_string(model->max_context) + " of " + model->name);
  }
  return context;
}

std::vector<MachineRow> compare_machines(catalog::Catalog& catalog, const CompareSpec& spec) {
  const std::int64_t context = context_of(catalog, spec);
  const std::vector<std::string> nodes = nodes_of(catalog, spec);
  if (step_tokens(spec) <= spec.max_batch) {
    throw InputError(std::to_string(step_tokens(spec)) + " tokens in a step leave no room for " +
                     std::to_string(spec.max_batch) + " sequences and a prompt");
  }
  if (!spec.fabric.empty()) require_entry(catalog, EntryKind::fabric, spec.fabric);
  require_format(catalog, spec.weights);
  require_format(catalog, spec.kv);
  std::vector<MachineRow> rows;
  for (const std::string& node : nodes) rows.push_back(row_of(catalog, spec, node, context));
  const auto block = [](const MachineRow& row) { return !row.best ? 2 : row.is_known() ? 0 : 1; };
  std::sort(rows.begin(), rows.end(), [&](const MachineRow& a, const MachineRow& b) {
    return std::tuple(block(a), -a.tokens_per_s_per_device(), a.node) <
           std::tuple(block(b), -b.tokens_per_s_per_device(), b.node);
  });
  return rows;
}

}  // namespace tokenyard::study
