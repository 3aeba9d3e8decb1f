#include "scenario/assumptions.hpp"

#include <set>

namespace tokenyard::scenario {
namespace {

class Collector {
 public:
  template <class T>
  void add(std::string_view kind, const T& entry) {
    const std::string name = std::string(kind) + ' ' + entry.name;
    if (!seen_.insert(name).second) return;
    for (const input::SourcedNumber& number : input::sourced_numbers(entry)) {
      if (number.confidence != input::Confidence::estimate &&
          number.confidence != input::Confidence::assumed)
        continue;
      // A default of the program has no source of its own.
      found.push_back({name + ": " + number.path, number.value,
                       std::string(input::name_of(number.confidence)),
                       number.source.empty() ? "default of tokenyard" : number.source});
    }
  }
  std::vector<Assumption> found;

 private:
  std::set<std::string> seen_;
};

}  // namespace

std::vector<Assumption> collect_assumptions(const Plan& plan) {
  Collector collector;
  collector.add("site", plan.site);
  collector.add("fabric", plan.fabric);
  for (const PoolPlan& pool : plan.pools) {
    collector.add("node", pool.node);
    for (const catalog::Device& device : pool.devices) collector.add("device", device);
    for (const DeploymentPlan& d : pool.deployments) {
      collector.add("model", d.model);
      collector.add("format", d.weights);
      collector.add("format", d.kv);
      collector.add("format", d.activations);
    }
  }
  const HostOverhead& host = plan.scenario.serving.host;
  const std::string source =
      "engines with asynchronous scheduling; older ones take up to 3 ms a step";
  collector.found.push_back({"serving.host.per_step", to_text(host.per_step), "assumed", source});
  collector.found.push_back(
      {"serving.host.per_sequence", to_text(host.per_sequence), "assumed", source});
  return std::move(collector.found);
}

}  // namespace tokenyard::scenario
