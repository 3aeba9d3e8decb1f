// Times, capacities and energies of a replica of a pool, from the performance model; and metrics of
// the simulated run.
//
// decode_step and the functions beside it are of one step of `batch` sequences that each attend to
// `context` tokens, the new one included.  decode_time starts from `context` tokens in the cache
// and adds the steps piece by piece, each in closed form.  prefill_time computes one prompt alone,
// in chunks of the scheduler's max_batch_tokens.
//
// What the replica cannot do has no time: contexts are at most the model's longest, and the KV
// cache has room for all sequences, dealt out evenly to the ranks that have attention on whole
// sequences.
#include <algorithm>
#include <cmath>

#include "base/error.hpp"
#include "metrics/metric_table.hpp"
#include "power/power_model.hpp"
#include "study/claim_functions.hpp"

namespace tokenyard::study {
namespace {

using formula::FormulaError;
using formula::Value;

constexpr std::int64_t kMostTokens = 10'000'000;  // of a sequence
constexpr std::int64_t kMostChunks = 100'000;     // of a prompt

const PoolModels::Pool& pool_at(const ClaimSetting& setting, const ClaimArguments& arguments) {
  return setting.pools.pool(arguments.text(0));
}

const scenario::ServingSpec& serving(const ClaimSetting& setting) {
  return setting.pools.plan().scenario.serving;
}

perf::DecodeBatch even_batch(const perf::StepModel& model, std::int64_t sequences,
                             std::int64_t context) {
  const auto batch = static_cast<double>(sequences);
  perf::DecodeBatch b{.sequences = sequences, .context = batch * static_cast<double>(context)};
  const std::int64_t window = model.window_tokens();
  if (window > 0) {
    b.window_context = batch * static_cast<double>(std::min(context, window));
    b.window_growing = context < window ? sequences : 0;
  }
  return b;
}

// Throws FormulaError for sequences that the replica cannot have at a time.
void require_room(const ClaimSetting& setting, const PoolModels::Pool& pool, std::int64_t sequences,
                  std::int64_t context) {
  const scenario::DeploymentPlan& d = *pool.deployment;
  if (context > d.model.max_context) {
    throw FormulaError(std::to_string(context) + " tokens of context are more than the " +
                       std::to_string(d.model.max_context) + " of " + d.model.name);
  }
  const std::int64_t ranks = d.attention_data_parallel;
  const std::int64_t in_rank = (sequences + ranks - 1) / ranks;
  const std::int64_t room =
      pool.steps->placement().kv_blocks_per_rank * serving(setting).kv_cache.block_tokens;
  if (in_rank * context <= room) return;
  throw FormulaError(std::to_string(in_rank) + (in_rank == 1 ? " sequence" : " sequences") +
                     " of " + std::to_string(context) + " tokens are " +
                     std::to_string(in_rank * context) + " tokens of KV cache; " +
                     (ranks > 1 ? "a rank" : "a replica") + " of pool '" + pool.plan->name +
                     "' has room for " + std::to_string(room));
}

// The step that the arguments (pool, batch, context) describe.
perf::StepCost step_at(const ClaimSetting& setting, const ClaimArguments& arguments) {
  const PoolModels::Pool& pool = pool_at(setting, arguments);
  const std::int64_t sequences = arguments.count(1, 1, serving(setting).scheduler.max_batch);
  const std::int64_t context = arguments.count(2, 1, kMostTokens);
  require_room(setting, pool, sequences, context);
  return pool.steps->decode_run(even_batch(*pool.steps, sequences, context)).first;
}

Value replica_devices(const ClaimSetting& setting, const ClaimArguments& arguments) {
  const auto devices = pool_at(setting, arguments).deployment->devices_per_replica;
  return {static_cast<double>(devices), kNone};
}

Value weight_bytes_per_device(const ClaimSetting& setting, const ClaimArguments& arguments) {
  return {pool_at(setting, arguments).steps->placement().weight_bytes, kData};
}

Value kv_tokens(const ClaimSetting& setting, const ClaimArguments& arguments) {
  const std::int64_t blocks = pool_at(setting, arguments).steps->placement().kv_blocks;
  return {static_cast<double>(blocks * serving(setting).kv_cache.block_tokens), kNone};
}

Value decode_step(const ClaimSetting& setting, const ClaimArguments& arguments) {
  return {step_at(setting, arguments).total_s(), kTime};
}

Value decode_rate(const ClaimSetting& setting, const ClaimArguments& arguments) {
  return {arguments.number(1) / step_at(setting, arguments).total_s(), kNone / kTime};
}

Value decode_time(const ClaimSetting& setting, const ClaimArguments& arguments) {
  const PoolModels::Pool& pool = pool_at(setting, arguments);
  const perf::StepModel& model = *pool.steps;
  std::int64_t context = arguments.count(1, 0, kMostTokens);
  std::int64_t left = arguments.count(2, 1, kMostTokens);
  require_room(setting, pool, 1, context + left);
  double total_s = 0.0;
  while (left > 0) {
    const perf::AffineCost piece = model.decode_run(even_batch(model, 1, context + 1));
    std::int64_t steps = std::min(left, piece.valid_steps);
    if (context + 1 < model.window_tokens())
      steps = std::min(steps, model.window_tokens() - context - 1);
    total_s += piece.sum(static_cast<double>(steps)).total_s();
    context += steps;
    left -= steps;
  }
  return {total_s, kTime};
}

Value prefill_time(const ClaimSetting& setting, const ClaimArguments& arguments) {
  const PoolModels::Pool& pool = pool_at(setting, arguments);
  const perf::StepModel& model = *pool.steps;
  const std::int64_t tokens = arguments.count(1, 1, kMostTokens);
  const std::int64_t most = serving(setting).scheduler.max_batch_tokens;
  const std::int64_t chunks = (tokens + most - 1) / most;
  if (chunks > kMostChunks) {
    throw FormulaError(std::to_string(tokens) + " tokens in chunks of " + std::to_string(most) +
                       " are " + std::to_string(chunks) + " steps; at most " +
                       std::to_string(kMostChunks) + " are added up");
  }
  require_room(setting, pool, 1, tokens);
  double total_s = 0.0;
  for (std::int64_t done = 0; done < tokens; done += most) {
    const std::int64_t chunk = std::min(most, tokens - done);
    const perf::PrefillSlice slice{
        .tokens = chunk, .cached = done, .samples = done + chunk == tokens};
    total_s += model.mixed_step({&slice, 1}, {}).total_s();
  }
  return {total_s, kTime};
}

Value share(const ClaimSetting& setting, const ClaimArguments& arguments) {
  const std::string& cause = arguments.text(3);
  const perf::StepCost step = step_at(setting, arguments);
  std::vector<std::string> names;
  for (std::size_t i = 0; i < kStepCauses; ++i) {
    names.emplace_back(enum_names(Cause{})[i]);
    if (names.back() == cause) return {step.seconds[i] / step.total_s(), kNone};
  }
  throw FormulaError("a step has no cause " + quote_word(cause) + suggestion(cause, names));
}

Value step_joules(const ClaimSetting& setting, const ClaimArguments& arguments) {
  const PoolModels::Pool& pool = pool_at(setting, arguments);
  const scenario::DeploymentPlan& d = *pool.deployment;
  const perf::StepCost step = step_at(setting, arguments);
  const power::DevicePower device(pool.plan->devices[d.device],
                                  {.linear_math = d.linear_math,
                                   .expert_math = d.expert_math,
                                   .attention_math = d.attention_math,
                                   .link = pool.plan->node.link},
                                  pool.steps->placement());
  const double per_device_j =
      device.activity(step, step.total_s()).total() + device.idle_w() * step.total_s();
  return {per_device_j * static_cast<double>(d.devices_per_replica), kEnergy};
}

using Collective = perf::CollectiveTime (perf::Collectives::*)(double, std::int64_t) const;

Value collective_time(const ClaimSetting& setting, const ClaimArguments& arguments,
                      Collective collective) {
  const PoolModels::Pool& pool = pool_at(setting, arguments);
  const perf::Collectives collectives(*pool.plan, *pool.deployment, setting.pools.plan().fabric);
  const std::int64_t ranks = arguments.count(2, 2, pool.plan->device_count());
  return {(collectives.*collective)(arguments.positive(1), ranks).total_s(), kTime};
}

Value all_reduce(const ClaimSetting& setting, const ClaimArguments& arguments) {
  return collective_time(setting, arguments, &perf::Collectives::all_reduce);
}

Value all_to_all(const ClaimSetting& setting, const ClaimArguments& arguments) {
  return collective_time(setting, arguments, &perf::Collectives::all_to_all);
}

Value metric(const ClaimSetting& setting, const ClaimArguments& arguments) {
  const std::string& name = arguments.text(0);
  const metrics::MetricInfo* info = metrics::find_metric(name);
  if (info == nullptr) {
    throw FormulaError(quote_word(name) + " is no metric" + metrics::metric_suggestion(name));
  }
  if (!setting.pools.plan().scenario.simulated)
    throw FormulaError("a metric needs a scenario with a workload and a fleet");
  setting.trail.metric_asked = true;
  if (setting.metrics == nullptr) throw formula::UnknownValue(name, "it is not simulated yet");
  for (const metrics::MetricValue& m : *setting.metrics) {
    if (m.name == name && std::isfinite(m.value)) return {m.value, info->dim};
  }
  throw formula::UnknownValue(name, "the simulated run does not have it");
}

}  // namespace

const PoolModels::Pool& PoolModels::pool(const std::string& name) const {
  const auto made = made_.find(name);
  if (made != made_.end()) return made->second;
  std::vector<std::string> names;
  for (const scenario::PoolPlan& pool : plan_->pools) {
    names.push_back(pool.name);
    if (pool.name != name) continue;
    if (pool.deployments.empty()) throw FormulaError("pool '" + name + "' has no deployment");
    const scenario::DeploymentPlan& d = pool.deployments.front();
    if (!d.unfit.empty()) throw FormulaError("pool '" + name + "': " + d.unfit);
    if (d.side != scenario::EngineSide::both)
      throw FormulaError("pool '" + name + "': formulas know engines with 'steps: together' only");
    auto steps = std::make_unique<perf::StepModel>(pool, d, plan_->scenario.serving, plan_->fabric);
    const std::string& problem = steps->placement().problem;
    if (!problem.empty()) throw FormulaError("pool '" + name + "': " + problem);
    return made_.emplace(name, Pool{&pool, &d, std::move(steps)}).first->second;
  }
  if (names.empty()) throw FormulaError("the scenario has no pools; give it a 'fleet'");
  throw FormulaError("no pool " + quote_word(name) + suggestion(name, names));
}

const std::vector<ClaimFunction>& pool_functions() {
  constexpr ClaimParameter kPool{"pool", true};
  constexpr ClaimParameter kBatch{"batch"};
  constexpr ClaimParameter kContext{"context"};
  constexpr ClaimParameter kTokens{"tokens"};
  constexpr ClaimParameter kBytes{"bytes", false, kData};
  static const std::vector<ClaimFunction> kFunctions{
      {"replica_devices", {kPool}, replica_devices},
      {"weight_bytes_per_device", {kPool}, weight_bytes_per_device},
      {"kv_tokens", {kPool}, kv_tokens},
      {"decode_step", {kPool, kBatch, kContext}, decode_step},
      {"decode_rate", {kPool, kBatch, kContext}, decode_rate},
      {"decode_time", {kPool, kContext, kTokens}, decode_time},
      {"prefill_time", {kPool, kTokens}, prefill_time},
      {"share", {kPool, kBatch, kContext, {"cause", true}}, share},
      {"step_joules", {kPool, kBatch, kContext}, step_joules},
      {"all_reduce", {kPool, kBytes, {"ranks"}}, all_reduce},
      {"all_to_all", {kPool, kBytes, {"ranks"}}, all_to_all},
      {"metric", {{"name", true}}, metric},
  };
  return kFunctions;
}

}  // namespace tokenyard::study
