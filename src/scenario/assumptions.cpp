#include "scenario/assumptions.hpp"

#include <algorithm>
#include <set>

#include "catalog/catalog.hpp"

namespace tokenyard::scenario {
namespace {

class Collector {
 public:
  template <class T>
  void add(std::string_view kind, const T& entry) {
    const std::string name = std::string(kind) + ' ' + entry.name;
    if (!seen_.insert(name).second) return;
    for (const input::SourcedNumber& number : input::sourced_numbers(entry)) {
      const bool guessed = number.confidence == input::Confidence::estimate ||
                           number.confidence == input::Confidence::assumed;
      if (!guessed && !number.unknown) continue;
      // A default of the program has no source of its own.
      found.push_back({name + ": " + number.path, number.value,
                       number.unknown ? "unknown" : std::string(input::name_of(number.confidence)),
                       number.source.empty() ? "default of tokenyard" : number.source,
                       number.band});
    }
  }
  // What no device of today's processes can do is loaded as claimed, and named.
  void add_marks(const catalog::Device& device) {
    if (!marked_.insert(device.name).second) return;
    for (const catalog::Finding& finding : catalog::check_device(device)) {
      const std::string number = std::to_string(++marks_);
      found.push_back({"device " + device.name + ": physics " + number, finding.message, "marked",
                       "bounds of 'tokenyard catalog check'"});
    }
  }
  std::vector<Assumption> found;

 private:
  std::set<std::string> marked_;
  int marks_ = 0;
  std::set<std::string> seen_;
};

// What the host costs, where the scenario does not say: guessed, unless it was fitted to measurements.
void add_host(const Plan& plan, std::vector<Assumption>& found) {
  const HostOverhead& host = plan.scenario.serving.host;
  const std::string steps =
      "engines with asynchronous scheduling; older ones take up to 3 ms a step";
  const auto has = [](const std::vector<std::string>& keys, const std::string& key) {
    return std::find(keys.begin(), keys.end(), key) != keys.end();
  };
  const auto add = [&](const std::string& key, Seconds cost, const std::string& source) {
    if (has(plan.stated_host, key)) return;
    const bool is_fitted = has(plan.calibrated_host, key);
    found.push_back({"serving.host." + key, to_text(cost), is_fitted ? "measured" : "assumed",
                     is_fitted ? "calibration " + plan.host_calibration : source});
  };
  add("per_step", host.per_step, steps);
  add("per_sequence", host.per_sequence, steps);
  add("per_request", host.per_request, "servers in Python add tens of milliseconds to a request");
  add("per_input_token", host.per_input_token, "tokenisers take 2 to 8 us a token");
}

}  // namespace

std::vector<Assumption> collect_assumptions(const Plan& plan) {
  Collector collector;
  collector.add("site", plan.site);
  collector.add("fabric", plan.fabric);
  for (const PoolPlan& pool : plan.pools) {
    collector.add("node", pool.node);
    for (const catalog::Device& device : pool.devices) {
      collector.add("device", device);
      collector.add_marks(device);
    }
    for (const DeploymentPlan& d : pool.deployments) {
      collector.add("model", d.model);
      collector.add("format", d.weights);
      collector.add("format", d.kv);
      collector.add("format", d.activations);
      collector.add("format", d.lm_head);
      collector.add("format", d.expert_weights);
    }
  }
  collector.found.insert(collector.found.end(), plan.calibration.begin(), plan.calibration.end());
  add_host(plan, collector.found);
  if (plan.scenario.serving.kv_cache.capacity.unlimited) {
    collector.found.push_back({"serving.kv_cache.capacity", "unlimited", "assumed",
                               "a cache that evicts nothing; no device has it"});
  }
  return std::move(collector.found);
}

}  // namespace tokenyard::scenario
