#include "scenario/choose_parallelism.hpp"

#include <algorithm>

namespace tokenyard::scenario {
namespace {

constexpr std::int64_t kMostAutomatic = 16'384;  // devices of a replica
constexpr std::int64_t kUsualContext = 32'768;

std::int64_t kv_tokens(const DeploymentPlan& d) {
  return d.spec.min_kv_tokens.value_or(std::min(d.model.max_context, kUsualContext));
}

std::vector<std::int64_t> tensor_choices(const DeploymentPlan& d, const PoolPlan& pool) {
  if (d.spec.tensor_parallel != kAuto) return {d.spec.tensor_parallel};
  const std::int64_t in_node = connected(pool) ? pool.node.device_count() : 1;
  std::vector<std::int64_t> choices;
  for (std::int64_t t = 1; t <= in_node; ++t) {
    if (d.model.attention.heads % t == 0) choices.push_back(t);
  }
  return choices;
}

// A replica stays in a node or fills whole ones, and devices without wiring are a replica each.
bool can_be_wired(const PoolPlan& pool, std::int64_t devices) {
  const std::int64_t in_node = pool.node.device_count();
  if (devices > 1 && in_node > 1 && !connected(pool)) return false;
  return devices <= in_node || (!pool.node.nics.empty() && devices % in_node == 0);
}

std::int64_t ways_of_data(const DeploymentPlan& d, std::int64_t tensor) {
  const DeploySpec& s = d.spec;
  return s.attention_data_parallel.value_or(
      s.data_parallel_attention ? std::max<std::int64_t>(1, s.expert_parallel / tensor) : 1);
}

}  // namespace

bool connected(const PoolPlan& pool) {
  return pool.node.topology != catalog::NodeTopology::none;
}

std::int64_t most_devices(const PoolPlan& pool, std::int64_t free_devices) {
  return pool.count == kAuto ? kMostAutomatic : free_devices;
}

std::string choose_parallelism(DeploymentPlan& d, const PoolPlan& pool, const ServingSpec& serving,
                               std::int64_t most, const Fits& fits) {
  const std::vector<std::int64_t> tensors = tensor_choices(d, pool);
  const bool staged = d.spec.pipeline_parallel == kAuto;
  std::string problem = "no number of devices of node " + pool.node.name + " divides the " +
                        std::to_string(d.model.attention.heads) + " heads of " + d.model.name +
                        " and can be wired";
  std::int64_t most_tried = 0;
  const auto holds = [&](std::int64_t tensor, std::int64_t stages) {
    const std::int64_t data = ways_of_data(d, tensor);
    const std::int64_t devices = tensor * data * stages;
    if (devices > most || !can_be_wired(pool, devices)) return false;
    DeploymentPlan tried = d;
    tried.spec.tensor_parallel = tensor;
    tried.spec.pipeline_parallel = stages;
    tried.attention_data_parallel = data;
    tried.devices_per_replica = devices;
    const std::string misfit = fits(pool, tried, serving, kv_tokens(d));
    if (!misfit.empty()) {
      // The one reported is that of the most devices: the least that is short.
      if (devices > most_tried) problem = misfit;
      most_tried = std::max(most_tried, devices);
      return false;
    }
    d.spec.tensor_parallel = tensor;
    d.spec.pipeline_parallel = stages;
    return true;
  };
  const std::int64_t first = staged ? 1 : d.spec.pipeline_parallel;
  for (const std::int64_t tensor : tensors) {
    if (holds(tensor, first)) return "";
  }
  if (!staged) return problem;
  const std::int64_t in_node = pool.node.device_count();
  // With the most devices to a layer that still fill whole nodes.
  for (auto tensor = tensors.rbegin(); tensor != tensors.rend(); ++tensor) {
    const std::int64_t stages = d.tiled ? most / *tensor : std::min(d.model.layers, most / *tensor);
    if (in_node % *tensor != 0 && *tensor % in_node != 0) continue;
    for (std::int64_t p = 2; p <= stages; ++p) {
      if (holds(*tensor, p)) return "";
    }
  }
  return problem;
}

}  // namespace tokenyard::scenario
