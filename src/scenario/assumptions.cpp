#include "scenario/assumptions.hpp"

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
